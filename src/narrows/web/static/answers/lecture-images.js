/** The lecture's pages on convolution and pooling, and on what a model's layers make, computed in the page. */
import { patches, windowsOver } from '../foundations/windows.js';
import { trace } from '../kernels/trace.js';
import { checked, inPython, list, nullable, oneOf, oneOfOr, optional, real, whole } from './arguments.js';
import { floats, integers } from './arrays.js';
import { entryOf } from './entry.js';
import { taken } from './inputs.js';

/** @typedef {Record<string, unknown>} Given */
/** @typedef {import('../foundations/windows.js').Windows} Windows */

const IMAGE = list(list(whole({ least: 0, most: 9 }), 3, 10), 3, 10);
const FILTER = list(list(real({ least: -99, most: 99 }), 1, 5), 1, 5);
const STRIDE = whole({ least: 1, most: 5 });
const BORDER = oneOfOr(['valid', 'same'], whole({ least: 0, most: 3 }));
const MOST_ITEMS = 6; // of a list that a refusal shows
const [MOST_UNITS, MOST_NUMBERS] = [64, 2 ** 16]; // of a layer that are drawn, and numbers in them

/** Images and filters to begin with: the digit is the fourth of scikit-learn's, the edge's filter Sobel's. */
export function patterns() {
  return {
    images: [
      ['lecture', '1010101:0110110:1010101:1011101:0110110:1010101'],
      ['pooling', '9231465:1572813:4265329:7328951:0413624:8652730'],
      ['edge', '11118888:11118888:11118888:11118888:11118888:11118888:11118888'],
      ['digit', '00487100:04738200:01177000:00186100:00017710:00001640:00423850:00477500'],
    ],
    filters: [
      ['lecture', '1,2,3:4,5,6:7,8,9'],
      ['edge', '-1,0,1:-2,0,2:-1,0,1'],
      ['blur', '0.1,0.1,0.1:0.1,0.2,0.1:0.1,0.1,0.1'],
      ['identity', '0,0,0:0,1,0:0,0,0'],
    ],
  };
}

/** Slide one filter over an image. @param {unknown} _ @param {Given} given */
export function convolution(_, given) {
  const { image, filters, stride, padding } = checked(given, {
    image: IMAGE,
    filters: FILTER,
    stride: optional(STRIDE, 1),
    padding: optional(BORDER, 'valid'),
  });
  const [size, kernel] = [sizeOf('x', image, 0), sizeOf('filters', filters, 1)];
  const windows = windowsOver(size, kernel, stride, padding, 'filters');
  const pixels = patches(image, windows, kernel, 0);
  const weights = filters.flat();
  const products = pixels.map((patch) => patch.map((pixel, i) => pixel * weights[i]));
  return {
    values: floats(products.map(sum), ...windows.shape),
    ...placed(windows, kernel, pixels),
    products: floats(products.flat(), products.length, ...kernel),
  };
}

/** Slide a pooling window over an image; without a stride, side by side. @param {unknown} _ @param {Given} given */
export function pooling(_, given) {
  const { image, window, kind, stride, padding } = checked(given, {
    image: IMAGE,
    window: STRIDE,
    kind: optional(oneOf('max', 'average'), 'max'),
    stride: optional(nullable(STRIDE), null),
    padding: optional(BORDER, 'valid'),
  });
  const kernel = [window, window];
  const windows = windowsOver(sizeOf('x', image, 0), kernel, stride ?? window, padding, 'window');
  if (windows.before.some((before) => before >= window)) {
    const why = `must be smaller than window=${window}, or a window misses the image`;
    throw new RangeError(`padding=${inPython(padding)}: ${why}`);
  }
  const pixels = patches(image, windows, kernel, kind === 'max' ? -Infinity : 0);
  const sums = pixels.map(sum);
  const values = kind === 'max' ? pixels.map((patch) => Math.max(...patch)) : sums.map((all) => all / window ** 2);
  return {
    values: floats(values, ...windows.shape),
    ...placed(windows, kernel, pixels),
    sums: floats(sums, sums.length),
  };
}

/**
 * @param {string} name
 * @param {number[][]} table
 * @param {number} decimals that Python shows of whole numbers in it
 * @returns {number[]} its rows and columns
 */
function sizeOf(name, table, decimals) {
  const told = (/** @type {number} */ value) => (Number.isInteger(value) ? value.toFixed(decimals) : inPython(value));
  if (table.some((row) => row.length !== table[0].length)) {
    const rows = table.map((row) => brief(row.map(told)));
    throw new RangeError(`${name} must be a regular array, got ${brief(rows)}`);
  }
  return [table.length, table[0].length];
}

/** @param {string[]} items */
function brief(items) {
  return `[${[...items.slice(0, MOST_ITEMS), ...(items.length > MOST_ITEMS ? ['...'] : [])].join(', ')}]`;
}

/**
 * @param {Windows} windows
 * @param {number[]} kernel
 * @param {number[][]} pixels
 */
function placed({ before, after, corners }, kernel, pixels) {
  return {
    before,
    after,
    corners: integers(corners.flat(), corners.length, 2),
    patches: floats(pixels.flat(), pixels.length, ...kernel),
  };
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((all, value) => all + value, 0);
}

/**
 * Return what each layer of the model makes of the input; what no input changes was worked out when the page was made.
 * @param {import('./entry.js').Shared} shared
 * @param {{ model: string, given: import('./inputs.js').Meant, label?: string }} given
 * @returns {import('../views/lecture/layers.js').Layers}
 */
export function layers(shared, { model, given, label }) {
  const entry = entryOf(shared, model);
  const x = taken(entry, given);
  const context = entry.context(label, given.example);
  const found = trace(entry.model, x, context);
  return {
    layers: entry.sent.layers.map((layer, i) => ({ ...layer, ...drawn(layer, found[i]) })),
    original: entry.levels(x),
    restored: entry.levels(entry.restored(x, context)),
    examples: entry.sent.looked,
  };
}

/**
 * @param {import('./entry.js').Layer} layer
 * @param {Float32Array} values pixel by pixel, their channels one after another
 */
function drawn({ part, shape }, values) {
  const maps = shape.length === 3 && part !== 'input' && part !== 'output';
  const [count, ...size] = maps ? shape : [values.length];
  const pixels = values.length / count;
  const k = Math.min(MOST_UNITS, Math.max(1, Math.floor(MOST_NUMBERS / pixels)), count);
  const first = Float32Array.from(
    { length: k * pixels },
    (_, i) => values[(i % pixels) * count + Math.floor(i / pixels)],
  );
  return {
    values: floats(first, k, ...size),
    most: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  };
}
