/** Cells in words, as narrows.web.rows and narrows.columns.column have them, and what a person writes as cells. */
import { roundEven } from './special.js';
import { momentOf, spanOf, toDays } from './dates.js';

/**
 * @typedef {{
 *   name: string, kind: string, levels: string[], shares: number[], ends: [number, number], low: number, high: number,
 *   step: number, heaps: [number, number][], slack: number, form: string, zone: string, span: boolean,
 *   decimals: number,
 * }} Column
 */
/** @typedef {{ texts: string[][], at: { data: Float32Array, shape: number[] } }} Rows */

const LEVELS = new Set(['binary', 'category', 'ordered']);

/**
 * @param {Column[]} columns
 * @param {ArrayLike<number>} cells row by row
 * @returns {Rows} for the eye
 */
export function shown(columns, cells) {
  const n = cells.length / columns.length;
  const texts = Array.from({ length: n }, (_, row) => {
    return columns.map((column, i) => text(column, cells[row * columns.length + i]));
  });
  const data = Float32Array.from(cells, (cell, i) => placeOf(columns[i % columns.length], cell));
  return { texts, at: { data, shape: [n, columns.length] } };
}

/**
 * @param {Column} column
 * @param {number} cell
 * @returns {number} where it lies on the column's range, from 0 to 1, or outside of it
 */
export function placeOf({ ends: [low, high] }, cell) {
  return (cell - low) / (high > low ? high - low : 1);
}

/**
 * @param {Column} column
 * @param {number} cell
 * @returns {string} as the column's values are written; '' where it is missing, or a level that is new
 */
export function text(column, cell) {
  if (Number.isNaN(cell)) return '';
  if (LEVELS.has(column.kind)) return column.levels[roundEven(cell)] ?? '';
  const value = valueOf(column, cell);
  if (column.kind === 'date') return momentOf(value, column.form || usualForm(column), column.form ? '' : column.zone);
  return column.span ? spanOf(value) : fixed(value, column.decimals);
}

/** @param {Column} column */
function usualForm({ step }) {
  return step === 86400 ? '%Y-%m-%d' : '%Y-%m-%d %H:%M:%S';
}

/**
 * @param {Column} column
 * @param {number} cell
 * @param {boolean} [bounded] whether to keep it within what the training data reach
 * @returns {number} what it stands for in the column's own unit; dates in seconds since 1970
 */
export function valueOf(column, cell, bounded = false) {
  const { kind, low, high } = column;
  const heap = heapOf(column, cell);
  const value = onGrid(column, heap ?? (kind === 'positive' ? exponential(low, cell) : cell));
  if (bounded) return Math.min(Math.max(value, low), high);
  return kind === 'count' ? Math.max(value, low) : value;
}

/**
 * @param {number} low the least value, below which the logarithm goes on as a straight line
 * @param {number} cell
 */
function exponential(low, cell) {
  const start = Math.log(low);
  return cell >= start ? Math.exp(Math.min(cell, 88)) : low * (1 + cell - start);
}

/**
 * @param {Column} column
 * @param {number} cell
 * @returns {number | null} the value that many cells share, if it is as near to one as 32 bits tell apart
 */
function heapOf({ heaps, slack }, cell) {
  if (!heaps.length) return null;
  const [place, value] = heaps.reduce((a, b) => (Math.abs(b[0] - cell) < Math.abs(a[0] - cell) ? b : a));
  return Math.abs(place - cell) <= slack ? value : null;
}

/**
 * @param {Column} column
 * @param {number} value
 * @returns {number} on the grid that the column's values lie on, if there is one
 */
function onGrid({ step, zone }, value) {
  if (!step) return value;
  if (step === 86400 && zone) return toDays(value, zone);
  if (step < 1) return roundEven(value * Math.round(1 / step)) / Math.round(1 / step);
  return roundEven(value / step) * step;
}

/**
 * @param {number} value
 * @param {number} decimals
 * @returns {string} as Python writes it, which from the middle goes to the even one; 0 never with a minus
 */
function fixed(value, decimals) {
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (decimals ? `.${'0'.repeat(decimals)}` : '');
  const middle = Math.abs((value * 2 ** (decimals + 1)) % 2) === 1; // exactly, as powers of two don't round
  const written = (middle ? roundEven(value * 10 ** decimals) / 10 ** decimals : value).toFixed(decimals);
  return /[1-9]/.test(written) ? written : written.replace('-', '');
}

/**
 * Cells that are held, in words: each a value as a person writes it, where it lies on the column's range, or null for
 * an example's own.
 * @param {Column[]} columns
 * @param {Record<string, string | number | null>} held by the columns' names
 * @param {ArrayLike<number> | null} own the example's cells, if one is shown
 * @returns {Float64Array} NaN of all others
 */
export function heldCells(columns, held, own) {
  const cells = new Float64Array(columns.length).fill(NaN);
  for (const [name, value] of Object.entries(held)) {
    const place = columns.findIndex((column) => column.name === name);
    if (place < 0) throw new Error(`the model learned nothing from the column '${name}'`);
    cells[place] = cellOf(columns[place], value, own ? own[place] : NaN);
  }
  return cells;
}

/**
 * @param {Column} column
 * @param {string | number | null} value
 * @param {number} own
 * @returns {number}
 */
function cellOf(column, value, own) {
  const { name, kind, ends, levels } = column;
  if (value === null) {
    if (Number.isNaN(own)) throw new Error(`held: ${name}=null is for an example's own cell, and there is none`);
    return own;
  }
  if (typeof value === 'number') {
    if (!(value >= 0 && value <= 1)) {
      throw new Error(`held: ${name}=${value} says where on its range a cell is to lie, from 0 to 1`);
    }
    const cell = ends[0] + value * (ends[1] - ends[0]);
    if (LEVELS.has(kind)) return roundEven(cell);
    if (column.form) return onGrid(column, cell);
    return asCell(column, valueOf(column, cell, true));
  }
  if (LEVELS.has(kind)) {
    const level = levels.indexOf(value);
    if (level < 0) throw new Error(`held: ${name}='${value}' is not one of the column's levels, ${levels.join(', ')}`);
    return level;
  }
  const number =
    kind === 'date' ? Date.parse(value.length > 10 ? `${value.replace(' ', 'T')}Z` : value) / 1000 : +value;
  if (!value.trim() || !Number.isFinite(number)) throw new Error(`held: ${name}='${value}' is not a finite number`);
  return asCell(column, number);
}

/**
 * @param {Column} column
 * @param {number} value in the column's own unit
 * @returns {number}
 */
export function asCell({ kind, low }, value) {
  if (kind !== 'positive') return value;
  return value >= low ? Math.log(value) : Math.log(low) + (value - low) / low;
}
