/** One input: its code, what comes back, where that errs, what it is most like, and whether it is an odd one. */
import { errorMaps } from '../kernels/errors.js';
import { encode } from '../kernels/model.js';
import { entryOf, nearest } from './entry.js';

/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {{ example?: number, pixels?: string }} Meant */

const NEAREST = 5;

/**
 * @param {import('./entry.js').Shared} shared
 * @param {{ model: string, given: Meant, label?: string }} given
 * @returns {import('../views/input/input.js').Look}
 */
export function look(shared, { model, given, label }) {
  const entry = entryOf(shared, model);
  const { scores, odd, far, by } = entry.sent;
  const example = given.example ?? null;
  const x = taken(entry, given);
  const context = entry.context(label, example);
  const z = encode(entry.model, x, 1, context).mu;
  const restored = entry.restored(x, context);
  const map = errorMaps(entry.model, x, restored);
  const [error] = entry.errorsOf(x, restored);
  const score = example !== null && by !== 'reconstruction' ? scores.data[example] : error;
  const { rows, distances } = nearest(entry, z, NEAREST, example);
  return {
    original: entry.shown(x),
    restored: entry.shown(restored),
    map,
    z: Array.from(z),
    error,
    score,
    odd,
    by,
    fraction: scores.data.reduce((count, other) => count + Number(other < score), 0) / scores.data.length,
    distance: distances[0],
    far,
    outside: score > odd || distances[0] > far,
    nearest: { data: Int32Array.from(rows), shape: [rows.length] },
    levels: entry.shown(entry.at(rows)),
    labels: entry.names(rows),
  };
}

/**
 * @param {Entry} entry
 * @param {Meant} given
 * @returns {import('./entry.js').Values} the input that is meant
 */
export function taken(entry, { example, pixels }) {
  if (example !== undefined) return entry.at([example]);
  const binary = atob(pixels ?? '');
  if (binary.length !== entry.features) {
    throw new Error(`pixels are ${binary.length}; this model takes ${entry.features}, of shape ${entry.told.shape}`);
  }
  return entry.ofLevels(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
}
