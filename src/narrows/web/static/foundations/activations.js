/** Activation functions with their derivatives, as `narrows.foundations.activations`. */

/** @typedef {{ value: (x: number) => number, slope: (x: number) => number }} Activation */

/** @param {number} x */
function sigma(x) {
  return 1 / (1 + Math.exp(-x));
}

/** @type {Activation} */
export const step = { value: (x) => Number(x >= 0), slope: () => 0 };

/** @type {Activation} σ(x)σ(−x) rather than σ(x)(1 − σ(x)), which rounds to 0 from x = 37 on */
export const sigmoid = { value: sigma, slope: (x) => sigma(x) * sigma(-x) };

/** @type {Activation} 1/cosh² through e^−|x|, since 1 − tanh² rounds to 0 from x = 19 on */
export const tanh = {
  value: Math.tanh,
  slope(x) {
    const a = Math.exp(-Math.abs(x));
    return ((2 * a) / (1 + a * a)) ** 2;
  },
};

/** @type {Activation} with derivative 0 at 0 (Nair & Hinton 2010) */
export const relu = { value: (x) => Math.max(x, 0), slope: (x) => Number(x > 0) };

/**
 * The polynomial activation xᵏ, which the theorem of approximation excludes.
 * @param {number} k
 * @returns {Activation}
 */
export function monomial(k) {
  return { value: (x) => x ** k, slope: (x) => k * x ** (k - 1) };
}
