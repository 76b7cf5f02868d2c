/** The plane as drawn: the examples as points, what stands behind them, and a pointer that drags, points or draws. */
import { clamp } from '../../shell/numbers.js';
import { heat } from '../../widgets/canvases.js';
import { h, svg } from '../../widgets/elements.js';
import { columnColour } from './background.js';
import { isInside } from './points.js';

/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/** @typedef {[number, number]} Point in the plane, or in [0, 1] of the stage from its upper left corner */
/**
 * @typedef {object} Does what is done about what a person does
 * @property {(point: Point, stamp: number) => void} dragged to a point of the plane
 * @property {(row: number) => void} pointed at an example
 * @property {(rows: number[]) => void} drawn around examples
 */

export const BINS = 8; // colours of errors

const SIDE = 1000; // of the stage's own coordinates
const NEAR = 0.025; // of the stage, within which a point is pointed at

export class Stage {
  tiles = h('canvas', { class: 'tiles pixels', 'aria-hidden': 'true' });
  marks = svg('g', { class: 'marks' });
  names = svg('g', { class: 'names' });
  loop = svg('path', { class: 'loop' });
  ring = svg('circle', { class: 'ring', r: 11, visibility: 'hidden' });
  spot = svg(
    'g',
    { class: 'cross' },
    svg('circle', { r: 15 }),
    svg('path', { d: 'M-30 0H-15M15 0H30M0-30V-15M0 15V30' }),
  );
  dragging = false;
  lassoing = false;
  /** @type {Point[] | null} the lasso, while it is drawn */
  loose = null;

  /**
   * @param {import('../../shell/app.js').App} app
   * @param {import('./plane.js').Plane} given
   * @param {Does} does
   */
  constructor(app, given, does) {
    this.given = given;
    this.does = does;
    const { data, shape } = given.points;
    this.points = Array.from({ length: shape[0] }, (_, i) => this.onStage([data[2 * i], data[2 * i + 1]]));
    this.lasso = h(
      'button',
      { 'aria-pressed': 'false', title: app.t('plane.lasso.help'), onclick: () => this.take(!this.lassoing) },
      app.t('plane.lasso'),
    );
    const size = { viewBox: `0 0 ${SIDE} ${SIDE}`, 'aria-hidden': 'true' };
    const drawing = svg('svg', size, this.marks, this.names, this.loop, this.ring, this.spot);
    this.element = h(
      'div',
      {
        class: 'stage',
        tabindex: 0,
        role: 'application',
        'aria-label': app.t('plane.stage'),
        onpointerdown: (/** @type {PointerEvent} */ event) => this.down(event),
        onpointermove: (/** @type {PointerEvent} */ event) => this.hover(event),
        onpointerrawupdate: (/** @type {PointerEvent} */ event) => this.raw(event),
        onpointerup: () => this.up(),
        onpointercancel: () => this.up(),
        onpointerleave: () => this.ring.setAttribute('visibility', 'hidden'),
      },
      this.tiles,
      drawing,
    );
  }

  // --- Where things are -------------------------------------------------------

  /**
   * @param {Point} point
   * @returns {Point}
   */
  onStage([x, y]) {
    const [low, high] = [this.given.low.data, this.given.high.data];
    return [(x - low[0]) / (high[0] - low[0]), (high[1] - y) / (high[1] - low[1])];
  }

  /**
   * @param {Point} point
   * @returns {Point}
   */
  inPlane([x, y]) {
    const [low, high] = [this.given.low.data, this.given.high.data];
    return [low[0] + x * (high[0] - low[0]), high[1] - y * (high[1] - low[1])];
  }

  /**
   * @param {Point} point
   * @param {number} right as a fraction of the stage
   * @param {number} up
   * @returns {Point} the point that far off, at most at the edge
   */
  moved(point, right, up) {
    const [x, y] = this.onStage(point);
    return this.inPlane([clamp(x + right, 0, 1), clamp(y - up, 0, 1)]);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  at(event) {
    const box = this.element.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1)];
  }

  // --- Drawing ----------------------------------------------------------------

  /** Draw the points in their classes' colours, with the classes' names. */
  markLabels() {
    const paths = this.paths(Array.from(this.given.labels?.data ?? []));
    this.marks.replaceChildren(...paths.map((d, i) => svg('path', { d, class: `c${i % 10}` })).filter(Boolean));
    this.names.replaceChildren(...this.given.classes.map((name, i) => this.nameOf(name, i)));
  }

  /** @param {number[]} bins each point's colour, from small to large errors */
  markBins(bins) {
    const colour = (/** @type {number} */ bin) => `rgb(${heat(bin / (BINS - 1))})`;
    const marks = this.paths(bins).map((d, bin) => svg('path', { d, stroke: colour(bin) }));
    this.marks.replaceChildren(...marks.filter(Boolean));
    this.names.replaceChildren();
  }

  /**
   * Draw the points in the colours of a column's cells.
   * @param {Heading} heading
   * @param {ArrayLike<number>} at where each example lies on its range; NaN where its cell is missing
   */
  markColumn(heading, at) {
    const last = (heading.levels.length || BINS) - 1;
    const groups = Array.from(at, (value) => (Number.isNaN(value) ? last + 1 : Math.round(clamp(value, 0, 1) * last)));
    const marks = this.paths(groups).map((d, i) =>
      svg('path', i > last ? { d, class: 'gap' } : { d, stroke: `rgb(${columnColour(heading, i / last)})` }),
    );
    this.marks.replaceChildren(...marks.filter(Boolean));
    this.names.replaceChildren();
  }

  /**
   * @param {number[]} groups each point's
   * @returns {string[]} a path for each group: for each of its points a line without length, which has round ends
   */
  paths(groups) {
    /** @type {string[]} */
    const paths = [];
    groups.forEach((group, i) => {
      const [x, y] = this.points[i].map((value) => (value * SIDE).toFixed(1));
      paths[group] = `${paths[group] ?? ''}M${x} ${y}h0`;
    });
    return paths;
  }

  /**
   * @param {string} name
   * @param {number} label
   * @returns {SVGElement} the class's name at its median
   */
  nameOf(name, label) {
    const own = this.points.filter((_, i) => this.given.labels?.data[i] === label);
    const middle = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[own.length >> 1] * SIDE;
    const [x, y] = [0, 1].map((c) => middle(own.map((point) => point[c])));
    return svg('text', { x, y, class: `c${label % 10}` }, name);
  }

  /** @param {Point} point that is decoded */
  cross(point) {
    const [x, y] = this.onStage(point);
    this.spot.setAttribute('transform', `translate(${x * SIDE} ${y * SIDE})`);
  }

  /** Take the lasso away. */
  clear() {
    this.loop.removeAttribute('d');
  }

  // --- The pointer ------------------------------------------------------------

  /** @param {boolean} lassoing whether the next drag is the lasso's */
  take(lassoing) {
    this.lassoing = lassoing;
    this.lasso.setAttribute('aria-pressed', String(lassoing));
    this.element.classList.toggle('lassoing', lassoing);
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.element.setPointerCapture(event.pointerId);
    this.dragging = true;
    if (this.lassoing) this.loose = [this.at(event)];
    else this.follow(event);
  }

  /** @param {PointerEvent} event */
  follow(event) {
    this.does.dragged(this.inPlane(this.at(event)), event.timeStamp);
  }

  /**
   * Drags come as raw updates where the browser has these, which don't wait for the next frame.
   * @param {PointerEvent} event
   */
  raw(event) {
    if (this.dragging && !this.loose) this.follow(event);
  }

  /** @param {PointerEvent} event */
  hover(event) {
    if (this.loose) this.draw(this.loose, this.at(event));
    else if (!this.dragging) this.pointAt(this.at(event));
    else if (!('onpointerrawupdate' in window)) this.follow(event);
  }

  /**
   * @param {Point[]} loose
   * @param {Point} at
   */
  draw(loose, at) {
    loose.push(at);
    this.loop.setAttribute('d', `M${loose.map(([x, y]) => `${x * SIDE} ${y * SIDE}`).join('L')}Z`);
  }

  up() {
    this.dragging = false;
    const loop = this.loose;
    this.loose = null;
    if (!loop) return;
    this.take(false);
    this.does.drawn(this.points.flatMap((point, i) => (isInside(point, loop) ? [i] : [])));
  }

  /** @param {Point} at */
  pointAt([x, y]) {
    let [best, nearest] = [NEAR ** 2, -1];
    this.points.forEach(([a, b], i) => {
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < best) [best, nearest] = [distance, i];
    });
    this.ring.setAttribute('visibility', nearest < 0 ? 'hidden' : 'visible');
    if (nearest < 0) return;
    this.ring.setAttribute('cx', String(this.points[nearest][0] * SIDE));
    this.ring.setAttribute('cy', String(this.points[nearest][1] * SIDE));
    this.does.pointed(nearest);
  }
}
