/** What stands behind the points: what the codes there decode to, faded where there are no data, finer from near. */
import { clamp } from '../../shell/numbers.js';
import { context, heat, themed } from '../../widgets/canvases.js';
import { RowBrush } from '../../widgets/rows.js';
import { newest } from '../../wire/newest.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/** @typedef {import('./lens.js').Lens} Lens */
/** @typedef {{ levels: Levels, seen: Levels, side: number }} Tiles */
/** @typedef {{ side: number, low: number[], high: number[] }} Block of tiles: how many along an axis; its corners */

const [MANY, FEW, LARGE] = [18, 12, 40]; // tiles a side; fewer of examples with more pixels a side than `LARGE`,
const NARROW = 500; // and on a canvas narrower than so many pixels
const FINE = 32; // tiles a side of a single colour
const LINE = 12; // tiles along a line
const GAP = 0.08; // of a tile, on each side of it
const [NEAR_DATA, FAR_FROM_DATA] = [0.85, 0.12]; // opacities
const [LOWEST, REACH] = [1, 254]; // of the bytes that say where a cell lies

export class Background {
  canvas = document.createElement('canvas');
  drawn = document.createElement('canvas');
  /** @type {Block | null} what is drawn */
  block = null;
  wanted = '';

  /**
   * @param {App} app
   * @param {import('./plane.js').Axes} axes
   * @param {number[]} z the code through which the plane goes
   * @param {Lens} lens
   * @param {() => void} came called when there is something new to be drawn
   */
  constructor(app, axes, z, lens, came) {
    this.app = app;
    this.axes = axes;
    this.z = z;
    this.lens = lens;
    this.came = came;
    this.canvas.className = 'tiles pixels';
    this.canvas.setAttribute('aria-hidden', 'true');
    this.fetch = newest((/** @type {Block} */ block) => app.attempt(() => this.ask(block)));
  }

  /** Decode the tiles anew, at the next drawing. */
  renew() {
    this.wanted = '';
  }

  /**
   * @param {number} width of the canvas as it is shown, in pixels
   * @param {number} height
   */
  draw(width, height) {
    const { canvas, lens, block } = this;
    canvas.hidden = this.app.state.tiles === '0';
    if (canvas.hidden) return;
    this.want(width);
    Object.assign(canvas, {
      width: Math.round(width * devicePixelRatio),
      height: Math.round(height * devicePixelRatio),
    });
    if (!block) return;
    const [left, bottom] = lens.onStage(block.low);
    const [right, top] = lens.onStage(block.high);
    const [from, to] = bottom === undefined ? this.middle(right - left, width / height) : [top, bottom];
    const drawing = context(canvas);
    drawing.imageSmoothingEnabled = false;
    drawing.scale(canvas.width, canvas.height);
    drawing.drawImage(this.drawn, left, from, right - left, to - from);
  }

  /**
   * @param {number} across what the tiles take of the canvas's width
   * @param {number} wide the canvas, in parts of its height
   * @returns {[number, number]} where they begin and end on its height: in the middle, and undistorted
   */
  middle(across, wide) {
    if (this.app.brush instanceof RowBrush) return [0, 1];
    const tall = (across * wide * this.drawn.height) / this.drawn.width;
    return [(1 - tall) / 2, (1 + tall) / 2];
  }

  /**
   * Ask for the tiles that are in view, if they are not on their way.
   * @param {number} width of the canvas as it is shown, in pixels
   */
  want(width) {
    const block = blockOf(this.lens, this.side(width));
    const wanted = JSON.stringify(block);
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.fetch(block);
  }

  /**
   * @param {number} width of the canvas as it is shown, in pixels
   * @returns {number} tiles along an axis, at first
   */
  side(width) {
    const { brush } = this.app;
    if (brush instanceof RowBrush) return FINE;
    if (this.lens.spans.length === 1) return LINE;
    return width < NARROW || Math.max(...brush.size) > LARGE ? FEW : MANY;
  }

  /** @param {Block} block */
  async ask(block) {
    const { app, axes, z } = this;
    /** @type {Tiles} */
    const tiles = await app.connection.ask('tiles', { ...app.named, axes, z, ...block });
    paint(app, tiles, this.drawn);
    this.block = block;
    this.came();
  }
}

/**
 * The tiles of a grid that are in view, and one more on each side. From twice as near on the grid is twice as fine; it
 * stands still, so that a tile shows the same wherever one looks from.
 * @param {Lens} lens
 * @param {number} side tiles along an axis, at first
 * @returns {Block}
 */
export function blockOf(lens, side) {
  const sizes = lens.spans.map((span) => span / side / 2 ** Math.round(Math.log2(lens.factor)));
  const first = lens.low.map((low, axis) => Math.floor((low - lens.home.low[axis]) / sizes[axis]) - 1);
  const ends = lens.low.map((low, axis) => {
    const high = low + lens.spans[axis] / lens.factor;
    return Math.ceil((high - lens.home.low[axis]) / sizes[axis]) + 1;
  });
  const most = Math.max(...ends.map((end, axis) => end - first[axis]));
  const corner = (/** @type {number} */ tiles) =>
    first.map((at, axis) => lens.home.low[axis] + (at + tiles) * sizes[axis]);
  return { side: most, low: corner(0), high: corner(most) };
}

/**
 * @param {App} app
 * @param {Tiles} tiles
 * @param {HTMLCanvasElement} canvas
 */
function paint(app, { levels, seen, side }, canvas) {
  const { brush } = app;
  const rows = brush instanceof RowBrush;
  const [width, height] = rows ? [1, 1] : brush.size;
  const gap = rows ? 0 : Math.ceil(GAP * Math.min(width, height));
  const [wide, high] = [width + 2 * gap, height + 2 * gap];
  const count = levels.shape[0];
  Object.assign(canvas, { width: side * wide, height: (count / side) * high });
  const one = document.createElement('canvas');
  Object.assign(one, { width, height });
  const drawing = context(canvas);
  const [column, heading] = shownColumn(app);
  for (let i = 0; i < count; i++) {
    if (rows) {
      const at = (levels.data[i * levels.shape[1] + column] - LOWEST) / REACH;
      context(one).fillStyle = `rgb(${columnColour(heading, at)})`;
      context(one).fillRect(0, 0, 1, 1);
    } else brush.paint(one, levels, i);
    drawing.globalAlpha = seen.data[i] ? NEAR_DATA : FAR_FROM_DATA;
    drawing.drawImage(one, (i % side) * wide + gap, Math.floor(i / side) * high + gap);
  }
}

/**
 * @param {App} app
 * @returns {[number, Heading]} the column of rows that the tiles show, by its number
 */
export function shownColumn(app) {
  const { columns } = app.model;
  const found = columns.findIndex(({ name }) => name === app.state.column);
  return [Math.max(found, 0), columns[Math.max(found, 0)]];
}

/**
 * @param {Heading} heading
 * @param {number} at on the column's range
 * @returns {import('../../widgets/canvases.js').Colour}
 */
export function columnColour({ levels }, at) {
  if (!levels.length) return heat(clamp(at, 0, 1));
  return themed(`--c${Math.round(clamp(at, 0, 1) * (levels.length - 1)) % 10}`);
}
