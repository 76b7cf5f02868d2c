/** Compare: models that differ in latent_dim alone, on the same examples, and how their error falls. */
import { entryOf } from './entry.js';

/** @typedef {import('./entry.js').Entry} Entry */

/**
 * @param {import('./entry.js').Shared} shared
 * @param {{ model: string }} given
 * @returns {import('../views/compare/compare.js').Compared}
 */
export function compare(shared, { model }) {
  const entry = entryOf(shared, model);
  const { kin, rows, mean_error } = entry.sent;
  /** @type {Map<number, Entry>} */
  const alike = new Map();
  for (const other of kin.map((id) => entryOf(shared, id))) {
    if (other.told.kind === entry.told.kind) alike.set(other.d, other);
  }
  alike.set(entry.d, entry);
  const columns = [...alike.values()].sort((a, b) => a.d - b.d).map((other) => column(other, rows));
  return {
    kind: entry.told.kind,
    columns,
    originals: entry.shown(entry.at(rows.data)),
    rows,
    labels: entry.names(rows.data),
    mean_error,
  };
}

/**
 * @param {Entry} entry
 * @param {import('./entry.js').Integers} rows
 * @returns {import('../views/compare/compare.js').Column}
 */
function column(entry, rows) {
  const x = entry.at(rows.data);
  const restored = entry.restored(x, entry.contexts(rows.data));
  const [error, standard_error, subset, pca_error] = entry.sent.measured;
  return {
    id: entry.told.id,
    latent_dim: entry.d,
    error,
    standard_error,
    subset,
    pca_error,
    restored: entry.shown(restored),
    errors: { data: Float32Array.from(entry.errorsOf(x, restored)), shape: [rows.data.length] },
  };
}
