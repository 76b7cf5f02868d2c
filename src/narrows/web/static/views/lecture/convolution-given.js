/** What slides over what: an image, a filter or a window, a stride and a padding, as the address says. */
import { whole } from '../../shell/address.js';
import { rows } from './grids.js';

/** @typedef {import('./grids.js').Rows} Rows */
/** @typedef {typeof MODES[number]} Mode */
/**
 * @typedef {{
 *   mode: Mode, image: Rows, filter: Rows, window: number, stride: number, padding: string, at: number,
 * }} Given
 */
/** @typedef {{ images: [string, string][], filters: [string, string][] }} Patterns */

export const MODES = /** @type {const} */ (['convolution', 'max', 'mean']);
export const PADDINGS = ['valid', 'same', '1', '2', '3'];
export const [FEWEST, MOST, WIDEST] = [3, 10, 5]; // rows or columns of an image; of a filter or a window

/**
 * @param {import('../../shell/address.js').State} state
 * @param {Patterns} patterns
 * @returns {Given} what the address says, or where it makes no sense, what the lecture does
 */
export function read(state, patterns) {
  const mode = MODES.find((name) => name === state.mode) ?? 'convolution';
  const images = Object.fromEntries(patterns.images);
  const window = whole(state.window, 1, WIDEST) ?? 3;
  return {
    mode,
    window,
    image:
      rows(state.image, '', FEWEST, MOST, 9) ??
      /** @type {Rows} */ (rows(mode === 'convolution' ? images.lecture : images.pooling, '', FEWEST, MOST, 9)),
    filter:
      rows(state.filter, ',', 1, WIDEST, 99) ?? /** @type {Rows} */ (rows(patterns.filters[0][1], ',', 1, WIDEST, 99)),
    stride: whole(state.stride, 1, WIDEST) ?? (mode === 'convolution' ? 1 : window),
    padding: PADDINGS.find((name) => name === state.padding) ?? 'valid',
    at: whole(state.at, 0, Infinity) ?? 0,
  };
}

/**
 * @param {Given} given
 * @param {number} at the step that is shown
 * @returns {string[]} the same in Python
 */
export function lines(given, at) {
  const { mode, image, filter, window, stride, padding: name } = given;
  const padding = Number.isNaN(Number(name)) ? `"${name}"` : name;
  const array = (/** @type {Rows} */ values) => `[${values.map((row) => `[${row.join(', ')}]`).join(', ')}]`;
  if (mode !== 'convolution') {
    const call = `image, ${window}, kind="${mode === 'max' ? 'max' : 'average'}", stride=${stride}, padding=${padding}`;
    return [
      'from narrows.foundations.pooling import pool, pooling_steps',
      '',
      `image = ${array(image)}`,
      `pooled = pool(${call})`,
      `step = list(pooling_steps(${call}))[${at}]`,
      'window, value = step.window, step.value',
    ];
  }
  const call = `image, filter, stride=${stride}, padding=${padding}`;
  return [
    'from narrows.foundations.convolution import convolution_steps, convolve',
    '',
    `image = ${array(image)}`,
    `filter = ${array(filter)}`,
    `feature_map = convolve(${call})`,
    `step = list(convolution_steps(${call}))[${at}]`,
    'patch, products, value = step.patch, step.products, step.value',
  ];
}
