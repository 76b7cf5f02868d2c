/**
 * Networks of threshold units for the Boolean functions that no single unit computes, as `narrows.foundations.networks`
 * wires them: hidden units cut off, one after another, as many of the remaining inputs as lie beyond a plane and are of
 * one class (Marchand, Golea & Ruján 1990), and the output unit lets the first cut that an input falls to decide.
 */
import { inputs, separate, unitOf } from './boolean.js';
import { fires } from './perceptron.js';

/** @typedef {import('./perceptron.js').Unit} Unit */
/** @typedef {{ unit: Unit, mine: number[] }} Cut a unit, and the rows of the table that it cuts off */

/**
 * @param {number[]} labels a truth table of n inputs
 * @returns {Unit[][]} the hidden layer, if one is needed, and the output layer of one unit
 */
export function network(labels) {
  const n = Math.floor(Math.log2(labels.length));
  if (labels.length !== 2 ** n) throw new RangeError(`labels must be 2ⁿ values, n = 1 to 12, got ${labels.length}`);
  const x = inputs(n);
  const single = separate(x, labels);
  if (single.weights.length) return [[unitOf(single)]];
  let found = cuts(x, labels, [0, 1]);
  for (const label of [1, 0]) {
    const others = cuts(x, labels, [label]);
    if (others.length < found.length) found = others;
  }
  const cutOff = new Set(found.flatMap(({ mine }) => mine));
  const rest = labels[labels.findIndex((_, row) => !cutOff.has(row))];
  return wired(x, labels, found, rest);
}

/**
 * Backwards, each cut gets the least weight that brings its own inputs to the right side of the sum of the later ones,
 * which is 1 − rest or more for class 1. A cut that needs none is left out.
 * @param {number[][]} x
 * @param {number[]} labels
 * @param {Cut[]} found
 * @param {number} rest the class of those that no cut takes
 */
function wired(x, labels, found, rest) {
  const totals = labels.map(() => 0);
  /** @type {Unit[]} */
  const hidden = [];
  /** @type {number[]} */
  const weights = [];
  for (const { unit, mine } of [...found].reverse()) {
    const own = mine.map((row) => totals[row]);
    const weight = labels[mine[0]] ? Math.max(0, 1 - rest - Math.min(...own)) : Math.min(0, -rest - Math.max(...own));
    if (!weight) continue;
    x.forEach((row, i) => (totals[i] += weight * fires(unit, row)));
    hidden.unshift(unit);
    weights.unshift(weight);
  }
  return [hidden, [{ weights, theta: 0.5 - rest }]];
}

/**
 * @param {number[][]} x
 * @param {number[]} labels
 * @param {number[]} classes that may be cut off
 * @returns {Cut[]} until one class is left
 */
function cuts(x, labels, classes) {
  const found = [];
  let left = [...x.keys()];
  while (new Set(left.map((row) => labels[row])).size > 1) {
    const first = /** @type {number} */ (left.find((row) => labels[row] === classes[0]));
    // The last direction has one extreme input, so that there is always something to cut off.
    const cut = best(x, labels, left, classes, [...directions(x[0].length), x[first].map((bit) => 2 * bit - 1)]);
    found.push(cut);
    left = left.filter((row) => !cut.mine.includes(row));
  }
  return found;
}

/**
 * @param {number[][]} x
 * @param {number[]} labels
 * @param {number[]} left the rows that are left
 * @param {number[]} classes
 * @param {number[][]} tried directions
 * @returns {Cut} the one that cuts off the most
 */
function best(x, labels, left, classes, tried) {
  let found = /** @type {Cut} */ ({ mine: /** @type {number[]} */ ([]) });
  for (const weights of tried) {
    const excitation = (/** @type {number} */ row) => weights.reduce((sum, w, i) => sum + w * x[row][i], 0);
    const highest = [0, 1].map((label) => Math.max(...left.filter((row) => labels[row] === label).map(excitation)));
    // Beyond the highest excitation of one class there is only the other.
    const bound = Math.min(...classes.map((label) => highest[1 - label]));
    const mine = left.filter((row) => excitation(row) > bound);
    if (mine.length > found.mine.length) found = { unit: { weights, theta: bound + 0.5 }, mine };
  }
  return found;
}

/**
 * @param {number} n
 * @returns {number[][]} all of 1, 0 and −1
 */
function directions(n) {
  return n ? [1, 0, -1].flatMap((first) => directions(n - 1).map((rest) => [first, ...rest])) : [[]];
}
