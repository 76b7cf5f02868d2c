/** What can be done to an input alone: the kinds of narrows.models.corruptions that do not mix examples. */
import { scaled, unscaled } from './model.js';
import { normalOf, randomOf } from './random.js';

/** @typedef {import('./model.js').Model} Model */
/**
 * @typedef {(
 *   row: Float32Array, level: number, random: () => number, model: Model
 * ) => void} Kind Changes a scaled row; what becomes 0 of a table's is hidden
 */

/** @type {Record<string, Kind>} */
const KINDS = { gaussian, masking, 'salt-and-pepper': saltAndPepper, block };

const HIDING = new Set(['masking', 'block']);

/** Their names, and whether their level is a fraction or else a standard deviation. */
export const CORRUPTIONS = Object.keys(KINDS).map((name) => ({ name, fraction: name !== 'gaussian' }));

/**
 * @param {Model} model
 * @param {ArrayLike<number>} x
 * @param {number} n
 * @param {string} kind
 * @param {number} level
 * @param {number} seed
 * @returns {Float64Array} corrupted examples, in the data's units
 */
export function corrupt(model, x, n, kind, level, seed) {
  const random = randomOf(seed);
  const rows = scaled(model, x);
  for (let row = 0; level > 0 && row < n; row++) {
    const own = rows.subarray(row * model.features, (row + 1) * model.features);
    if (model.head.table) ofCells(own, kind, level, random, model);
    else KINDS[kind](own, level, random, model);
  }
  return unscaled(model, rows);
}

/**
 * Numbers are changed, or any cells are hidden; a missing cell stays so.
 * @param {Float32Array} cells
 * @param {string} kind
 * @param {number} level
 * @param {() => number} random
 * @param {Model} model
 */
function ofCells(cells, kind, level, random, model) {
  const hides = HIDING.has(kind);
  const { noisy } = /** @type {import('./coding.js').Table} */ (model.head.table);
  const places = hides ? Array.from(cells.keys()) : noisy;
  const chosen = hides ? new Float32Array(cells.length).fill(1) : Float32Array.from(places, (place) => cells[place]);
  KINDS[kind](chosen, level, random, model);
  places.forEach((place, i) => {
    if (!hides) cells[place] = Number.isNaN(cells[place]) ? NaN : chosen[i];
    else if (!chosen[i]) cells[place] = NaN;
  });
}

/** @type {Kind} */
function gaussian(row, level, random) {
  const noise = normalOf(random);
  row.forEach((value, i) => (row[i] = value + level * noise()));
}

/** @type {Kind} */
function masking(row, level, random) {
  row.forEach((_, i) => {
    if (random() < level) row[i] = 0;
  });
}

/** @type {Kind} */
function saltAndPepper(row, level, random, { head }) {
  const [low, high] = head.unit_interval ? [0, 1] : [-2, 2];
  row.forEach((_, i) => {
    const u = random();
    if (u < level) row[i] = u < level / 2 ? low : high;
  });
}

/** @type {Kind} */
function block(row, level, random, { head: { shape } }) {
  const [h, w, c] = [shape[0], shape[1] ?? 1, shape[2] ?? 1];
  const [[top, bottom], [left, right]] = [span(h, level, random), shape.length > 1 ? span(w, level, random) : [0, 1]];
  row.forEach((_, i) => {
    const [y, x] = [Math.floor(i / (w * c)), Math.floor(i / c) % w];
    if (y >= top && y < bottom && x >= left && x < right) row[i] = 0;
  });
}

/**
 * @param {number} side
 * @param {number} level
 * @param {() => number} random
 * @returns {[number, number]} where so much of a side begins and ends
 */
function span(side, level, random) {
  const exact = level * side;
  const even = exact % 1 === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
  const length = Math.min(side, Math.max(1, even));
  const start = Math.floor(random() * (side - length + 1));
  return [start, start + length];
}
