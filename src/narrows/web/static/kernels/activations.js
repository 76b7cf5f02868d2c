/** Functions of one number. */

/**
 * The complement of the error function, 1 − erf x, to seven digits of itself: an exponential, and a polynomial of
 * 1 / (1 + x / 2) fitted by Chebyshev's polynomials (Press et al., “Numerical Recipes”, §6.2).
 * @param {number} x
 * @returns {number}
 */
export function erfc(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  let sum = 0;
  for (const coefficient of ERFC) sum = sum * t + coefficient;
  const found = t * Math.exp(-x * x + sum);
  return x < 0 ? 2 - found : found;
}

const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** @type {Record<string, (x: number) => number>} */
export const ACTIVATIONS = {
  identity: (x) => x,
  relu: (x) => (x < 0 ? 0 : x), // what is no number stays so
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * erfc(-x * Math.SQRT1_2),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};
