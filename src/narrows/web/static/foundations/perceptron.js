/** The threshold unit and its geometry, as `narrows.foundations.perceptron`: 1 where wᵀx ≥ θ, else 0. */

/** @typedef {{ weights: number[], theta: number }} Unit */

/**
 * @param {Unit} unit
 * @param {number[]} x
 * @returns {number} wᵀx
 */
export function excitation({ weights }, x) {
  if (x.length !== weights.length) {
    throw new RangeError(`x must have shape (d,) or (n, d) with d = ${weights.length}, got (${x.length},)`);
  }
  return total(weights.map((w, i) => w * x[i]));
}

/**
 * Add up in NumPy's order, since a unit on whose boundary a point lies decides by the last bit.
 * @param {number[]} terms
 */
export function total(terms) {
  if (terms.length < 8) return terms.reduce((sum, term) => sum + term, 0);
  const whole = terms.length - (terms.length % 8);
  const lanes = terms.slice(0, 8);
  for (let i = 8; i < whole; i++) lanes[i % 8] += terms[i];
  const [a, b, c, d, e, f, g, h] = lanes;
  return terms.slice(whole).reduce((sum, term) => sum + term, a + b + (c + d) + (e + f + (g + h)));
}

/**
 * @param {Unit} unit
 * @param {number[]} x
 * @returns {number} 1 or 0
 */
export function fires(unit, x) {
  return Number(excitation(unit, x) >= unit.theta);
}

/**
 * The part of the boundary inside a box: the ends of a segment for two inputs, a polygon's corners, in order round it,
 * for three; none where it misses the box.
 * @param {Unit} unit its weights not all 0
 * @param {number} low
 * @param {number} high
 */
export function clip({ weights, theta }, low, high) {
  const all = corners(weights.length, low, high);
  const side = all.map((corner) => total(corner.map((x, i) => x * weights[i])) - theta);
  const points = all.filter((_, i) => side[i] === 0);
  for (let i = 0; i < all.length; i++) {
    for (let j = 0; j < all.length; j++) {
      const axes = all[i].filter((x, k) => x !== all[j][k]).length;
      if (axes !== 1 || !(side[i] < 0 && side[j] > 0)) continue;
      const part = side[i] / (side[i] - side[j]);
      points.push(all[i].map((x, k) => Math.min(Math.max(x + part * (all[j][k] - x), low), high)));
    }
  }
  return weights.length === 3 ? roundAbout(points, weights) : points;
}

/**
 * @param {number} d
 * @param {number} low
 * @param {number} high
 * @returns {number[][]} a box's, the last coordinate changing first
 */
export function corners(d, low, high) {
  return Array.from({ length: 2 ** d }, (_, row) =>
    Array.from({ length: d }, (__, i) => ((row >> (d - 1 - i)) & 1 ? high : low)),
  );
}

/**
 * @param {number[][]} points of a plane in space
 * @param {number[]} normal to it
 * @returns {number[][]} in the order of their angle about their centre
 */
function roundAbout(points, normal) {
  if (points.length < 2) return points;
  const centre = normal.map((_, i) => total(points.map((point) => point[i])) / points.length);
  const from = (/** @type {number[]} */ point) => point.map((x, i) => x - centre[i]);
  const across = from(points[0]);
  const along = normal.map((_, i) => {
    const [j, k] = [(i + 1) % 3, (i + 2) % 3];
    return normal[j] * across[k] - normal[k] * across[j];
  });
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) => total(a.map((x, i) => x * b[i]));
  const [length, height] = [Math.hypot(...across), Math.hypot(...along)];
  return byAngle(points, (point) => [dot(from(point), across) / length, dot(from(point), along) / height]);
}

/**
 * @param {number[][]} points
 * @param {(point: number[]) => number[]} seen where it lies from the centre, in the plane
 */
export function byAngle(points, seen) {
  const angle = (/** @type {number[]} */ point) => {
    const [x, y] = seen(point);
    return Math.atan2(y, x);
  };
  return [...points].sort((a, b) => angle(a) - angle(b));
}
