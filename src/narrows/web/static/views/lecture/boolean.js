/** Boolean functions: a truth table, the unit that computes it or the proof that none does, and a network of units. */
import { whole } from '../../shell/address.js';
import { h, svg } from '../../widgets/elements.js';
import { choices } from '../../widgets/fields.js';
import { handle, Plot } from '../../widgets/plot.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';
import { network } from './boolean-network.js';
import { mark } from './class-marks.js';
import { linear, sub } from './formulas.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/** @typedef {{ weights: number[], theta: number, excitation: number[], fires: number[] }} WiredUnit */
/**
 * @typedef {{
 *   inputs: number[][], weights: number[], theta: number, boundary: number[][], half: Point[], multipliers: number[],
 *   side: string, layers: WiredUnit[][],
 * }} BooleanFunction
 */
/** @typedef {{ functions: number[], separable: number[] }} Counts */

const NAMED = /** @type {Record<string, (ones: number, n: number) => boolean>} */ ({
  AND: (ones, n) => ones === n,
  OR: (ones) => ones > 0,
  XOR: (ones) => ones % 2 === 1,
  XNOR: (ones) => ones % 2 === 0,
  NAND: (ones, n) => ones < n,
});

/** @type {import('../../shell/views.js').Module} */
export const boolean = {
  async mount(root, app) {
    const page = new Page(app);
    root.append(page.element);
    await page.draw();
    app.attempt(() => page.count());
    return { update: () => app.attempt(page.draw), python: () => lines(page.given.values) };
  },
};

class Page {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.chosen = h('div', { class: 'row controls' });
    this.truth = h('div');
    this.figure = h('div');
    this.unit = h('div', { class: 'beside', 'aria-live': 'polite' });
    this.net = h('div');
    this.counts = h('div', {}, h('p', { class: 'hint' }, app.t('loading')));
    this.n = 0;
    /** @type {(found: BooleanFunction) => void} */
    this.fill = () => undefined;
    /** @type {(found: BooleanFunction) => void} */
    this.paint = () => undefined;
    this.element = h(
      'div',
      { class: 'lesson' },
      h(
        'section',
        {},
        h('h2', {}, app.t('boolean.picture')),
        this.figure,
        h('p', { class: 'hint' }, app.t('boolean.picture.key')),
      ),
      h(
        'section',
        { class: 'beside' },
        h('h2', {}, app.t('boolean.table')),
        this.chosen,
        this.truth,
        h('h2', {}, app.t('boolean.unit')),
        this.unit,
      ),
      h(
        'section',
        {},
        h('h2', {}, app.t('boolean.network')),
        this.net,
        h('p', { class: 'hint' }, app.t('boolean.network.key')),
      ),
      h('section', {}, h('h2', {}, app.t('boolean.count')), this.counts),
    );
  }

  /** @returns {{ values: number[], row: number, n: number }} the outputs, in a truth table's order; the chosen row */
  get given() {
    const { f, r } = this.app.state;
    const values = Array.from(/^([01]{4}|[01]{8})$/.test(f ?? '') ? f : '0110', Number);
    return { values, row: whole(r, 0, values.length - 1) ?? 1, n: Math.log2(values.length) };
  }

  /** @param {number} row */
  flip(row) {
    this.app.set({ f: this.given.values.map((value, i) => (i === row ? 1 - value : value)).join(''), r: String(row) });
  }

  draw = newest(async () => {
    const { values, n } = this.given;
    /** @type {BooleanFunction} */
    const found = await this.app.connection.ask('boolean', { table: values });
    if (n !== this.n) this.build(found, n);
    this.n = n;
    this.fill(found);
    this.paint(found);
    this.unit.replaceChildren(...verdict(this.app, found, values));
    this.net.replaceChildren(network(this.app, found, this.given.row));
  });

  /**
   * @param {BooleanFunction} found
   * @param {number} n
   */
  build(found, n) {
    const { app } = this;
    const named = (/** @type {string} */ name, /** @type {number} */ of) =>
      Array.from({ length: 2 ** of }, (_, row) =>
        Number(NAMED[name](row.toString(2).replaceAll('0', '').length, of)),
      ).join('');
    const buttons = Object.keys(NAMED).map((name) =>
      h('button', { onclick: () => app.set({ f: named(name, n) }) }, name),
    );
    this.chosen.replaceChildren(
      choices({
        label: app.t('boolean.n'),
        values: ['2', '3'],
        value: String(n),
        told: (other) => app.n(Number(other)),
        chosen: (other) => app.set({ f: named('XOR', Number(other)), r: '' }),
      }),
      ...buttons,
    );
    const rows = found.inputs.map((x, row) => ({
      input: h(
        'button',
        {
          class: 'quiet kept',
          'aria-label': app.t('boolean.choose', { row: x.join(' ') }),
          onclick: () => app.set({ r: String(row) }),
        },
        x.join(' '),
      ),
      output: h('button', { class: 'kept', onclick: () => this.flip(row) }),
      demand: h('span', {}),
    }));
    const names = found.inputs[0].map((_, i) => sub(`x${i + 1}`));
    this.truth.replaceChildren(
      table(
        [names.join(' '), 'f', app.t('boolean.demand')],
        rows.map(({ input, output, demand }) => [input, output, demand]),
      ),
    );
    this.fill = ({ inputs }) => {
      const { values, row: chosen } = this.given;
      buttons.forEach((button) =>
        button.setAttribute('aria-pressed', String(named(button.textContent ?? '', n) === values.join(''))),
      );
      rows.forEach(({ input, output, demand }, row) => {
        input.setAttribute('aria-pressed', String(row === chosen));
        output.textContent = String(values[row]);
        output.setAttribute('aria-label', app.t('boolean.flip', { row: inputs[row].join(', '), value: values[row] }));
        demand.textContent = values[row] ? `${sum(inputs[row])} ≥ θ` : `${sum(inputs[row])} < θ`;
      });
    };
    const plot = n === 2 ? square(app) : cube(app, found.inputs);
    this.figure.replaceChildren(plot.element);
    this.paint = painter(
      plot,
      found.inputs,
      (row) => this.flip(row),
      app,
      () => this.given,
    );
  }

  /** Say how many functions one unit computes; the server counts for a moment. */
  async count() {
    const { app } = this;
    /** @type {Counts} */
    const { functions, separable } = await app.connection.ask('counts');
    const heads = ['n', app.t('boolean.functions'), app.t('boolean.separable')];
    this.counts.replaceChildren(
      table(
        heads,
        functions.map((all, i) => [app.n(i + 1), app.n(all, {}), app.n(separable[i], {})]),
      ),
    );
  }
}

/** @param {number[]} x @returns {string} wᵀx in words, for inputs of 0 and 1 */
function sum(x) {
  return linear(
    x,
    x.map((_, i) => sub(`w${i + 1}`)),
    String,
  );
}

/** @param {App} app */
function square(app) {
  return new Plot({
    low: [-0.5, -0.5],
    high: [1.5, 1.5],
    label: app.t('boolean.picture'),
    ticks: [
      [0, 1],
      [0, 1],
    ],
    show: (value) => app.n(value),
  });
}

/**
 * @param {App} app
 * @param {number[][]} corners
 */
function cube(app, corners) {
  const plot = new Plot({ low: [-0.2, -0.2], high: [1.6, 1.6], label: app.t('boolean.picture') });
  const edges = corners.flatMap((a, i) =>
    corners
      .slice(i)
      .filter((b) => b.reduce((apart, x, j) => apart + Math.abs(x - a[j]), 0) === 1)
      .map((b) => [a, b]),
  );
  plot.back.append(...edges.map((ends) => svg('path', { class: 'grid', d: outline(plot, ends) })));
  plot.front.append(
    ...corners.map((x) =>
      svg('text', { class: 'tick', x: plot.x(seen(x)[0]) + 14, y: plot.y(seen(x)[1]) - 12 }, x.join('')),
    ),
  );
  return plot;
}

/** @param {number[]} x @returns {Point} where it is drawn; the third axis goes back */
function seen([x, y, depth = 0]) {
  return [x + 0.4 * depth, y + 0.4 * depth];
}

/**
 * @param {Plot} plot
 * @param {number[][]} points
 */
function outline(plot, points) {
  return plot.outline(points.map(seen));
}

/**
 * The points, what separates them, and, where nothing does, why.
 * @param {Plot} plot
 * @param {number[][]} inputs
 * @param {(row: number) => void} flip
 * @param {App} app
 * @param {() => { values: number[], row: number }} read
 */
function painter(plot, inputs, flip, app, read) {
  const [half, boundary, ones, zeros] = [
    'half',
    inputs[0].length > 2 ? 'line half' : 'line',
    'line faint',
    'line faint',
  ].map((name) => svg('path', { class: name }));
  const ring = svg('circle', { class: 'ring', r: 17 });
  const spots = inputs.map((x, row) => {
    const shape = svg('path', {});
    const { element, set } = handle(plot, {
      label: '',
      at: seen(x),
      moved: () => undefined,
      pressed: () => flip(row),
      shape,
    });
    element.classList.add('spot');
    return { shape, element, set };
  });
  plot.front.append(half, ones, zeros, boundary, ring, ...spots.map(({ element }) => element));
  return (/** @type {BooleanFunction} */ found) => {
    const { values, row: chosen } = read();
    spots.forEach(({ shape, element, set }, row) => {
      mark(shape, element, values[row]);
      set(seen(inputs[row]), app.t('boolean.flip', { row: inputs[row].join(', '), value: values[row] }));
    });
    const used = (/** @type {number} */ value) =>
      inputs.filter((_, row) => found.multipliers[row] && values[row] === value);
    half.setAttribute('d', outline(plot, found.half));
    boundary.setAttribute('d', outline(plot, found.boundary));
    ones.setAttribute('d', outline(plot, used(1)));
    zeros.setAttribute('d', outline(plot, used(0)));
    const [x, y] = seen(inputs[chosen]);
    ring.setAttribute('transform', `translate(${plot.x(x)} ${plot.y(y)})`);
  };
}

/**
 * @param {App} app
 * @param {BooleanFunction} found
 * @param {number[]} values
 * @returns {Node[]} the unit, or the proof
 */
function verdict(app, found, values) {
  if (found.weights.length) {
    const names = found.weights.map((_, i) => sub(`x${i + 1}`));
    const rule = `${linear(found.weights, names, (value) => app.n(value))} ≥ ${app.n(found.theta)}`;
    return [h('p', { class: 'verdict' }, app.t('boolean.can', { rule }))];
  }
  const rows = found.inputs.flatMap((x, row) => {
    const times = found.multipliers[row];
    const [left, sign, right] = values[row] ? ['θ', '≤', sum(x)] : [sum(x), '<', 'θ'];
    return times ? [[times > 1 ? `${times} ×` : '', left, sign, right, `f(${x.join(', ')}) = ${values[row]}`]] : [];
  });
  const side = sub(found.side);
  const all = [...rows, ['', side, '<', side, app.t('boolean.sum')]];
  const proof = h(
    'table',
    { class: 'proof', 'aria-label': app.t('boolean.proof') },
    h('tbody', {}, ...all.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))))),
  );
  return [
    h('p', { class: 'verdict' }, app.t('boolean.cannot')),
    proof,
    h('p', { class: 'verdict' }, app.t('boolean.contradiction')),
  ];
}

/** @param {number[]} values */
function lines(values) {
  return [
    'from narrows.foundations.boolean import Certificate, inputs, separate',
    'from narrows.foundations.networks import network',
    '',
    `table = [${values.join(', ')}]`,
    `x = inputs(${Math.log2(values.length)})`,
    'found = separate(x, table)',
    'print("\\n".join(found.lines()) if isinstance(found, Certificate) else found)',
    'net = network(table)',
    'print(net(x))',
  ];
}
