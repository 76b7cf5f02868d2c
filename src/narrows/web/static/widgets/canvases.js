/** Examples, errors and codes on canvases. */
import { clamp } from '../shell/numbers.js';

/** @typedef {import('../wire/frames.js').Levels} Levels */
/** @typedef {import('../wire/frames.js').Floats} Floats */
/** @typedef {import('../wire/frames.js').Shown} Shown */
/** @typedef {[number, number, number]} Colour */

/** Cividis (Nuñez, Anderton & Renslow 2018), which looks alike to the colour-blind; from none to most. */
const STOPS = [
  [0, 32, 76],
  [0, 65, 111],
  [74, 88, 108],
  [113, 114, 117],
  [152, 141, 117],
  [196, 171, 105],
  [255, 233, 69],
];

/**
 * @param {number} fraction in [0, 1]
 * @returns {Colour}
 */
export function heat(fraction) {
  const at = clamp(fraction, 0, 1) * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  return /** @type {Colour} */ (
    [0, 1, 2].map((c) => Math.round(STOPS[i][c] + (at - i) * (STOPS[i + 1][c] - STOPS[i][c])))
  );
}

/**
 * @param {string} name of a custom property that holds a colour as #rrggbb
 * @returns {Colour}
 */
export function themed(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return /** @type {Colour} */ ([1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
}

/** How one model's examples look: ink on the page's own paper, or grey levels as they are. */
export class Brush {
  /**
   * @param {number[]} shape of one example
   * @param {boolean} ink whether 0 is empty ground
   */
  constructor(shape, ink) {
    this.shape = shape;
    const ground = ink ? themed('--tile') : [0, 0, 0];
    const full = ink ? themed('--ink') : [255, 255, 255];
    this.ramp = new Uint8Array(
      Array.from({ length: 768 }, (_, i) => ground[i % 3] + (Math.floor(i / 3) / 255) * (full[i % 3] - ground[i % 3])),
    );
    this.bar = themed('--accent');
  }

  /** @returns {[width: number, height: number]} of one example's canvas in pixels */
  get size() {
    const [height, width] = this.shape;
    return width === undefined ? [Math.max(48, 4 * height), 48] : [width, height];
  }

  /**
   * @param {Levels} levels
   * @param {number} [row] of the example
   * @returns {ImageData}
   */
  pixels(levels, row = 0) {
    const [width, height] = this.size;
    const image = new ImageData(width, height);
    if (this.shape.length === 1) {
      this.bars(image, levels.data.subarray(row * this.shape[0], (row + 1) * this.shape[0]));
    } else this.colours(image, levels, row);
    return image;
  }

  /**
   * @param {ImageData} image
   * @param {Levels} levels
   * @param {number} row
   */
  colours(image, levels, row) {
    const channels = levels.shape[3] ?? 1;
    const count = image.width * image.height;
    const data = levels.data.subarray(row * count * channels, (row + 1) * count * channels);
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < 3; c++) {
        image.data[4 * i + c] = channels > 1 ? data[channels * i + c] : this.ramp[3 * data[i] + c];
      }
      image.data[4 * i + 3] = channels === 4 ? data[4 * i + 3] : 255;
    }
  }

  /**
   * A row of numbers as bars, a feature each.
   * @param {ImageData} image
   * @param {Uint8Array} values
   */
  bars(image, values) {
    for (let x = 0; x < image.width; x++) {
      const value = values[Math.floor((x / image.width) * values.length)];
      const top = Math.round((1 - value / 255) * (image.height - 2));
      for (let y = top; y < image.height; y++) image.data.set([...this.bar, 255], 4 * (y * image.width + x));
    }
  }

  /**
   * @param {string} label what it shows, in words
   * @returns {HTMLCanvasElement} an empty canvas for an example
   */
  blank(label) {
    return blankCanvas(label);
  }

  /**
   * Paint an example on a canvas, which takes its size.
   * @param {HTMLElement} element
   * @param {Shown} shown
   * @param {number} [row]
   */
  paint(element, shown, row = 0) {
    const canvas = /** @type {HTMLCanvasElement} */ (element);
    const image = this.pixels(/** @type {Levels} */ (shown), row);
    if (canvas.width !== image.width || canvas.height !== image.height) {
      Object.assign(canvas, { width: image.width, height: image.height });
    }
    context(canvas).putImageData(image, 0, 0);
  }

  /**
   * @param {Shown} shown
   * @param {number} row
   * @param {string} label what it shows, in words
   * @returns {HTMLElement}
   */
  canvas(shown, row, label) {
    const canvas = blankCanvas(label);
    this.paint(canvas, shown, row);
    return canvas;
  }

  /**
   * Fill a strip; its canvases are kept, so that it does not flicker.
   * @param {HTMLElement} strip
   * @param {Shown} shown
   * @param {(i: number) => string} label of each example, counted from 1
   */
  fill(strip, shown, label) {
    const count = /** @type {Levels} */ (shown).shape[0];
    while (strip.childElementCount < count) strip.append(blankCanvas(label(strip.childElementCount + 1)));
    strip.querySelectorAll('canvas').forEach((canvas, i) => this.paint(canvas, shown, i));
  }
}

/**
 * @param {string} label what it shows, in words
 * @returns {HTMLCanvasElement} an empty canvas for pixels
 */
export function blankCanvas(label) {
  const canvas = document.createElement('canvas');
  canvas.className = 'pixels';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  return canvas;
}

/**
 * Paint errors, from none to `most`.
 * @param {HTMLCanvasElement} canvas
 * @param {Floats} map (1, H, W) or (1, features)
 * @param {number} most
 */
export function paintErrors(canvas, map, most) {
  const [, height, width] = map.shape.length === 3 ? map.shape : [1, 1, map.shape[1]];
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  map.data.forEach((error, i) => image.data.set([...heat(error / most), 255], 4 * i));
  context(canvas).putImageData(image, 0, 0);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function context(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
}
