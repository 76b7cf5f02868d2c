/**
 * What one hidden layer can approximate, as `narrows.foundations.approximation`: the hidden weights are drawn by
 * chance, and the outer weights are the best ones, by making each new unit orthogonal to those before it.
 */

/** @typedef {import('./activations.js').Activation} Activation */
/** @typedef {{ start: number, slopes: number[] }} Draws where the first unit is, and each one's slope */
/**
 * @typedef {object} Approximation nets of 1, 2, … hidden units
 * @property {number[]} rms
 * @property {number[]} sup
 * @property {number[]} dimensions
 * @property {Float64Array[]} fits
 */

export const POINTS = 2001;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The directions that a layer of hidden units spans, for whatever target: after the constant, of each unit that of it
 * which is orthogonal to the ones before; none of a unit that is a combination of them up to rounding.
 * @param {Activation} activation
 * @param {Draws} draws
 * @returns {(Float64Array | null)[]}
 */
export function span({ value }, { start, slopes }) {
  const basis = [new Float64Array(POINTS).fill(1 / Math.sqrt(POINTS))];
  return slopes.map((slope, i) => {
    const j = i + 1;
    const t = 2 * ((start + j * GOLDEN) % 1) - 1;
    const unit = Float64Array.from({ length: POINTS }, (_, k) => value(j * slope * (line(k) - t)));
    const q = newDirection(unit, basis);
    if (q) basis.push(q);
    return q;
  });
}

/**
 * @param {Float64Array} target at the points
 * @param {(Float64Array | null)[]} directions
 * @returns {Approximation}
 */
export function approximate(target, directions) {
  const mean = target.reduce((sum, value) => sum + value, 0) / POINTS;
  const rest = target.map((value) => value - mean);
  /** @type {Approximation} */
  const found = { rms: [], sup: [], dimensions: [], fits: [] };
  let dimensions = 1;
  for (const q of directions) {
    if (q) {
      subtract(rest, q, dot(q, rest));
      dimensions += 1;
    }
    found.rms.push(Math.sqrt(dot(rest, rest) / POINTS));
    found.sup.push(largest(rest));
    found.dimensions.push(dimensions);
    found.fits.push(target.map((value, i) => value - rest[i]));
  }
  return found;
}

/** @param {number} k @returns {number} the place of a point, from −1 to 1 */
export function line(k) {
  return k === POINTS - 1 ? 1 : -1 + k * (2 / (POINTS - 1));
}

/**
 * The unit vector along what of a unit is orthogonal to the basis, made so twice, since once leaves what was rounded.
 * @param {Float64Array} unit
 * @param {Float64Array[]} basis
 */
function newDirection(unit, basis) {
  const most = largest(unit);
  if (!most) return null;
  const q = unit.map((value) => value / most);
  const whole = Math.sqrt(dot(q, q));
  for (let pass = 0; pass < 2; pass++) {
    const parts = basis.map((direction) => dot(direction, q));
    basis.forEach((direction, i) => subtract(q, direction, parts[i]));
  }
  const left = Math.sqrt(dot(q, q));
  return left > 1e-8 * whole ? q.map((value) => value / left) : null;
}

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {Float64Array} from @param {Float64Array} what @param {number} times */
function subtract(from, what, times) {
  for (let i = 0; i < from.length; i++) from[i] -= times * what[i];
}

/** @param {Float64Array} values */
function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
