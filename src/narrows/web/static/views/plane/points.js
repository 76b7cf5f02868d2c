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

/**
 * @param {number} n
 * @returns {Int32Array} 0 to n − 1 in an order in which any beginning is spread evenly over all
 */
export function mixed(n) {
  let step = Math.max(Math.round(n * 0.618034), 1);
  while (divisor(step, n) > 1) step++;
  const order = new Int32Array(n);
  for (let i = 1; i < n; i++) order[i] = (order[i - 1] + step) % n;
  return order;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number} the greatest common one
 */
function divisor(a, b) {
  return b ? divisor(b, a % b) : a;
}

/**
 * One of the points for each cell of a grid: the first that lies in it. Cells of half the size hold the same point and
 * others, so that whoever goes nearer sees points come and none go.
 * @param {Int32Array} rows of the points, in order
 * @param {Float32Array} points two numbers each
 * @param {number[]} corner of a cell
 * @param {number[]} size of one
 * @returns {number[]} those rows of them
 */
export function thinned(rows, points, [x, y], [width, height]) {
  /** @type {Set<number>} */
  const taken = new Set();
  const kept = [];
  for (const row of rows) {
    const [across, up] = [(points[2 * row] - x) / width, (points[2 * row + 1] - y) / height];
    const cell = Math.floor(across) * 2 ** 24 + Math.floor(up); // one number, since there are no more cells than that
    if (taken.has(cell)) continue;
    taken.add(cell);
    kept.push(row);
  }
  return kept;
}
