/** The plane: drag through the codes of the data, over what the codes in between stand for. */
import { join, split } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { heat, themed } from '../../widgets/canvases.js';
import { dragPainter } from '../../widgets/drag-painter.js';
import { h } from '../../widgets/elements.js';
import { newest } from '../../wire/newest.js';
import { columnColour, shownColumn } from './background.js';
import { Beside } from './beside.js';
import { Board } from './board.js';
import { BINS, colouring, columnKey, controls, key } from './controls.js';
import { ranked } from './points.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('./board.js').Groups} Groups */
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

/** @type {import('../../shell/views.js').Module} */
export const plane = {
  async mount(root, app) {
    const axes = axesOf(app);
    /** @type {Plane} */
    const given = await app.connection.ask('plane', { model: app.model.id, axes });
    const view = new PlaneView(root, app, axes, given);
    await view.start();
    return view;
  },
};

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
  /** @type {number[]} */
  place = [];

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
    this.where = app.t(given.axes.length > 1 ? 'plane.decoded' : 'plane.decoded.line');
    this.decoded = this.brush.blank(this.where);
    this.painter = dragPainter(
      (/** @type {At} */ answer) => this.painted(answer),
      ({ z }) => app.set({ z: join(z) }),
    );
    this.drag = newest((/** @type {number[] | null} */ place, /** @type {number} */ stamp) =>
      this.decode(place, stamp),
    );
    this.beside = new Beside(app, () => this.board.drawing.circle([]));
    this.board = new Board(app, given, axes, this.z, {
      dragged: (place, stamp) => {
        this.place = place;
        this.drag(place, stamp);
      },
      pointed: (row) => this.beside.pointAt(row),
      drawn: (rows) => this.select(rows),
    });
    this.scale = h('span', { class: 'scale' });
    const large = h('figure', { class: 'large' }, this.decoded, this.said);
    this.key = key(app, given, this.scale, [this.board.note, this.board.outside]);
    root.append(
      h('div', { class: 'board' }, this.board.stage, ...this.board.axes(), this.board.buttons(), this.key),
      h(
        'aside',
        {},
        large,
        this.beside.element,
        controls(app, axes, given, this.board.lasso, (rows) => this.select(rows)),
      ),
    );
  }

  async start() {
    await Promise.all([this.mark(), this.decode(null, 0)]);
  }

  /** Colour the points. */
  async mark() {
    const by = colouring(this.app, this.given);
    this.scale.hidden = by !== 'error';
    this.board.colour(by === 'label' ? this.classes() : by === 'column' ? await this.column() : await this.bins());
  }

  /** @returns {Groups} the classes */
  classes() {
    const { labels, classes } = this.given;
    return { of: labels?.data ?? [], palette: classes.map((_, i) => themed(`--c${i % 10}`)), names: classes };
  }

  /** @returns {Promise<Groups>} parts of the range of the column that is chosen, or its levels, and missing cells */
  async column() {
    const { app } = this;
    const [, heading] = shownColumn(app);
    /** @type {Values} */
    const { at } = await app.connection.ask('values', { model: app.model.id, column: heading.name });
    const last = (heading.levels.length || BINS) - 1;
    const parts = Array.from({ length: last + 1 }, (_, i) => columnColour(heading, i / (last || 1)));
    const part = (/** @type {number} */ value) =>
      Number.isNaN(value) ? last + 1 : Math.round(clamp(value, 0, 1) * last);
    return { of: Array.from(at.data, part), palette: [...parts, themed('--soft')], names: [] };
  }

  /** @returns {Promise<Groups>} as many examples each, by their errors */
  async bins() {
    /** @type {Errors} */
    const { values } = await this.app.connection.ask('errors', { model: this.app.model.id });
    const palette = Array.from({ length: BINS }, (_, bin) => heat(bin / (BINS - 1)));
    return { of: ranked(values.data, BINS), palette, names: [] };
  }

  /** @param {number[]} rows */
  select(rows) {
    if (rows.length) this.beside.gather(rows);
    else this.beside.clear();
  }

  /** @param {number} x @param {number} y steps */
  move(x, y) {
    this.place = this.board.moved(this.place, [x, y]); // now, for presses in quick succession
    this.drag(this.place, performance.now());
  }

  /** @param {-1 | 0 | 1} nearer */
  zoom(nearer) {
    this.board.zoom(nearer);
  }

  /**
   * @param {number[] | null} point null for where the code lies
   * @param {number} stamp when the person moved
   */
  async decode(point, stamp) {
    const { app, axes, z } = this;
    await app.attempt(async () => {
      /** @type {At} */
      const answer = await app.connection.ask('at', { ...app.named, axes, z, point });
      this.z = answer.z;
      if (point === null) this.place = answer.point;
      this.painter.show(answer, stamp);
    });
  }

  /** @param {At} answer */
  painted({ levels, z, point, seen }) {
    const { app } = this;
    this.brush.paint(this.decoded, levels);
    this.board.drawing.cross(point);
    this.said.replaceChildren(
      h('strong', {}, this.where),
      h('span', { class: 'number' }, app.code(z)),
      h('span', { class: seen ? '' : 'warn' }, app.t(seen ? 'plane.seen' : 'plane.unseen')),
    );
  }

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('axes')) this.app.show();
    if (changed.includes('colour') || changed.includes('column')) this.app.attempt(() => this.mark());
    if (changed.includes('column')) {
      this.key.querySelector('.of-column')?.replaceChildren(...columnKey(this.app));
      this.board.background.renew();
    }
    if (changed.includes('tiles')) this.board.redraw();
  }

  python() {
    const z = join(this.z).replaceAll(',', ', ');
    const made = this.app.model.columns.length ? ['row', ''] : ['image', '[0]'];
    return [`z = [[${z}]]`, `${made[0]} = model.inverse_transform(z${this.app.pythonLabel})${made[1]}`];
  }

  close() {
    this.painter.close();
    this.board.close();
  }
}
