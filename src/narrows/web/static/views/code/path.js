/** The way from one example to another: the codes between theirs, decoded. */
import { bounded } from '../../shell/address.js';
import { h } from '../../widgets/elements.js';
import { choices, slider } from '../../widgets/fields.js';
import { RowBrush } from '../../widgets/rows.js';
import { Chosen, section } from './section.js';

/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('./code.js').Decoded} Decoded */

const STEPS = 33;
const SHOWN = 4; // every how many of them stand in the strip

export class PathSection {
  strip = h('div', { class: 'strip thin' });
  /** @type {Shown | null} */
  levels = null;

  /** @param {import('../../shell/app.js').App} app */
  constructor(app) {
    this.app = app;
    this.brush = app.brush;
    this.between = this.brush.blank(app.t('code.scrub'));
    this.a = new Chosen(app, 'a', 0);
    this.b = new Chosen(app, 'b', 1);
    const scrub = slider({
      label: app.t('code.scrub'),
      min: 0,
      max: STEPS - 1,
      step: 1,
      value: this.step,
      show: (value) => app.percent(value / (STEPS - 1)),
      moved: (value) => app.set({ t: String(value) }),
    });
    const kind = choices({
      label: app.t('code.kind'),
      values: /** @type {const} */ (['linear', 'spherical']),
      value: this.kind,
      told: (name) => app.t(`code.${name}`),
      chosen: (way) => app.set({ way }),
    });
    this.element = section(
      app,
      'way',
      h(
        'div',
        { class: 'scrub' },
        h('figure', { class: 'middle' }, this.between),
        h('div', {}, this.strip, scrub.element),
      ),
      h('div', { class: 'controls row' }, this.a.picker('code.a'), this.b.picker('code.b'), kind),
    );
  }

  /** @returns {number} the step that is shown large */
  get step() {
    return Math.round(bounded(this.app.state.t, 0, STEPS - 1, (STEPS - 1) / 2));
  }

  get kind() {
    return this.app.state.way === 'spherical' ? 'spherical' : 'linear';
  }

  async ask() {
    const { app, kind, brush } = this;
    const given = { ...app.named, a: this.a.row, b: this.b.row, steps: STEPS, kind };
    /** @type {Decoded} */
    const { levels } = await app.connection.ask('way', given);
    this.levels = levels;
    const words = (/** @type {number} */ i) => app.t('code.at', { part: app.percent(i / (STEPS - 1)) });
    const shown = Array.from({ length: Math.ceil(STEPS / SHOWN) }, (_, i) => SHOWN * i);
    const parts =
      brush instanceof RowBrush
        ? [brush.table(shown.map((i) => ({ name: app.percent(i / (STEPS - 1)), shown: levels, row: i })))]
        : shown.map((i) => brush.canvas(levels, i, words(i)));
    this.strip.classList.toggle('whole', brush instanceof RowBrush);
    this.strip.replaceChildren(...parts);
    this.scrub();
  }

  /** Show the step that the slider is at. */
  scrub() {
    if (this.levels) this.brush.paint(this.between, this.levels, this.step);
  }
}
