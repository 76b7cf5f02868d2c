/** What the parts of the view of a code share. */
import { bounded } from '../../shell/address.js';
import { blankCanvas } from '../../widgets/canvases.js';
import { h } from '../../widgets/elements.js';
import { examplePicker } from '../../widgets/fields.js';

/** @typedef {import('../../shell/app.js').App} App */

/**
 * @param {App} app
 * @param {'noise' | 'samples' | 'way' | 'sum'} name
 * @param {...Node} inside
 */
export function section(app, name, ...inside) {
  const lead = h('small', {}, app.t(`code.${name}.lead`));
  return h('section', {}, h('h2', {}, app.t(`code.${name}`), lead), ...inside);
}

/**
 * Fill a strip; its canvases are kept, so that it does not flicker.
 * @param {import('../../widgets/canvases.js').Brush} brush
 * @param {HTMLElement} strip
 * @param {import('../../wire/frames.js').Levels} levels
 * @param {(i: number) => string} label
 */
export function fill(brush, strip, levels, label) {
  while (strip.childElementCount < levels.shape[0]) strip.append(blankCanvas(label(strip.childElementCount + 1)));
  strip.querySelectorAll('canvas').forEach((canvas, i) => brush.paint(canvas, levels, i));
}

/** An example that the address names. */
export class Chosen {
  /**
   * @param {App} app
   * @param {'a' | 'b' | 'start'} name in the address
   * @param {number} usual
   */
  constructor(app, name, usual) {
    this.app = app;
    this.name = name;
    this.usual = Math.min(usual, app.model.count - 1);
  }

  /** @returns {number} */
  get row() {
    return Math.round(bounded(this.app.state[this.name], 0, this.app.model.count - 1, this.usual));
  }

  /** @param {import('../../shell/strings.js').Key} label */
  picker(label) {
    const { app, name, row } = this;
    return examplePicker(app, {
      label: app.t(label),
      value: row,
      chosen: (other) => app.set({ [name]: String(other) }),
    }).element;
  }
}
