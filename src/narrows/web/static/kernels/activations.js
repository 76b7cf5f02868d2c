/** What stands between two layers, on a code or on an output. */
import { erfc } from './special.js';

/** @type {Record<string, (x: number) => number>} */
export const ACTIVATIONS = {
  identity: (x) => x,
  relu: (x) => (x < 0 ? 0 : x), // what is no number stays so
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * erfc(-x * Math.SQRT1_2),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};
