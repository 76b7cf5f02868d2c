/** The plane: drag through the codes of the data, over what the codes in between stand for. */
import { join, split } from '../../shell/address.js';
import { dragPainter } from '../../widgets/drag-painter.js';
import { h } from '../../widgets/elements.js';
import { newest } from '../../wire/newest.js';
import { background, shownColumn } from './background.js';
import { Beside } from './beside.js';
import { colouring, columnKey, controls, key } from './controls.js';
import { ranked } from './points.js';
import { BINS, Stage } from './stage.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('./stage.js').Point} Point */
/**
 * @typedef {{
 *   points: Floats, low: Floats, high: Floats, labels: Levels | null, classes: string[], axes: string[],
 *   explained: number, mean: number[],
 * }} Plane
 */
/** @typedef {{ levels: Shown, z: number[], point: number[], seen: boolean }} At */
/** @typedef {{ values: Floats }} Errors */
/** @typedef {{ at: Floats }} Values */
/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/** @typedef {'pca' | [number, number]} Axes principal ones, or two units of the code */

const STEP = 0.01; // of the plane, a press of an arrow key

/** @type {import('../../shell/views.js').Module} */
export const plane = {
  async mount(root, app) {
    const axes = axesOf(app);
    /** @type {Plane} */
    const given = await app.connection.ask('plane', { model: app.model.id, axes });
    const view = new PlaneView(root, app, axes, given.axes.length > 1 ? given : spread(given));
    await view.start();
    return view;
  },
};

/**
 * @param {Plane} given along one axis
 * @returns {Plane} the same in a plane, at the height 0
 */
function spread(given) {
  const { points, low, high } = given;
  const [from, to] = [low, high].map((ends, i) => ({ data: new Float32Array([ends.data[0], 2 * i - 1]), shape: [2] }));
  const both = new Float32Array(2 * points.shape[0]);
  points.data.forEach((value, i) => both.set([value, 0], 2 * i));
  return {
    ...given,
    low: from,
    high: to,
    axes: [...given.axes, ''],
    points: { data: both, shape: [both.length / 2, 2] },
  };
}

/**
 * @param {App} app
 * @returns {Axes}
 */
function axesOf(app) {
  const units = split(app.state.axes, 2);
  const d = app.model.latent_dim;
  const isUnit = (/** @type {number} */ unit) => Number.isInteger(unit) && unit >= 0 && unit < d;
  return units && d > 2 && units[0] !== units[1] && units.every(isUnit) ? [units[0], units[1]] : 'pca';
}

class PlaneView {
  said = h('figcaption', { 'aria-live': 'polite' });
  /** @type {Point} */
  point = [0, 0];

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Axes} axes
   * @param {Plane} given
   */
  constructor(root, app, axes, given) {
    this.app = app;
    this.axes = axes;
    this.given = given;
    this.brush = app.brush;
    this.z = split(app.state.z, app.model.latent_dim) ?? given.mean;
    this.decoded = this.brush.blank(app.t('plane.decoded'));
    this.painter = dragPainter(
      (/** @type {At} */ answer) => this.painted(answer),
      ({ z }) => app.set({ z: join(z) }),
    );
    this.drag = newest((/** @type {Point | null} */ point, /** @type {number} */ stamp) => this.decode(point, stamp));
    this.beside = new Beside(app, () => this.stage.clear());
    this.stage = new Stage(app, given, {
      dragged: (point, stamp) => {
        this.point = point;
        this.drag(point, stamp);
      },
      pointed: (row) => this.beside.pointAt(row),
      drawn: (rows) => this.select(rows),
    });
    this.scale = h('span', { class: 'scale' });
    const large = h('figure', { class: 'large' }, this.decoded, this.said);
    this.board = h(
      'div',
      { class: 'board' },
      this.stage.element,
      h('span', { class: 'axis up' }, this.axisName(1)),
      h('span', { class: 'axis across' }, this.axisName(0)),
      key(app, given, this.scale),
    );
    root.append(
      this.board,
      h(
        'aside',
        {},
        large,
        this.beside.element,
        controls(app, axes, given, this.stage.lasso, (rows) => this.select(rows)),
      ),
    );
  }

  async start() {
    this.app.attempt(() => this.behind()); // which may take a while, and comes when it comes
    await Promise.all([this.mark(), this.decode(null, 0)]);
  }

  /** @param {0 | 1} i */
  axisName(i) {
    const name = this.given.axes[i];
    return name ? this.app.t(name[0] === 'p' ? 'plane.p' : 'plane.z', { i: name.slice(1) }) : '';
  }

  /** Colour the points. */
  async mark() {
    const by = colouring(this.app, this.given);
    this.scale.hidden = by !== 'error';
    if (by === 'label') this.stage.markLabels();
    else if (by === 'column') this.stage.markColumn(...(await this.column()));
    else this.stage.markBins(await this.bins());
  }

  /** @returns {Promise<[Heading, ArrayLike<number>]>} the column that is chosen, and where the examples lie on it */
  async column() {
    const { app } = this;
    const [, heading] = shownColumn(app);
    /** @type {Values} */
    const { at } = await app.connection.ask('values', { model: app.model.id, column: heading.name });
    return [heading, at.data];
  }

  /** @returns {Promise<number[]>} each example's colour by its error, as many of each */
  async bins() {
    /** @type {Errors} */
    const { values } = await this.app.connection.ask('errors', { model: this.app.model.id });
    return ranked(values.data, BINS);
  }

  async behind() {
    const { app, axes, z, stage } = this;
    stage.tiles.hidden = app.state.tiles === '0';
    if (!stage.tiles.hidden) await background(app, axes, z, stage.tiles);
  }

  /** @param {number[]} rows */
  select(rows) {
    if (rows.length) this.beside.gather(rows);
    else this.beside.clear();
  }

  /** @param {number} x @param {number} y steps */
  move(x, y) {
    this.point = this.stage.moved(this.point, STEP * x, STEP * y); // now, for presses in quick succession
    this.drag(this.point, performance.now());
  }

  /**
   * @param {Point | null} point null for where the code lies
   * @param {number} stamp when the person moved
   */
  async decode(point, stamp) {
    const { app, axes, z } = this;
    const place = point && point.slice(0, Math.min(z.length, 2));
    await app.attempt(async () => {
      /** @type {At} */
      const answer = await app.connection.ask('at', { ...app.named, axes, z, point: place });
      this.z = answer.z;
      if (point === null) this.point = [answer.point[0], answer.point[1] ?? 0];
      this.painter.show(answer, stamp);
    });
  }

  /** @param {At} answer */
  painted({ levels, z, point, seen }) {
    const { app } = this;
    this.brush.paint(this.decoded, levels);
    this.stage.cross([point[0], point[1] ?? 0]);
    this.said.replaceChildren(
      h('strong', {}, app.t('plane.decoded')),
      h('span', { class: 'number' }, app.code(z)),
      h('span', { class: seen ? '' : 'warn' }, app.t(seen ? 'plane.seen' : 'plane.unseen')),
    );
  }

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('axes')) this.app.show();
    if (changed.includes('colour') || changed.includes('column')) this.app.attempt(() => this.mark());
    if (changed.includes('column')) this.board.querySelector('.of-column')?.replaceChildren(...columnKey(this.app));
    if (changed.includes('tiles') || changed.includes('column')) this.app.attempt(() => this.behind());
  }

  python() {
    const z = join(this.z).replaceAll(',', ', ');
    const made = this.app.model.columns.length ? ['row', ''] : ['image', '[0]'];
    return [`z = [[${z}]]`, `${made[0]} = model.inverse_transform(z${this.app.pythonLabel})${made[1]}`];
  }

  close() {
    this.painter.close();
  }
}
