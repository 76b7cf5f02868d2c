/** The code: a slider a unit, noise around it, new ones from the prior, the way between two, sums of classes. */
import { join, split } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { dragPainter } from '../../widgets/drag-painter.js';
import { h } from '../../widgets/elements.js';
import { examplePicker, slider } from '../../widgets/fields.js';
import { newest } from '../../wire/newest.js';
import { ArithmeticSection } from './arithmetic.js';
import { NoiseSection } from './noise.js';
import { PathSection } from './path.js';
import { SAMPLES, SamplesSection } from './samples.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/** @typedef {import('../plane/beside.js').Example} Example */
/**
 * @typedef {{
 *   order: Integers, weight: Floats, by: 'kl' | 'variance', low: number[], high: number[], mean: number[],
 *   dead: Levels, temperature: boolean,
 * }} Units
 */
/** @typedef {{ levels: Shown, codes: Floats }} Decoded */

const FIRST = 16; // sliders, before one asks for all

/** @type {import('../../shell/views.js').Module} */
export const code = {
  async mount(root, app) {
    /** @type {Units} */
    const units = await app.connection.ask('units', { model: app.model.id });
    const view = new CodeView(root, app, units);
    await view.start();
    return view;
  },
};

class CodeView {
  rows = h('div', { class: 'sliders' });
  said = h('span', { class: 'number' });
  /** @type {Map<number, (value: number) => void>} */
  sliders = new Map();

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Units} units
   */
  constructor(root, app, units) {
    this.app = app;
    this.units = units;
    this.brush = app.brush;
    this.d = app.model.latent_dim;
    this.z = split(app.state.z, this.d) ?? [...units.mean];
    this.decoded = this.brush.blank(app.t('code.decoded'));
    this.change = newest((/** @type {number} */ stamp) => this.decode(stamp));
    this.painter = dragPainter(
      (/** @type {Shown} */ shown) => this.painted(shown),
      () => app.set({ z: join(this.z) }),
    );
    this.noise = new NoiseSection(app, () => this.z);
    this.samples = new SamplesSection(app, units.temperature);
    this.path = new PathSection(app);
    this.arithmetic = new ArithmeticSection(app);
    const sections = [this.noise, this.samples, this.path, this.arithmetic];
    root.append(this.top(), ...sections.map(({ element }) => element));
    this.list(FIRST);
  }

  async start() {
    await Promise.all([this.decode(0), this.noise.ask(), this.samples.ask(), this.path.ask(), this.arithmetic.ask()]);
    this.noise.start();
  }

  top() {
    const { app, units } = this;
    const take = examplePicker(app, {
      label: app.t('code.take'),
      value: null,
      placeholder: '0',
      chosen: (row) => app.attempt(() => this.take(row)),
    });
    const caption = h('figcaption', {}, h('strong', {}, app.t('code.decoded')), this.said);
    return h(
      'div',
      { class: 'top' },
      h('figure', { class: 'large' }, this.decoded, caption),
      h(
        'section',
        { class: 'units' },
        h('h2', {}, app.t('code.units'), h('small', {}, app.t(`code.by.${units.by}`))),
        this.rows,
        h(
          'div',
          { class: 'controls row' },
          h('button', { onclick: () => this.put([...units.mean]) }, app.t('code.mean')),
          take.element,
        ),
      ),
    );
  }

  /** @param {number} count of sliders */
  list(count) {
    const { app } = this;
    this.sliders.clear();
    const shown = Array.from(this.units.order.data.slice(0, count), (unit) => this.slider(unit));
    const words = app.t('code.more', { count: app.n(this.d, {}) });
    const more = h('button', { class: 'controls', onclick: () => this.list(this.d) }, words);
    this.rows.replaceChildren(...shown, ...(this.d > count ? [more] : []));
  }

  /** @param {number} unit */
  slider(unit) {
    const { app, units } = this;
    const [low, high] = [units.low[unit], units.high[unit]];
    const dead = units.dead.data[unit] ? ` (${app.t('code.dead')})` : '';
    const { element, set } = slider({
      label: `${app.t('code.unit', { i: unit + 1 })}${dead}`,
      min: Math.min(low, this.z[unit]),
      max: Math.max(high, this.z[unit]),
      step: (high - low) / 400,
      value: this.z[unit],
      show: (value) => app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
      moved: (value, stamp) => {
        this.z[unit] = value;
        this.change(stamp);
      },
    });
    const meter = {
      min: 0,
      max: Math.max(...units.weight.data, Number.MIN_VALUE),
      value: units.weight.data[unit],
      title: app.n(units.weight.data[unit]),
      'aria-label': app.t(`code.by.${units.by}`),
    };
    element.append(h('meter', meter));
    this.sliders.set(unit, set);
    return element;
  }

  /** @param {number} stamp when the person moved, or 0 */
  async decode(stamp) {
    const { app } = this;
    await app.attempt(async () => {
      /** @type {Decoded} */
      const { levels } = await app.connection.ask('decode', { ...app.named, codes: [this.z] });
      this.painter.show(levels, stamp);
    });
  }

  /** @param {Shown} shown */
  painted(shown) {
    this.brush.paint(this.decoded, shown);
    this.said.textContent = this.app.code(this.z);
  }

  /** @param {number[]} z */
  put(z) {
    this.z = z;
    for (const [unit, set] of this.sliders) set(z[unit]);
    this.change(performance.now());
  }

  /** @param {number} row of the example whose code is taken */
  async take(row) {
    const { app } = this;
    /** @type {Example} */
    const { z } = await app.connection.ask('example', { model: app.model.id, row });
    this.put(z);
  }

  /** @param {number} x @param {number} y steps along the first unit and the second */
  move(x, y) {
    const { low, high, order } = this.units;
    const z = [...this.z];
    [x, y].forEach((by, i) => {
      const unit = order.data[i];
      if (unit === undefined) return;
      z[unit] = clamp(z[unit] + (by * (high[unit] - low[unit])) / 100, low[unit], high[unit]);
    });
    this.put(z);
  }

  /** @param {string[]} changed */
  update(changed) {
    const any = (/** @type {string[]} */ ...names) => names.some((name) => changed.includes(name));
    if (any('sigma', 'z')) this.noise.renew();
    if (any('temperature')) this.app.attempt(() => this.samples.ask());
    if (any('a', 'b', 'way')) this.app.attempt(() => this.path.ask());
    if (any('t')) this.path.scrub();
    if (any('start', 'minus', 'plus')) this.app.attempt(() => this.arithmetic.ask());
  }

  python() {
    const { model, pythonLabel } = this.app;
    const made = model.columns.length ? ['row', ''] : ['image', '[0]'];
    const lines = [
      'from narrows import latent',
      '',
      `z = [${join(this.z).replaceAll(',', ', ')}]`,
      `${made[0]} = model.inverse_transform([z]${pythonLabel})${made[1]}`,
      this.noise.python(),
    ];
    return model.conditional
      ? lines
      : [...lines, 'noisy = model.inverse_transform(codes)', `new = model.sample(${SAMPLES})`];
  }

  close() {
    this.noise.close();
    this.painter.close();
  }
}
