/** Points and numbers, reckoned with. */

/**
 * @param {[number, number]} point
 * @param {[number, number][]} loop
 * @returns {boolean} whether the point is inside, by the parity of the edges to its right
 */
export function isInside([x, y], loop) {
  let inside = false;
  loop.forEach(([ax, ay], i) => {
    const [bx, by] = loop[(i + 1) % loop.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} bins
 * @returns {number[]} for each value its bin, from 0; the bins hold equally many, smaller values first
 */
export function ranked(values, bins) {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  /** @type {number[]} */
  const found = new Array(values.length);
  order.forEach((index, rank) => {
    found[index] = Math.floor((bins * rank) / values.length);
  });
  return found;
}
