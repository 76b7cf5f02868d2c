/** A slider for each number of a code, those that vary most first. */
import { clamp } from '../../shell/numbers.js';
import { h } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../code/code.js').Units} Units */
/**
 * @typedef {object} Does
 * @property {(z: number[], stamp: number) => void} moved
 * @property {() => void} own the example's own code is wanted
 */

const FIRST = 12; // sliders, before one asks for all

export class CodePanel {
  rows = h('div', { class: 'sliders' });
  /** @type {Map<number, (value: number) => void>} */
  sliders = new Map();

  /**
   * @param {App} app
   * @param {Units} units
   * @param {number[]} z
   * @param {Does} does
   */
  constructor(app, units, z, does) {
    this.app = app;
    this.units = units;
    this.z = [...z];
    this.does = does;
    const mean = () => does.moved([...units.mean], performance.now());
    this.element = h(
      'section',
      {},
      h('h2', {}, app.t('row.code'), h('small', {}, app.t('row.code.lead'))),
      this.rows,
      h(
        'div',
        { class: 'controls row' },
        h('button', { onclick: mean }, app.t('code.mean')),
        h('button', { onclick: () => does.own() }, app.t('row.code.own')),
      ),
    );
    this.list(FIRST);
  }

  /** @param {number} count of sliders */
  list(count) {
    const { app, z, units } = this;
    this.sliders.clear();
    const shown = Array.from(units.order.data.slice(0, count), (unit) => this.slider(unit));
    const words = app.t('code.more', { count: app.n(z.length, {}) });
    const more = h('button', { class: 'controls', onclick: () => this.list(z.length) }, words);
    this.rows.replaceChildren(...shown, ...(z.length > count ? [more] : []));
  }

  /** @param {number} unit */
  slider(unit) {
    const { app, units, z } = this;
    const { element, set } = slider({
      label: app.t('code.unit', { i: unit + 1 }),
      min: Math.min(units.low[unit], z[unit]),
      max: Math.max(units.high[unit], z[unit]),
      step: (units.high[unit] - units.low[unit]) / 400,
      value: z[unit],
      show: (value) => app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
      moved: (value, stamp) => {
        this.z[unit] = value;
        this.does.moved([...this.z], stamp);
      },
    });
    this.sliders.set(unit, set);
    return element;
  }

  /** @param {number[]} z that the sliders shall show */
  set(z) {
    this.z = [...z];
    for (const [unit, set] of this.sliders) set(z[unit]);
  }

  /**
   * @param {number[]} z
   * @param {number} x steps along the first unit
   * @param {number} y and along the second
   * @returns {number[]} the code there
   */
  moved(z, x, y) {
    const { low, high, order } = this.units;
    const there = [...z];
    [x, y].forEach((by, i) => {
      const unit = order.data[i];
      if (unit === undefined) return;
      there[unit] = clamp(there[unit] + (by * (high[unit] - low[unit])) / 100, low[unit], high[unit]);
    });
    return there;
  }
}
