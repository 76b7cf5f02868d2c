/** The code: a slider a unit, noise around it, new ones from the prior, the way between two, sums of classes. */
import { h, select, slider, tick } from '../../widgets/elements.js';
import { picture } from '../../widgets/canvases.js';
import { newest } from '../../wire/newest.js';
import { join, split } from '../../shell/address.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/answers.js').Units} Units */
/** @typedef {import('../../wire/answers.js').Levels} Levels */
/** @typedef {import('../../shell/strings.js').Key} Key */

const FIRST = 16; // sliders, before one asks for all
const EVERY = 1200; // milliseconds between strips of noise
const [NOISY, SAMPLES, STEPS] = [12, 24, 33];

/** @type {import('../../shell/views.js').View} */
export const code = {
  id: 'code',
  group: 'model',
  async mount(root, app) {
    const view = new CodeView(root, app, await app.connection.ask('units', { model: app.model.id }));
    await view.start();
    return view;
  },
};

class CodeView {
  strip = h('div', { class: 'strip' });
  news = h('div', { class: 'strip many' });
  way = h('div', { class: 'strip thin' });
  sum = h('div', { class: 'strip sum' });
  rows = h('div', { class: 'sliders' });
  said = h('span', { class: 'number' });
  frame = 0;
  stamp = 0;
  seed = 0;
  drawn = 0;
  timer = 0;
  /** @type {Levels | null} */
  levels = null;
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
    this.decoded = picture(app.t('code.decoded'));
    this.between = picture(app.t('code.scrub'));
    this.change = newest((/** @type {number} */ stamp) => this.decode(stamp));
    this.renew = newest(() => app.attempt(() => this.noise()));
    root.append(this.top(), this.noiseSection(), this.sampleSection(), this.waySection(), this.sumSection());
    this.line(FIRST);
  }

  async start() {
    await Promise.all([this.decode(0), this.noise(), this.sample(), this.walk(), this.add()]);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.timer = setInterval(() => {
      if (this.app.state.renew !== '0' && !still && !document.hidden) this.again();
    }, EVERY);
  }

  // --- Building ---------------------------------------------------------------

  top() {
    const { app, units } = this;
    const example = h('input', {
      type: 'number',
      min: 0,
      max: app.model.count - 1,
      step: 1,
      placeholder: '0',
      onchange: () => this.take(example.valueAsNumber),
    });
    const mean = h('button', { onclick: () => this.put([...units.mean]) }, app.t('code.mean'));
    return h(
      'div',
      { class: 'top' },
      h(
        'figure',
        { class: 'large' },
        this.decoded,
        h('figcaption', {}, h('strong', {}, app.t('code.decoded')), this.said),
      ),
      h(
        'section',
        { class: 'units' },
        h('h2', {}, app.t('code.units'), h('small', {}, app.t(`code.by.${units.by}`))),
        this.rows,
        h(
          'div',
          { class: 'controls row' },
          mean,
          h('label', { class: 'field' }, h('span', {}, app.t('code.take')), example),
        ),
      ),
    );
  }

  /** @param {number} count of sliders */
  line(count) {
    const { app } = this;
    this.sliders.clear();
    const shown = Array.from(this.units.order.data.slice(0, count), (unit) => this.slider(unit));
    const more =
      this.d > count &&
      h(
        'button',
        { class: 'controls', onclick: () => this.line(this.d) },
        app.t('code.more', { count: app.n(this.d, {}) }),
      );
    this.rows.replaceChildren(...shown, ...(more ? [more] : []));
  }

  /** @param {number} unit */
  slider(unit) {
    const { app, units } = this;
    const [low, high] = [units.low[unit], units.high[unit]];
    const label = `${app.t('code.unit', { i: unit + 1 })}${units.dead.data[unit] ? ` (${app.t('code.dead')})` : ''}`;
    const show = (/** @type {number} */ value) => app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const { element, set } = slider({
      label,
      min: Math.min(low, this.z[unit]),
      max: Math.max(high, this.z[unit]),
      step: (high - low) / 400,
      value: this.z[unit],
      show,
      moved: (value, stamp) => {
        this.z[unit] = value;
        this.change(stamp);
      },
    });
    const most = Math.max(...units.weight.data, Number.MIN_VALUE);
    element.append(
      h('meter', {
        'min': 0,
        'max': most,
        'value': units.weight.data[unit],
        'title': app.n(units.weight.data[unit]),
        'aria-label': app.t(`code.by.${units.by}`),
      }),
    );
    this.sliders.set(unit, set);
    return element;
  }

  /**
   * @param {'noise' | 'samples' | 'way' | 'sum'} part
   * @param {...Node} inside
   */
  section(part, ...inside) {
    return h(
      'section',
      {},
      h('h2', {}, this.app.t(`code.${part}`), h('small', {}, this.app.t(`code.${part}.lead`))),
      ...inside,
    );
  }

  noiseSection() {
    const { app } = this;
    const sigma = slider({
      label: app.t('code.sigma'),
      min: 0,
      max: 2,
      step: 0.02,
      value: this.sigma,
      show: (value) => app.t('code.sigma.unit', { sigma: app.n(value, { minimumFractionDigits: 2 }) }),
      moved: (value) => app.set({ sigma: String(value) }),
    });
    return this.section(
      'noise',
      this.strip,
      h(
        'div',
        { class: 'controls row' },
        sigma.element,
        tick(app.t('code.renew'), app.state.renew !== '0', (on) => app.set({ renew: on ? '' : '0' })),
        h('button', { onclick: () => this.again() }, app.t('again')),
      ),
    );
  }

  sampleSection() {
    const { app } = this;
    const temperature = slider({
      label: app.t('code.temperature'),
      min: 0,
      max: 2,
      step: 0.05,
      value: this.temperature,
      show: (value) => app.n(value, { minimumFractionDigits: 2 }),
      moved: (value) => app.set({ temperature: String(value) }),
    });
    const told = this.units.temperature
      ? temperature.element
      : h('p', { class: 'hint' }, app.t('code.temperature.none'));
    return this.section(
      'samples',
      this.news,
      h(
        'div',
        { class: 'controls row' },
        told,
        h(
          'button',
          {
            onclick: () => {
              this.drawn++;
              app.attempt(() => this.sample());
            },
          },
          app.t('again'),
        ),
      ),
    );
  }

  waySection() {
    const { app } = this;
    const scrub = slider({
      label: app.t('code.scrub'),
      min: 0,
      max: STEPS - 1,
      step: 1,
      value: this.scrubbed,
      show: (value) => app.percent(value / (STEPS - 1)),
      moved: (value) => {
        app.set({ t: String(value) });
      },
    });
    const kind = select(
      app.t('code.kind'),
      [
        ['linear', app.t('code.linear')],
        ['spherical', app.t('code.spherical')],
      ],
      app.state.way ?? 'linear',
      (way) => app.set({ way }),
    );
    return this.section(
      'way',
      h(
        'div',
        { class: 'scrub' },
        h('figure', { class: 'middle' }, this.between),
        h('div', {}, this.way, scrub.element),
      ),
      h('div', { class: 'controls row' }, this.example('code.a', 'a', 0), this.example('code.b', 'b', 1), kind),
    );
  }

  sumSection() {
    const { app } = this;
    const { classes } = app.model;
    if (classes.length < 2) return this.section('sum', h('p', { class: 'hint' }, app.t('code.sum.none')));
    const names = classes.map((name) => /** @type {[string, string]} */ ([name, name]));
    return this.section(
      'sum',
      this.sum,
      h(
        'div',
        { class: 'controls row' },
        this.example('code.start', 'start', 0),
        select(app.t('code.minus'), names, this.minus, (minus) => app.set({ minus })),
        select(app.t('code.plus'), names, this.plus, (plus) => app.set({ plus })),
      ),
    );
  }

  /**
   * @param {Key} label
   * @param {'a' | 'b' | 'start'} name
   * @param {number} usual
   */
  example(label, name, usual) {
    const { app } = this;
    const last = app.model.count - 1;
    const box = h('input', {
      type: 'number',
      min: 0,
      max: last,
      step: 1,
      value: this.place(name, usual),
      onchange: () => {
        box.valueAsNumber = Math.min(Math.max(Math.round(box.valueAsNumber) || 0, 0), last);
        app.set({ [name]: box.value });
      },
    });
    return h('label', { class: 'field' }, h('span', {}, app.t(label)), box);
  }

  // --- State ------------------------------------------------------------------

  get sigma() {
    return bounded(this.app.state.sigma, 0, 2, 0.5);
  }
  get temperature() {
    return this.units.temperature ? bounded(this.app.state.temperature, 0, 2, 1) : 1;
  }
  get scrubbed() {
    return Math.round(bounded(this.app.state.t, 0, STEPS - 1, (STEPS - 1) / 2));
  }
  get minus() {
    return this.class('minus', 0);
  }
  get plus() {
    return this.class('plus', 1);
  }

  /** @param {'minus' | 'plus'} name @param {number} usual */
  class(name, usual) {
    const { classes } = this.app.model;
    return classes.includes(this.app.state[name] ?? '') ? this.app.state[name] : classes[usual];
  }

  /** @param {'a' | 'b' | 'start'} name @param {number} usual */
  place(name, usual) {
    const last = this.app.model.count - 1;
    return Math.round(bounded(this.app.state[name], 0, last, Math.min(usual, last)));
  }

  // --- Asking and showing -----------------------------------------------------

  /** @param {number} stamp when the person moved, or 0 */
  async decode(stamp) {
    const { app } = this;
    await app.attempt(async () => {
      const { levels } = await app.connection.ask('decode', { ...app.named, codes: [this.z] });
      [this.levels, this.stamp] = [levels, stamp];
      this.frame ||= requestAnimationFrame(() => this.painted());
    });
  }

  painted() {
    this.frame = 0;
    if (!this.levels) return;
    this.brush.paint(this.decoded, this.levels);
    this.said.textContent = `z = (${this.z
      .slice(0, 4)
      .map((value) => this.app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }))
      .join('; ')}${this.d > 4 ? '; …' : ''})`;
    if (!this.stamp) return;
    performance.measure('drag', { start: this.stamp, end: performance.now() });
    this.app.set({ z: join(this.z) });
  }

  /** @param {number[]} z */
  put(z) {
    this.z = z;
    for (const [unit, set] of this.sliders) set(z[unit]);
    this.change(performance.now());
  }

  /** @param {number} place */
  take(place) {
    if (!Number.isFinite(place)) return;
    const { app } = this;
    app.attempt(async () => this.put((await app.connection.ask('example', { model: app.model.id, place })).z));
  }

  /** @param {number} x @param {number} y steps along the first unit and the second */
  move(x, y) {
    const z = [...this.z];
    [x, y].forEach((by, i) => {
      const unit = this.units.order.data[i];
      if (unit !== undefined)
        z[unit] = Math.min(
          Math.max(z[unit] + (by * (this.units.high[unit] - this.units.low[unit])) / 100, this.units.low[unit]),
          this.units.high[unit],
        );
    });
    this.put(z);
  }

  again() {
    this.seed++;
    this.renew();
  }

  async noise() {
    const { app } = this;
    const { levels } = await app.connection.ask('noisy', {
      ...app.named,
      z: this.z,
      sigma: this.sigma,
      n: NOISY,
      seed: this.seed,
    });
    this.fill(this.strip, levels, (i) => app.t('code.noise.one', { i }));
  }

  async sample() {
    const { app } = this;
    const { levels } = await app.connection.ask('samples', {
      ...app.named,
      temperature: this.temperature,
      n: SAMPLES,
      seed: this.drawn,
    });
    this.fill(this.news, levels, (i) => app.t('code.sample', { i }));
  }

  async walk() {
    const { app } = this;
    const kind = app.state.way === 'spherical' ? 'spherical' : 'linear';
    this.path = (
      await app.connection.ask('way', {
        ...app.named,
        a: this.place('a', 0),
        b: this.place('b', 1),
        steps: STEPS,
        kind,
      })
    ).levels;
    const part = (/** @type {number} */ i) => app.t('code.at', { part: app.percent(i / (STEPS - 1)) });
    this.way.replaceChildren(
      ...Array.from({ length: (STEPS + 3) / 4 }, (_, i) =>
        this.brush.canvas(/** @type {Levels} */ (this.path), 4 * i, part(4 * i)),
      ),
    );
    this.scrub();
  }

  scrub() {
    if (this.path) this.brush.paint(this.between, this.path, this.scrubbed);
  }

  async add() {
    const { app, brush } = this;
    if (app.model.classes.length < 2) return;
    const { start, minus, plus, result } = await app.connection.ask('arithmetic', {
      model: app.model.id,
      start: this.place('start', 0),
      minus: this.minus,
      plus: this.plus,
    });
    const term = (/** @type {Levels} */ levels, /** @type {string} */ words) =>
      h('figure', {}, brush.canvas(levels, 0, words), h('figcaption', {}, words));
    const sign = (/** @type {string} */ text) => h('span', { 'class': 'sign', 'aria-hidden': 'true' }, text);
    this.sum.replaceChildren(
      term(start, `${app.t('example')} ${this.place('start', 0)}`),
      sign('−'),
      term(minus, app.t('label', { label: this.minus })),
      sign('+'),
      term(plus, app.t('label', { label: this.plus })),
      sign('='),
      term(result, app.t('code.result')),
    );
  }

  /**
   * Fill a strip; its canvases are kept, so that it does not flicker.
   * @param {HTMLElement} strip
   * @param {Levels} levels
   * @param {(i: number) => string} label
   */
  fill(strip, levels, label) {
    while (strip.childElementCount < levels.shape[0]) strip.append(picture(label(strip.childElementCount + 1)));
    strip.querySelectorAll('canvas').forEach((canvas, i) => this.brush.paint(canvas, levels, i));
  }

  // --- What the page asks of a view -------------------------------------------

  /** @param {string[]} changed */
  update(changed) {
    const { app } = this;
    const any = (/** @type {string[]} */ ...names) => names.some((name) => changed.includes(name));
    if (any('sigma', 'z')) this.renew();
    if (any('temperature')) app.attempt(() => this.sample());
    if (any('a', 'b', 'way')) app.attempt(() => this.walk());
    if (any('t')) this.scrub();
    if (any('start', 'minus', 'plus')) app.attempt(() => this.add());
  }

  python() {
    return [
      'from narrows import latent',
      '',
      `z = [${join(this.z).replaceAll(',', ', ')}]`,
      `image = model.inverse_transform([z]${this.app.pythonLabel})[0]`,
      `codes = latent.around(z, ${this.sigma} * model.transform(${this.app.model.from_prior ? 'model.sample(1000, random_state=0)' : 'data.X'}${this.app.model.conditional && !this.app.model.from_prior ? ', data.y' : ''}).std(0), ${NOISY})`,
      ...(this.app.model.conditional
        ? []
        : ['noisy = model.inverse_transform(codes)', `new = model.sample(${SAMPLES})`]),
    ];
  }

  close() {
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
  }
}

/**
 * @param {string | undefined} text
 * @param {number} low
 * @param {number} high
 * @param {number} usual where the text says no number
 */
function bounded(text, low, high, usual) {
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : usual;
}
