/** Tables of a few numbers, as the address holds them and a person changes them. */

/** @typedef {number[][]} Rows */

/**
 * @param {string | undefined} text rows with ":" between them
 * @param {string} between the numbers of a row
 * @param {number} fewest
 * @param {number} most rows, and numbers in each
 * @param {number} largest number
 * @returns {Rows | null} null where it says nothing of the kind
 */
export function rows(text, between, fewest, most, largest) {
  const found = (text ?? '').split(':').map((row) => row.split(between).map((word) => Number(word || NaN)));
  const sizes = [found.length, ...found.map((row) => row.length)];
  const fits = sizes.every((size) => size >= fewest && size <= most) && new Set(sizes.slice(1)).size === 1;
  return fits && found.flat().every((value) => Math.abs(value) <= largest) ? found : null;
}

/**
 * @param {Rows} values
 * @param {string} between the numbers of a row
 * @returns {string} as `rows` reads them
 */
export function joined(values, between) {
  return values.map((row) => row.join(between)).join(':');
}

/**
 * @param {Rows} values
 * @param {[number, number]} at
 * @param {number} value
 * @returns {Rows}
 */
export function replaced(values, [row, column], value) {
  return values.map((line, i) => line.map((old, j) => (i === row && j === column ? value : old)));
}

/**
 * @param {Rows} values
 * @param {number} high
 * @param {number} wide
 * @returns {Rows} cut off, or filled up with 0
 */
export function resized(values, high, wide) {
  return Array.from({ length: high }, (_, i) => Array.from({ length: wide }, (_unused, j) => values[i]?.[j] ?? 0));
}

/**
 * @param {[number, number]} at
 * @param {Rows} values
 * @returns {[number, number]}
 */
export function inside([row, column], values) {
  return [Math.min(row, values.length - 1), Math.min(column, values[0].length - 1)];
}
