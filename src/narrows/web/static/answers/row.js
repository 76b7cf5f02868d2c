/** One row: each cell in its column's own terms, what its code says of each, and what follows from those held. */
import { heldCells, placeOf, shown } from '../kernels/columns.js';
import { atCode, givenCells } from '../kernels/marginals.js';
import { entryOf } from './entry.js';

/** @typedef {import('./entry.js').Shared} Shared */
/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {import('../views/row/row.js').Follows} Follows */

const MOST_CHANCES = 3; // levels of a column whose probabilities are shown

/**
 * @param {Shared} shared
 * @param {{ model: string, example: number }} given
 * @returns {import('../views/row/row.js').Row}
 */
export function row(shared, { model, example }) {
  const entry = entryOf(shared, model);
  const context = entry.context(undefined, example) ?? undefined;
  const cells = entry.at([example]);
  const coded = atCode(entry.model, entry.code(example), context);
  return {
    original: shown(entry.columns, cells),
    label: entry.names([example]).join(''),
    coded: follows(entry, coded),
    filled: cells.some(Number.isNaN) ? follows(entry, givenCells(entry.model, cells, context)) : null,
    error: entry.errorsOf(cells, coded.cells)[0],
    score: entry.sent.scores.data[example],
    odd: entry.sent.odd,
  };
}

/**
 * @param {Shared} shared
 * @param {{ model: string }} given
 * @returns {import('../views/row/row.js').Ranked}
 */
export function ranked(shared, { model }) {
  const scores = entryOf(shared, model).sent.scores.data;
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  return { examples: { data: Int32Array.from(order), shape: [order.length] } };
}

/**
 * @param {Shared} shared
 * @param {{ model: string, z: number[], label?: string }} given
 * @returns {Follows}
 */
export function means(shared, { model, z, label }) {
  const entry = entryOf(shared, model);
  return follows(entry, atCode(entry.model, z, entry.context(label) ?? undefined));
}

/**
 * @param {Shared} shared
 * @param {{
 *   model: string, held: Record<string, string | number | null>, example?: number | null, label?: string,
 * }} given
 * @returns {Follows}
 */
export function follow(shared, { model, held, example = null, label }) {
  const entry = entryOf(shared, model);
  const own = example === null ? null : entry.at([example]);
  const cells = heldCells(entry.columns, held, own);
  return follows(entry, givenCells(entry.model, cells, entry.context(label, example) ?? undefined));
}

/**
 * @param {Shared} shared
 * @param {{ model: string, column: string }} given
 * @returns {import('../views/plane/plane.js').Values}
 */
export function values(shared, { model, column }) {
  const entry = entryOf(shared, model);
  const place = entry.columns.findIndex(({ name }) => name === column);
  if (place < 0) throw new Error(`the model learned nothing from the column '${column}'`);
  const own = entry.values.filter((_, i) => i % entry.features === place);
  return { at: { data: Float32Array.from(own, (cell) => placeOf(entry.columns[place], cell)), shape: [own.length] } };
}

/**
 * @param {Entry} entry
 * @param {import('../kernels/marginals.js').Marginals} said
 * @returns {Follows}
 */
function follows({ columns }, { z, cells, low, high, chances }) {
  const places = (/** @type {ArrayLike<number>} */ ends) => {
    const data = Float32Array.from(ends, (cell, i) => placeOf(columns[i], cell));
    return { data, shape: [columns.length] };
  };
  return {
    z: Array.from(z),
    row: shown(columns, cells),
    low: places(low),
    high: places(high),
    chances: columns.map(({ levels }, i) => likeliest(levels, chances[i])),
  };
}

/**
 * @param {string[]} levels
 * @param {ArrayLike<number>} chances
 * @returns {[string, number][]} the most probable levels
 */
function likeliest(levels, chances) {
  const order = Array.from(chances, (_, place) => place).sort((a, b) => chances[b] - chances[a]);
  return order.slice(0, MOST_CHANCES).map((place) => [levels[place], chances[place]]);
}
