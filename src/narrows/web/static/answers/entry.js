/** A model of a shared page and its examples: the twin of `narrows.web.entry`, in the units that its kernels take. */
import { asCell, placeOf, shown, valueOf } from '../kernels/columns.js';
import { errorMaps } from '../kernels/errors.js';
import { decode, open, reconstruct, scaled } from '../kernels/model.js';
import { clamp } from '../shell/numbers.js';

/** @typedef {import('../shell/models.js').Model} Told */
/** @typedef {import('../wire/frames.js').Levels} Levels */
/** @typedef {import('../wire/frames.js').Floats} Floats */
/** @typedef {import('../wire/frames.js').Integers} Integers */
/** @typedef {import('../wire/frames.js').Shown} Shown */
/** @typedef {Float64Array} Values Numbers row by row, in the data's own units */
/** @typedef {{ height: number, width: number, centre: [number, number] }} Ink */
/** @typedef {{ numbers: Levels | Floats | (number | null)[][], shape: number[], ink: Ink | null }} Given */
/**
 * @typedef {object} Sent
 * @property {import('../kernels/model.js').Head} net
 * @property {number} examples
 * @property {string[]} kin
 * @property {string[]} classes
 * @property {Levels | null} labels
 * @property {Integers | null} context
 * @property {Floats} codes
 * @property {Floats} errors
 * @property {Floats} scores
 * @property {string} by
 * @property {number} odd
 * @property {number} far
 * @property {[number, number]} ends
 * @property {string[]} features
 * @property {number[]} origin of the principal plane
 * @property {Floats} basis
 * @property {import('../views/code/code.js').Units} units
 * @property {[number, number, string, number | null]} measured
 * @property {number} mean_error
 * @property {Integers} rows
 * @property {import('../views/check/check.js').Check} check
 * @property {{ rows: Integers, scores: Floats, odd: number }} oddest
 * @property {Layer[]} layers what no input changes of them; none where no view shows them
 * @property {number} looked how many examples were looked at for dead units
 */
/** @typedef {Omit<import('../views/lecture/layers.js').Drawn, 'values' | 'most'>} Layer */
/** @typedef {{ open: import('../shell/models.js').Models, entries: Map<string, Entry> }} Shared */

const [LOWEST, REACH] = [1, 254]; // of the bytes that say where a cell lies; 0 is for a missing one

export class Entry {
  /**
   * @param {Told} told
   * @param {Sent} sent
   * @param {Given} given
   */
  constructor(told, sent, given) {
    this.told = told;
    this.sent = sent;
    this.given = given;
    this.model = open(sent.net);
    this.features = this.model.features;
    this.d = told.latent_dim;
    this.columns = sent.net.columns;
    this.codes = sent.codes.data;
    /** @type {Map<string, any>} what questions have worked out once, by name */
    this.memo = new Map();
    const { numbers } = given;
    this.values = Array.isArray(numbers)
      ? Float64Array.from(numbers.flat(), (value) => value ?? NaN)
      : Float64Array.from(numbers.data);
  }

  /**
   * @param {ArrayLike<number>} rows
   * @returns {Values} the examples there
   */
  at(rows) {
    const found = new Float64Array(rows.length * this.features);
    Array.from(rows).forEach((row, i) => {
      found.set(this.values.subarray(row * this.features, (row + 1) * this.features), i * this.features);
    });
    return found;
  }

  /**
   * @param {number} row
   * @returns {Float32Array} the code of the example there
   */
  code(row) {
    return this.codes.subarray(row * this.d, (row + 1) * this.d);
  }

  /**
   * @param {ArrayLike<number>} rows
   * @returns {string[]} the labels of the examples there; none where they are unknown
   */
  names(rows) {
    const { labels } = this.sent;
    return labels ? Array.from(rows, (row) => this.sent.classes[labels.data[row]]) : [];
  }

  /**
   * The class that a conditional model sees with an input.
   * @param {string | undefined} label
   * @param {number | null} [row] of the example that the input is
   * @returns {number | null}
   */
  context(label, row = null) {
    if (!this.told.conditional) return null;
    if (label !== undefined) return this.told.classes.indexOf(label);
    return row === null ? 0 : (this.sent.context?.data[row] ?? 0);
  }

  /**
   * @param {ArrayLike<number>} rows
   * @returns {number[] | null} the classes of the examples there, which a conditional model sees with them
   */
  contexts(rows) {
    return this.told.conditional ? Array.from(rows, (row) => this.context(undefined, row) ?? 0) : null;
  }

  /**
   * @param {ArrayLike<number>} z codes
   * @param {number | ArrayLike<number> | null} context
   * @returns {Values}
   */
  decode(z, context) {
    return decode(this.model, z, z.length / this.d, context);
  }

  /**
   * @param {Values} x
   * @param {number | ArrayLike<number> | null} context
   * @returns {Values}
   */
  restored(x, context) {
    const found = reconstruct(this.model, x, x.length / this.features, context);
    return this.told.table ? found.map((cell, i) => this.written(cell, this.columns[i % this.features])) : found;
  }

  /**
   * @param {number} cell
   * @param {import('../kernels/columns.js').Column} column
   * @returns {number} the cell of the value that it is written as: on the column's grid, and within its range
   */
  written(cell, column) {
    return column.levels.length ? cell : asCell(column, valueOf(column, cell, true));
  }

  /**
   * @param {Values} x
   * @returns {Levels} in bytes, as `narrows.fitted.levels.as_bytes` has them, and of cells `narrows.web.rows`
   */
  levels(x) {
    const { shape } = this.told;
    const n = x.length / this.features;
    if (this.columns.length) {
      const data = Uint8Array.from(x, (cell, i) => {
        const place = clamp(placeOf(this.columns[i % this.features], cell), 0, 1);
        return Number.isNaN(cell) ? 0 : LOWEST + Math.round(REACH * place);
      });
      return { data, shape: [n, this.features] };
    }
    const [low, high] = this.sent.ends;
    const channels = shape[2] ?? 1;
    const grey = channels !== 3 && channels !== 4 && channels > 1;
    const from = shape.length === 1 ? scaled(this.model, x) : grey ? means(x, channels) : x;
    const data = Uint8Array.from(from, (value) => Math.round(clamp((value - low) / (high - low), 0, 1) * 255));
    return { data, shape: [n, ...(channels === 1 || grey ? shape.slice(0, 2) : shape)] };
  }

  /**
   * @param {Values} x
   * @returns {Shown} for the eye
   */
  shown(x) {
    return this.columns.length ? shown(this.columns, x) : this.levels(x);
  }

  /**
   * @param {Uint8Array} levels of one example
   * @returns {Values} what they stand for, as `narrows.fitted.levels.of_bytes` has it
   */
  ofLevels(levels) {
    const [low, high] = this.sent.ends;
    const { offset, scale } = this.sent.net;
    const plain = this.told.shape.length > 1;
    return Float64Array.from(levels, (level, i) => {
      const value = low + (level / 255) * (high - low);
      return plain ? value : value * scale[i % scale.length] + offset[i % offset.length];
    });
  }

  /**
   * @param {Values} x
   * @returns {Values} the mean of these examples; of a column's levels the most frequent one
   */
  middle(x) {
    return Float64Array.from({ length: this.features }, (_, place) => {
      const own = x.filter((value, i) => i % this.features === place && !Number.isNaN(value));
      return this.columns[place]?.levels.length ? mostFrequent(own) : means(own, own.length)[0];
    });
  }

  /**
   * @param {Values} x
   * @param {Values} others
   * @returns {number[]} the mean error of each example
   */
  errorsOf(x, others) {
    const { data, shape } = errorMaps(this.model, x, others);
    return Array.from(means(data, data.length / shape[0]));
  }
}

/**
 * @param {Shared} shared
 * @param {string} model
 * @returns {Entry}
 */
export function entryOf({ entries }, model) {
  const found = entries.get(model);
  if (!found) throw new Error(`model='${model}' is not open; open are ${[...entries.keys()].join(', ')}`);
  return found;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @returns {Float64Array} the mean of each `width` of them that are known
 */
export function means(values, width) {
  return Float64Array.from({ length: values.length / width }, (_, i) => {
    let [sum, count] = [0, 0];
    for (let k = i * width; k < (i + 1) * width; k++) {
      if (Number.isNaN(values[k])) continue;
      sum += values[k];
      count++;
    }
    return sum / count;
  });
}

/**
 * @param {Float64Array} places of levels
 * @returns {number} the first of those that are there most often; NaN of none
 */
function mostFrequent(places) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const place of places.sort()) counts.set(place, (counts.get(place) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [NaN, 0])[0];
}

/**
 * @param {Entry} entry
 * @param {Float32Array} z a code
 * @param {number} count
 * @param {number | null} without a row that does not count
 * @returns {{ rows: number[], distances: number[] }} the examples with the nearest codes, the nearest first
 */
export function nearest({ codes, d }, z, count, without) {
  const squares = new Float64Array(codes.length / d);
  for (let row = 0; row < squares.length; row++) {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += (codes[row * d + i] - z[i]) ** 2;
    squares[row] = row === without ? Infinity : sum;
  }
  const rows = Array.from(squares.keys())
    .sort((a, b) => squares[a] - squares[b])
    .slice(0, Math.min(count, squares.length - (without === null ? 0 : 1)));
  return { rows, distances: rows.map((row) => Math.sqrt(squares[row])) };
}
