/** The board: the plane or the line, what stands behind it, what is beside its edges, and the hands on it. */
import { h } from '../../widgets/elements.js';
import { Background } from './background.js';
import { Gestures } from './gestures.js';
import { Lens } from './lens.js';
import { Line } from './line.js';
import { Scatter } from './scatter.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../widgets/canvases.js').Colour} Colour */
/** @typedef {{ of: ArrayLike<number>, palette: Colour[], names: string[] }} Groups each example's, and their colours */
/**
 * @typedef {object} Does what is done about what a person does
 * @property {(place: number[], stamp: number) => void} dragged to a place
 * @property {(row: number) => void} pointed at an example
 * @property {(rows: number[]) => void} drawn around examples
 */

const [STEP, NEARER] = [0.01, 1.4]; // of what is shown, a press of an arrow key; times as near, one of + or −

export class Board {
  note = h('span', { class: 'note' });
  outside = h('button', { class: 'quiet outside', hidden: true, onclick: () => this.see(() => this.lens.whole()) });
  frame = 0;

  /**
   * @param {App} app
   * @param {import('./plane.js').Plane} given
   * @param {import('./plane.js').Axes} axes
   * @param {number[]} z the code through which the plane goes
   * @param {Does} does
   */
  constructor(app, given, axes, z, does) {
    this.app = app;
    this.given = given;
    this.lens = new Lens(given.low.data, given.high.data, given.points.data);
    this.lens.read(app.state.zoom);
    this.background = new Background(app, axes, z, this.lens, () => this.redraw());
    const flat = given.axes.length > 1;
    this.drawing = flat ? new Scatter(given.points.data, this.lens) : new Line(given.points.data, this.lens, app);
    this.lasso = h(
      'button',
      { 'aria-pressed': 'false', title: app.t('plane.lasso.help'), onclick: () => this.take(!this.gestures.lassoing) },
      app.t('plane.lasso'),
    );
    this.stage = h(
      'div',
      {
        class: flat ? 'stage' : 'stage line',
        tabindex: 0,
        role: 'application',
        'aria-label': app.t('plane.stage'),
        'aria-keyshortcuts': '+ - R',
      },
      this.background.canvas,
      ...this.drawing.layers,
    );
    this.ends = given.axes.map(() => [h('span', { class: 'number' }), h('span', { class: 'number' })]);
    this.gestures = this.handed(does);
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(this.stage);
  }

  /** @param {Does} does */
  handed(does) {
    const { lens, drawing } = this;
    return new Gestures(this.stage, {
      dragged: (at, stamp) => does.dragged(lens.inPlane(at), stamp),
      pointed: (at) => {
        const row = drawing.pointAt(at);
        if (row >= 0) does.pointed(row);
      },
      left: () => drawing.unpoint(),
      drawn: (loose, done) => {
        drawing.circle(loose.map((at) => lens.inPlane(at)));
        if (!done) return;
        this.take(false);
        does.drawn(drawing.circled());
      },
      panned: (by) => this.see(() => lens.pan(by)),
      zoomed: (by, at) => {
        const before = lens.factor;
        this.see(() => lens.zoom(by, at));
        return lens.factor !== before;
      },
      reset: () => this.see(() => lens.reset()),
    });
  }

  buttons() {
    const { app } = this;
    const button = (/** @type {string} */ sign, /** @type {string} */ words, /** @type {-1 | 0 | 1} */ nearer) =>
      h('button', { title: words, 'aria-label': words, onclick: () => this.zoom(nearer) }, sign);
    return h(
      'div',
      { class: 'nearer controls' },
      button('+', app.t('plane.nearer'), 1),
      button('−', app.t('plane.farther'), -1),
      button('⟲', app.t('plane.reset'), 0),
    );
  }

  /** @returns {HTMLElement[]} what the axes are called, and where what is shown begins and ends */
  axes() {
    const { app } = this;
    return this.ends.map(([low, high], axis) => {
      const name = this.given.axes[axis];
      const words = h('span', {}, app.t(name[0] === 'p' ? 'plane.p' : 'plane.z', { i: name.slice(1) }));
      const parts = this.given.axes.length > 1 ? [low, words, high] : [words]; // a line has its numbers on it
      return h('div', { class: axis ? 'axis up' : 'axis across' }, ...parts);
    });
  }

  // --- What is shown ----------------------------------------------------------

  /** @param {() => void} change how one looks */
  see(change) {
    change();
    this.app.set({ zoom: this.lens.text });
    this.redraw();
  }

  /** @param {-1 | 0 | 1} nearer by a step, or farther, about the place that is decoded if it is shown; 0 as at first */
  zoom(nearer) {
    const { lens, drawing } = this;
    const at = lens.onStage(drawing.place.length ? drawing.place : lens.middle);
    const shown = at.every((part) => part >= 0 && part <= 1);
    this.see(() => (nearer ? lens.zoom(NEARER ** nearer, shown ? at : [0.5, 0.5]) : lens.reset()));
  }

  /**
   * @param {number[]} place
   * @param {number[]} steps to the right and up
   * @returns {number[]} the place that far off, which is shown
   */
  moved(place, steps) {
    const { lens } = this;
    const to = place.map((value, axis) => value + (STEP * steps[axis] * lens.spans[axis]) / lens.factor);
    const reached = lens.inReach(to);
    this.see(() => lens.follow(reached));
    return reached;
  }

  /** @param {Groups} groups */
  colour(groups) {
    this.drawing.colour(groups);
    this.redraw();
  }

  /** @param {boolean} lassoing whether the next drag is the lasso's */
  take(lassoing) {
    this.gestures.lassoing = lassoing;
    this.lasso.setAttribute('aria-pressed', String(lassoing));
    this.stage.classList.toggle('lassoing', lassoing);
  }

  /** Draw at the next frame. */
  redraw() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const start = performance.now();
    const { width, height } = this.stage.getBoundingClientRect();
    if (!width) return;
    this.background.draw(width, this.given.axes.length > 1 ? height : this.background.canvas.clientHeight);
    this.say(this.drawing.draw(width, height));
    performance.measure('frame', { start, end: performance.now() });
  }

  /** @param {import('./cloud.js').InView} drawn */
  say({ inside, dense, rows }) {
    const { app, lens } = this;
    const [all, count] = [this.given.points.shape[0], app.n(inside, {})];
    const key = this.given.axes.length < 2 ? '' : dense ? 'plane.dense' : rows.length < inside ? 'plane.thinned' : '';
    this.note.textContent = key && app.t(key, { drawn: app.n(rows.length, {}), count });
    this.outside.textContent = app.t('plane.outside', { count: app.n(all - inside, {}) });
    this.outside.hidden = all === inside;
    this.ends.forEach((ends, axis) => {
      const low = lens.low[axis];
      const digits = Math.max(0, Math.ceil(1 - Math.log10(lens.spans[axis] / lens.factor)));
      [low, low + lens.spans[axis] / lens.factor].forEach((value, i) => {
        ends[i].textContent = app.n(value, { maximumFractionDigits: digits });
      });
    });
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.resized.disconnect();
  }
}
