/** Train live: a model learns while a person watches, steers it, and goes back to what it was. */
import { whole } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { download, h } from '../../widgets/elements.js';
import { slider, tick } from '../../widgets/fields.js';
import { newest } from '../../wire/newest.js';
import { Dial } from './dial.js';
import { MomentFigures } from './moment.js';
import { CHOICES, Setup } from './setup.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('./moment.js').Moment} Moment */
/** @typedef {import('./setup.js').Chosen} Chosen */
/** @typedef {import('./setup.js').Trainable} Trainable */
/**
 * @typedef {{
 *   mode: string, error: string, data: string, kind: string, latent_dim: number, seed: number, epoch: number,
 *   epochs: number, step: number, steps: number, learning_rate: number, beta: number | null, rate_now: number | null,
 *   beta_now: number | null, notes: string[], kept: number[], python: string[], moment: Moment | null,
 * }} Live
 */
/** @typedef {{ model: string, name: string, file: Levels }} Kept */
/** @typedef {'play' | 'pause' | 'step' | 'epoch'} Mode */

// Milliseconds between questions while it learns, while it waits, and without motion.
const [SOON, LATER, CALM] = [50, 500, 1000];

/** @type {import('../../shell/views.js').Module} */
export const train = {
  async mount(root, app) {
    /** @type {Trainable} */
    const options = await app.connection.ask('trainable');
    const view = new TrainView(root, app, options);
    await view.open();
    return view;
  },
};

class TrainView {
  closed = false;
  timer = 0;
  fast = false;
  /** @type {Live | null} */
  found = null;
  /** @type {Chosen | null} what is being set up */
  wanted = null;
  told = h('p', { class: 'told number' });
  bar = h('progress', { max: 1, value: 0 });
  mode = h('p', { role: 'status' });
  notes = h('ul', { class: 'notes', lang: 'en' });
  kept = h('p', { class: 'hint', role: 'status' });

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Trainable} options what can be chosen
   */
  constructor(root, app, options) {
    this.app = app;
    this.renew = newest(() => app.attempt(() => this.ask()));
    this.anew = newest((/** @type {Chosen} */ chosen) => app.attempt(() => this.begin(chosen)));
    this.setup = new Setup(app, options, (change) => this.choose(change));
    this.figures = new MomentFigures(app);
    this.rate = new Dial(app, 'learning_rate', {
      min: -5,
      max: 1,
      value: (at) => Number((10 ** at).toPrecision(2)),
      position: Math.log10,
    });
    this.beta = new Dial(app, 'beta', { min: 0, max: 20, value: (at) => at, position: (value) => value });
    this.scrub = slider({
      label: app.t('train.back'),
      min: 0,
      max: 1,
      step: 1,
      value: 1,
      show: (at) => this.momentAt(at),
      moved: (at) => this.goTo(at),
    });
    this.play = h(
      'button',
      { class: 'play', onclick: () => this.steer(this.running ? 'pause' : 'play') },
      app.t('train.play'),
    );
    this.step = h('button', { onclick: () => this.steer('step') }, app.t('train.step'));
    this.epoch = h('button', { onclick: () => this.steer('epoch') }, app.t('train.epoch'));
    this.keep = h('button', { onclick: () => app.attempt(() => this.keepIt()) }, app.t('train.keep'));
    const reset = h('button', { class: 'reset', onclick: () => this.choose({}) }, app.t('train.reset'));
    const fast = tick(app.t('train.fast'), false, (on) => {
      this.fast = on;
      if (this.found?.mode === 'play') this.steer('play');
    });
    this.said = h('section', { hidden: true }, h('h2', {}, app.t('train.notes')), this.notes);
    root.append(
      this.setup.element,
      h('div', { class: 'row' }, this.play, this.step, this.epoch, reset, h('div', { class: 'controls' }, fast)),
      h('div', { class: 'stand' }, this.told, this.bar, this.mode),
      h('div', { class: 'row controls' }, this.scrub.element, this.keep, this.kept),
      h(
        'div',
        { class: 'halves' },
        h(
          'section',
          {},
          h('h2', {}, app.t('train.loss')),
          this.figures.loss,
          h('div', { class: 'stack controls' }, this.rate.element, this.beta.element),
        ),
        h('section', {}, h('h2', {}, app.t('train.codes')), this.figures.codes, this.figures.hint),
      ),
      h('section', {}, h('h2', {}, app.t('train.examples')), this.figures.examples),
      this.said,
    );
  }

  get running() {
    return ['play', 'step', 'epoch'].includes(this.found?.mode ?? '');
  }

  /** @returns {number | null} the epoch that is gone back to */
  get at() {
    return whole(this.app.state.at, 0, Infinity);
  }

  // --- Choosing ---------------------------------------------------------------

  /** Take up the training there is; set one up where there is none, or only one that has not begun and is another. */
  async open() {
    const { app } = this;
    const { chosen } = this.setup;
    /** @type {Live} */
    const found = await app.connection.ask('live', {});
    this.setup.show(chosen);
    const { data, kind, latent_dim: d, seed } = chosen;
    const same = found.data === data && found.kind === kind && found.latent_dim === d && found.seed === seed;
    if (found.mode === 'none' || (found.step === 0 && !same && CHOICES.some((name) => app.state[name]))) {
      await this.anew(chosen);
    } else await this.ask();
    this.tick();
  }

  /** Ask again and again, more often while it learns. */
  tick() {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const busy = this.running || this.found?.mode === 'starting';
    this.timer = setTimeout(
      async () => {
        await this.renew();
        if (!this.closed) this.tick();
      },
      busy ? (calm ? CALM : SOON) : LATER,
    );
  }

  /** @param {Chosen} chosen what to set up */
  async begin(chosen) {
    this.wanted ??= chosen;
    try {
      /** @type {Live} */
      const found = await this.app.connection.ask('train', chosen);
      if (!this.closed && this.wanted === chosen) this.show(found);
    } finally {
      if (this.wanted === chosen) this.wanted = null;
    }
  }

  /** @param {Partial<Record<'data' | 'kind' | 'd' | 'seed', string>>} change */
  choose(change) {
    this.app.set({ ...change, at: '' });
    this.kept.replaceChildren();
    for (const button of [this.play, this.step, this.epoch]) button.disabled = true; // lest they steer the one before
    this.wanted = this.setup.chosen;
    this.anew(this.wanted);
  }

  // --- Steering ---------------------------------------------------------------

  /** @param {Mode} mode */
  steer(mode) {
    this.app.set({ at: '' });
    this.app.attempt(async () => {
      await this.app.connection.ask('steer', { mode, fast: this.fast });
      await this.renew();
    });
  }

  // --- Going back, and keeping ------------------------------------------------

  /** @param {number} index on the slider; the last is now */
  momentAt(index) {
    const epoch = this.found?.kept[index];
    return epoch === undefined ? this.app.t('train.live') : this.app.t('train.at', { epoch });
  }

  /** @param {number} index */
  goTo(index) {
    this.app.set({ at: String(this.found?.kept[index] ?? '') });
  }

  /** @param {number} by */
  move(by) {
    const input = this.scrub.element.querySelector('input');
    if (input) this.goTo(clamp(Number(input.value) + by, 0, Number(input.max)));
  }

  async keepIt() {
    const { app } = this;
    this.kept.textContent = app.t('train.keeping');
    this.keep.disabled = true;
    try {
      /** @type {Kept} */
      const { model, name, file } = await app.connection.ask('keep', { at: this.at });
      download(
        name,
        new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (file.data)], { type: 'application/octet-stream' }),
      );
      await app.list();
      this.kept.replaceChildren(
        h('span', {}, app.t('train.kept', { name })),
        ' ',
        h('button', { class: 'quiet', onclick: () => app.go({ view: 'plane', model }) }, app.t('train.open')),
      );
    } catch (error) {
      this.kept.replaceChildren();
      throw error;
    } finally {
      this.keep.disabled = false;
    }
  }

  // --- Showing ----------------------------------------------------------------

  async ask() {
    const { app, at } = this;
    try {
      /** @type {Live} */
      const found = await app.connection.ask('live', { at, seen: this.figures.shown?.key });
      if (!this.closed && !this.wanted) this.show(found);
    } catch (error) {
      if (at === null) throw error;
      app.set({ at: '' }); // that epoch is kept no more, or never was
      await this.ask();
    }
  }

  /** @param {Live} found */
  show(found) {
    if (found.mode === 'none') return;
    const { app } = this;
    this.found = found;
    this.setup.show(found);
    this.play.textContent = app.t(this.running ? 'train.pause' : 'train.play');
    for (const button of [this.play, this.step, this.epoch]) {
      button.disabled = ['starting', 'over', 'failed'].includes(found.mode);
    }
    const values = {
      epoch: app.n(found.epoch, {}),
      epochs: app.n(found.epochs, {}),
      step: app.n(found.step, {}),
      steps: app.n(found.steps, {}),
    };
    this.told.textContent = found.step ? app.t('train.told', values) : app.t('train.ready');
    this.bar.value = found.steps ? found.step / found.steps : 0;
    this.bar.setAttribute('aria-label', this.told.textContent);
    const said = found.error
      ? app.t('train.failed', { error: found.error })
      : app.t(/** @type {import('../../shell/strings.js').Key} */ (`train.mode.${this.running ? 'play' : found.mode}`));
    if (this.mode.textContent !== said) this.mode.textContent = said;
    this.mode.classList.toggle('warn', found.mode === 'failed');
    this.rate.show(found.learning_rate, found.rate_now);
    this.beta.show(found.beta, found.beta_now);
    const input = /** @type {HTMLInputElement} */ (this.scrub.element.querySelector('input'));
    input.max = String(found.kept.length);
    this.scrub.set(this.at === null ? found.kept.length : found.kept.indexOf(this.at));
    this.said.hidden = !found.notes.length;
    if (this.notes.childElementCount !== found.notes.length) {
      this.notes.replaceChildren(...found.notes.map((note) => h('li', {}, note)));
    }
    if (found.moment) this.figures.draw(found.moment, found.epochs);
  }

  // --- The page's part of it --------------------------------------------------

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('at')) this.renew();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** @returns {string[]} */
  python() {
    return this.found?.python ?? [];
  }
}
