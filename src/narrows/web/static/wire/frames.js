/**
 * Frames from the server: the length of a head (32 bits, little-endian), the head in JSON, and the arrays' bytes one
 * after another. Where the head says {"array": …, "shape": […]}, the array itself is put.
 */

/**
 * @template {Uint8Array | Float32Array | Int32Array} [T=Uint8Array | Float32Array | Int32Array]
 * @typedef {{ data: T, shape: number[] }} Numbers Numbers row by row
 */
/** @typedef {Numbers<Uint8Array>} Levels Examples for the eye: (k, H, W[, C]) or (k, features) */
/** @typedef {Levels | import('../widgets/rows.js').Rows} Shown Examples for the eye, in bytes or in words */
/** @typedef {Numbers<Float32Array>} Floats */
/** @typedef {Numbers<Int32Array>} Integers */

/**
 * @param {ArrayBuffer} buffer
 * @returns {any} the answer, or {id, refused: why}
 */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  let at = 4 + length;
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)), (_, value) => {
    if (value === null || typeof value !== 'object' || typeof value.array !== 'string') return value;
    const count = value.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const bytes = value.array === 'uint8' ? count : 4 * count;
    const own = buffer.slice(at, at + bytes); // a copy, since 32-bit numbers must begin at a multiple of four
    at += bytes;
    const data =
      value.array === 'uint8'
        ? new Uint8Array(own)
        : value.array === 'float32'
          ? new Float32Array(own)
          : new Int32Array(own);
    return { data, shape: value.shape };
  });
}
