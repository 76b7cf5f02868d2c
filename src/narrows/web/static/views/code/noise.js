/** Noise in the code: one code, decoded again and again with noise added to it. */
import { bounded } from '../../shell/address.js';
import { h } from '../../widgets/elements.js';
import { slider, tick } from '../../widgets/fields.js';
import { newest } from '../../wire/newest.js';
import { section } from './section.js';

/** @typedef {import('./code.js').Decoded} Decoded */

const EVERY = 1200; // milliseconds between strips
const COUNT = 12;

export class NoiseSection {
  strip = h('div', { class: 'strip' });
  seed = 0;
  timer = 0;

  /**
   * @param {import('../../shell/app.js').App} app
   * @param {() => number[]} read the code
   */
  constructor(app, read) {
    this.app = app;
    this.read = read;
    this.brush = app.brush;
    this.renew = newest(() => app.attempt(() => this.ask()));
    const sigma = slider({
      label: app.t('code.sigma'),
      min: 0,
      max: 2,
      step: 0.02,
      value: this.sigma,
      show: (value) => app.t('code.sigma.unit', { sigma: app.n(value, { minimumFractionDigits: 2 }) }),
      moved: (value) => app.set({ sigma: String(value) }),
    });
    const controls = h(
      'div',
      { class: 'controls row' },
      sigma.element,
      tick(app.t('code.renew'), app.state.renew !== '0', (on) => app.set({ renew: on ? '' : '0' })),
      h('button', { onclick: () => this.again() }, app.t('again')),
    );
    this.element = section(app, 'noise', this.strip, controls);
  }

  get sigma() {
    return bounded(this.app.state.sigma, 0, 2, 0.5);
  }

  /** Renew the strip by itself, unless the person or their system wants no motion. */
  start() {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.timer = setInterval(() => {
      if (this.app.state.renew !== '0' && !still && !document.hidden) this.again();
    }, EVERY);
  }

  again() {
    this.seed++;
    this.renew();
  }

  async ask() {
    const { app, sigma, seed } = this;
    /** @type {Decoded} */
    const { levels } = await app.connection.ask('noisy', { ...app.named, z: this.read(), sigma, n: COUNT, seed });
    this.brush.fill(this.strip, levels, (i) => app.t('code.noise.one', { i }));
  }

  /** @returns {string} the line that makes its codes */
  python() {
    const { from_prior: prior, conditional } = this.app.model;
    const X = prior ? 'model.sample(1000, random_state=0)' : 'data.X';
    const y = conditional && !prior ? ', data.y' : '';
    return `codes = latent.around(z, ${this.sigma} * model.transform(${X}${y}).std(0), ${COUNT})`;
  }

  close() {
    clearInterval(this.timer);
  }
}
