/**
 * Which functions one threshold unit computes, and a proof where none does, as `narrows.foundations.boolean`: either a
 * unit gives every point its label, or some of the inequalities, each taken a number of times and added up, read 0 < 0
 * (Farkas 1902). All in whole numbers of any length, so that rounding decides nothing.
 */
import { corners } from './perceptron.js';

/** @typedef {{ numerator: bigint, denominator: bigint }} Fraction */
/**
 * @typedef {object} Found
 * @property {bigint[]} weights of a unit, in whole numbers; none where there is no unit
 * @property {Fraction} theta its threshold, near the middle of those that do
 * @property {Map<number, bigint>} multipliers how often the inequality of each point is taken, where there is no unit
 */

const NOTHING = { numerator: 0n, denominator: 1n };

/**
 * Find weights and a threshold that give every point its label, or a proof that there are none.
 * @param {number[][]} points each number is taken for the binary fraction that it is
 * @param {number[]} labels 0 and 1
 * @returns {Found}
 */
export function separate(points, labels) {
  const same = labels.every((label) => label === labels[0]);
  if (same) {
    const theta = { numerator: labels[0] ? -1n : 1n, denominator: 1n };
    return { weights: points[0].map(() => 0n), theta, multipliers: new Map() };
  }
  const [grid, common] = wholeNumbers(points);
  const { weights, multipliers } = decide(grid, labels);
  if (multipliers.size) return { weights: [], theta: NOTHING, multipliers };
  for (const rounded of roundings(weights)) {
    const theta = between(grid, common, labels, rounded);
    if (theta) return { weights: rounded, theta, multipliers };
  }
  throw new Error('weights that separate must separate');
}

/**
 * @param {Found} found
 * @returns {import('./perceptron.js').Unit} the same in floating point
 */
export function unitOf({ weights, theta }) {
  return { weights: weights.map(Number), theta: Number(theta.numerator) / Number(theta.denominator) };
}

/**
 * @param {number} n
 * @returns {number[][]} all inputs of a Boolean function in the order of a truth table
 */
export function inputs(n) {
  return corners(n, 0, 1);
}

/**
 * What stands on both sides of the sum of the inequalities of a proof about a truth table, such as θ + w1 + w2.
 * @param {number[][]} rows
 * @param {number[]} labels
 * @param {Map<number, bigint>} multipliers
 */
export function side(rows, labels, multipliers) {
  const all = [0n, ...rows[0].map(() => 0n)];
  for (const [row, times] of multipliers) {
    if (labels[row]) [1, ...rows[row]].forEach((x, i) => (all[i] += times * BigInt(x)));
  }
  const terms = all.flatMap((times, i) => {
    const name = i ? `w${i}` : 'θ';
    return times ? [times === 1n ? name : `${times}·${name}`] : [];
  });
  return terms.join(' + ');
}

/**
 * How many of the Boolean functions of n inputs a threshold unit computes. Permuted or negated inputs and a negated
 * output change nothing, so that one function of each such class is decided.
 * @param {number} n 1 to 4
 */
export function countSeparable(n) {
  const rows = inputs(n);
  const last = 2 ** rows.length - 1;
  const place = (/** @type {number[]} */ x) => x.reduce((before, bit) => 2 * before + bit, 0);
  const moves = permutations(n).flatMap((order) =>
    rows.map((flips) => rows.map((x) => place(order.map((i) => x[i] ^ flips[i])))),
  );
  const seen = new Uint8Array(last + 1);
  let counted = 0;
  for (let f = 0; f <= last; f++) {
    if (seen[f]) continue;
    const orbit = new Set();
    for (const move of moves) {
      const moved = move.reduce((before, to, i) => before | (((f >> to) & 1) << i), 0);
      orbit.add(moved).add(last - moved);
    }
    orbit.forEach((other) => (seen[other] = 1));
    const table = rows.map((_, i) => (f >> i) & 1);
    if (separate(rows, table).weights.length) counted += orbit.size;
  }
  return counted;
}

/**
 * @param {number} n
 * @returns {number[][]}
 */
function permutations(n) {
  if (!n) return [[]];
  return permutations(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, at) => [...order.slice(0, at), n - 1, ...order.slice(at)]),
  );
}

/**
 * @param {number[][]} points
 * @returns {[bigint[][], bigint]} whole numbers, and what they are divided by
 */
function wholeNumbers(points) {
  const parts = points.map((point) => point.map(binary));
  const most = Math.max(...parts.flat().map(({ exponent }) => exponent));
  const grid = parts.map((point) => point.map(({ whole, exponent }) => whole << BigInt(most - exponent)));
  return [grid, 1n << BigInt(most)];
}

/**
 * @param {number} value
 * @returns {{ whole: bigint, exponent: number }} a whole number, and the power of two that it is divided by
 */
function binary(value) {
  let [whole, exponent] = [value, 0];
  while (!Number.isInteger(whole)) [whole, exponent] = [2 * whole, exponent + 1];
  return { whole: BigInt(whole), exponent };
}

/**
 * Weights that separate, or multipliers of a contradiction: the simplex method's first phase in whole numbers.
 *
 * It looks for λ ≥ 0 with Σ λ c = (0, …, 0, 1), where c = (s·x, −s, 1) and s = ±1 for the two classes. The basis'
 * inverse is kept as whole numbers over their common denominator (Edmonds 1967); the lexicographic ratio test makes it
 * terminate (Dantzig, Orden & Wolfe 1955). Where no such λ exists, the prices are weights (Farkas 1902).
 * @param {bigint[][]} points
 * @param {number[]} labels
 * @returns {{ weights: bigint[], multipliers: Map<number, bigint> }}
 */
function decide(points, labels) {
  const columns = points.map((x, i) => (labels[i] ? [...x, -1n, 1n] : [...x.map((value) => -value), 1n, 1n]));
  const rows = columns[0].length;
  let inverse = Array.from({ length: rows }, (_, i) => Array.from({ length: rows }, (__, j) => BigInt(i === j)));
  let denominator = 1n;
  const basis = Array.from({ length: rows }, () => -1); // artificial columns, to be driven out
  for (;;) {
    const prices = inverse[0].map((_, j) => sum(inverse.map((row, i) => (basis[i] < 0 ? row[j] : 0n))));
    if (!prices[rows - 1]) {
      const taken = basis.map((j, i) => /** @type {[number, bigint]} */ ([j, inverse[i][rows - 1]]));
      return { weights: [], multipliers: lowest(taken.filter(([j, times]) => j >= 0 && times > 0n)) };
    }
    const gains = columns.map((column) => product(column, prices));
    const entering = gains.reduce((best, gain, j) => (gain > gains[best] ? j : best), 0);
    if (gains[entering] <= 0n) return { weights: prices.slice(0, -2).map((price) => -price), multipliers: new Map() };
    const change = inverse.map((row) => product(row, columns[entering]));
    const leaving = leavingRow(inverse, change);
    const [pivot, kept] = [change[leaving], inverse[leaving]];
    inverse = inverse.map((row, i) =>
      i === leaving ? kept : row.map((value, j) => (value * pivot - change[i] * kept[j]) / denominator),
    );
    denominator = pivot;
    basis[leaving] = entering;
  }
}

/**
 * @param {bigint[][]} inverse
 * @param {bigint[]} change
 * @returns {number} the row whose numbers, the last first, are the least when divided by its change
 */
function leavingRow(inverse, change) {
  const order = [change.length - 1, ...change.keys()];
  const before = (/** @type {number} */ a, /** @type {number} */ b) => {
    const j = order.find((column) => inverse[a][column] * change[b] !== inverse[b][column] * change[a]);
    return j !== undefined && inverse[a][j] * change[b] < inverse[b][j] * change[a];
  };
  const rising = [...change.keys()].filter((i) => change[i] > 0n);
  return rising.reduce((least, i) => (before(i, least) ? i : least));
}

/**
 * Whole-number multiples of a direction, the coarsest first, then ever finer, and at last the direction itself.
 * @param {bigint[]} weights
 */
function* roundings(weights) {
  const largest = weights.reduce((most, w) => (size(w) > most ? size(w) : most), 0n);
  for (let k = 1n; k < 2n ** 50n; k = k < 64n ? k + 1n : 2n * k) {
    yield weights.map((w) => (w < 0n ? -1n : 1n) * ((2n * size(w) * k + largest) / (2n * largest)));
  }
  yield weights;
}

/**
 * @param {bigint[][]} grid
 * @param {bigint} common what it is divided by
 * @param {number[]} labels
 * @param {bigint[]} weights
 * @returns {Fraction | null} a threshold near the middle of the gap, if there is one
 */
function between(grid, common, labels, weights) {
  const excitations = grid.map((x) => product(x, weights));
  const [zeros, ones] = [0, 1].map((label) => excitations.filter((_, i) => labels[i] === label));
  const low = zeros.reduce((most, value) => (value > most ? value : most));
  const high = ones.reduce((least, value) => (value < least ? value : least));
  return low < high ? { numerator: low + high, denominator: 2n * common } : null;
}

/** @param {[number, bigint][]} taken @returns {Map<number, bigint>} in order, and without a common divisor */
function lowest(taken) {
  const divisor = taken.reduce((gcd, [, times]) => greatest(gcd, times), 0n);
  return new Map(taken.sort(([a], [b]) => a - b).map(([j, times]) => [j, times / divisor]));
}

/** @param {bigint} a @param {bigint} b @returns {bigint} their greatest common divisor */
function greatest(a, b) {
  return b ? greatest(b, a % b) : a;
}

/** @param {bigint} value */
function size(value) {
  return value < 0n ? -value : value;
}

/** @param {bigint[]} terms */
function sum(terms) {
  return terms.reduce((all, term) => all + term, 0n);
}

/** @param {bigint[]} a @param {bigint[]} b */
function product(a, b) {
  return sum(a.map((value, i) => value * b[i]));
}
