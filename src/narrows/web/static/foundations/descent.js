/** Gradient descent, as `narrows.foundations.descent`: walk against the gradient. */

/** @typedef {(x: number, y: number) => number} Hill a function of two variables */
/** @typedef {{ at: number[], value: number, gradient: number[] }} Iterate */

const H = Math.cbrt(Number.EPSILON); // balances the error of the formula and that of rounding

/**
 * The gradient by central differences.
 * @param {Hill} f
 * @param {number[]} at
 */
export function numericGradient(f, [x, y]) {
  const along = (/** @type {number} */ value, /** @type {(value: number) => number} */ section) => {
    const h = H * Math.max(1, Math.abs(value));
    const [above, below] = [value + h, value - h];
    return (section(above) - section(below)) / (above - below); // by the step that was really made
  };
  return [along(x, (value) => f(value, y)), along(y, (value) => f(x, value))];
}

/**
 * @param {Hill} f
 * @param {number[]} start
 * @param {number} rate
 * @returns {Generator<Iterate>} the start, and the points after it, for ever
 */
export function* descend(f, start, rate) {
  for (let at = start; ;) {
    const gradient = numericGradient(f, at);
    yield { at, value: f(at[0], at[1]), gradient };
    at = at.map((value, i) => value - rate * gradient[i]);
  }
}
