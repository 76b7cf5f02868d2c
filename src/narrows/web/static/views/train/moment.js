/** A moment of a training in figures: its losses, its codes, and what comes back of some examples. */
import { Brush, blankCanvas } from '../../widgets/canvases.js';
import { h } from '../../widgets/elements.js';
import { RowBrush } from '../../widgets/rows.js';
import { codesPlot, lossPlot, scatter } from './plots.js';

/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/**
 * @typedef {{
 *   key: string, epochs: Integers, losses: Floats, validation: Floats, shape: number[], ink: boolean,
 *   columns: Heading[], originals: Shown, restored: Shown, names: string[], points: Floats, labels: Levels | null,
 *   classes: string[], units: number,
 * }} Moment
 */

export class MomentFigures {
  loss = h('div');
  codes = h('div');
  hint = h('p', { class: 'hint' });
  examples = h('div');
  /** @type {Moment | null} */
  shown = null;
  /** @type {Brush | null} */
  brush = null;

  /** @param {import('../../shell/app.js').App} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * @param {Moment} moment
   * @param {number} epochs of the whole training
   */
  draw(moment, epochs) {
    const { app, shown: before } = this;
    const { shape, ink, columns, names, units } = moment;
    this.shown = moment;
    if (columns.length) {
      this.examples.replaceChildren(this.table(moment));
    } else if (String(before?.shape) !== String(shape) || before?.names.join() !== names.join()) {
      this.brush = new Brush(shape, ink);
      this.examples.replaceChildren(...(isPlane(moment) ? [] : [this.rows(moment)]));
    }
    this.loss.replaceChildren(...lossPlot(app, moment, Math.max(epochs, 1)));
    this.codes.replaceChildren(codesPlot(app, moment));
    const key = units === 1 ? 'train.codes.one' : units === 2 ? 'train.codes.two' : 'train.codes.more';
    this.hint.textContent = app.t(key, { d: units });
    if (columns.length) return;
    if (isPlane(moment)) this.examples.replaceChildren(scatter(app, moment));
    else this.paint(moment);
  }

  /**
   * Of each row the original, and under it what comes back.
   * @param {Moment} moment
   */
  table({ columns, originals, restored, names }) {
    const { app } = this;
    const { texts } = /** @type {import('../../widgets/rows.js').Rows} */ (originals);
    return new RowBrush(app, columns).table(
      texts.flatMap((_, i) => [
        { name: names[i] || app.t('plane.original'), shown: originals, row: i, kind: 'first' },
        { name: app.t('plane.restored'), shown: restored, row: i },
      ]),
    );
  }

  /** @param {Moment} moment */
  rows(moment) {
    return h('div', { class: 'rows' }, this.row('original', moment), this.row('restored', moment));
  }

  /**
   * @param {'original' | 'restored'} kind
   * @param {Moment} moment
   */
  row(kind, { originals, names }) {
    const { app } = this;
    const words = (/** @type {number} */ i) => [
      app.t(`plane.${kind}`),
      ...(names[i] ? [app.t('label', { label: names[i] })] : []),
    ];
    const { shape } = /** @type {Levels} */ (originals);
    const canvases = Array.from({ length: shape[0] }, (_, i) => blankCanvas(words(i).join(', ')));
    return h('div', { class: 'ten' }, h('span', { class: 'hint' }, app.t(`plane.${kind}`)), ...canvases);
  }

  /** @param {Moment} moment */
  paint({ originals, restored }) {
    const canvases = [...this.examples.querySelectorAll('canvas')];
    const half = canvases.length / 2;
    canvases.forEach((canvas, i) => this.brush?.paint(canvas, i < half ? originals : restored, i % half));
  }
}

/** @param {Moment} moment */
function isPlane({ shape, columns }) {
  return !columns.length && shape.length === 1 && shape[0] === 2;
}
