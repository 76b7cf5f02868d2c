/** One code: noise around it, new ones from the prior, ways between two, sums of groups. */
import { drawn, normals, sample } from '../kernels/sampling.js';
import { entryOf } from './entry.js';

/** @typedef {import('./entry.js').Shared} Shared */
/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {import('../views/code/code.js').Units} Units */
/** @typedef {import('../views/code/code.js').Decoded} Decoded */

/**
 * @param {Shared} shared
 * @param {{ model: string }} given
 * @returns {Units}
 */
export function units(shared, { model }) {
  return entryOf(shared, model).sent.units;
}

/**
 * @param {Shared} shared
 * @param {{ model: string, codes: number[][], label?: string }} given
 * @returns {Decoded}
 */
export function decode(shared, { model, codes, label }) {
  return decoded(entryOf(shared, model), Float32Array.from(codes.flat()), label);
}

/**
 * @param {Shared} shared
 * @param {{ model: string, z: number[], sigma: number, n?: number, seed?: number, label?: string }} given
 * @returns {Decoded}
 */
export function noisy(shared, { model, z, sigma, n = 12, seed = 0, label }) {
  const entry = entryOf(shared, model);
  const spread = deviations(entry);
  const noise = normals(seed, n * entry.d);
  return decoded(
    entry,
    Float32Array.from(noise, (value, i) => z[i % entry.d] + sigma * spread[i % entry.d] * value),
    label,
  );
}

/**
 * @param {Shared} shared
 * @param {{ model: string, n?: number, temperature?: number, seed?: number, label?: string }} given
 * @returns {Decoded}
 */
export function samples(shared, { model, n = 24, temperature = 1, seed = 0, label }) {
  const entry = entryOf(shared, model);
  const { z, labels } = sample(entry.model, n, seed, entry.context(label), temperature);
  const x = entry.told.table ? drawn(entry.model, z, n, labels, seed) : entry.decode(z, labels);
  return { levels: entry.shown(x), codes: { data: z, shape: [n, entry.d] } };
}

/**
 * @param {Shared} shared
 * @param {{ model: string, a: number, b: number, steps?: number, kind?: string, label?: string }} given
 * @returns {Decoded}
 */
export function way(shared, { model, a, b, steps = 33, kind = 'linear', label }) {
  const entry = entryOf(shared, model);
  const [start, end] = [entry.code(a), entry.code(b)];
  const shares = WAYS[kind](start, end);
  const codes = Float32Array.from({ length: steps * entry.d }, (_, i) => {
    const [t, unit] = [Math.floor(i / entry.d) / (steps - 1), i % entry.d];
    if (t === 0 || t === 1) return t ? end[unit] : start[unit];
    const [first, second] = shares(t);
    return first * start[unit] + second * end[unit];
  });
  return decoded(entry, codes, label);
}

/** @typedef {(t: number) => [number, number]} Shares of both ends, on the way between them */
/** @type {Record<string, (start: Float32Array, end: Float32Array) => Shares>} */
const WAYS = { linear: () => (t) => [1 - t, t], spherical };

/**
 * On the great circle, while the length changes evenly: as `narrows.latent.interpolate` has it.
 * @param {Float32Array} start
 * @param {Float32Array} end
 * @returns {Shares}
 */
function spherical(start, end) {
  const [a, b] = [Math.hypot(...start), Math.hypot(...end)];
  if (!a || !b) {
    throw new Error("a spherical interpolation needs codes with a direction, but one is 0; take kind='linear'");
  }
  const apart = Math.hypot(...start.map((value, i) => value / a - end[i] / b));
  const together = Math.hypot(...start.map((value, i) => value / a + end[i] / b));
  const angle = 2 * Math.atan2(apart, together);
  if (angle > Math.PI - 1e-6) {
    throw new Error(
      "a and b point in opposite directions, between which there is no shortest path; take kind='linear'",
    );
  }
  if (angle < 1e-6) return (t) => [1 - t, t];
  return (t) => {
    const length = ((1 - t) * a + t * b) / Math.sin(angle);
    return [(length * Math.sin((1 - t) * angle)) / a, (length * Math.sin(t * angle)) / b];
  };
}

/**
 * @param {Shared} shared
 * @param {{ model: string, start: number, minus: string, plus: string }} given
 * @returns {import('../views/code/arithmetic.js').Arithmetic}
 */
export function arithmetic(shared, { model, start, minus, plus }) {
  const entry = entryOf(shared, model);
  const z = entry.code(start);
  const [without, added] = [middle(entry, 'minus', minus), middle(entry, 'plus', plus)];
  const moved = Float64Array.from(z, (value, i) => value - without[i] + added[i]);
  const [first, second, third, last] = [z, without, added, moved].map((code) =>
    entry.shown(entry.decode(code, entry.context(undefined))),
  );
  return { start: first, minus: second, plus: third, result: last, z: Array.from(moved) };
}

/**
 * @param {Entry} entry
 * @param {string} name
 * @param {string} label
 * @returns {Float64Array} the mean code of the examples with that label
 */
function middle(entry, name, label) {
  const { classes, labels } = entry.sent;
  const index = classes.indexOf(label);
  if (!labels || index < 0) throw new Error(`${name}='${label}' is not a label; labels are ${classes.join(', ')}`);
  const rows = Array.from(labels.data.keys()).filter((row) => labels.data[row] === index);
  return meanCode(entry, rows);
}

/**
 * @param {Entry} entry
 * @param {number[]} rows
 * @returns {Float64Array}
 */
export function meanCode(entry, rows) {
  const sum = new Float64Array(entry.d);
  for (const row of rows) entry.code(row).forEach((value, i) => (sum[i] += value / rows.length));
  return sum;
}

/**
 * @param {Entry} entry
 * @returns {Float64Array} the standard deviation of each unit over the examples
 */
function deviations(entry) {
  const n = entry.codes.length / entry.d;
  const mean = meanCode(
    entry,
    Array.from({ length: n }, (_, row) => row),
  );
  const sum = new Float64Array(entry.d);
  entry.codes.forEach((value, i) => (sum[i % entry.d] += (value - mean[i % entry.d]) ** 2 / n));
  return sum.map(Math.sqrt);
}

/**
 * @param {Entry} entry
 * @param {Float32Array} codes
 * @param {string | undefined} label
 * @returns {Decoded}
 */
function decoded(entry, codes, label) {
  const shown = entry.shown(entry.decode(codes, entry.context(label)));
  return { levels: shown, codes: { data: codes, shape: [codes.length / entry.d, entry.d] } };
}
