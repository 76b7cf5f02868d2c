/** Descent: the way down a hill from where a person puts the start, at a rate they choose, step by step. */
import { join, split, whole } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { choices, slider } from '../../widgets/fields.js';
import { handle, multiples, Plot } from '../../widgets/plot.js';
import { stepper } from '../../widgets/stepper.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';
import { clipped, contour } from './contours.js';
import { brief, falling } from './descent-curve.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./contours.js').Surface} Surface */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/**
 * @typedef {{
 *   points: Floats, values: Floats, gradients: Floats, verdict: 'starts' | 'converges' | 'falls' | 'zigzags' |
 *   'oscillates' | 'diverges',
 * }} Descent
 */
/** @typedef {{ f: string, start: Point, rate: number, steps: number }} Given */

/** What can be descended: its formula, that in Python, and where and how fast to start. */
const HILLS = /** @type {Record<string, { formula: string, python: string, start: Point, rate: number }>} */ ({
  bowl: { formula: '(x − 1)² + (y − 2)²', python: '(x[0] - 1) ** 2 + (x[1] - 2) ** 2', start: [0, 0], rate: 0.1 },
  trough: { formula: 'x²/4 + 2y²', python: 'x[0] ** 2 / 4 + 2 * x[1] ** 2', start: [-2.5, 2], rate: 0.4 },
  valley: {
    formula: '(1 − x)² + 100(y − x²)²',
    python: '(1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2',
    start: [-1.2, 1],
    rate: 0.001,
  },
  hollows: {
    formula: '(x² − 1)² + x/4 + y²',
    python: '(x[0] ** 2 - 1) ** 2 + x[0] / 4 + x[1] ** 2',
    start: [0.4, 1.5],
    rate: 0.05,
  },
});
const [FEW, MOST] = [10, 200];
const LEVELS = 14;
const [SLOWEST, FASTEST] = [-4, 0.3]; // powers of ten
const [PACE, CALM] = [60, 600]; // milliseconds a step

/** @type {import('../../shell/views.js').Module} */
export const descent = {
  async mount(root, app) {
    const page = new Page(app);
    root.append(page.element);
    await page.draw();
    return {
      update: () => app.attempt(page.draw),
      move: (x, y) => page.nudge(x, y),
      close: () => page.stepper.stop(),
      python: () => lines(page.asked),
    };
  },
};

class Page {
  /** The function that is drawn, and whether more steps would change nothing. */
  shown = '';
  settled = false;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.asked = this.given;
    const { f, rate, steps } = this.asked;
    this.rate = slider({
      label: app.t('descent.rate'),
      min: SLOWEST,
      max: FASTEST,
      step: 0.02,
      value: Math.log10(rate),
      show: (power) => app.n(rounded(power)),
      moved: (power) => this.set({ rate: String(rounded(power)) }),
    });
    this.steps = slider({
      label: app.t('descent.steps'),
      min: 0,
      max: MOST,
      step: 1,
      value: steps,
      show: (value) => app.n(value),
      moved: (value) => this.set({ k: String(value) }),
    });
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.stepper = stepper(app, {
      next: (alone = false) => this.step(alone),
      start: () => app.set({ k: '0' }),
      pace: calm ? CALM : PACE,
    });
    this.stage = h('div');
    this.formula = h('p', { class: 'formula' });
    this.note = h('p', { class: 'hint' });
    this.verdict = h('p', { class: 'verdict', 'aria-live': 'polite' });
    this.facts = h('div');
    this.curve = h('div');
    this.element = h(
      'div',
      { class: 'lesson' },
      h('section', {}, this.formula, this.stage, h('p', { class: 'hint' }, app.t('descent.key'))),
      h(
        'section',
        { class: 'beside' },
        h(
          'div',
          { class: 'beside controls' },
          choices({
            label: app.t('descent.f'),
            values: Object.keys(HILLS),
            value: f,
            told: (name) => app.t(`descent.f.${/** @type {'bowl'} */ (name)}`),
            chosen: (name) => this.set({ f: name, at: '', rate: '', k: '' }),
          }),
          this.rate.element,
          this.steps.element,
          this.stepper.element,
        ),
        this.note,
        this.verdict,
        this.facts,
        h('div', {}, h('h2', {}, app.t('descent.curve')), this.curve),
      ),
    );
  }

  /** @returns {Given} */
  get given() {
    const { state } = this.app;
    const f = Object.hasOwn(HILLS, state.f ?? '') ? state.f : 'bowl';
    const start = /** @type {Point} */ ((split(state.at, 2) ?? HILLS[f].start).map((value) => clamp(value, -10, 10)));
    const rate = Number(state.rate);
    return {
      f,
      start,
      rate: rate >= 10 ** SLOWEST && rate <= 2 ? rate : HILLS[f].rate,
      steps: whole(state.k, 0, MOST) ?? FEW,
    };
  }

  /** @param {Record<string, string>} changes by the person, who thereby ends a run */
  set(changes) {
    this.stepper.stop();
    this.app.set(changes);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  nudge(x, y) {
    const { plot } = this;
    if (!plot) return;
    const { start } = this.asked;
    const hundredth = (plot.high[0] - plot.low[0]) / 100;
    this.set({ at: join(plot.inside([start[0] + hundredth * x, start[1] + hundredth * y])) });
  }

  /**
   * @param {boolean} alone whether no person asks for it; then it waits until it is known where the last one went
   * @returns {boolean} whether another step can follow this one
   */
  step(alone) {
    const { steps } = this.given;
    if (this.settled || steps >= MOST) return false;
    if (alone && this.asked.steps !== steps) return true;
    this.app.set({ k: String(steps + 1) });
    return steps + 1 < MOST;
  }

  /** @param {string} f */
  async surface(f) {
    /** @type {Surface} */
    const surface = await this.app.connection.ask('surface', { f });
    return surface;
  }

  draw = newest(async () => {
    const { app, given } = this;
    if (given.f !== this.shown) this.build(given, await this.surface(given.f));
    given.start = this.plot?.inside(given.start) ?? given.start;
    /** @type {Descent} */
    const found = await app.connection.ask('descent', given);
    this.asked = { ...given, steps: found.values.data.length - 1 };
    this.formula.textContent = `f(x, y) = ${HILLS[given.f].formula}; η = ${app.n(given.rate)}`;
    this.grip?.set(given.start);
    this.rate.set(Math.log10(given.rate));
    this.steps.set(given.steps);
    this.settled = found.verdict === 'converges' || found.values.data.length <= given.steps;
    this.trace(found);
    this.tell(found);
  });

  /**
   * @param {Given} given
   * @param {Surface} surface
   */
  build({ f, start }, surface) {
    const { app } = this;
    const [xs, ys] = [surface.xs.data, surface.ys.data];
    const corner = (/** @type {number} */ at) => /** @type {Point} */ ([xs.at(at), ys.at(at)]);
    const [low, high] = [corner(0), corner(-1)];
    const plot = new Plot({
      low,
      high,
      label: app.t('descent.stage'),
      ticks: [multiples(low[0], high[0], 1), multiples(low[1], high[1], 1)],
      show: (value) => app.n(value, {}),
    });
    plot.back.append(
      ...levels(surface).map((level) =>
        svg('path', {
          class: 'contour',
          d: contour(surface, level)
            .map(([a, b]) => stroke(plot, a, b))
            .join(''),
        }),
      ),
    );
    this.plot = plot;
    this.path = svg('g');
    this.grip = handle(plot, {
      label: app.t('descent.drag'),
      at: start,
      moved: (point) => this.set({ at: join(point.map((value) => Math.round(100 * value) / 100)) }),
    });
    plot.front.append(this.path, this.grip.element);
    this.stage.replaceChildren(plot.element);
    this.note.textContent = app.t(`descent.note.${/** @type {'bowl'} */ (f)}`);
    this.shown = f;
  }

  /** @param {Descent} found */
  trace({ points, gradients, values }) {
    const { plot, path, app } = this;
    if (!plot || !path) return;
    const way = pairs(points.data);
    const [slope, at] = [pairs(gradients.data)[way.length - 1], way[way.length - 1]];
    const isShown = (/** @type {Point} */ point) => String(plot.inside(point)) === String(point);
    const strokes = way
      .slice(1)
      .map((point, i) => {
        const [a, b] = clipped(way[i], point, plot.low, plot.high);
        return b ? stroke(plot, a, b) : '';
      })
      .join('');
    path.replaceChildren(
      svg('path', { class: 'line', d: strokes }),
      ...way
        .slice(1, -1)
        .filter(isShown)
        .map(([x, y]) => svg('circle', { class: 'stop', cx: plot.x(x), cy: plot.y(y), r: 3 })),
    );
    if (isShown(at)) {
      path.append(
        ...uphill(plot, at, slope),
        svg('circle', { class: 'now', cx: plot.x(at[0]), cy: plot.y(at[1]), r: 6 }),
      );
    }
    this.curve.replaceChildren(falling(app, values.data));
  }

  /** @param {Descent} found */
  tell({ points, values, gradients, verdict }) {
    const { app } = this;
    const [way, slopes, last] = [pairs(points.data), pairs(gradients.data), values.data.length - 1];
    const pair = (/** @type {Point} */ point) => `(${point.map((value) => brief(app, value)).join('; ')})`;
    const row = (/** @type {string} */ name, /** @type {(k: number) => string} */ show) => [
      name,
      show(0),
      ...(last ? [show(last)] : []),
    ];
    this.verdict.textContent = app.t(`descent.is.${verdict}`, { k: app.n(last) });
    this.facts.replaceChildren(
      table(
        ['', app.t('descent.start'), ...(last ? [app.t('descent.after', { k: app.n(last) })] : [])],
        [
          row('(x; y)', (k) => pair(way[k])),
          row('f', (k) => brief(app, values.data[k])),
          row('∇f', (k) => pair(slopes[k])),
          row('‖∇f‖', (k) => brief(app, Math.hypot(...slopes[k]))),
        ],
      ),
    );
  }
}

/** @param {number} power */
function rounded(power) {
  return Number((10 ** power).toPrecision(3));
}

/** @param {Float32Array} numbers x and y in turn */
function pairs(numbers) {
  return Array.from(
    { length: numbers.length / 2 },
    (_, i) => /** @type {Point} */ ([numbers[2 * i], numbers[2 * i + 1]]),
  );
}

/**
 * @param {Surface} surface
 * @returns {number[]} denser near the least value, as a bowl's contours at even distances are
 */
function levels({ values }) {
  const [low, high] = [Math.min(...values.data), Math.max(...values.data)];
  return Array.from({ length: LEVELS }, (_, i) => low + (high - low) * ((i + 1) / (LEVELS + 1)) ** 3);
}

/**
 * @param {Plot} plot
 * @param {Point} a
 * @param {Point} b
 */
function stroke(plot, a, b) {
  return `M${plot.x(a[0]).toFixed(1)} ${plot.y(a[1]).toFixed(1)}L${plot.x(b[0]).toFixed(1)} ${plot.y(b[1]).toFixed(1)}`;
}

/**
 * The gradient's direction, as an arrow of one length whatever the gradient's.
 * @param {Plot} plot
 * @param {Point} at
 * @param {Point} slope
 * @returns {SVGElement[]}
 */
function uphill(plot, at, slope) {
  const size = Math.hypot(...slope);
  if (size < 1e-3) return [];
  const [right, up] = slope.map((value) => value / size);
  const [x, y] = [plot.x(at[0]), plot.y(at[1])];
  const point = (/** @type {number} */ along, /** @type {number} */ aside) =>
    `${(x + along * right - aside * up).toFixed(1)} ${(y - along * up - aside * right).toFixed(1)}`;
  return [
    svg('path', {
      class: 'gradient',
      d: `M${x} ${y}L${point(58, 0)}M${point(48, 6)}L${point(58, 0)}L${point(48, -6)}`,
    }),
  ];
}

/** @param {Given} given */
function lines({ f, start, rate, steps }) {
  return [
    'from functools import partial',
    '',
    'from narrows.foundations.descent import contour, descend, numeric_gradient',
    '',
    '',
    'def f(x):',
    `    return ${HILLS[f].python}`,
    '',
    '',
    `steps = list(descend(f, partial(numeric_gradient, f), (${start.join(', ')}), eta=${rate}, n_steps=${steps}))`,
    'surface = contour(f, [step.x for step in steps])',
  ];
}
