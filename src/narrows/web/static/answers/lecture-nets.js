/** The lecture's pages on activations, descent, approximation and parameters, computed in the page. */
import { monomial, relu, sigmoid, step, tanh } from '../foundations/activations.js';
import { approximate, line, POINTS, span } from '../foundations/approximation.js';
import { descend } from '../foundations/descent.js';
import { DRAWS } from '../foundations/draws.js';
import { checked, oneOf, optional, pair, real, whole } from './arguments.js';
import { floats, integers } from './arrays.js';

/** @typedef {Record<string, unknown>} Given */
/** @typedef {import('../foundations/activations.js').Activation} Activation */

const [REACH, DRAWN] = [6, 481]; // how far to either side of 0 activations are drawn, and at how many points
const SIDE = 121; // points of a surface along an axis
const [FAR, FLAT] = [1e6, 1e-3]; // a descent so high is lost; a gradient so short counts as none
const [WIDEST, HIGHEST] = [64, 15];

/** @type {Record<string, { f: import('../foundations/descent.js').Hill, corner: number[], side: number }>} */
const HILLS = {
  bowl: { f: (x, y) => (x - 1) ** 2 + (y - 2) ** 2, corner: [-2, -1], side: 6 },
  trough: { f: (x, y) => x ** 2 / 4 + 2 * y ** 2, corner: [-3, -3], side: 6 },
  valley: { f: (x, y) => (1 - x) ** 2 + 100 * (y - x ** 2) ** 2, corner: [-2, -1.5], side: 4 },
  hollows: { f: (x, y) => (x ** 2 - 1) ** 2 + x / 4 + y ** 2, corner: [-2, -2], side: 4 },
};

/** @type {Record<string, (x: number) => number>} */
const TARGETS = {
  wave: (x) => Math.sin(3 * x),
  corner: Math.abs,
  bump: (x) => Math.exp(-4 * x * x),
  jump: (x) => Number(x >= 0),
};

const HILL = oneOf(...Object.keys(HILLS));
const COORDINATE = real({ least: -10, most: 10 });
const SIZE = whole({ least: 1, most: 4096 });

/** Evaluate the lecture's activation functions. @param {unknown} _ @param {Given} given */
export function activations(_, given) {
  const { x, k } = checked(given, {
    x: real({ least: -REACH, most: REACH }),
    k: optional(real({ above: 0, most: 100 }), 1),
  });
  /** @type {Record<string, [Activation, number]>} */
  const functions = { step: [step, 1], sigmoid: [sigmoid, k], tanh: [tanh, 1], relu: [relu, 1] };
  const all = Object.values(functions);
  const points = evenly(-REACH, REACH, DRAWN);
  const values = (/** @type {number[]} */ at) => all.map(([phi, times]) => at.map((u) => phi.value(times * u)));
  const slopes = (/** @type {number[]} */ at) => all.map(([phi, times]) => at.map((u) => times * phi.slope(times * u)));
  return {
    names: Object.keys(functions),
    x: floats(points, DRAWN),
    values: floats(values(points).flat(), all.length, DRAWN),
    slopes: floats(slopes(points).flat(), all.length, DRAWN),
    at: values([x]).flat(),
    slope: slopes([x]).flat(),
  };
}

/** @param {number} low @param {number} high @param {number} count @returns {number[]} */
function evenly(low, high, count) {
  const each = (high - low) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + i * each));
}

/** Tabulate one of the functions that are descended. @param {unknown} _ @param {Given} given */
export function surface(_, given) {
  const { f, corner, side } = HILLS[checked(given, { f: HILL }).f];
  const [xs, ys] = corner.map((low) => evenly(low, low + side, SIDE));
  const values = ys.flatMap((y) => xs.map((x) => f(x, y)));
  return { xs: floats(xs, SIDE), ys: floats(ys, SIDE), values: floats(values, SIDE, SIDE) };
}

/** Descend one of the functions; cut short where it is lost or has arrived. @param {unknown} _ @param {Given} given */
export function descent(_, given) {
  const { f, start, rate, steps } = checked(given, {
    f: HILL,
    start: pair(COORDINATE),
    rate: real({ above: 0, most: 10 }),
    steps: whole({ least: 0, most: 200 }),
  });
  /** @type {import('../foundations/descent.js').Iterate[]} */
  const path = [];
  for (const here of descend(HILLS[f].f, start, rate)) {
    path.push(here);
    if (path.length > steps || here.value > FAR || Math.hypot(...here.gradient) < FLAT) break;
  }
  const points = path.flatMap(({ at }) => at);
  const gradients = path.flatMap(({ gradient }) => gradient);
  const values = path.map(({ value }) => value);
  return {
    points: floats(points, path.length, 2),
    values: floats(values, path.length),
    gradients: floats(gradients, path.length, 2),
    verdict: verdict(path, values),
  };
}

/**
 * @param {import('../foundations/descent.js').Iterate[]} path
 * @param {number[]} values
 */
function verdict(path, values) {
  if (Math.hypot(.../** @type {any} */ (path.at(-1)).gradient) < FLAT) return 'converges';
  if (path.length === 1) return 'starts';
  const [first, last] = [values[0], values[values.length - 1]];
  const level = Math.abs(last - first) <= 1e-8 + 1e-6 * Math.abs(first);
  if (last > FAR || (last === Math.max(...values) && !level)) return 'diverges';
  if (last > first || level) return 'oscillates';
  const moves = path.slice(1).map(({ at: [x, y] }, i) => [x - path[i].at[0], y - path[i].at[1]]);
  const newest = moves.slice(-10);
  const turns = newest.slice(1).filter(([x, y], i) => x * newest[i][0] + y * newest[i][1] < 0);
  return 2 * turns.length > newest.length - 1 ? 'zigzags' : 'falls';
}

/** Fit nets of 1 to `WIDEST` units to a target, and show the one of `width`. @param {unknown} _ @param {Given} given */
export function approximation(_, given) {
  const { target, activation, width, degree } = checked(given, {
    target: oneOf(...Object.keys(TARGETS)),
    activation: oneOf('sigmoid', 'relu', 'polynomial'),
    width: whole({ least: 1, most: WIDEST }),
    degree: optional(whole({ least: 1, most: HIGHEST }), 3),
  });
  const phis = { sigmoid: `sigmoid`, relu: 'relu', polynomial: `polynomial ${degree}` };
  const nets = Object.values(phis).map((phi) => measured(target, phi));
  const shown = measured(target, phis[/** @type {'relu'} */ (activation)]);
  const sparse = (/** @type {ArrayLike<number>} */ values) => Array.from(values).filter((_value, i) => i % 4 === 0);
  const fit = sparse(shown.fits[width - 1]);
  const x = sparse(Float64Array.from({ length: POINTS }, (_value, k) => 2 * line(k)));
  return {
    x: floats(x, x.length),
    target: floats(x.map(TARGETS[target]), x.length),
    fit: floats(fit, fit.length),
    widths: integers(
      Array.from({ length: WIDEST }, (_value, i) => i + 1),
      WIDEST,
    ),
    rms: floats(
      nets.flatMap(({ rms }) => rms),
      nets.length,
      WIDEST,
    ),
    sup: shown.sup[width - 1],
    dimensions: shown.dimensions[width - 1],
  };
}

/** @type {Map<string, (Float64Array | null)[]>} what hidden layers span, by their activation */
const spans = new Map();

/** @type {Map<string, import('../foundations/approximation.js').Approximation>} by target and activation */
const fitted = new Map();

/**
 * @param {string} target
 * @param {string} phi
 */
function measured(target, phi) {
  const name = `${target} ${phi}`;
  const found =
    fitted.get(name) ??
    approximate(
      Float64Array.from({ length: POINTS }, (_, k) => TARGETS[target](2 * line(k))),
      spanned(phi),
    );
  fitted.delete(name);
  fitted.set(name, found); // the last one asked for, so that the first is the one to forget
  if (fitted.size > 16) fitted.delete(/** @type {string} */ (fitted.keys().next().value));
  return found;
}

/** @param {string} phi */
function spanned(phi) {
  const activation = { sigmoid, relu }[phi] ?? monomial(Number(phi.split(' ')[1]));
  const found = spans.get(phi) ?? span(activation, DRAWS);
  spans.set(phi, found);
  return found;
}

/** Count the weights of a dense and of a convolutional layer. @param {unknown} _ @param {Given} given */
export function parameters(_, given) {
  const { height, width, channels, units, filters, kernel } = checked(given, {
    height: SIZE,
    width: SIZE,
    channels: whole({ least: 1, most: 4 }),
    units: whole({ least: 1, most: 10 ** 8 }),
    filters: SIZE,
    kernel: whole({ least: 1, most: 15 }),
  });
  const inputs = height * width * channels;
  return { inputs, dense: inputs * units, convolutional: filters * channels * kernel ** 2 };
}
