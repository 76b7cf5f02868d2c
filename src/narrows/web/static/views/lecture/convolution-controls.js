/** What can be chosen of an image, a filter and how it slides: presets, sizes, and single numbers. */
import { choices, labelled, numberBox } from '../../widgets/fields.js';
import { FEWEST, MODES, MOST, PADDINGS, WIDEST } from './convolution-given.js';
import { inside, joined, replaced, resized } from './grids.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../shell/strings.js').Key} Key */
/** @typedef {import('./convolution-given.js').Given} Given */
/** @typedef {import('./convolution-given.js').Patterns} Patterns */
/** @typedef {import('./grids.js').Rows} Rows */
/**
 * @typedef {object} View whose controls they are
 * @property {Given} given
 * @property {[number, number]} pixel the chosen one
 * @property {[number, number]} weight
 * @property {(image: Rows) => void} setImage
 * @property {(filter: Rows) => void} setFilter
 */

export class ConvolutionControls {
  /**
   * @param {App} app
   * @param {Patterns} patterns
   * @param {View} view
   */
  constructor(app, patterns, view) {
    this.app = app;
    this.view = view;
    this.lists = this.selects(patterns);
    this.fields = this.numberFields();
  }

  /** @param {Patterns} patterns */
  selects(patterns) {
    const { app, view } = this;
    const sizes = Array.from({ length: WIDEST }, (_, i) => String(i + 1));
    const count = (/** @type {string} */ size) => app.n(Number(size), {});
    const squared = (/** @type {string} */ size) => `${count(size)} × ${count(size)}`;
    const label = (/** @type {Key} */ key) => ({ label: app.t(key), value: '' });
    return {
      mode: choices({
        ...label('convolution.mode'),
        values: MODES,
        told: (mode) => app.t(`convolution.mode.${mode}`),
        chosen: (mode) => app.set({ mode, at: '', stride: '' }),
      }),
      window: choices({
        ...label('convolution.window'),
        values: sizes,
        told: squared,
        chosen: (window) => app.set({ window }),
      }),
      stride: choices({
        ...label('convolution.stride'),
        values: sizes,
        told: count,
        chosen: (stride) => app.set({ stride }),
      }),
      padding: choices({
        ...label('convolution.padding'),
        values: PADDINGS,
        chosen: (padding) => app.set({ padding }),
      }),
      image: this.presets(
        patterns.images,
        (name) => app.t(/** @type {Key} */ (`convolution.image.${name}`)),
        (image) => app.set({ image, at: '' }),
      ),
      filter: this.presets(
        patterns.filters,
        (name) => app.t(/** @type {Key} */ (`convolution.filter.${name}`)),
        (filter) => app.set({ filter }),
      ),
      size: choices({
        ...label('convolution.filter.size'),
        values: sizes,
        told: squared,
        chosen: (size) => view.setFilter(resized(view.given.filter, Number(size), Number(size))),
      }),
    };
  }

  /**
   * @param {[string, string][]} presets their names, and what the address says of them
   * @param {(name: string) => string} told
   * @param {(text: string) => void} taken
   */
  presets(presets, told, taken) {
    const { app } = this;
    const names = new Map(presets.map(([name, text]) => [text, name]));
    return choices({
      label: app.t('convolution.take'),
      values: [...names.keys(), ''],
      value: '',
      told: (text) => (text ? told(names.get(text) ?? '') : app.t('convolution.own')),
      chosen: (text) => {
        if (text) taken(text);
      },
    });
  }

  numberFields() {
    const { view } = this;
    const size = (/** @type {number} */ high, /** @type {number} */ wide) =>
      view.setImage(resized(view.given.image, high, wide));
    return {
      rows: number(FEWEST, MOST, 1, (value) => size(value, view.given.image[0].length)),
      columns: number(FEWEST, MOST, 1, (value) => size(view.given.image.length, value)),
      pixel: number(0, 9, 1, (value) => view.setImage(replaced(view.given.image, view.pixel, value))),
      weight: number(-99, 99, 'any', (value) => view.setFilter(replaced(view.given.filter, view.weight, value))),
    };
  }

  /** @param {Given} given */
  tell(given) {
    const { app, view, lists, fields } = this;
    const text = {
      ...given,
      image: joined(given.image, ''),
      filter: joined(given.filter, ','),
      size: given.filter.length,
    };
    for (const [name, label] of Object.entries(lists)) {
      const box = /** @type {HTMLSelectElement} */ (label.querySelector('select'));
      box.value = String(text[/** @type {keyof typeof text} */ (name)]);
      if (box.selectedIndex < 0) box.value = '';
    }
    lists.window.hidden = given.mode === 'convolution';
    fields.rows.tell(app.t('convolution.rows'), given.image.length);
    fields.columns.tell(app.t('convolution.columns'), given.image[0].length);
    const [pixel, weight] = [inside(view.pixel, given.image), inside(view.weight, given.filter)];
    fields.pixel.tell(
      app.t('convolution.pixel', { row: pixel[0] + 1, column: pixel[1] + 1 }),
      given.image[pixel[0]][pixel[1]],
    );
    fields.weight.tell(
      app.t('convolution.weight', { row: weight[0] + 1, column: weight[1] + 1 }),
      given.filter[weight[0]][weight[1]],
    );
  }
}

/**
 * A labelled field for a number, whose label changes.
 * @param {number} min
 * @param {number} max
 * @param {number | 'any'} step
 * @param {(value: number) => void} taken
 */
function number(min, max, step, taken) {
  const name = document.createTextNode('');
  const { input, set } = numberBox({ min, max, step, on: 'input', taken });
  const tell = (/** @type {string} */ said, /** @type {number} */ value) => {
    name.data = said;
    set(value);
  };
  return { element: labelled(name, input), tell };
}
