/** Convolution and pooling: a filter or a window slides over an image, patch by patch, and a feature map fills. */
import { Cells } from '../../widgets/cells.js';
import { h, select } from '../../widgets/elements.js';
import { newest } from '../../wire/newest.js';
import { inside, joined, replaced, resized, rows, whole } from './grids.js';
import { stepper } from '../../widgets/stepper.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/answers.js').Convolved} Convolved */
/** @typedef {import('../../wire/answers.js').Pooled} Pooled */
/** @typedef {import('../../wire/answers.js').Patterns} Patterns */
/** @typedef {import('./grids.js').Rows} Rows */
/** @typedef {{ mode: Mode, image: Rows, filter: Rows, window: number, stride: number, padding: string, at: number }} Given */
/** @typedef {typeof MODES[number]} Mode */
/** @typedef {import('../../shell/strings.js').Key} Key */

const MODES = /** @type {const} */ (['convolution', 'max', 'mean']);
const PADDINGS = ['valid', 'same', '1', '2', '3'];
const [FEWEST, MOST, WIDEST] = [3, 10, 5]; // rows or columns of an image; of a filter or a window

/** @type {import('../../shell/views.js').Lesson} */
export const convolution = {
  async mount(root, app) {
    const view = new ConvolutionView(root, app, await app.connection.ask('patterns'));
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
  sum = h('div', { 'class': 'sum', 'aria-live': 'polite' });
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
      chosen: (...place) => {
        this.pixel = place;
        this.paint();
      },
      typed: (key) => this.typedPixel(key),
    });
    this.filter = new Cells(app.t('convolution.filter.cells'), {
      chosen: (...place) => {
        this.weight = place;
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
    this.choices = this.selects();
    this.fields = this.numberFields();
    this.filtering = h(
      'section',
      {},
      h('h2', {}, app.t('convolution.filter')),
      this.filter.element,
      h('div', { class: 'controls row' }, this.choices.filter, this.choices.size, this.fields.weight.element),
    );
    this.made = h('section', {}, h('h2', {}, app.t('convolution.map')), this.map.element, this.formula);
    this.told = h('section', {}, this.title, h('div', { class: 'controls' }, this.steps.element), this.sum);
    this.renew = newest(() => app.attempt(() => this.draw()));
    root.append(...this.parts());
  }

  // --- The state --------------------------------------------------------------

  /** @returns {Given} what the address says, or where it makes no sense, what the lecture does */
  get given() {
    const { state } = this.app;
    const mode = MODES.find((name) => name === state.mode) ?? 'convolution';
    const images = Object.fromEntries(this.patterns.images);
    const window = whole(state.window, 1, WIDEST) ?? 3;
    return {
      mode,
      window,
      image:
        rows(state.image, '', FEWEST, MOST, 9) ??
        /** @type {Rows} */ (rows(mode === 'convolution' ? images.lecture : images.pooling, '', FEWEST, MOST, 9)),
      filter:
        rows(state.filter, ',', 1, WIDEST, 99) ??
        /** @type {Rows} */ (rows(this.patterns.filters[0][1], ',', 1, WIDEST, 99)),
      stride: whole(state.stride, 1, WIDEST) ?? (mode === 'convolution' ? 1 : window),
      padding: PADDINGS.find((name) => name === state.padding) ?? 'valid',
      at: whole(state.at, 0, Infinity) ?? 0,
    };
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
    this.app.set({ at: String(Math.min(Math.max(step, 0), this.last)) });
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

  selects() {
    const { app } = this;
    const counts = Array.from(
      { length: WIDEST },
      (_, i) => /** @type {[string, string]} */ ([String(i + 1), app.n(i + 1, {})]),
    );
    const squares = counts.map(([value, text]) => /** @type {[string, string]} */ ([value, `${text} × ${text}`]));
    const own = /** @type {[string, string]} */ (['', app.t('convolution.own')]);
    const images = this.patterns.images.map(
      ([name, text]) =>
        /** @type {[string, string]} */ ([text, app.t(/** @type {Key} */ (`convolution.image.${name}`))]),
    );
    const filters = this.patterns.filters.map(
      ([name, text]) =>
        /** @type {[string, string]} */ ([text, app.t(/** @type {Key} */ (`convolution.filter.${name}`))]),
    );
    return {
      mode: select(
        app.t('convolution.mode'),
        MODES.map((mode) => [mode, app.t(`convolution.mode.${mode}`)]),
        '',
        (mode) => app.set({ mode, at: '', stride: '' }),
      ),
      window: select(app.t('convolution.window'), squares, '', (window) => app.set({ window })),
      stride: select(app.t('convolution.stride'), counts, '', (stride) => app.set({ stride })),
      padding: select(
        app.t('convolution.padding'),
        PADDINGS.map((name) => [name, name]),
        '',
        (padding) => app.set({ padding }),
      ),
      image: select(app.t('convolution.take'), [...images, own], '', (image) => {
        if (image) app.set({ image, at: '' });
      }),
      filter: select(app.t('convolution.take'), [...filters, own], '', (filter) => {
        if (filter) app.set({ filter });
      }),
      size: select(app.t('convolution.filter.size'), squares, '', (size) =>
        this.setFilter(resized(this.given.filter, Number(size), Number(size))),
      ),
    };
  }

  numberFields() {
    const { app } = this;
    const size = (/** @type {number} */ high, /** @type {number} */ wide) =>
      this.setImage(resized(this.given.image, high, wide));
    return {
      rows: number(app.t('convolution.rows'), FEWEST, MOST, 1, (value) => size(value, this.given.image[0].length)),
      columns: number(app.t('convolution.columns'), FEWEST, MOST, 1, (value) => size(this.given.image.length, value)),
      pixel: number('', 0, 9, 1, (value) => this.setImage(replaced(this.given.image, this.pixel, value))),
      weight: number('', -99, 99, 'any', (value) => this.setFilter(replaced(this.given.filter, this.weight, value))),
    };
  }

  parts() {
    const { app, choices, fields } = this;
    const image = h(
      'section',
      {},
      h('h2', {}, app.t('convolution.image')),
      this.image.element,
      h(
        'div',
        { class: 'controls row' },
        choices.image,
        fields.rows.element,
        fields.columns.element,
        fields.pixel.element,
      ),
    );
    return [
      h('div', { class: 'controls row first' }, choices.mode, choices.window, choices.stride, choices.padding),
      this.wrong,
      h('div', { class: 'sliding' }, image, h('div', { class: 'middle' }, this.filtering, this.told), this.made),
    ];
  }

  // --- Showing ----------------------------------------------------------------

  async draw() {
    const { mode, image, filter, window, stride, padding: name } = this.given;
    const padding = Number.isNaN(Number(name)) ? name : Number(name);
    try {
      this.found =
        mode === 'convolution'
          ? await this.app.connection.ask('convolution', { image, filters: filter, stride, padding })
          : await this.app.connection.ask('pooling', {
              image,
              window,
              kind: mode === 'max' ? 'max' : 'average',
              stride,
              padding,
            });
      this.refused = '';
    } catch (error) {
      this.found = null;
      this.refused = error instanceof Error ? error.message : String(error);
    }
    this.paint();
  }

  /** Show what was found, at the step that the address names. */
  paint() {
    const { given, found } = this;
    this.tell(given);
    this.paintImage(given, found);
    const most = Math.max(...given.filter.flat().map(Math.abs)) || 1;
    const weight = (/** @type {number} */ row, /** @type {number} */ column) => given.filter[row][column];
    this.filter.draw({
      size: [given.filter.length, given.filter[0].length],
      at: (this.weight = inside(this.weight, given.filter)),
      ...this.numbers(weight, most),
    });
    this.wrong.textContent = this.refused && this.app.t('error', { error: this.refused });
    [this.made, this.told].forEach((part) => {
      part.hidden = !found;
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
    const lines = filter.map((_, row) => `${row ? '+ ' : ''}${terms.slice(row * wide, (row + 1) * wide).join(' + ')}`);
    return [
      ...lines,
      `= ${taken(found.products)
        .map((product, i) => (i ? this.signed(product) : this.show(product)))
        .join(' + ')}`,
      `= ${value}`,
    ];
  }

  /** @param {Given} given */
  tell(given) {
    const { app, choices, fields } = this;
    const text = {
      ...given,
      image: joined(given.image, ''),
      filter: joined(given.filter, ','),
      size: given.filter.length,
    };
    for (const [name, label] of Object.entries(choices)) {
      const box = /** @type {HTMLSelectElement} */ (label.querySelector('select'));
      box.value = String(text[/** @type {keyof typeof text} */ (name)]);
      if (box.selectedIndex < 0) box.value = '';
    }
    const convolves = given.mode === 'convolution';
    choices.window.hidden = convolves;
    this.filtering.hidden = !convolves;
    fields.rows.tell(app.t('convolution.rows'), given.image.length);
    fields.columns.tell(app.t('convolution.columns'), given.image[0].length);
    const [pixel, weight] = [inside(this.pixel, given.image), inside(this.weight, given.filter)];
    fields.pixel.tell(
      app.t('convolution.pixel', { row: pixel[0] + 1, column: pixel[1] + 1 }),
      given.image[pixel[0]][pixel[1]],
    );
    fields.weight.tell(
      app.t('convolution.weight', { row: weight[0] + 1, column: weight[1] + 1 }),
      given.filter[weight[0]][weight[1]],
    );
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
    const { mode, image, filter, window, stride, padding: name } = this.given;
    const padding = Number.isNaN(Number(name)) ? `"${name}"` : name;
    const array = (/** @type {Rows} */ values) => `[${values.map((row) => `[${row.join(', ')}]`).join(', ')}]`;
    if (mode !== 'convolution') {
      const given = `image, ${window}, kind="${mode === 'max' ? 'max' : 'average'}", stride=${stride}, padding=${padding}`;
      return [
        'from narrows.foundations.pooling import pool, pooling_steps',
        '',
        `image = ${array(image)}`,
        `pooled = pool(${given})`,
        `step = list(pooling_steps(${given}))[${this.at}]`,
        'window, value = step.window, step.value',
      ];
    }
    const given = `image, filter, stride=${stride}, padding=${padding}`;
    return [
      'from narrows.foundations.convolution import convolution_steps, convolve',
      '',
      `image = ${array(image)}`,
      `filter = ${array(filter)}`,
      `feature_map = convolve(${given})`,
      `step = list(convolution_steps(${given}))[${this.at}]`,
      'patch, products, value = step.patch, step.products, step.value',
    ];
  }

  close() {
    this.steps.stop();
  }
}

/**
 * A labelled field for a number.
 * @param {string} label
 * @param {number} min
 * @param {number} max
 * @param {number | 'any'} step
 * @param {(value: number) => void} changed called with what is in range
 */
function number(label, min, max, step, changed) {
  const name = h('span', {}, label);
  const input = h('input', {
    type: 'number',
    min,
    max,
    step,
    oninput: () => {
      if (input.value && input.validity.valid) changed(input.valueAsNumber);
    },
  });
  const tell = (/** @type {string} */ said, /** @type {number} */ value) => {
    name.textContent = said;
    if (input !== document.activeElement) input.value = String(value);
  };
  return { element: h('label', { class: 'field' }, name, input), tell };
}
