/** Convolution and pooling: a filter or a window slides over an image, patch by patch, and a feature map fills. */
import { clamp } from '../../shell/numbers.js';
import { Cells } from '../../widgets/cells.js';
import { h } from '../../widgets/elements.js';
import { stepper } from '../../widgets/stepper.js';
import { newest } from '../../wire/newest.js';
import { ConvolutionControls } from './convolution-controls.js';
import { lines, read } from './convolution-given.js';
import { inside, joined, replaced } from './grids.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./grids.js').Rows} Rows */
/** @typedef {import('./convolution-given.js').Given} Given */
/** @typedef {import('./convolution-given.js').Patterns} Patterns */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/**
 * @typedef {{
 *   values: Floats, before: Point, after: Point, corners: Integers, patches: Floats, products: Floats,
 * }} Convolved
 */
/**
 * @typedef {{
 *   values: Floats, before: Point, after: Point, corners: Integers, patches: Floats, sums: Floats,
 * }} Pooled
 */

/** @type {import('../../shell/views.js').Module} */
export const convolution = {
  async mount(root, app) {
    /** @type {Patterns} */
    const patterns = await app.connection.ask('patterns');
    const view = new ConvolutionView(root, app, patterns);
    await view.draw();
    return view;
  },
};

class ConvolutionView {
  pixel = /** @type {[number, number]} */ ([0, 0]);
  weight = /** @type {[number, number]} */ ([0, 0]);
  /** @type {Convolved | Pooled | null} */
  found = null;
  refused = '';
  title = h('h2');
  sum = h('div', { class: 'sum', 'aria-live': 'polite' });
  formula = h('div', { class: 'hint' });
  wrong = h('p', { class: 'warn', role: 'alert' });

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Patterns} patterns
   */
  constructor(root, app, patterns) {
    this.app = app;
    this.patterns = patterns;
    this.image = new Cells(app.t('convolution.image.cells'), {
      chosen: (...at) => {
        this.pixel = at;
        this.paint();
      },
      typed: (key) => this.typedPixel(key),
    });
    this.filter = new Cells(app.t('convolution.filter.cells'), {
      chosen: (...at) => {
        this.weight = at;
        this.paint();
      },
      typed: (key) => this.typedWeight(key),
    });
    this.map = new Cells(app.t('convolution.map.cells'), {
      chosen: (row, column) => this.go(row * this.across + column),
      hover: true,
    });
    this.steps = stepper(app, { next: () => this.next(), start: () => this.go(0), pace: 500 });
    this.steps.element.prepend(
      h(
        'button',
        {
          onclick: () => {
            this.steps.stop();
            this.go(this.at - 1);
          },
        },
        app.t('convolution.back'),
      ),
    );
    const { lists, fields } = (this.controls = new ConvolutionControls(app, patterns, this));
    this.filtering = h(
      'section',
      {},
      h('h2', {}, app.t('convolution.filter')),
      this.filter.element,
      h('div', { class: 'controls row' }, lists.filter, lists.size, fields.weight.element),
    );
    this.made = h('section', {}, h('h2', {}, app.t('convolution.map')), this.map.element, this.formula);
    this.told = h('section', {}, this.title, h('div', { class: 'controls' }, this.steps.element), this.sum);
    this.renew = newest(() => app.attempt(() => this.draw()));
    root.append(...this.parts());
  }

  // --- The state --------------------------------------------------------------

  /** @returns {Given} */
  get given() {
    return read(this.app.state, this.patterns);
  }

  /** @returns {number} columns of the feature map */
  get across() {
    return this.found?.values.shape[1] ?? 1;
  }

  /** @returns {number} the last step, counted from 0 */
  get last() {
    return (this.found?.values.data.length ?? 1) - 1;
  }

  /** @returns {number} the step that is shown */
  get at() {
    return Math.min(this.given.at, this.last);
  }

  /** @param {number} step */
  go(step) {
    this.app.set({ at: String(clamp(step, 0, this.last)) });
  }

  /** @returns {boolean} whether there is a step after the next, which after the last is the first */
  next() {
    this.go((this.at + 1) % (this.last + 1));
    return this.at < this.last;
  }

  /** @param {Rows} image */
  setImage(image) {
    this.app.set({ image: joined(image, '') });
  }

  /** @param {Rows} filter */
  setFilter(filter) {
    this.app.set({ filter: joined(filter, ',') });
  }

  /** @param {string} key @returns {boolean} whether it means a pixel's value */
  typedPixel(key) {
    const value = { Backspace: 0, Delete: 0 }[key] ?? (/^\d$/.test(key) ? Number(key) : null);
    if (value !== null) this.setImage(replaced(this.given.image, this.pixel, value));
    return value !== null;
  }

  /** @param {string} key @returns {boolean} whether it means a weight: a digit, or a change of sign */
  typedWeight(key) {
    const { filter } = this.given;
    const sign = key === '-' ? -filter[this.weight[0]][this.weight[1]] || 0 : null;
    const value = sign ?? { Backspace: 0, Delete: 0 }[key] ?? (/^\d$/.test(key) ? Number(key) : null);
    if (value !== null) this.setFilter(replaced(filter, this.weight, value));
    return value !== null;
  }

  // --- Building ---------------------------------------------------------------

  parts() {
    const { app, controls } = this;
    const { lists, fields } = controls;
    const image = h(
      'section',
      {},
      h('h2', {}, app.t('convolution.image')),
      this.image.element,
      h(
        'div',
        { class: 'controls row' },
        lists.image,
        fields.rows.element,
        fields.columns.element,
        fields.pixel.element,
      ),
    );
    return [
      h('div', { class: 'controls row first' }, lists.mode, lists.window, lists.stride, lists.padding),
      this.wrong,
      h('div', { class: 'sliding' }, image, h('div', { class: 'middle' }, this.filtering, this.told), this.made),
    ];
  }

  // --- Showing ----------------------------------------------------------------

  async draw() {
    try {
      this.found = await this.slide(this.given);
      this.refused = '';
    } catch (error) {
      this.found = null;
      this.refused = error instanceof Error ? error.message : String(error);
    }
    this.paint();
  }

  /**
   * @param {Given} given
   * @returns {Promise<Convolved | Pooled>}
   */
  async slide({ mode, image, filter, window, stride, padding: name }) {
    const { connection } = this.app;
    const padding = Number.isNaN(Number(name)) ? name : Number(name);
    if (mode === 'convolution') {
      /** @type {Convolved} */
      const found = await connection.ask('convolution', { image, filters: filter, stride, padding });
      return found;
    }
    const kind = mode === 'max' ? 'max' : 'average';
    /** @type {Pooled} */
    const found = await connection.ask('pooling', { image, window, kind, stride, padding });
    return found;
  }

  /** Show what was found, at the step that the address names. */
  paint() {
    const { given, found } = this;
    this.controls.tell(given);
    this.filtering.hidden = given.mode !== 'convolution';
    this.paintImage(given, found);
    const most = Math.max(...given.filter.flat().map(Math.abs)) || 1;
    const weight = (/** @type {number} */ row, /** @type {number} */ column) => given.filter[row][column];
    this.filter.draw({
      size: [given.filter.length, given.filter[0].length],
      at: (this.weight = inside(this.weight, given.filter)),
      ...this.numbers(weight, most),
    });
    this.wrong.textContent = this.refused && this.app.t('error', { error: this.refused });
    [this.made, this.told].forEach((element) => {
      element.hidden = !found;
    });
    if (found) this.paintMap(given, found);
  }

  /**
   * @param {(row: number, column: number) => number} value
   * @param {number} most in absolute value
   */
  numbers(value, most) {
    return {
      text: (/** @type {number} */ row, /** @type {number} */ column) => this.show(value(row, column)),
      label: (/** @type {number} */ row, /** @type {number} */ column) =>
        this.app.t('convolution.cell', { row: row + 1, column: column + 1, value: this.show(value(row, column)) }),
      tone: (/** @type {number} */ row, /** @type {number} */ column) => value(row, column) / most,
    };
  }

  /**
   * @param {Given} given
   * @param {Convolved | Pooled | null} found
   */
  paintImage({ mode, image }, found) {
    const [top, left] = found?.before ?? [0, 0];
    const [bottom, right] = found?.after ?? [0, 0];
    const [, high, wide] = found?.patches.shape ?? [0, 0, 0];
    this.image.draw({
      size: [image.length, image[0].length],
      at: (this.pixel = inside(this.pixel, image)),
      ...this.numbers((row, column) => image[row][column], Math.max(...image.flat()) || 1),
      border: [top, left, bottom, right],
      padding: mode === 'max' ? '−∞' : '0',
      frame: found && [found.corners.data[2 * this.at], found.corners.data[2 * this.at + 1], high, wide],
    });
  }

  /**
   * @param {Given} given
   * @param {Convolved | Pooled} found
   */
  paintMap(given, found) {
    const { app, at, across, last } = this;
    const {
      data,
      shape: [high, wide],
    } = found.values;
    const numbers = this.numbers((row, column) => data[row * across + column], Math.max(...data.map(Math.abs)) || 1);
    const filled = (/** @type {number} */ row, /** @type {number} */ column) => row * across + column <= at;
    this.map.draw({
      size: [high, wide],
      at: [Math.floor(at / across), at % across],
      ...numbers,
      frame: [Math.floor(at / across), at % across, 1, 1],
      text: (row, column) => (filled(row, column) ? numbers.text(row, column) : ''),
      label: (row, column) =>
        filled(row, column)
          ? numbers.label(row, column)
          : app.t('convolution.cell.empty', { row: row + 1, column: column + 1 }),
    });
    this.title.textContent = app.t('convolution.step', {
      step: app.n(at + 1, {}),
      steps: app.n(last + 1, {}),
      row: Math.floor(at / across) + 1,
      column: (at % across) + 1,
    });
    this.sum.replaceChildren(...this.written(given, found).map((line) => h('p', { class: 'formula' }, line)));
    const size = (/** @type {'rows' | 'columns'} */ name, /** @type {number} */ axis) => {
      const n = axis ? given.image[0].length : given.image.length;
      const values = {
        n,
        p: found.before[axis] + found.after[axis],
        k: found.patches.shape[axis + 1],
        s: given.stride,
        size: found.values.shape[axis],
      };
      return h(
        'p',
        { class: 'number' },
        `${app.t(`convolution.${name}`)}: ${app.t('convolution.size.numbers', values)}`,
      );
    };
    this.formula.replaceChildren(h('p', {}, app.t('convolution.size')), size('rows', 0), size('columns', 1));
  }

  /**
   * @param {Given} given
   * @param {Convolved | Pooled} found
   * @returns {string[]} how the number of this step comes about
   */
  written({ mode, filter }, found) {
    const [count, wide] = [found.patches.data.length / (this.last + 1), found.patches.shape[2]];
    const taken = (/** @type {{ data: Float32Array }} */ all) =>
      Array.from(all.data.subarray(count * this.at, count * (this.at + 1)));
    const [patch, value] = [taken(found.patches), this.show(found.values.data[this.at])];
    if (mode === 'max') return [`max(${patch.map((pixel) => this.show(pixel)).join(', ')})`, `= ${value}`];
    if (!('products' in found)) {
      const total = this.show(/** @type {Pooled} */ (found).sums.data[this.at]);
      return [
        `(${patch.map((pixel) => this.show(pixel)).join(' + ')}) / ${count}`,
        `= ${total} / ${count}`,
        `= ${value}`,
      ];
    }
    const terms = patch.map((pixel, i) => `${this.show(pixel)} · ${this.signed(filter.flat()[i])}`);
    const sums = filter.map((_, row) => `${row ? '+ ' : ''}${terms.slice(row * wide, (row + 1) * wide).join(' + ')}`);
    return [
      ...sums,
      `= ${taken(found.products)
        .map((product, i) => (i ? this.signed(product) : this.show(product)))
        .join(' + ')}`,
      `= ${value}`,
    ];
  }

  /** @param {number} value */
  show(value) {
    return this.app.n(value || 0, { maximumFractionDigits: 2 });
  }

  /** @param {number} value */
  signed(value) {
    return value < 0 ? `(${this.show(value)})` : this.show(value);
  }

  // --- What the page asks of a view -------------------------------------------

  /** @param {string[]} changed */
  update(changed) {
    if (changed.some((name) => name !== 'at')) this.renew();
    else this.paint();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  move(x, y) {
    this.go(this.at + x - y * this.across);
  }

  python() {
    return lines(this.given, this.at);
  }

  close() {
    this.steps.stop();
  }
}
