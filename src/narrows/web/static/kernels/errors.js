/** How far examples are from others, in scaled units. */
import { scaled } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./columns.js').Column} Column */

/**
 * @param {Model} model
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} others
 * @returns {{ data: Float32Array, shape: number[] }} squared differences, as narrows.fitted.levels.error_maps has them:
 *   of images the mean over channels; of a table's cells 1 where the mean or the shares stand for all
 */
export function errorMaps(model, x, others) {
  const { shape, table, columns } = model.head;
  const [a, b] = [scaled(model, x), scaled(model, others)];
  const n = a.length / model.features;
  if (table) {
    const data = a.map((cell, i) => ofCells(columns[i % columns.length], cell, b[i]));
    return { data, shape: [n, model.features] };
  }
  const channels = shape[2] ?? 1;
  const data = Float32Array.from({ length: a.length / channels }, (_, pixel) => {
    let sum = 0;
    for (let i = pixel * channels; i < (pixel + 1) * channels; i++) sum += (a[i] - b[i]) ** 2;
    return sum / channels;
  });
  return { data, shape: [n, ...shape.slice(0, 2)] };
}

/**
 * The squared difference of two cells, each coded as narrows.columns.coded does; what is missing counts as the mean.
 * @param {Column} column
 * @param {number} cell
 * @param {number} other
 * @returns {number}
 */
function ofCells({ kind, levels, shares }, cell, other) {
  if (Number.isNaN(cell)) return NaN;
  if (kind !== 'binary' && kind !== 'category') {
    const [mean, variance] = kind === 'ordered' ? moments(shares) : [0, 1];
    return (cell - (Number.isNaN(other) ? mean : other)) ** 2 / variance;
  }
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  const one = (/** @type {number} */ level) => Math.min(level, shares.length - 1);
  const seen = cell < levels.length;
  const unseen = seen ? 0 : 1; // of a level that is new, its own number is missing from the others
  if (Number.isNaN(other)) return ((seen ? 1 - 2 * shares[one(cell)] : 0) + squares + unseen) / (1 - squares);
  return (seen && one(cell) === one(other) ? 0 : 1 + (seen ? 1 : 0) + unseen) / (1 - squares);
}

/** @param {number[]} shares @returns {[number, number]} mean and variance of levels' places */
function moments(shares) {
  const mean = shares.reduce((sum, share, place) => sum + share * place, 0);
  return [mean, shares.reduce((sum, share, place) => sum + share * (place - mean) ** 2, 0)];
}
