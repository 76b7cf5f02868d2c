/** Noise: one spoilt input, and what models that were trained differently make of it. */
import { whole } from '../../shell/address.js';
import { spaced } from '../../shell/words.js';
import { figure, h } from '../../widgets/elements.js';
import { choices, examplePicker, slider } from '../../widgets/fields.js';
import { RowBrush } from '../../widgets/rows.js';
import { newest } from '../../wire/newest.js';
import { givenTo, inputLines, shownExample } from '../input/given.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {{ id: string, kind: string, latent_dim: number, levels: Shown, error: number }} Restored */
/** @typedef {{ name: string, fraction: boolean }} Corruption its level is a fraction or else a standard deviation */
/** @typedef {{ kinds: Corruption[] }} Corruptions */
/** @typedef {import('../../shell/strings.js').Key} Key */
/** @typedef {{ clean: Shown, noisy: Shown, error: number, models: Restored[] }} Noise */

/** @type {import('../../shell/views.js').Module} */
export const noise = {
  async mount(root, app) {
    /** @type {Corruptions} */
    const { kinds } = await app.connection.ask('corruptions', {});
    const view = new NoiseView(root, app, kinds);
    await view.ask();
    return view;
  },
};

class NoiseView {
  row = h('div', { class: 'mended', 'aria-live': 'polite' });

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Corruption[]} kinds
   */
  constructor(root, app, kinds) {
    this.app = app;
    this.kinds = kinds;
    this.brush = app.brush;
    this.renew = newest(() => app.attempt(() => this.ask()));
    root.append(this.controls(), this.row);
  }

  get kind() {
    return this.kinds.find(({ name }) => name === this.app.state.noise) ?? this.kinds[0];
  }

  get level() {
    const level = Number(this.app.state.level ?? 0.3);
    return level >= 0 && level <= 1 ? level : 0.3;
  }

  get seed() {
    return whole(this.app.state.seed, 0, Infinity) ?? 0;
  }

  controls() {
    const { app } = this;
    const kind = choices({
      label: app.t('noise.kind'),
      values: this.kinds.map(({ name }) => name),
      value: this.kind.name,
      told: (name) => app.t(/** @type {Key} */ (`noise.${name}`)),
      chosen: (name) => {
        app.set({ noise: name });
        level.set(this.level);
      },
    });
    const show = (/** @type {number} */ value) =>
      this.kind.fraction
        ? app.t('noise.level.part', { part: app.percent(value) })
        : app.t('noise.level.sigma', { level: app.n(value, { minimumFractionDigits: 2 }) });
    const level = slider({
      label: app.t('noise.level'),
      min: 0,
      max: 1,
      step: 0.01,
      value: this.level,
      show,
      moved: (value) => app.set({ level: String(value) }),
    });
    const example = examplePicker(app, {
      label: app.t('example'),
      value: shownExample(app),
      placeholder: app.t('noise.drawn'),
      chosen: (row) => app.set({ x: '', example: String(row) }),
    });
    return h(
      'div',
      { class: 'controls row' },
      example.element,
      kind,
      level.element,
      h('button', { onclick: () => app.set({ seed: String(this.seed + 1) }) }, app.t('again')),
    );
  }

  async ask() {
    const { app, brush } = this;
    /** @type {Noise} */
    const { clean, noisy, error, models } = await app.connection.ask('noise', {
      ...app.named,
      given: givenTo(app),
      corruption: this.kind.name,
      level: this.level,
      seed: this.seed,
    });
    if (brush instanceof RowBrush) {
      this.row.replaceChildren(this.table(brush, { clean, noisy, error, models }));
      return;
    }
    const best = Math.min(...models.map((model) => model.error));
    const said = (/** @type {number} */ value) =>
      h('span', { class: 'number' }, app.t('error.number', { error: app.n(value, { maximumFractionDigits: 4 }) }));
    const given = h(
      'div',
      { class: 'pairs' },
      figure(brush.canvas(clean, 0, app.t('noise.clean')), h('strong', {}, app.t('noise.clean'))),
      figure(brush.canvas(noisy, 0, app.t('noise.noisy')), h('strong', {}, app.t('noise.noisy')), said(error)),
    );
    const mended = models.map((model) => {
      const name = `${spaced(model.kind)}, d = ${model.latent_dim}`;
      const shown = figure(
        brush.canvas(model.levels, 0, name),
        h('strong', {}, spaced(model.kind)),
        h('span', {}, `d = ${model.latent_dim}`),
        said(model.error),
        model.error === best && models.length > 1 && h('em', {}, app.t('noise.best')),
      );
      shown.classList.toggle('best', model.error === best && models.length > 1);
      return shown;
    });
    const parts = [
      given,
      h('div', { class: 'arrow', 'aria-hidden': 'true' }, '→'),
      h('div', { class: 'pairs' }, ...mended),
    ];
    if (models.length < 2) parts.push(h('p', { class: 'hint' }, app.t('noise.one')));
    this.row.replaceChildren(...parts);
  }

  /**
   * @param {RowBrush} brush
   * @param {Noise} found
   */
  table(brush, { clean, noisy, error, models }) {
    const { app } = this;
    const said = (/** @type {number} */ value) =>
      h('small', { class: 'number' }, ` ${app.t('error.number', { error: app.n(value) })}`);
    const name = (/** @type {string} */ words, /** @type {number | null} */ value) =>
      h('span', {}, words, value !== null && said(value));
    return brush.table([
      { name: name(app.t('noise.clean'), null), shown: clean, row: 0 },
      { name: name(app.t('noise.noisy'), error), shown: noisy, row: 0 },
      ...models.map((model) => ({
        name: name(`${spaced(model.kind)}, d = ${model.latent_dim}`, model.error),
        shown: model.levels,
        row: 0,
      })),
    ]);
  }

  update() {
    this.renew();
  }

  python() {
    const y = this.app.model.conditional ? this.app.pythonLabel : '';
    return [
      ...inputLines(this.app),
      `noisy = model.corrupt(x, corruption="${this.kind.name}", level=${this.level}, random_state=${this.seed})`,
      `mended = model.reconstruct(noisy${y})`,
    ];
  }
}
