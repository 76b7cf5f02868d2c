/** Likelihoods: what a decoder's outputs say of an example's numbers, in scaled units. */
import { ACTIVATIONS } from './activations.js';

/** @typedef {{ data: Float32Array }} Floats */
/**
 * @typedef {{
 *   kind: string, features: number, link: string, scales: Floats | null, zero: Floats | null, scale: Floats | null,
 *   r: Floats | null,
 * }} Part
 */

/** @type {Record<string, (part: Part) => (h: number, feature: number) => number>} */
const MEANS = {
  gaussian: ({ link }) => ACTIVATIONS[link],
  laplace: ({ link }) => ACTIVATIONS[link],
  bernoulli: () => ACTIVATIONS.sigmoid,
  'continuous-bernoulli': () => continuousBernoulli,
  poisson: rate,
  'negative-binomial': rate,
};

/**
 * @param {Part} part
 * @returns {(h: number, feature: number) => number} the mean of a feature at the decoder's output h for it
 */
export function meanOf(part) {
  return MEANS[part.kind](part);
}

/** @param {number} h ½ + ½ coth ½h − 1 / h, near 0 by its series */
function continuousBernoulli(h) {
  if (Math.abs(h) >= 0.5) return 0.5 + 0.5 / Math.tanh(h / 2) - 1 / h;
  const square = h * h;
  return 0.5 + h * (1 / 12 + square * (-1 / 720 + square * (1 / 30240 + square * (-1 / 1209600 + square / 47900160))));
}

/** @param {Part} part */
function rate(part) {
  const zero = /** @type {Floats} */ (part.zero).data;
  return (/** @type {number} */ h, /** @type {number} */ feature) => Math.exp(h) + zero[feature];
}
