/** New examples: codes drawn from the model's prior, decoded. */
import { bounded } from '../../shell/address.js';
import { h } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';
import { section } from './section.js';

/** @typedef {import('./code.js').Decoded} Decoded */

export const SAMPLES = 24;

export class SamplesSection {
  strip = h('div', { class: 'strip many' });
  drawn = 0;

  /**
   * @param {import('../../shell/app.js').App} app
   * @param {boolean} tempered whether the prior has a temperature
   */
  constructor(app, tempered) {
    this.app = app;
    this.tempered = tempered;
    this.brush = app.brush;
    const temperature = slider({
      label: app.t('code.temperature'),
      min: 0,
      max: 2,
      step: 0.05,
      value: this.temperature,
      show: (value) => app.n(value, { minimumFractionDigits: 2 }),
      moved: (value) => app.set({ temperature: String(value) }),
    });
    const told = tempered ? temperature.element : h('p', { class: 'hint' }, app.t('code.temperature.none'));
    const again = h('button', { onclick: () => this.again() }, app.t('again'));
    this.element = section(app, 'samples', this.strip, h('div', { class: 'controls row' }, told, again));
  }

  get temperature() {
    return this.tempered ? bounded(this.app.state.temperature, 0, 2, 1) : 1;
  }

  again() {
    this.drawn++;
    this.app.attempt(() => this.ask());
  }

  async ask() {
    const { app, temperature, drawn: seed } = this;
    /** @type {Decoded} */
    const { levels } = await app.connection.ask('samples', { ...app.named, temperature, n: SAMPLES, seed });
    this.brush.fill(this.strip, levels, (i) => app.t('code.sample', { i }));
  }
}
