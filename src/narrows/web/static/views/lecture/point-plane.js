/** Points of two classes in the plane and a unit's line among them, all of which a person drags. */
import { h, svg } from '../../widgets/elements.js';
import { handle, multiples, Plot } from '../../widgets/plot.js';
import { mark } from './class-marks.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./perceptron.js').Learning} Learning */
/** @typedef {import('./perceptron.js').Perceptron} Perceptron */
/** @typedef {import('../../widgets/plot.js').Point} Point */
/** @typedef {import('./perceptron.js').Given} Given */
/** @typedef {import('./perceptron.js').Unit} Unit */
/**
 * @typedef {object} Does what is done about what a person does
 * @property {(unit: Unit) => void} turned
 * @property {(i: number, at: Point) => void} moved
 * @property {(i: number) => void} chosen
 * @property {(i: number) => void} flipped
 * @property {(at: Point) => void} added
 * @property {(i: number) => void} removed
 */

export const REACH = 3;
const ARROW = 0.8; // length of the normal, as drawn

export class PointPlane {
  half = svg('path', { class: 'half' });
  line = svg('path', { class: 'line' });
  normal = svg('path', { class: 'line' });
  name = svg('text', { class: 'name' }, 'w');
  ones = svg('path', { class: 'line faint' });
  zeros = svg('path', { class: 'line faint' });
  cross = svg('path', { class: 'point', d: 'M-8-8L8 8M-8 8L8-8' });
  ring = svg('circle', { class: 'ring', r: 16 });
  shown = svg('circle', { class: 'shown', r: 20 });
  dots = svg('g');
  /** Where on the line its handle and its normal are. @type {Point} */
  pivot = [0, 0];
  /** @type {Unit} */
  unit = { w: [0, 0], theta: 0 };
  chosen = -1;
  /** @type {{ element: SVGGElement, set: (at: Point, label?: string) => void, shape: SVGPathElement }[]} */
  spots = [];

  /**
   * @param {App} app
   * @param {Does} does
   */
  constructor(app, does) {
    this.app = app;
    this.does = does;
    const ticks = multiples(-REACH, REACH, 1);
    this.plot = new Plot({
      low: [-REACH, -REACH],
      high: [REACH, REACH],
      label: app.t('perceptron.plane'),
      ticks: [ticks, ticks],
      show: (value) => app.n(value),
    });
    this.shift = handle(this.plot, {
      label: app.t('perceptron.shift'),
      at: [0, 0],
      moved: (at) => this.shiftTo(at),
      shape: svg('circle', { r: 6 }),
    });
    this.turn = handle(this.plot, {
      label: app.t('perceptron.turn'),
      at: [0, 0],
      moved: (at) => this.turnTo(at),
      shape: svg('circle', { r: 6 }),
    });
    this.plot.front.append(
      this.half,
      this.ones,
      this.zeros,
      this.line,
      this.normal,
      this.name,
      this.cross,
      this.shown,
      this.ring,
      this.shift.element,
      this.turn.element,
      this.dots,
    );
    this.element = h('div', {}, this.plot.element);
    this.plot.element.addEventListener('click', (event) => {
      const target = /** @type {Element} */ (event.target);
      if (!target.closest('.handle')) does.added(rounded(this.plot.at(event)));
    });
  }

  /** @param {Point} at where the line shall go through */
  shiftTo(at) {
    const { w } = this.unit;
    this.pivot = at;
    this.shift.set(at); // at once, since the next key counts from there
    this.does.turned({ w, theta: round(w[0] * at[0] + w[1] * at[1], 100) });
  }

  /** @param {Point} at where the normal shall point */
  turnTo([x, y]) {
    const [across, up] = [x - this.pivot[0], y - this.pivot[1]];
    const length = Math.hypot(across, up);
    if (!length) return;
    this.turn.set([x, y]);
    const size = Math.hypot(...this.unit.w) / length;
    const w = /** @type {Point} */ ([round(across * size, 1000), round(up * size, 1000)]);
    this.does.turned({ w, theta: round(w[0] * this.pivot[0] + w[1] * this.pivot[1], 1000) });
  }

  /**
   * @param {Given} given
   * @param {Unit} unit
   * @param {Perceptron} found
   * @param {Learning | null} walk
   */
  draw(given, unit, found, walk) {
    this.unit = unit;
    this.chosen = given.chosen;
    this.half.setAttribute('d', this.plot.outline(found.half));
    this.line.setAttribute('d', this.plot.outline(found.line));
    this.drawNormal(found.line);
    this.drawPoints(given, found);
    this.drawProof(given, walk);
    const step = given.step !== null && walk ? Math.min(given.step, walk.index.length) : 0;
    this.put(this.shown, step && walk ? given.points[walk.index[step - 1]]?.at : undefined);
    this.put(this.ring, given.points[given.chosen]?.at);
  }

  /** @param {Point[]} line */
  drawNormal(line) {
    const { w, theta } = this.unit;
    const size = Math.hypot(...w);
    for (const element of [this.normal, this.name, this.shift.element, this.turn.element]) {
      element.setAttribute('display', line.length ? 'inline' : 'none');
    }
    if (!line.length) return;
    const off = (w[0] * this.pivot[0] + w[1] * this.pivot[1] - theta) / size ** 2;
    const near = /** @type {Point} */ (this.pivot.map((value, i) => value - off * w[i]));
    this.pivot = near.every((value) => Math.abs(value) <= REACH)
      ? near
      : [(line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2];
    const [x, y] = this.pivot;
    const tip = /** @type {Point} */ ([x + (ARROW * w[0]) / size, y + (ARROW * w[1]) / size]);
    this.normal.setAttribute('d', this.plot.outline([this.pivot, tip]));
    this.shift.set(this.pivot);
    this.turn.set(tip);
    this.name.setAttribute(
      'transform',
      `translate(${this.plot.x(x + 1.35 * (tip[0] - x)) - 5} ${this.plot.y(y + 1.35 * (tip[1] - y)) + 5})`,
    );
  }

  /**
   * @param {Given} given
   * @param {Perceptron} found
   */
  drawPoints({ points }, { fires }) {
    if (points.length !== this.spots.length) this.build(points.length);
    this.spots.forEach(({ element, set, shape }, i) => {
      const {
        at: [x, y],
        label,
      } = points[i];
      mark(shape, element, label);
      element.classList.toggle('wrong', fires[i] !== label);
      set(
        [x, y],
        this.app.t(fires[i] === label ? 'perceptron.right.point' : 'perceptron.wrong.point', {
          x: this.app.n(x),
          y: this.app.n(y),
          label,
        }),
      );
    });
  }

  /** @param {number} count */
  build(count) {
    const focused = this.spots.findIndex(({ element }) => element === document.activeElement);
    this.spots = Array.from({ length: count }, (_, i) => this.spot(i));
    this.dots.replaceChildren(...this.spots.map(({ element }) => element));
    this.spots[Math.min(focused, count - 1)]?.element.focus();
  }

  /**
   * A point: it is chosen by focus; a click on a chosen one, or Enter, changes its class.
   * @param {number} i
   */
  spot(i) {
    const { does } = this;
    let fresh = false; // whether it became chosen by the press that is going on
    const shape = svg('path', {});
    const { element, set } = handle(this.plot, {
      label: '',
      at: [0, 0],
      moved: (at) => {
        set(rounded(at), element.getAttribute('aria-label') ?? '');
        does.moved(i, rounded(at));
      },
      pressed: () => {
        if (!fresh) does.flipped(i);
      },
      shape,
    });
    element.addEventListener(
      'pointerdown',
      () => {
        fresh = this.chosen !== i;
      },
      { capture: true },
    );
    element.addEventListener('focus', () => does.chosen(i));
    element.addEventListener(
      'keydown',
      (event) => {
        fresh = false;
        if (event.key === 'Delete' || event.key === 'Backspace') does.removed(i);
      },
      { capture: true },
    );
    return { element, set, shape };
  }

  /**
   * Where no line separates the points, those that no line does, and a point between those of either class.
   * @param {Given} given
   * @param {Learning | null} walk
   */
  drawProof({ points }, walk) {
    const of = (/** @type {number} */ label) =>
      (walk?.contradiction ?? []).filter((i) => points[i]?.label === label).map((i) => points[i].at);
    this.ones.setAttribute('d', this.plot.outline(of(1)));
    this.zeros.setAttribute('d', this.plot.outline(of(0)));
    this.put(this.cross, walk?.point.length ? /** @type {Point} */ (walk.point) : undefined);
  }

  /**
   * @param {SVGElement} sign
   * @param {Point | undefined} at
   */
  put(sign, at) {
    sign.setAttribute('display', at ? 'inline' : 'none');
    if (at) sign.setAttribute('transform', `translate(${this.plot.x(at[0])} ${this.plot.y(at[1])})`);
  }
}

/**
 * @param {number} value
 * @param {number} parts
 */
function round(value, parts) {
  return Math.round(value * parts) / parts;
}

/** @param {Point} point @returns {Point} */
function rounded(point) {
  return /** @type {Point} */ (point.map((value) => round(value, 20)));
}
