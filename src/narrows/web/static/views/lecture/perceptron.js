/** Perceptron: a unit's line among points of two classes, moved by hand or by a learning rule; and one vector. */
import { join, split, whole } from '../../shell/address.js';
import { h } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';
import { linear } from './formulas.js';
import { ETA, LearningPanel } from './learning.js';
import { PointPlane, REACH } from './point-plane.js';
import { VectorTable } from './vector.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/**
 * @typedef {{
 *   bias: number[], line: Point[], half: Point[], excitation: number[], fires: number[], distance: number[],
 * }} Perceptron
 */
/**
 * @typedef {{
 *   units: number[][], index: number[], epoch: number[], error: number[], updated: boolean[], ended: boolean,
 *   limit: number, gamma: number, radius: number, bound: number | null, contradiction: number[], point: number[],
 * }} Learning
 */
/** @typedef {{ at: Point, label: number }} Example */
/** @typedef {{ w: Point, theta: number }} Unit */
/**
 * @typedef {object} Given what the address says
 * @property {Example[]} points
 * @property {Unit} unit where no rule moves it
 * @property {number} chosen the point that is looked at; −1 if there is none
 * @property {string} rule
 * @property {number} eta
 * @property {number | null} step of the rule; null where the unit is moved by hand
 */

const MOST_POINTS = 24;
const MOST = 1e6; // of a weight
const SETS = {
  groups: '-2,0.4,0,-1.2,-0.6,0,-1.5,1.6,0,-0.4,0.8,0,-0.5,-1.8,0,1.8,0.9,1,0.8,1.9,1,2.1,-0.5,1,1.1,0.2,1,0.5,-0.9,1',
  xor: '0,0,0,0,1,1,1,0,1,1,1,0',
};

/** @type {import('../../shell/views.js').Module} */
export const perceptron = {
  async mount(root, app) {
    const page = new Page(app);
    root.append(page.element);
    await Promise.all([page.draw(), page.vector.draw()]);
    const update = (/** @type {string[]} */ changed) =>
      app.attempt(changed.every((name) => name === 'v') ? page.vector.draw : page.draw);
    return {
      update,
      close: () => page.learning.stop(),
      python: () => lines(page.given, page.unit, page.vector.given, page.known.walk),
    };
  },
};

class Page {
  /** @type {{ key: string, walk: Learning | null }} */
  known = { key: '', walk: null };
  /** @type {Unit} */
  unit = { w: [0, 0], theta: 0 };

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.plane = new PointPlane(app, {
      turned: (unit) => this.turn(unit),
      moved: (i, at) => this.edit(i, { at }),
      added: (at) => this.add(at),
      removed: (i) => this.remove(i),
      chosen: (i) => app.set({ i: String(i) }),
      flipped: (i) => this.edit(i, { label: 1 - this.given.points[i].label }),
    });
    const field = (/** @type {string} */ label, /** @type {(value: number) => Unit} */ changed) =>
      slider({
        label,
        min: -5,
        max: 5,
        step: 0.05,
        value: 0,
        show: (value) => app.n(value),
        moved: (value) => this.turn(changed(value)),
      });
    this.sliders = [
      field('w₁', (value) => ({ ...this.unit, w: [value, this.unit.w[1]] })),
      field('w₂', (value) => ({ ...this.unit, w: [this.unit.w[0], value] })),
      field('θ', (theta) => ({ ...this.unit, theta })),
    ];
    this.forms = h('div');
    this.facts = h('div', { 'aria-live': 'polite' });
    const act = (/** @type {'flip' | 'remove'} */ key, /** @type {(i: number) => void} */ does) =>
      h('button', { onclick: () => does(this.given.chosen) }, app.t(`perceptron.${key}`));
    this.acts = [
      act('flip', (i) => this.edit(i, { label: 1 - this.given.points[i].label })),
      act('remove', (i) => this.remove(i)),
    ];
    this.learning = new LearningPanel(app, () => this.given);
    this.vector = new VectorTable(app);
    const set = (/** @type {'groups' | 'xor'} */ name) =>
      h('button', { onclick: () => app.set({ p: SETS[name], i: '', k: '' }) }, app.t(`perceptron.${name}`));
    this.element = h(
      'div',
      { class: 'lesson' },
      h(
        'section',
        { class: 'beside' },
        h('div', {}, this.plane.element, h('p', { class: 'hint' }, app.t('perceptron.key'))),
        h(
          'div',
          { class: 'row controls' },
          h('button', { onclick: () => this.add([0, 0]) }, app.t('perceptron.add')),
          set('groups'),
          set('xor'),
        ),
      ),
      h(
        'section',
        { class: 'beside' },
        h('h2', {}, app.t('perceptron.unit')),
        h('div', { class: 'controls' }, ...this.sliders.map((one) => one.element)),
        this.forms,
        this.learning.element,
      ),
      h(
        'section',
        { class: 'beside' },
        h('h2', {}, app.t('perceptron.point')),
        this.facts,
        h('div', { class: 'row controls' }, ...this.acts),
      ),
      h('section', {}, this.vector.element),
    );
  }

  /** @returns {Given} */
  get given() {
    const { w, theta, i, rule, eta, k } = this.app.state;
    const points = read(this.app.state.p) ?? /** @type {Example[]} */ (read(SETS.groups));
    const weights = split(w, 2);
    const threshold = split(theta, 1)?.[0] ?? NaN;
    const named = rule !== undefined && rule in ETA ? rule : 'rosenblatt';
    const rate = Number(eta ?? NaN);
    return {
      points,
      unit: {
        w: weights?.every((value) => Math.abs(value) <= MOST) ? /** @type {Point} */ (weights) : [1, 0.5],
        theta: Math.abs(threshold) <= MOST ? threshold : -0.5,
      },
      chosen: whole(i, 0, points.length - 1) ?? (points.length ? 0 : -1),
      rule: named,
      eta: rate > 0 && rate <= 1 ? rate : ETA[named],
      step: whole(k, 0, Infinity),
    };
  }

  /** @param {Unit} unit as a person moves it, which ends the learning */
  turn({ w, theta }) {
    this.learning.stop();
    this.unit = { w, theta }; // at once, for moves that come before the answer to this one
    this.app.set({ w: join(w), theta: join([theta]), k: '' });
  }

  /**
   * Change the points; what was learned from them stays, but goes no further.
   * @param {Example[]} points
   * @param {number} chosen
   */
  put(points, chosen) {
    this.learning.stop();
    const { w, theta } = this.unit;
    const p = points.flatMap(({ at, label }) => [...at, label]);
    this.app.set({ p: points.length ? join(p) : 'none', i: String(chosen), w: join(w), theta: join([theta]), k: '' });
  }

  /**
   * @param {number} i
   * @param {Partial<Example>} changes
   */
  edit(i, changes) {
    if (i < 0) return;
    const points = this.given.points.map((old, j) => (j === i ? { ...old, ...changes } : old));
    this.put(points, i);
  }

  /** @param {Point} at */
  add(at) {
    const { points, chosen } = this.given;
    if (points.length < MOST_POINTS) this.put([...points, { at, label: points[chosen]?.label ?? 1 }], points.length);
  }

  /** @param {number} i */
  remove(i) {
    const points = this.given.points.filter((_, j) => j !== i);
    this.put(points, Math.max(0, Math.min(i, points.length - 1)));
  }

  draw = newest(async () => {
    const { app, given } = this;
    const walk = await this.walk(given);
    const { step, unit } = this.given; // as they are by now
    const learned = walk && step !== null ? walk.units[Math.min(step, walk.units.length - 1)] : null;
    this.unit = learned ? { w: [learned[0], learned[1]], theta: learned[2] } : unit;
    /** @type {Perceptron} */
    const found = await app.connection.ask('perceptron', { points: given.points.map(({ at }) => at), ...this.unit });
    this.plane.draw(given, this.unit, found, walk);
    [...this.unit.w, this.unit.theta].forEach((value, i) => this.sliders[i].set(value));
    this.forms.replaceChildren(...forms(app, this.unit, found));
    this.facts.replaceChildren(point(app, given, found));
    for (const act of this.acts) act.disabled = given.chosen < 0;
    this.learning.draw(given, walk, found);
  });

  /**
   * @param {Given} given
   * @returns {Promise<Learning | null>} what the rule makes of the points, asked for once; null where there are none
   */
  async walk({ points, rule, eta }) {
    const asked = { points: points.map(({ at }) => at), labels: points.map(({ label }) => label), rule, eta };
    const key = JSON.stringify(asked);
    if (key === this.known.key) return this.known.walk;
    /** @type {Learning | null} */
    const walk = points.length ? await this.app.connection.ask('learning', asked) : null;
    this.known = { key, walk };
    return walk;
  }
}

/**
 * @param {string | undefined} text such as "1,0.5,1,…": x₁, x₂ and the class of each point; "none" is no points
 * @returns {Example[] | null} null where it does not say points
 */
function read(text) {
  if (text === 'none') return [];
  const count = (text ?? '').split(',').length;
  const numbers = count % 3 ? null : split(text, count);
  const points =
    numbers &&
    Array.from({ length: count / 3 }, (_, i) => ({
      at: /** @type {Point} */ (numbers.slice(3 * i, 3 * i + 2)),
      label: numbers[3 * i + 2],
    }));
  const good =
    points &&
    points.length <= MOST_POINTS &&
    points.every(({ at, label }) => at.every((x) => Math.abs(x) <= REACH) && (label === 0 || label === 1));
  return good ? points : null;
}

/**
 * The unit with its threshold, and with its bias.
 * @param {App} app
 * @param {Unit} unit
 * @param {Perceptron} found
 */
function forms(app, { w, theta }, { bias, line }) {
  const show = (/** @type {number} */ value) => app.n(value);
  const rows = [
    [app.t('perceptron.threshold'), `${linear(w, ['x₁', 'x₂'], show)} ≥ ${show(theta)}`],
    [app.t('perceptron.bias', { bias: show(bias[0]) }), `${linear(bias, ['', 'x₁', 'x₂'], show)} ≥ 0`],
  ];
  return [
    ...rows.map(([name, form]) =>
      h('p', { class: 'form' }, h('span', { class: 'hint' }, name), ' ', h('span', { class: 'formula' }, form)),
    ),
    line.length ? '' : h('p', { class: 'hint' }, app.t(w[0] || w[1] ? 'perceptron.outside' : 'perceptron.flat')),
  ];
}

/**
 * What the unit makes of the point that is looked at.
 * @param {App} app
 * @param {Given} given
 * @param {Perceptron} found
 */
function point(app, { points, chosen: i }, found) {
  if (i < 0) return h('p', { class: 'hint' }, app.t('perceptron.none'));
  const {
    at: [x, y],
    label,
  } = points[i];
  return table(
    ['x₁', 'x₂', app.t('perceptron.class'), 'wᵀx', app.t('perceptron.fires'), app.t('perceptron.distance')],
    [
      [
        app.n(x),
        app.n(y),
        String(label),
        app.n(found.excitation[i]),
        String(found.fires[i]),
        found.distance.length ? app.n(found.distance[i]) : '–',
      ],
    ],
  );
}

/**
 * @param {Given} given
 * @param {Unit} unit
 * @param {{ w: number[], x: number[], theta: number }} vector
 * @param {Learning | null} walk
 */
function lines({ points, rule, eta, step }, { w, theta }, vector, walk) {
  const one = [
    '',
    `vector = ThresholdUnit(np.array([${vector.w.join(', ')}]), theta=${vector.theta})`,
    `reached = vector.excitation([${vector.x.join(', ')}])`,
  ];
  const made = `unit = ThresholdUnit(np.array([${w.join(', ')}]), theta=${theta})`;
  const head = ['import numpy as np', '', 'from narrows.foundations.perceptron import ThresholdUnit'];
  if (!points.length) return [...head, '', made, ...one];
  const learned = walk && step ? Math.min(step, walk.index.length) : 0;
  const rate = walk?.index.length ? `, eta=${eta}` : ''; // without one, ADALINE takes one that is small enough
  const learns = [
    `steps = list(islice(${rule}(X, labels${rate}), ${learned || 1}))`,
    ...(learned ? ['unit = steps[-1].unit'] : []),
  ];
  return [
    'from itertools import islice',
    '',
    ...head,
    `from narrows.foundations.rules import convergence, ${rule}`,
    '',
    `X = np.array([${points.map(({ at }) => `(${at.join(', ')})`).join(', ')}])`,
    `labels = [${points.map(({ label }) => label).join(', ')}]`,
    ...(learned ? [] : [made]),
    ...learns,
    'excitation, fires = unit.excitation(X), unit(X)',
    ...(w[0] || w[1] ? ['distance = unit.distance(X)'] : []),
    'report = convergence(X, labels, epochs=100)',
    ...one,
  ];
}
