/** Contours of a function that is known on a grid, and what of a line lies in a rectangle. */

/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {{ xs: Floats, ys: Floats, values: Floats }} Surface */

/** @typedef {[number, number]} Point */

/**
 * @param {Surface} surface
 * @param {number} level
 * @returns {[Point, Point][]} short straight pieces of the lines on which the function has this value
 */
export function contour({ xs, ys, values }, level) {
  const [rows, columns] = values.shape;
  /** @type {[Point, Point][]} */
  const pieces = [];
  for (let i = 0; i + 1 < rows; i++) {
    for (let j = 0; j + 1 < columns; j++) {
      const corners = [
        [i, j],
        [i, j + 1],
        [i + 1, j + 1],
        [i + 1, j],
      ].map(([row, column]) => [xs.data[column], ys.data[row], values.data[row * columns + column]]);
      const met = corners.flatMap((corner, k) => crossing(corner, corners[(k + 1) % 4], level));
      for (let k = 0; k + 1 < met.length; k += 2) pieces.push([met[k], met[k + 1]]);
    }
  }
  return pieces;
}

/**
 * @param {number[]} a x, y and value
 * @param {number[]} b
 * @param {number} level
 * @returns {Point[]} where the level is met between them, if it is
 */
function crossing(a, b, level) {
  if (a[2] < level === b[2] < level) return [];
  const fraction = (level - a[2]) / (b[2] - a[2]);
  return [[a[0] + fraction * (b[0] - a[0]), a[1] + fraction * (b[1] - a[1])]];
}

/**
 * @param {Point} a
 * @param {Point} b
 * @param {Point} low the rectangle's corners
 * @param {Point} high
 * @returns {Point[]} the two ends of what lies in the rectangle, none if nothing does
 */
export function clipped(a, b, low, high) {
  let [from, to] = [0, 1];
  for (const i of [0, 1]) {
    const [one, other] = [low[i] - a[i], high[i] - a[i]].map((way) => way / (b[i] - a[i]));
    if (a[i] !== b[i]) [from, to] = [Math.max(from, Math.min(one, other)), Math.min(to, Math.max(one, other))];
    else if (a[i] < low[i] || a[i] > high[i]) return [];
  }
  const at = (/** @type {number} */ fraction) =>
    /** @type {Point} */ ([a[0] + fraction * (b[0] - a[0]), a[1] + fraction * (b[1] - a[1])]);
  return from < to ? [at(from), at(to)] : [];
}
