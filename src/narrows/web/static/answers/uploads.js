/**
 * Pictures that people draw, drop or paste → inputs, prepared as the model's training data were: the twin of
 * `narrows.web.uploads`, with the browser's own reading of files.
 */
import { clamp } from '../shell/numbers.js';

/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {import('./entry.js').Ink} Ink */
/** @typedef {import('../wire/connection.js').Prepared} Prepared */
/** @typedef {{ data: Float64Array, width: number, height: number }} Grey */
/** @typedef {[number, number, number, number]} Box left, top, right and bottom */

const SOME = 0.2; // of the strongest ink, which ink exceeds
const FAINTEST = 16; // of 255: what is fainter is no ink

/**
 * @param {Entry} entry
 * @param {Blob} image
 * @returns {Promise<Prepared>}
 */
export async function prepared({ told: { shape }, given: { ink } }, image) {
  try {
    const bitmap = await createImageBitmap(image);
    const data = ink ? placed(greyOf(bitmap), ink, shape) : cropped(bitmap, shape);
    return { levels: { data, shape: [1, ...shape] } };
  } catch (error) {
    const none = { data: new Uint8Array(0), shape: [1, ...shape] };
    return { levels: none, refused: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {Box} [part]
 * @param {number} [width]
 * @param {number} [height]
 * @returns {Uint8ClampedArray} RGBA of that part, on white
 */
function pixelsOf(bitmap, part = [0, 0, bitmap.width, bitmap.height], width = bitmap.width, height = bitmap.height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  drawing.imageSmoothingQuality = 'high';
  drawing.fillStyle = 'white';
  drawing.fillRect(0, 0, width, height);
  drawing.drawImage(bitmap, part[0], part[1], part[2] - part[0], part[3] - part[1], 0, 0, width, height);
  return drawing.getImageData(0, 0, width, height).data;
}

/**
 * @param {ImageBitmap} bitmap
 * @returns {Grey}
 */
function greyOf(bitmap) {
  const pixels = pixelsOf(bitmap);
  const data = Float64Array.from({ length: pixels.length / 4 }, (_, i) => luma(pixels, i));
  return { data, width: bitmap.width, height: bitmap.height };
}

/** @param {Uint8ClampedArray} pixels @param {number} i */
function luma(pixels, i) {
  return Math.round(0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2]);
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number[]} shape of the model's inputs
 * @returns {Uint8Array} its middle, of that size
 */
function cropped(bitmap, [height, width, channels = 1]) {
  const scale = Math.min(bitmap.width / width, bitmap.height / height);
  const [left, top] = [(bitmap.width - scale * width) / 2, (bitmap.height - scale * height) / 2];
  const pixels = pixelsOf(bitmap, [left, top, left + scale * width, top + scale * height], width, height);
  if (channels === 1) return Uint8Array.from({ length: height * width }, (_, i) => luma(pixels, i));
  return Uint8Array.from({ length: 3 * height * width }, (_, i) => pixels[4 * Math.floor(i / 3) + (i % 3)]);
}

/**
 * @param {Grey} grey
 * @param {Ink} ink
 * @param {number[]} shape
 * @returns {Uint8Array} its ink, bright on dark whichever it was, at the data's size and position
 */
function placed(grey, ink, [height, width]) {
  const ground = median(border(grey));
  const own = grey.data.map((value) => Math.abs(value - ground));
  const strongest = own.reduce((most, value) => Math.max(most, value), 0);
  if (strongest < FAINTEST) throw new Error('the image is empty: draw something, or take one with more contrast');
  const levels = { ...grey, data: own.map((value) => Math.min(value / strongest, 1)) };
  const part = cut(levels, boxOf(levels));
  const scale = Math.min(ink.height / part.height, Math.min(Math.max(ink.width, ink.height), width) / part.width);
  const small = averaged(part, Math.max(1, even(part.width * scale)), Math.max(1, even(part.height * scale)));
  const most = small.data.reduce((best, value) => Math.max(best, value), 1);
  small.data = small.data.map((value) => (value * 255) / most);
  const [row, column] = corner(small, ink, height, width);
  const whole = new Uint8Array(height * width);
  for (let y = 0; y < Math.min(small.height, height); y++) {
    for (let x = 0; x < Math.min(small.width, width); x++) {
      whole[(row + y) * width + column + x] = even(small.data[y * small.width + x]);
    }
  }
  return whole;
}

/**
 * @param {Grey} small
 * @param {Ink} ink
 * @param {number} height
 * @param {number} width
 * @returns {[number, number]} the row and the column where it begins, for its centre of mass to be the data's
 */
function corner(small, ink, height, width) {
  const sums = [0, 0, 0];
  small.data.forEach((value, i) => {
    sums[0] += value * Math.floor(i / small.width);
    sums[1] += value * (i % small.width);
    sums[2] += value;
  });
  const [row, column] = ink.centre.map((centre, i) => even(centre - sums[i] / sums[2]));
  return [clamp(row, 0, Math.max(0, height - small.height)), clamp(column, 0, Math.max(0, width - small.width))];
}

/** @param {Grey} grey @returns {number[]} its border's pixels */
function border({ data, width, height }) {
  return Array.from(data).filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

/** @param {Grey} levels @returns {Box} around what is ink */
function boxOf({ data, width, height }) {
  /** @type {Box} */
  const box = [width, height, 0, 0];
  data.forEach((value, i) => {
    if (value <= SOME) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + 1);
    box[3] = Math.max(box[3], y + 1);
  });
  return box;
}

/**
 * @param {Grey} levels in [0, 1]
 * @param {Box} box
 * @returns {Grey} that part, in bytes
 */
function cut({ data, width }, [left, top, right, bottom]) {
  const size = { width: right - left, height: bottom - top };
  const part = Float64Array.from({ length: size.width * size.height }, (_, i) =>
    Math.floor(255 * data[(top + Math.floor(i / size.width)) * width + left + (i % size.width)]),
  );
  return { data: part, ...size };
}

/**
 * @param {Grey} grey
 * @param {number} width
 * @param {number} height
 * @returns {Grey} scaled as Pillow scales with a box: first across, then down, rounded to bytes both times
 */
function averaged(grey, width, height) {
  const across = scaledRows(grey.data, grey.width, grey.height, width);
  const down = scaledRows(turned(across, width, grey.height), grey.height, width, height);
  return { data: turned(down, height, width), width, height };
}

/**
 * @param {Float64Array} data
 * @param {number} width
 * @param {number} height
 * @param {number} wanted width
 * @returns {Float64Array}
 */
function scaledRows(data, width, height, wanted) {
  if (width === wanted) return data;
  const scale = width / wanted;
  const reach = Math.max(scale, 1) / 2;
  const found = new Float64Array(wanted * height);
  for (let x = 0; x < wanted; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const after = Math.min(width, Math.trunc(centre + reach + 0.5));
    const near = Array.from({ length: after - first }, (_, k) => first + k).filter((k) => {
      const at = (k - centre + 0.5) / (2 * reach);
      return at > -0.5 && at <= 0.5;
    });
    for (let y = 0; y < height; y++) {
      const sum = near.reduce((all, k) => all + data[y * width + k], 0);
      found[y * wanted + x] = Math.floor(sum / near.length + 0.5);
    }
  }
  return found;
}

/**
 * @param {Float64Array} data
 * @param {number} width
 * @param {number} height
 * @returns {Float64Array} with rows and columns exchanged
 */
function turned(data, width, height) {
  return Float64Array.from({ length: data.length }, (_, i) => data[(i % height) * width + Math.floor(i / height)]);
}

/** @param {number} value @returns {number} rounded, from the middle between two to the even one, as Python does */
function even(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
