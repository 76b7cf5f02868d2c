/** Train live: a model learns while a person watches, steers it, and goes back to what it was. */
import { download, h, select, slider, tick } from '../../widgets/elements.js';
import { Brush, picture } from '../../widgets/canvases.js';
import { newest } from '../../wire/newest.js';
import { scientific } from '../../shell/numbers.js';
import { spaced } from '../../shell/words.js';
import { codesPlot, lossPlot, scatter } from './plots.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/answers.js').Live} Live */
/** @typedef {import('../../wire/answers.js').Moment} Moment */
/** @typedef {'play' | 'pause' | 'step' | 'epoch'} Mode */
/** @typedef {{ data: string, kind: string, latent_dim: number, seed: number }} Chosen */

const [SOON, LATER, CALM] = [50, 500, 1000]; // milliseconds between questions while it learns, while it waits, without motion
const HOLD = 700; // milliseconds for which a slider that a person moves is left alone
const CHOICES = /** @type {const} */ (['data', 'kind', 'd', 'seed']);

/** @type {import('../../shell/views.js').View} */
export const train = {
  id: 'train',
  group: 'model',
  alone: true,
  async mount(root, app) {
    const view = new TrainView(root, app, await app.connection.ask('trainable'));
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
  /** @type {Moment | null} */
  moment = null;
  /** @type {Brush | null} */
  brush = null;
  /** @type {Chosen | null} what is being set up */
  wanted = null;
  choices = h('div', { class: 'row controls' });
  told = h('p', { class: 'told number' });
  bar = h('progress', { max: 1, value: 0 });
  mode = h('p', { role: 'status' });
  loss = h('div');
  codes = h('div');
  codesHint = h('p', { class: 'hint' });
  examples = h('div');
  notes = h('ul', { class: 'notes', lang: 'en' });
  kept = h('p', { class: 'hint', role: 'status' });

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {import('../../wire/answers.js').Trainable} options what can be chosen
   */
  constructor(root, app, options) {
    this.app = app;
    this.options = options;
    this.shownChoices = '';
    this.renew = newest(() => app.attempt(() => this.ask()));
    this.anew = newest((/** @type {Chosen} */ chosen) => app.attempt(() => this.begin(chosen)));
    /** @type {Record<'learning_rate' | 'beta', { element: HTMLElement, set: (value: number) => void, hint: HTMLElement, moved: number, send: (value: number) => Promise<void> }>} */
    this.dials = {
      learning_rate: this.dial('learning_rate', -5, 1, (at) => Number((10 ** at).toPrecision(2))),
      beta: this.dial('beta', 0, 20, (at) => at),
    };
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
      this.choices,
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
          this.loss,
          h('div', { class: 'stack controls' }, this.dials.learning_rate.element, this.dials.beta.element),
        ),
        h('section', {}, h('h2', {}, app.t('train.codes')), this.codes, this.codesHint),
      ),
      h('section', {}, h('h2', {}, app.t('train.examples')), this.examples),
      this.said,
    );
  }

  get running() {
    return ['play', 'step', 'epoch'].includes(this.found?.mode ?? '');
  }

  /** @returns {number | null} the epoch that is gone back to */
  get at() {
    const at = Number(this.app.state.at || NaN);
    return Number.isInteger(at) && at >= 0 ? at : null;
  }

  /** @returns {Chosen} what the address says */
  get chosen() {
    const { data, kind, d, seed } = this.app.state;
    const whole = (/** @type {string | undefined} */ text, /** @type {number} */ low, /** @type {number} */ other) =>
      text && Number.isInteger(Number(text)) && Number(text) >= low ? Number(text) : other;
    const given = this.options;
    return {
      data: given.data.includes(data ?? '') ? data : given.data[0],
      kind: given.kinds.includes(kind ?? '') ? kind : given.kinds[0],
      latent_dim: Math.min(whole(d, 1, 2), 256),
      seed: whole(seed, 0, 0),
    };
  }

  // --- Choosing ---------------------------------------------------------------

  /** Take up the training there is; set one up where there is none, or only one that has not begun and is another. */
  async open() {
    const { app } = this;
    const found = await app.connection.ask('live', {});
    this.choosers(this.chosen);
    const { data, kind, latent_dim: d, seed } = this.chosen;
    const same = found.data === data && found.kind === kind && found.latent_dim === d && found.seed === seed;
    if (found.mode === 'none' || (found.step === 0 && !same && CHOICES.some((name) => app.state[name])))
      await this.anew(this.chosen);
    else await this.ask();
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
    this.wanted = this.chosen;
    this.anew(this.wanted);
  }

  /** @param {Chosen} chosen */
  choosers(chosen) {
    const { app, options } = this;
    const given = [chosen.data, chosen.kind, chosen.latent_dim, chosen.seed].map(String);
    if (this.shownChoices === given.join()) return;
    this.shownChoices = given.join();
    app.set(Object.fromEntries(CHOICES.map((name, i) => [name, given[i]])));
    const number = (
      /** @type {'d' | 'seed'} */ name,
      /** @type {string} */ label,
      /** @type {number} */ low,
      /** @type {number} */ high,
      /** @type {number} */ value,
    ) => {
      const box = h('input', {
        type: 'number',
        id: `train-${name}`,
        min: low,
        max: high,
        step: 1,
        value,
        onchange: () =>
          this.choose({ [name]: String(Math.min(Math.max(Math.round(box.valueAsNumber) || low, low), high)) }),
      });
      return h('label', { class: 'field' }, h('span', {}, label), box);
    };
    const focused = document.activeElement?.id;
    const data = select(
      app.t('train.data'),
      options.data.map((name) => [name, name]),
      chosen.data,
      (value) => this.choose({ data: value }),
    );
    const kind = select(
      app.t('model'),
      options.kinds.map((name) => [name, spaced(name)]),
      chosen.kind,
      (value) => this.choose({ kind: value }),
    );
    /** @type {[HTMLLabelElement, string][]} */
    const named = [
      [data, 'data'],
      [kind, 'kind'],
    ];
    for (const [label, name] of named) label.querySelector('select')?.setAttribute('id', `train-${name}`);
    this.choices.replaceChildren(
      data,
      kind,
      number('d', app.t('compare.d'), 1, 256, chosen.latent_dim),
      number('seed', app.t('train.seed'), 0, 2 ** 31 - 1, chosen.seed),
    );
    if (focused?.startsWith('train-')) document.getElementById(focused)?.focus();
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

  /**
   * A slider that acts while the model learns.
   * @param {'learning_rate' | 'beta'} name
   * @param {number} min
   * @param {number} max
   * @param {(at: number) => number} value at a place of the slider
   */
  dial(name, min, max, value) {
    const { app } = this;
    const send = newest((/** @type {number} */ at) =>
      app.attempt(async () => {
        await app.connection.ask('steer', { [name]: value(at) });
      }),
    );
    const one = slider({
      label: app.t(`train.${name}`),
      min,
      max,
      step: 0.1,
      value: min,
      show: (at) => app.n(value(at)),
      moved: (at) => {
        dial.moved = performance.now();
        send(at);
      },
    });
    const hint = h('span', { class: 'hint number' });
    const dial = { element: h('div', { class: 'dial' }, one.element, hint), set: one.set, hint, moved: -HOLD, send };
    return dial;
  }

  /**
   * @param {'learning_rate' | 'beta'} name
   * @param {number | null} full
   * @param {number | null} now
   */
  turn(name, full, now) {
    const dial = this.dials[name];
    dial.element.hidden = full === null;
    dial.hint.textContent =
      now === null || now === full
        ? ''
        : this.app.t('train.now', {
            value: now > 0 && now < 1e-4 ? scientific(this.app.language, now) : this.app.n(now),
          });
    if (full !== null && performance.now() > dial.moved + HOLD) dial.set(name === 'beta' ? full : Math.log10(full));
  }

  // --- Going back, and keeping ------------------------------------------------

  /** @param {number} place on the slider; the last is now */
  momentAt(place) {
    const epoch = this.found?.kept[place];
    return epoch === undefined ? this.app.t('train.live') : this.app.t('train.at', { epoch });
  }

  /** @param {number} place */
  goTo(place) {
    this.app.set({ at: String(this.found?.kept[place] ?? '') });
  }

  /** @param {number} by */
  move(by) {
    const input = this.scrub.element.querySelector('input');
    if (input) this.goTo(Math.min(Math.max(Number(input.value) + by, 0), Number(input.max)));
  }

  async keepIt() {
    const { app } = this;
    this.kept.textContent = app.t('train.keeping');
    this.keep.disabled = true;
    try {
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
      const found = await app.connection.ask('live', { at, seen: this.moment?.key });
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
    this.choosers(found);
    this.play.textContent = app.t(this.running ? 'train.pause' : 'train.play');
    for (const button of [this.play, this.step, this.epoch])
      button.disabled = ['starting', 'over', 'failed'].includes(found.mode);
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
    this.turn('learning_rate', found.learning_rate, found.rate_now);
    this.turn('beta', found.beta, found.beta_now);
    const input = /** @type {HTMLInputElement} */ (this.scrub.element.querySelector('input'));
    input.max = String(found.kept.length);
    this.scrub.set(this.at === null ? found.kept.length : found.kept.indexOf(this.at));
    this.said.hidden = !found.notes.length;
    if (this.notes.childElementCount !== found.notes.length)
      this.notes.replaceChildren(...found.notes.map((note) => h('li', {}, note)));
    if (found.moment) this.draw(found.moment);
  }

  /** @param {Moment} moment */
  draw(moment) {
    const before = this.moment;
    this.moment = moment;
    if (String(before?.shape) !== String(moment.shape) || before?.names.join() !== moment.names.join()) {
      this.brush = new Brush(moment.shape, moment.ink);
      this.examples.replaceChildren(...(isPlane(moment) ? [] : [this.strip(moment)]));
    }
    const { app, found } = this;
    this.loss.replaceChildren(...lossPlot(app, moment, Math.max(found?.epochs ?? 1, 1)));
    this.codes.replaceChildren(codesPlot(app, moment));
    const { units } = moment;
    this.codesHint.textContent = app.t(
      units === 1 ? 'train.codes.one' : units === 2 ? 'train.codes.two' : 'train.codes.more',
      { d: units },
    );
    if (isPlane(moment)) this.examples.replaceChildren(scatter(app, moment));
    else this.paint(moment);
  }

  /** @param {Moment} moment */
  strip({ names, originals, restored }) {
    const { app } = this;
    const row = (
      /** @type {'original' | 'restored'} */ kind,
      /** @type {import('../../wire/answers.js').Levels} */ levels,
    ) =>
      h(
        'div',
        { class: 'ten' },
        h('span', { class: 'hint' }, app.t(`plane.${kind}`)),
        ...Array.from({ length: levels.shape[0] }, (_, i) =>
          picture([app.t(`plane.${kind}`), names[i] && app.t('label', { label: names[i] })].filter(Boolean).join(', ')),
        ),
      );
    return h('div', { class: 'rows' }, row('original', originals), row('restored', restored));
  }

  /** @param {Moment} moment */
  paint({ originals, restored }) {
    const canvases = [...this.examples.querySelectorAll('canvas')];
    canvases.forEach((canvas, i) =>
      this.brush?.paint(canvas, i < canvases.length / 2 ? originals : restored, i % (canvases.length / 2)),
    );
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

/** @param {Moment} moment */
function isPlane({ shape }) {
  return shape.length === 1 && shape[0] === 2;
}
