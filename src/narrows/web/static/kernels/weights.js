/** Weights as they come, in 32 bits, 16, or 8 with a scale for each row, as numbers to compute with. */

/**
 * @typedef {{
 *   bits: 'float32' | 'float16' | 'int8',
 *   shape: number[],
 *   values: { data: Float32Array | Uint8Array },
 *   scales: { data: Float32Array } | null,
 * }} Weights
 */

/**
 * @param {Weights} weights
 * @returns {Float32Array}
 */
export function numbersOf({ bits, shape, values, scales }) {
  if (bits === 'float32') return /** @type {Float32Array} */ (values.data);
  const bytes = values.data;
  if (bits === 'float16') {
    return Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), half);
  }
  const rows = /** @type {{ data: Float32Array }} */ (scales).data;
  const width = bytes.length / shape[0];
  return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), (whole, i) => {
    return whole * rows[Math.floor(i / width)];
  });
}

/**
 * @param {number} word the 16 bits of a number: its sign, 5 of its exponent, 10 of its fraction
 * @returns {number}
 */
function half(word) {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 31;
  const fraction = word & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 25) * (1024 + fraction) : sign * 2 ** -24 * fraction;
}
