/**
 * Three rules by which a threshold unit learns, and what is promised of one of them, as `narrows.foundations.rules`.
 * The threshold is learned as one more weight w₀ = −θ on an input that is always 1.
 */
import { excitation, fires } from './perceptron.js';

/** @typedef {import('./perceptron.js').Unit} Unit */
/** @typedef {{ unit: Unit, index: number, epoch: number, error: number, updated: boolean }} RuleStep */
/**
 * @typedef {(unit: Unit, x: number[], t: number) => [number, number]} Rule the error, and the factor of η·(1, x) in the
 *   change of the weights
 */

/** @type {Record<'rosenblatt' | 'hebb' | 'adaline', Rule>} */
export const RULES = {
  /** Only an error changes the weights (Rosenblatt 1958). */
  rosenblatt(unit, x, t) {
    const error = t - fires(unit, x);
    return [error, error];
  },
  /** What is active together is tied together (Hebb 1949). */
  hebb(unit, x, t) {
    return [t - fires(unit, x), 2 * t - 1];
  },
  /** Descend the squared error of the linear part, before the step (Widrow & Hoff 1960). */
  adaline(unit, x, t) {
    const error = 2 * t - 1 - (excitation(unit, x) - unit.theta);
    return [error, error];
  },
};

/**
 * Show a rule the examples in their order, again and again, from weights 0, until a pass changes nothing.
 * @param {Rule} rule
 * @param {number[][]} points
 * @param {number[]} labels
 * @param {number} eta
 * @param {number} [epochs] at most so many passes
 * @returns {Generator<RuleStep>}
 */
export function* follow(rule, points, labels, eta, epochs = Infinity) {
  /** @type {Unit} */
  let unit = { weights: points[0].map(() => 0), theta: 0 };
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let still = true;
    for (const [index, x] of points.entries()) {
      const [error, factor] = rule(unit, x, labels[index]);
      if (factor) {
        const step = eta * factor;
        unit = { weights: unit.weights.map((w, i) => w + step * x[i]), theta: unit.theta - step };
        still = false;
      }
      yield { unit, index, epoch, error, updated: factor !== 0 };
    }
    if (still) return;
  }
}

/**
 * @param {number[][]} points
 * @returns {number} R, the largest norm of an input with its constant 1
 */
export function radius(points) {
  return Math.max(...points.map((x) => Math.hypot(1, ...x)));
}

/**
 * γ of the convergence theorem (Novikoff 1962): the smallest y·w̃ᵀx̃ over the points, with x̃ = (1, x) and y = ±1, for
 * the w̃ of length 1 where it is greatest; 0 where none separates. That w̃ points to where the hull of the y·x̃ is
 * nearest to the origin, which is on a corner, an edge or a triangle of it: all are tried, since there are few.
 * @param {number[][]} points of the plane
 * @param {number[]} labels
 */
export function margin(points, labels) {
  const all = points.map(([x, y], i) => (labels[i] ? [1, x, y] : [-1, -x, -y]));
  let most = 0;
  const tried = (/** @type {number[]} */ w) => {
    const length = Math.hypot(...w);
    if (length) most = Math.max(most, Math.min(...all.map((z) => dot(z, w) / length)));
  };
  for (const [i, a] of all.entries()) {
    tried(a);
    for (const [j, b] of all.slice(0, i).entries()) {
      tried(nearestOnLine(a, b));
      for (const c of all.slice(0, j)) {
        const normal = cross(difference(b, a), difference(c, a));
        tried(dot(normal, a) < 0 ? normal.map((value) => -value) : normal);
      }
    }
  }
  return most;
}

/**
 * @param {number[]} a
 * @param {number[]} b
 * @returns {number[]} where the line through both is nearest to the origin
 */
function nearestOnLine(a, b) {
  const along = difference(b, a);
  const square = dot(along, along);
  return square ? a.map((value, i) => value - (dot(a, along) / square) * along[i]) : a;
}

/** @param {number[]} a @param {number[]} b */
function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** @param {number[]} a @param {number[]} b */
function difference(a, b) {
  return a.map((value, i) => value - b[i]);
}

/** @param {number[]} a @param {number[]} b */
function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
