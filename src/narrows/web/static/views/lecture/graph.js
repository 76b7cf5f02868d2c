/** Graph: six primitive functions composed into one; values flow forward through it and derivatives back. */
import { join, split, whole } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';
import { stepper } from '../../widgets/stepper.js';
import { table } from '../../widgets/table.js';
import { wiring } from '../../widgets/wiring.js';
import { newest } from '../../wire/newest.js';
import { sub } from './formulas.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/** @typedef {import('../../widgets/wiring.js').Arrow} Arrow */
/**
 * @typedef {{
 *   names: string[], primitives: string[], at: Point[], edges: Point[], values: number[], derivatives: number[],
 *   handed: number[],
 * }} GraphPass
 */

const REACH = 3;
const NAMES = ['x', 'y', 'z'];
const START = [-0.2, 0.9, 1.5];
const [FORWARD, BACK] = [6, 9]; // steps, a node each
const DONE = FORWARD + BACK + 1;
const [WIDTH, ACROSS, DOWN, RADIUS] = [440, 140, 108, 25];

/** How a primitive is written, in a node and with its arguments. */
const SIGNS = /** @type {Record<string, string>} */ ({ add: '+', multiply: '×', square: '( )²' });
const WRITTEN = /** @type {Record<string, (...parents: string[]) => string>} */ ({
  add: (a, b) => `${a} + ${b}`,
  multiply: (a, b) => `${a} · ${b}`,
  square: (a) => `${a}²`,
  sin: (a) => `sin ${a}`,
  tanh: (a) => `tanh ${a}`,
});

/** @type {import('../../shell/views.js').Module} */
export const graph = {
  async mount(root, app) {
    /** @type {GraphPass} */
    const first = await app.connection.ask('graph', read(app));
    const page = new Page(app, first);
    root.append(page.element);
    await page.draw();
    return {
      update: () => app.attempt(page.draw),
      move: (by) => page.go(page.step + by),
      close: () => page.player.stop(),
      python: () => lines(read(app)),
    };
  },
};

/**
 * @param {App} app
 * @returns {{ x: number, y: number, z: number }}
 */
function read(app) {
  const given = split(app.state.at, NAMES.length);
  const [x, y, z] = given?.every((value) => Math.abs(value) <= REACH) ? given : START;
  return { x, y, z };
}

class Page {
  /**
   * @param {App} app
   * @param {GraphPass} found
   */
  constructor(app, found) {
    this.app = app;
    const points = found.at.map(
      ([layer, position]) => /** @type {Point} */ ([(WIDTH - 70) / 2 + ACROSS * position, RADIUS + 12 + DOWN * layer]),
    );
    this.drawing = wiring({
      label: app.t('graph.picture'),
      size: [WIDTH, 2 * RADIUS + 24 + DOWN * Math.max(...found.at.map(([layer]) => layer))],
      points,
      edges: found.edges,
      radius: RADIUS,
    });
    this.beside = this.drawing.nodes.map((node, i) => label(node, found, i));
    this.sliders = NAMES.map((name, i) =>
      slider({
        label: name,
        min: -REACH,
        max: REACH,
        step: 0.05,
        value: START[i],
        show: (value) => app.n(value),
        moved: (value) => this.put(i, value),
      }),
    );
    this.player = stepper(app, {
      next: () => {
        this.go((this.step % DONE) + 1);
        return this.step < DONE;
      },
      start: () => this.go(0),
    });
    this.told = h('p', { class: 'verdict', 'aria-live': 'polite' });
    this.facts = h('div');
    this.element = h(
      'div',
      { class: 'lesson' },
      h(
        'section',
        {},
        this.drawing.element,
        h(
          'p',
          { class: 'key' },
          h('span', { class: 'value' }, app.t('graph.value')),
          ' ',
          h('span', { class: 'slope' }, app.t('graph.slope')),
        ),
      ),
      h(
        'section',
        { class: 'beside' },
        h('p', { class: 'formula' }, 'F(x, y, z) = tanh((x + y)² · sin(y · z))'),
        h('div', { class: 'beside controls' }, ...this.sliders.map((one) => one.element), this.player.element),
        this.told,
        this.facts,
      ),
    );
  }

  /** @returns {number} how many nodes the waves have reached, forward and then back; one more when they are through */
  get step() {
    return whole(this.app.state.k, 0, DONE - 1) ?? DONE;
  }

  /** @param {number} step */
  go(step) {
    this.app.set({ k: String(clamp(step, 0, DONE)) });
  }

  /**
   * @param {number} i
   * @param {number} value
   */
  put(i, value) {
    this.app.set({ at: join(Object.values(read(this.app)).map((old, j) => (j === i ? value : old))) });
  }

  draw = newest(async () => {
    const given = read(this.app);
    /** @type {GraphPass} */
    const found = await this.app.connection.ask('graph', given);
    Object.values(given).forEach((value, i) => this.sliders[i].set(value));
    this.show(found, this.step);
  });

  /**
   * @param {GraphPass} found
   * @param {number} step
   */
  show(found, step) {
    const { app, drawing } = this;
    const count = found.names.length;
    const [valued, sloped] = [NAMES.length + Math.min(step, FORWARD), count - clamp(step - FORWARD, 0, BACK)];
    const now = step === 0 || step === DONE ? -1 : step > FORWARD ? sloped : valued - 1;
    const value = (/** @type {number} */ i) => (i < valued ? shown(app, found.values[i]) : '');
    const slope = (/** @type {number} */ i) => (i >= sloped ? shown(app, found.derivatives[i]) : '');
    drawing.nodes.forEach((node, i) => {
      node.setAttribute('class', `node${i < NAMES.length ? ' input' : ''}${i === now ? ' on' : ''}`);
      [this.beside[i][0].textContent, this.beside[i][1].textContent] = [value(i), slope(i)];
    });
    drawing.arrows.forEach(({ element, label: words }, j) => {
      const [from, to] = found.edges[j];
      const [went, back] = [to < valued, from >= sloped];
      const on = step > FORWARD ? from === now : to === now;
      element.setAttribute('class', `edge${back ? ' back' : went ? ' went' : ''}${on ? ' on' : ''}`);
      words.setAttribute('class', `name ${back ? 'slope' : 'value'}`);
      words.textContent = back ? shown(app, found.handed[j]) : went ? value(from) : '';
    });
    this.told.textContent = this.tell(found, step, now);
    const heads = ['node', 'function', 'value', 'slope'].map((key) =>
      app.t(`graph.head.${/** @type {'node'} */ (key)}`),
    );
    this.facts.replaceChildren(
      table(
        heads,
        found.names.map((name, i) => [sub(name), written(found, i), value(i) || '–', slope(i) || '–']),
      ),
    );
  }

  /**
   * @param {GraphPass} found
   * @param {number} step
   * @param {number} now
   */
  tell(found, step, now) {
    const { app } = this;
    if (!step) return app.t('graph.start');
    if (step === DONE) {
      return app.t('graph.done', {
        value: shown(app, found.values.slice(-1)[0]),
        slopes: found.derivatives
          .slice(0, NAMES.length)
          .map((slope) => shown(app, slope))
          .join('; '),
      });
    }
    if (step <= FORWARD) {
      return app.t('graph.forward', {
        name: sub(found.names[now]),
        function: written(found, now),
        value: shown(app, found.values[now]),
      });
    }
    const handed = found.edges.flatMap(([from, to], j) =>
      from === now ? [{ part: shown(app, found.handed[j]), to: sub(found.names[to]) }] : [],
    );
    const given = { name: sub(found.names[now]), slope: shown(app, found.derivatives[now]) };
    if (!handed.length) return app.t('graph.back.output', given);
    const from = handed.map(({ part, to }) => app.t('graph.handed', { part, to }));
    return app.t('graph.back', { ...given, parts: from.join(` ${app.t('graph.and')} `) });
  }
}

/**
 * @param {SVGGElement} node
 * @param {GraphPass} found
 * @param {number} i
 * @returns {SVGTextElement[]} the words beside it, for its value and its derivative
 */
function label(node, { names, primitives }, i) {
  const beside = [
    svg('text', { class: 'name value', x: RADIUS + 7, y: -4 }),
    svg('text', { class: 'name slope', x: RADIUS + 7, y: 16 }),
  ];
  const inside = primitives[i]
    ? [
        svg('text', { class: 'inside', y: -2 }, sub(names[i])),
        svg('text', { class: 'inside small', y: 14 }, SIGNS[primitives[i]] ?? primitives[i]),
      ]
    : [svg('text', { class: 'inside', y: 5 }, names[i])];
  node.append(...inside, ...beside);
  return beside;
}

/**
 * @param {App} app
 * @param {number} value
 * @returns {string} short, however small it is
 */
function shown(app, value) {
  return value && Math.abs(value) < 1e-3
    ? app.n(value, { notation: 'scientific', maximumSignificantDigits: 2 })
    : app.n(value);
}

/**
 * @param {GraphPass} found
 * @param {number} i
 * @returns {string} what the node does to its parents
 */
function written({ names, primitives, edges }, i) {
  const parents = edges.filter(([, to]) => to === i).map(([from]) => sub(names[from]));
  return primitives[i] ? WRITTEN[primitives[i]](...parents) : '';
}

/** @param {{ x: number, y: number, z: number }} given */
function lines({ x, y, z }) {
  return [
    'from narrows.foundations.feedforward import lecture_graph',
    '',
    'F = lecture_graph()',
    `values = F.forward({"x": ${x}, "y": ${y}, "z": ${z}})`,
    'derivatives = F.backward(values)',
    'for name, value, derivative in zip(F.names, values, derivatives):',
    '    print(f"{name}: {value:.4g}, dF/d{name} = {derivative:.4g}")',
  ];
}
