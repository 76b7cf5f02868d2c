/**
 * A model in the page: `open` makes one of what narrows.web.portable has sent (the head of a frame, by wire/frames.js),
 * and the functions below compute with it what narrows does with torch. No DOM, no state but the model's scratch room.
 *
 * Rows are arrays one after another: codes (n, d), examples (n, features) with pixels row by row and channels last, as
 * NumPy has them. Examples go in and come out in the data's own units (of a table: cells, see table.js), in 64 bits,
 * since dates are seconds since 1970; `scaled` and `unscaled` go to the nets' units and back. `labels` are indices of
 * classes, one for all or one for each row; without them a conditional model takes its first class, as the server
 * does.
 *
 *   open(head)                           → Model
 *   encode(model, x, n, labels)          → { mu, sigma }, (n, d) each; σ is 0 where a code is a point
 *   decode(model, z, n, labels)          → (n, features): the mean of p(x | z) at the nearest codes that there are
 *   reconstruct(model, x, n, labels)     → (n, features)
 *   scaled(model, x), unscaled(model, x) → Float32Array; Float64Array
 */
import { posteriorOf, snapped } from './bottlenecks.js';
import { meanOf } from './likelihoods.js';
import { netOf } from './nets.js';

/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {number | ArrayLike<number> | null} Labels */
/**
 * @typedef {{
 *   kind: string, shape: number[], latent_dim: number, classes: number, unit_interval: boolean, offset: number[],
 *   scale: number[], encoder: import('./nets.js').Operation[], decoder: import('./nets.js').Operation[],
 *   bottleneck: import('./bottlenecks.js').Bottleneck, likelihood: import('./likelihoods.js').Part[],
 * }} Head
 */
/**
 * @typedef {{
 *   head: Head, d: number, features: number, encoder: import('./nets.js').Net, decoder: import('./nets.js').Net,
 *   mean: (h: number, feature: number) => number,
 * }} Model
 */

/**
 * @param {Head} head
 * @returns {Model}
 */
export function open(head) {
  return {
    head,
    d: head.latent_dim,
    features: head.shape.reduce((a, b) => a * b, 1),
    encoder: netOf(head.encoder),
    decoder: netOf(head.decoder),
    mean: meanOf(head.likelihood[0]),
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
  const seen = withClasses(model, scaled(model, x), n, labels);
  return posteriorOf(model.head.bottleneck, model.encoder(seen, n), model.d);
}

/**
 * @param {Model} model
 * @param {Numbers} z
 * @param {number} n
 * @param {Labels} [labels]
 * @returns {Float64Array}
 */
export function decode(model, z, n, labels = null) {
  const h = output(model, snapped(model.head.bottleneck, Float32Array.from(z)), n, labels);
  const { features, mean } = model;
  const { offset, scale } = model.head;
  const found = new Float64Array(n * features);
  for (let i = 0; i < found.length; i++) {
    const feature = i % features;
    const group = feature % offset.length;
    found[i] = mean(h[i], feature) * scale[group] + offset[group];
  }
  return found;
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
 * @param {Float32Array} z
 * @param {number} n
 * @param {Labels} labels
 * @returns {Float32Array} the decoder's outputs, until its next ones
 */
function output(model, z, n, labels) {
  return model.decoder(withClasses(model, z, n, labels), n);
}

/**
 * @param {Model} model
 * @param {Float32Array} rows
 * @param {number} n
 * @param {Labels} labels
 * @returns {Float32Array} the rows, and after each, of a conditional model, its class one-hot
 */
function withClasses({ head: { classes } }, rows, n, labels) {
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
