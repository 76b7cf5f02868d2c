/** Check: what was found wrong with a model when it was shared, and which examples are the oddest to it. */
import { errorMaps } from '../kernels/errors.js';
import { entryOf } from './entry.js';

/** @typedef {import('./entry.js').Shared} Shared */

/**
 * @param {Shared} shared
 * @param {{ model: string }} given
 * @returns {import('../views/check/check.js').Check}
 */
export function check(shared, { model }) {
  return entryOf(shared, model).sent.check;
}

/**
 * @param {Shared} shared
 * @param {{ model: string }} given
 * @returns {import('../views/check/check.js').Oddest}
 */
export function oddest(shared, { model }) {
  const entry = entryOf(shared, model);
  const { rows, scores, odd } = entry.sent.oddest;
  const x = entry.at(rows.data);
  const restored = entry.restored(x, entry.contexts(rows.data));
  return {
    rows,
    scores,
    odd,
    originals: entry.shown(x),
    restored: entry.shown(restored),
    maps: errorMaps(entry.model, x, restored),
    labels: entry.names(rows.data),
  };
}
