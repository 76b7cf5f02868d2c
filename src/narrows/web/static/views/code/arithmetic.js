/** Arithmetic: a code, less the mean of one class, plus the mean of another. */
import { figure, h } from '../../widgets/elements.js';
import { choices } from '../../widgets/fields.js';
import { RowBrush } from '../../widgets/rows.js';
import { Chosen, section } from './section.js';

/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {{ start: Shown, minus: Shown, plus: Shown, result: Shown, z: number[] }} Arithmetic */

export class ArithmeticSection {
  strip = h('div', { class: 'strip sum' });

  /** @param {import('../../shell/app.js').App} app */
  constructor(app) {
    this.app = app;
    this.brush = app.brush;
    this.start = new Chosen(app, 'start', 0);
    this.element = this.possible
      ? this.built()
      : section(app, 'sum', h('p', { class: 'hint' }, app.t('code.sum.none')));
  }

  /** @returns {boolean} whether there are classes to reckon with */
  get possible() {
    return this.app.model.classes.length > 1;
  }

  built() {
    const { app } = this;
    const one = (/** @type {'minus' | 'plus'} */ name) =>
      choices({
        label: app.t(`code.${name}`),
        values: app.model.classes,
        value: this[name],
        chosen: (label) => app.set({ [name]: label }),
      });
    const controls = h('div', { class: 'controls row' }, this.start.picker('code.start'), one('minus'), one('plus'));
    return section(app, 'sum', this.strip, controls);
  }

  get minus() {
    return this.named(this.app.state.minus, 0);
  }

  get plus() {
    return this.named(this.app.state.plus, 1);
  }

  /**
   * @param {string | undefined} name
   * @param {number} usual
   */
  named(name, usual) {
    const { classes } = this.app.model;
    return name !== undefined && classes.includes(name) ? name : classes[usual];
  }

  async ask() {
    if (!this.possible) return;
    const { app, minus, plus } = this;
    const start = this.start.row;
    /** @type {Arithmetic} */
    const found = await app.connection.ask('arithmetic', { model: app.model.id, start, minus, plus });
    if (this.brush instanceof RowBrush) {
      const one = (/** @type {Shown} */ shown, /** @type {string} */ name) => ({ name, shown, row: 0 });
      this.strip.replaceChildren(
        this.brush.table([
          one(found.start, `${app.t('example')} ${start}`),
          one(found.minus, `− ${app.t('label', { label: minus })}`),
          one(found.plus, `+ ${app.t('label', { label: plus })}`),
          one(found.result, `= ${app.t('code.result')}`),
        ]),
      );
      return;
    }
    const sign = (/** @type {string} */ text) => h('span', { class: 'sign', 'aria-hidden': 'true' }, text);
    this.strip.replaceChildren(
      this.term(found.start, `${app.t('example')} ${start}`),
      sign('−'),
      this.term(found.minus, app.t('label', { label: minus })),
      sign('+'),
      this.term(found.plus, app.t('label', { label: plus })),
      sign('='),
      this.term(found.result, app.t('code.result')),
    );
  }

  /**
   * @param {Shown} levels
   * @param {string} words
   */
  term(levels, words) {
    return figure(this.brush.canvas(levels, 0, words), words);
  }
}
