/** Noise: one corrupted input, and what models that were trained differently make of it. */
import { corrupt, CORRUPTIONS } from '../kernels/corruptions.js';
import { entryOf } from './entry.js';
import { taken } from './inputs.js';

/** @typedef {import('./entry.js').Shared} Shared */
/** @typedef {import('./entry.js').Entry} Entry */

const MOST_MODELS = 6;

/** @returns {import('../views/noise/noise.js').Corruptions} */
export function corruptions() {
  return { kinds: CORRUPTIONS };
}

/**
 * @param {Shared} shared
 * @param {{
 *   model: string, given: import('./inputs.js').Meant, corruption?: string, level?: number, seed?: number,
 *   label?: string,
 * }} given
 * @returns {import('../views/noise/noise.js').Noise}
 */
export function noise(shared, { model, given, corruption = 'gaussian', level = 0.3, seed = 0, label }) {
  const entry = entryOf(shared, model);
  const x = taken(entry, given);
  const noisy = corrupt(entry.model, x, 1, corruption, level, seed);
  const restored = kinds(shared, entry).map((other) => {
    const back = other.restored(noisy, other.context(label, given.example ?? null));
    const { id, kind, latent_dim } = other.told;
    return { id, kind, latent_dim, levels: entry.shown(back), error: entry.errorsOf(x, back)[0] };
  });
  const error = entry.errorsOf(x, noisy)[0];
  return { clean: entry.shown(x), noisy: entry.shown(noisy), error, models: restored };
}

/**
 * @param {Shared} shared
 * @param {Entry} entry
 * @returns {Entry[]} the model itself, and of each other kind the one with the nearest latent_dim, as they came
 */
function kinds(shared, entry) {
  /** @type {Map<string, Entry>} */
  const chosen = new Map();
  const far = (/** @type {Entry} */ other) => Math.abs(other.d - entry.d);
  for (const other of entry.sent.kin.map((id) => entryOf(shared, id))) {
    const found = chosen.get(other.told.kind);
    // Of two that are as near, the later: as the server chooses.
    if (!found || far(other) <= far(found)) chosen.set(other.told.kind, other);
  }
  chosen.set(entry.told.kind, entry);
  return [...chosen.values()].slice(0, MOST_MODELS);
}
