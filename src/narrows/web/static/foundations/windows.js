/**
 * A small window slides over an image, as `narrows.foundations.windows`: the positions it stops at, and the pixels that
 * it sees there.
 */

/** @typedef {'valid' | 'same' | number} Padding */
/**
 * @typedef {object} Windows
 * @property {number[]} before rows above, and columns on the left
 * @property {number[]} after rows below, and columns on the right
 * @property {number[]} shape how many positions there are
 * @property {number[][]} corners of each position, row by row, the image's row and column under the first entry
 */

/**
 * Lay out ⌊(n + p − k) / s⌋ + 1 positions along each axis (Dumoulin & Visin 2016).
 * @param {number[]} size of the image
 * @param {number[]} kernel
 * @param {number} stride
 * @param {Padding} padding
 * @param {string} name what an error calls the kernel
 * @returns {Windows}
 */
export function windowsOver(size, kernel, stride, padding, name) {
  const borders = size.map((n, axis) => border(padding, n, kernel[axis], stride));
  const room = size.map((n, axis) => n + borders[axis][0] + borders[axis][1]);
  ['rows', 'columns'].forEach((lines, axis) => {
    if (kernel[axis] <= room[axis]) return;
    throw new RangeError(
      `${name} of (${kernel.join(', ')}) at dilation (1, 1) spans ${kernel[axis]} ${lines}, but the padded image has ` +
        `${room[axis]}: must fit, so take a smaller one or more padding`,
    );
  });
  const shape = room.map((length, axis) => Math.floor((length - kernel[axis]) / stride) + 1);
  const [before, after] = [0, 1].map((end) => borders.map((both) => both[end]));
  const corners = Array.from({ length: shape[0] * shape[1] }, (_, i) => [
    Math.floor(i / shape[1]) * stride - before[0],
    (i % shape[1]) * stride - before[1],
  ]);
  return { before, after, shape, corners };
}

/**
 * @param {number[][]} image
 * @param {Windows} windows
 * @param {number[]} kernel
 * @param {number} fill what is in the padding
 * @returns {number[][]} the pixels at each position, row by row
 */
export function patches(image, { corners }, [height, width], fill) {
  return corners.map(([top, left]) =>
    Array.from({ length: height * width }, (_, i) => image[top + Math.floor(i / width)]?.[left + (i % width)] ?? fill),
  );
}

/**
 * @param {Padding} padding
 * @param {number} n
 * @param {number} k
 * @param {number} stride
 * @returns {number[]} before and after
 */
function border(padding, n, k, stride) {
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') return [padding, padding];
  // The last of ⌈n / s⌉ windows begins (⌈n / s⌉ − 1)·s pixels after the first.
  const whole = Math.max(0, (Math.ceil(n / stride) - 1) * stride + k - n);
  return [Math.floor(whole / 2), Math.ceil(whole / 2)];
}
