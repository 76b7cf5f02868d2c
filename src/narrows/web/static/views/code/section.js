/** What the parts of the view of a code share. */
import { bounded } from '../../shell/address.js';
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
