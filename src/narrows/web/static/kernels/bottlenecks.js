/** Bottlenecks: from an encoder's outputs to codes, and from any codes to the nearest there are. */
import { ACTIVATIONS } from './activations.js';
import { roundEven } from './special.js';

/**
 * @typedef {{
 *   kind: string, activation: string, sigma: number, levels: number,
 *   codebook: { data: Float32Array, shape: number[] } | null,
 * }} Bottleneck
 */
/** @typedef {{ mu: Float32Array, sigma: Float32Array }} Posterior μ and σ of q(z | x), (n, d) each */

/**
 * @param {Bottleneck} bottleneck
 * @param {Float32Array} h the encoder's outputs
 * @param {number} d numbers in a code
 * @returns {Posterior}
 */
export function posteriorOf(bottleneck, h, d) {
  if (bottleneck.kind === 'gaussian') return gaussian(h, d);
  const bounded = bottleneck.kind === 'noisy' || bottleneck.kind === 'finite-scalar';
  const activation = bounded ? Math.tanh : ACTIVATIONS[bottleneck.activation];
  const mu = snapped(
    bottleneck,
    Float32Array.from(h, (value) => activation(value)),
  );
  return { mu, sigma: new Float32Array(mu.length).fill(bottleneck.sigma) };
}

/**
 * @param {Float32Array} h (n, 2 d): μ, and log σ² between −20 and 20
 * @param {number} d
 * @returns {Posterior}
 */
function gaussian(h, d) {
  const [mu, sigma] = [new Float32Array(h.length / 2), new Float32Array(h.length / 2)];
  for (let i = 0; i < mu.length; i++) {
    const at = i + d * Math.floor(i / d);
    mu[i] = h[at];
    sigma[i] = Math.exp(Math.min(Math.max(h[at + d], -20), 20) / 2);
  }
  return { mu, sigma };
}

/**
 * @param {Bottleneck} bottleneck
 * @param {Float32Array} z codes
 * @returns {Float32Array} the nearest codes to these that the bottleneck can make
 */
export function snapped({ kind, levels, codebook }, z) {
  if (kind === 'finite-scalar') {
    const steps = levels - 1; // from −1 to 1
    return z.map((value) => (roundEven(((Math.min(Math.max(value, -1), 1) + 1) / 2) * steps) / steps) * 2 - 1);
  }
  if (kind !== 'vector') return z;
  const { data, shape } = /** @type {{ data: Float32Array, shape: number[] }} */ (codebook);
  const found = new Float32Array(z.length);
  for (let at = 0; at < z.length; at += shape[1]) {
    const vector = nearest(data, shape, z, at);
    found.set(data.subarray(vector * shape[1], (vector + 1) * shape[1]), at);
  }
  return found;
}

/**
 * @param {Float32Array} codebook
 * @param {number[]} shape
 * @param {Float32Array} z
 * @param {number} at where in it a vector begins
 * @returns {number} the number of the nearest vector of the codebook
 */
function nearest(codebook, [count, width], z, at) {
  let [best, least] = [0, Infinity];
  for (let k = 0; k < count; k++) {
    let distance = 0;
    for (let i = 0; i < width; i++) distance += (z[at + i] - codebook[k * width + i]) ** 2;
    if (distance < least) [best, least] = [k, distance];
  }
  return best;
}
