/**
 * A model in the page: `open` makes one of what narrows.web.portable has sent (the head of a frame, by wire/frames.js),
 * and the functions here and beside compute with it what narrows does with torch. No DOM, and no state but the scratch
 * room of a model's nets, which nothing returned shares.
 *
 * Rows are arrays one after another: codes (n, d), examples (n, features), pixels row by row and channels last, as
 * NumPy has them. Examples go in and come out in the data's own units, in 64 bits, since dates are seconds since 1970;
 * of a table's rows they are cells, NaN where missing (columns.js makes them of values, and back). `labels` are
 * indices of classes, one for all or one for each row; without them a conditional model takes its first class, as the
 * server does. Errors are those of scaled units.
 *
 *   model.js        open(head)                             → Model
 *                   encode(model, x, n, labels)            → { mu, sigma }, (n, d) each; σ of a point is 0
 *                   decode(model, z, n, labels)            → (n, features): the mean of p(x | z) at the nearest codes
 *                                                            that there are; of levels the most probable one
 *                   reconstruct(model, x, n, labels)       → (n, features)
 *                   scaled(model, x), unscaled(model, x)   → Float32Array; Float64Array
 *                   outputs(model, z, n, labels)           → (n, width) the decoder's, for model.parts to read
 *   errors.js       errorMaps(model, x, others)            → { data, shape }: (n, H, W), the mean over channels, or
 *                                                            (n, features); of a missing cell NaN
 *   sampling.js     sample(model, n, seed, label, temp.)   → { z, labels } from the prior; of no label (null) classes
 *                                                            by how frequent they are
 *                   drawn(model, z, n, labels, seed)       → (n, features): a table's cells drawn from p(x | z)
 *                   normals(seed, count)                   → Float32Array
 *   corruptions.js  CORRUPTIONS                            → [{ name, fraction }]
 *                   corrupt(model, x, n, kind, level, seed) → (n, features)
 *   columns.js      shown(columns, cells), heldCells(…)    → rows in words, as narrows.web.rows has them, and back
 *   marginals.js    atCode(model, z, label), givenCells(model, cells, label) → what is said of each cell of one row
 */
import { posteriorOf, snapped } from './bottlenecks.js';
import { coded } from './coding.js';
import { partsOf } from './likelihoods.js';
import { netOf } from './nets.js';

/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {number | ArrayLike<number> | null} Labels */
/**
 * @typedef {{
 *   kind: string, shape: number[], latent_dim: number, classes: number, unit_interval: boolean, offset: number[],
 *   scale: number[], encoder: import('./nets.js').Operation[], decoder: import('./nets.js').Operation[],
 *   bottleneck: import('./bottlenecks.js').Bottleneck, likelihood: import('./likelihoods.js').Sent[],
 *   prior: import('./sampling.js').Prior, table: import('./coding.js').Table | null,
 *   columns: import('./columns.js').Column[],
 * }} Head
 */
/**
 * @typedef {{
 *   head: Head, d: number, features: number, encoder: import('./nets.js').Net, decoder: import('./nets.js').Net,
 *   parts: import('./likelihoods.js').Placed[], width: number, memo: Map<string, any>,
 * }} Model The decoder's outputs are `width` a row; `memo` is what has been worked out once
 */

/**
 * @param {Head} head
 * @returns {Model}
 */
export function open(head) {
  const features = head.shape.reduce((a, b) => a * b, 1);
  const parts = partsOf(head.likelihood, features);
  return {
    head,
    d: head.latent_dim,
    features,
    encoder: netOf(head.encoder),
    decoder: netOf(head.decoder),
    parts,
    width: parts.reduce((sum, part) => sum + part.width, 0),
    memo: new Map(),
  };
}

/**
 * @param {Model} model
 * @param {Numbers} x
 * @param {number} n
 * @param {Labels} [labels]
 * @returns {import('./bottlenecks.js').Posterior}
 */
export function encode(model, x, n, labels = null) {
  const { table, bottleneck } = model.head;
  const rows = scaled(model, x);
  const seen = withClasses(model, table ? coded(table, rows, n) : rows, n, labels);
  return posteriorOf(bottleneck, model.encoder(seen, n), model.d);
}

/**
 * @param {Model} model
 * @param {Numbers} z
 * @param {number} n
 * @param {Labels} [labels]
 * @returns {Float64Array}
 */
export function decode(model, z, n, labels = null) {
  const { features, width, parts } = model;
  const h = outputs(model, z, n, labels);
  const found = new Float32Array(n * features);
  for (const { start, places, mean } of parts) {
    const count = places?.length ?? features;
    for (let row = 0; row < n; row++) {
      const [at, to] = [row * width + start, row * features];
      for (let i = 0; i < count; i++) found[to + (places ? places[i] : i)] = mean(h, at, i);
    }
  }
  return unscaled(model, found);
}

/**
 * @param {Model} model
 * @param {Numbers} x
 * @param {number} n
 * @param {Labels} [labels]
 * @returns {Float64Array}
 */
export function reconstruct(model, x, n, labels = null) {
  return decode(model, encode(model, x, n, labels).mu, n, labels);
}

/**
 * @param {Model} model
 * @param {Numbers} z
 * @param {number} n
 * @param {Labels} [labels]
 * @returns {Float32Array} (n, width) the decoder's outputs at the nearest codes, until its next ones
 */
export function outputs(model, z, n, labels = null) {
  const codes = snapped(model.head.bottleneck, Float32Array.from(z));
  return model.decoder(withClasses(model, codes, n, labels), n);
}

/**
 * @param {Model} model
 * @param {Numbers} x
 * @returns {Float32Array}
 */
export function scaled({ head: { offset, scale }, features }, x) {
  return Float32Array.from(x, (value, i) => {
    const group = (i % features) % offset.length;
    return (value - offset[group]) / scale[group];
  });
}

/**
 * @param {Model} model
 * @param {Numbers} x
 * @returns {Float64Array}
 */
export function unscaled({ head: { offset, scale }, features }, x) {
  return Float64Array.from(x, (value, i) => {
    const group = (i % features) % offset.length;
    return value * scale[group] + offset[group];
  });
}

/**
 * @param {Model} model
 * @param {Float32Array} rows
 * @param {number} n
 * @param {Labels} labels
 * @returns {Float32Array} the rows, and after each, of a conditional model, its class one-hot
 */
export function withClasses({ head: { classes } }, rows, n, labels) {
  if (!classes) return rows;
  const width = rows.length / n;
  const found = new Float32Array(n * (width + classes));
  for (let row = 0; row < n; row++) {
    const label = typeof labels === 'number' ? labels : labels ? labels[row] : 0;
    found.set(rows.subarray(row * width, (row + 1) * width), row * (width + classes));
    found[row * (width + classes) + width + label] = 1;
  }
  return found;
}
