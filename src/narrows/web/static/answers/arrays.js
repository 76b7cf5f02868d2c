/** Arrays of an answer, in the types that the server sends (see wire/frames.js). */

/**
 * @param {ArrayLike<number>} values
 * @param {...number} shape
 * @returns {import('../wire/frames.js').Floats}
 */
export function floats(values, ...shape) {
  return { data: Float32Array.from(values), shape };
}

/**
 * @param {ArrayLike<number>} values
 * @param {...number} shape
 * @returns {import('../wire/frames.js').Integers}
 */
export function integers(values, ...shape) {
  return { data: Int32Array.from(values), shape };
}
