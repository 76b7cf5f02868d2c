/** The lecture's pages on threshold units, Boolean functions and graphs, computed in the page. */
import { countSeparable, inputs, separate, side, unitOf } from '../foundations/boolean.js';
import { lectureGraph } from '../foundations/feedforward.js';
import { network } from '../foundations/networks.js';
import { byAngle, clip, corners, excitation as excited, fires } from '../foundations/perceptron.js';
import { follow, margin, radius, RULES } from '../foundations/rules.js';
import { checked, list, oneOf, real, whole } from './arguments.js';

/** @typedef {import('../foundations/perceptron.js').Unit} Unit */
/** @typedef {Record<string, unknown>} Given */

const [REACH, MOST_POINTS, MOST_STEPS] = [3, 24, 500];

const ANY = real({ least: -1e6, most: 1e6 });
const COORDINATE = real({ least: -REACH, most: REACH });
const POINT = list(COORDINATE, 2, 2);
const BIT = whole({ least: 0, most: 1 });

/** Evaluate a threshold unit at points of the plane, and find its line. @param {unknown} _ @param {Given} given */
export function perceptron(_, given) {
  const { points, w, theta } = checked(given, { points: list(POINT, 0, MOST_POINTS), w: list(ANY, 2, 2), theta: ANY });
  const unit = { weights: w, theta };
  const [line, half] = cut(unit, -REACH, REACH);
  const sums = points.map((/** @type {number[]} */ x) => excited(unit, x) + 0);
  const length = Math.hypot(...w);
  return {
    bias: [-theta, ...w].map((value) => value + 0), // without −0, which no page should show
    line,
    half,
    excitation: sums,
    fires: points.map((/** @type {number[]} */ x) => fires(unit, x)),
    distance: length ? sums.map((/** @type {number} */ value) => (value - theta) / length) : [],
  };
}

/**
 * @param {Unit} unit
 * @param {number} low
 * @param {number} high
 * @returns {[number[][], number[][]]} its line in a square, as two ends, and the corners of the side where it fires
 */
function cut(unit, low, high) {
  const line = unit.weights.some(Boolean) ? clip(unit, low, high) : [];
  const half = [...corners(2, low, high).filter((corner) => fires(unit, corner)), ...line];
  const middle = [0, 1].map((axis) => half.reduce((sum, point) => sum + point[axis], 0) / half.length);
  return [line, byAngle(half, ([x, y]) => [x - middle[0], y - middle[1]])];
}

/** Follow a learning rule step by step, Hebb's for one pass. @param {unknown} _ @param {Given} given */
export function learning(_, given) {
  const { points, labels, rule, eta } = checked(given, {
    points: list(POINT, 1, MOST_POINTS),
    labels: list(BIT, 1, MOST_POINTS),
    rule: oneOf('rosenblatt', 'hebb', 'adaline'),
    eta: real({ above: 0, most: 10 }),
  });
  if (labels.length !== points.length) {
    const shapes = `shape (${points.length},), got shape (${labels.length},)`;
    throw new RangeError(`labels must be one class per point, ${shapes}`);
  }
  const { multipliers } = separate(points, labels);
  const R = radius(points);
  const limit = 2 / R ** 2;
  const { steps, ended } = walked(/** @type {'hebb'} */ (rule), points, labels, eta, limit);
  const gamma = multipliers.size ? 0 : margin(points, labels);
  return {
    units: [[0, 0, 0], ...steps.map(({ unit }) => [...unit.weights, unit.theta])],
    index: steps.map(({ index }) => index),
    epoch: steps.map(({ epoch }) => epoch),
    error: steps.map(({ error }) => error),
    updated: steps.map(({ updated }) => updated),
    ended,
    limit,
    gamma,
    radius: R,
    bound: finite((R / gamma) ** 2 * (1 + 1e-12)), // a hair more, since it is reached in places
    contradiction: [...multipliers.keys()],
    point: multipliers.size ? commonPoint(points, labels, multipliers) : [],
  };
}

/**
 * @param {'rosenblatt' | 'hebb' | 'adaline'} rule
 * @param {number[][]} points
 * @param {number[]} labels
 * @param {number} eta
 * @param {number} limit of ADALINE, which takes no step at it or above
 */
function walked(rule, points, labels, eta, limit) {
  /** @type {import('../foundations/rules.js').RuleStep[]} */
  const steps = [];
  if (rule === 'adaline' && eta >= limit) return { steps, ended: false };
  for (const step of follow(RULES[rule], points, labels, eta, rule === 'hebb' ? 1 : Infinity)) {
    if (steps.length === MOST_STEPS) return { steps, ended: false };
    steps.push(step);
  }
  return { steps, ended: true };
}

/**
 * The mean of a proof's points of class 1, each as often as its inequality is taken; also that of class 0.
 * @param {number[][]} points
 * @param {number[]} labels
 * @param {Map<number, bigint>} multipliers
 */
function commonPoint(points, labels, multipliers) {
  const ones = [...multipliers].filter(([i]) => labels[i]);
  const all = ones.reduce((sum, [, times]) => sum + times, 0n);
  const part = (/** @type {bigint} */ times) => Number((times << 64n) / all) / 2 ** 64; // of any length
  return [0, 1].map((axis) => ones.reduce((sum, [i, times]) => sum + part(times) * points[i][axis], 0));
}

/** Add up a unit's weighted inputs. @param {unknown} _ @param {Given} given */
export function excitation(_, given) {
  const { w, x, theta } = checked(given, { w: list(ANY, 1, 16), x: list(ANY, 1, 16), theta: ANY });
  const unit = { weights: w, theta };
  const sum = excited(unit, x) + 0;
  const products = w.map((/** @type {number} */ weight, /** @type {number} */ i) => weight * x[i] + 0);
  return { products, sum, fires: fires(unit, x) };
}

/** Find a unit for a truth table or a proof of none, and a network. @param {unknown} _ @param {Given} given */
export function boolean(_, given) {
  const { table } = checked(given, { table: list(BIT, 4, 8) });
  const wired = network(table);
  const x = inputs(Math.log2(table.length));
  const found = separate(x, table);
  const unit = unitOf(found);
  const [boundary, half] = drawn(unit);
  return {
    inputs: x,
    weights: unit.weights,
    theta: unit.theta,
    boundary,
    half,
    multipliers: found.multipliers.size ? x.map((__, row) => Number(found.multipliers.get(row) ?? 0n)) : [],
    side: side(x, table, found.multipliers),
    layers: evaluated(wired, x),
  };
}

/** @param {Unit} unit @returns {number[][][]} its boundary among the corners, and the side of it where it fires */
function drawn(unit) {
  if (unit.weights.length === 2) return cut(unit, -0.5, 1.5);
  return [unit.weights.some(Boolean) ? clip(unit, 0, 1) : [], []];
}

/**
 * @param {Unit[][]} layers
 * @param {number[][]} x the rows of the truth table
 */
function evaluated(layers, x) {
  let values = x;
  return layers.map((units) => {
    const before = values;
    values = before.map((row) => units.map((unit) => fires(unit, row)));
    return units.map((unit, i) => ({
      ...unit,
      excitation: before.map((row) => excited(unit, row)),
      fires: values.map((row) => row[i]),
    }));
  });
}

/** @type {{ functions: number[], separable: number[] } | null} */
let counted = null;

/** Count the Boolean functions of one to four inputs, and those of them that one unit computes. */
export function counts() {
  counted ??= { functions: [1, 2, 3, 4].map((n) => 2 ** (2 ** n)), separable: [1, 2, 3, 4].map(countSeparable) };
  return counted;
}

/** Send values forward and derivatives back through the lecture's graph. @param {unknown} _ @param {Given} given */
export function graph(_, given) {
  const { x, y, z } = checked(given, { x: COORDINATE, y: COORDINATE, z: COORDINATE });
  const F = lectureGraph();
  const values = F.forward([x, y, z]);
  return {
    names: F.names,
    primitives: F.names.map((__, row) => F.nodes[row - F.inputs.length]?.primitive ?? ''),
    at: F.layout(),
    edges: F.edges(),
    values,
    ...F.backward(values),
  };
}

/** @param {number} value @returns {number | null} it, if it is a number that JSON has */
function finite(value) {
  return Number.isFinite(value) ? value : null;
}
