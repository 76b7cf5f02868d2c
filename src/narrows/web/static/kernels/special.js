/** Functions that JavaScript lacks, and logarithms that do not lose what is small. */

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

/**
 * log Γ(x) of x > 0, by Lanczos' approximation (1964) with Godfrey's coefficients.
 * @param {number} x
 * @returns {number}
 */
export function logGamma(x) {
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** @param {number} x @returns {number} log(1 + eˣ) */
export function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** @param {number} x @returns {number} to the nearest whole number, from the middle between two to the even one */
export function roundEven(x) {
  const below = Math.floor(x);
  const rest = x - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? 1 : 0);
}
