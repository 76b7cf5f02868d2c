/** What nets see of a table's cells: numbers, whether each is missing, and levels one-hot, as narrows.models.coding. */

/**
 * @typedef {{
 *   measured: [number, number, number, number | null][], binary: number[], levels: [number, number, number][],
 *   noisy: number[], stretched: number[], stretch: number,
 * }} Table
 */

/**
 * @param {Table} table
 * @param {Float32Array} rows scaled cells
 * @param {number} n
 * @returns {Float32Array}
 */
export function coded({ measured, binary, levels }, rows, n) {
  const [columns, many] = [rows.length / n, measured.length];
  const width = 2 * many + binary.length + levels.reduce((sum, [, outputs]) => sum + outputs, 0);
  const found = new Float32Array(n * width);
  for (let row = 0; row < n; row++) {
    const cells = rows.subarray(row * columns, (row + 1) * columns);
    const own = found.subarray(row * width, (row + 1) * width);
    measured.forEach(([place, mean, deviation, highest], i) => {
      const cell = cells[place];
      const missing = Number.isNaN(cell) || cell > (highest ?? Infinity);
      own[i] = missing ? 0 : (cell - mean) / deviation;
      own[many + i] = missing ? 1 : 0;
    });
    binary.forEach((place, i) => (own[2 * many + i] = cells[place] <= 1 ? cells[place] - 0.5 : 0));
    let at = 2 * many + binary.length;
    for (const [place, outputs, seen] of levels) {
      if (cells[place] < seen) own[at + Math.min(cells[place], outputs - 1)] = 1;
      at += outputs;
    }
  }
  return found;
}
