/** The examples on the plane: as points, as many as can be told apart, or as a density where there are too many. */
import { clamp } from '../../shell/numbers.js';
import { context, themed } from '../../widgets/canvases.js';
import { mixed, thinned } from './points.js';

/** @typedef {import('../../widgets/canvases.js').Colour} Colour */
/** @typedef {import('./lens.js').Lens} Lens */
/** @typedef {{ inside: number, dense: boolean, rows: ArrayLike<number> }} InView how many, how, and which */

export const DENSE = 5000; // points in view from which their density is drawn
const FEW = 400; // points in view up to which all are drawn
const APART = 9; // pixels between points, at least, where there are more
const [TINY, SMALL, LARGE, HALO] = [2, 2.6, 3.2, 1]; // radii in a narrow window, of many and of few; a rim
const NARROW = 500; // pixels of the canvas
const UNSEEN = 60; // of 255, that a point must be darker or lighter than paper to be seen on it
const GRID = 112; // cells a side of the density
const [FAINT, STRONG, POWER] = [0.25, 0.95, 0.5]; // the density's opacity, from a single point to most
const [MARKS, MARK] = [60, 5]; // places along an edge for what lies beyond it, and the size of a mark there, in pixels

export class Cloud {
  canvas = document.createElement('canvas');
  grid = document.createElement('canvas');
  /** @type {ArrayLike<number>} */
  groups = [];
  /** @type {Colour[]} */
  palette = [];

  /** @param {Float32Array} points two numbers each */
  constructor(points) {
    this.points = points;
    this.order = mixed(points.length / 2);
    this.inView = new Int32Array(this.order.length);
    this.sums = Array.from({ length: 4 }, () => new Float32Array(GRID * GRID)); // of reds, greens, blues and points
    this.spare = new Float32Array(GRID * GRID);
    Object.assign(this.grid, { width: GRID, height: GRID });
    this.canvas.className = 'cloud';
    this.canvas.setAttribute('aria-hidden', 'true');
  }

  /**
   * @param {ArrayLike<number>} groups each point's
   * @param {Colour[]} palette the groups'
   */
  colour(groups, palette) {
    [this.groups, this.palette] = [groups, palette];
  }

  /**
   * @param {Lens} lens
   * @param {number} width of the canvas as it is shown, in pixels
   * @param {number} height
   * @returns {InView}
   */
  draw(lens, width, height) {
    const scale = devicePixelRatio;
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    const drawing = context(this.canvas);
    drawing.scale(scale, scale);
    const { rows, beyond } = this.sorted(lens);
    const dense = rows.length > DENSE;
    const shown = dense || rows.length <= FEW ? rows : this.thinned(lens, rows, width, height);
    if (dense) this.density(drawing, lens, rows, width, height);
    else this.dots(drawing, lens, shown, width, height);
    this.edges(drawing, beyond, width, height);
    return { inside: rows.length, dense, rows: shown };
  }

  /**
   * @param {Lens} lens
   * @returns {{ rows: Int32Array, beyond: Int16Array }} the points in view; and for each place along the edges the
   *   group of a point that lies beyond it, or −1
   */
  sorted(lens) {
    const { points, inView } = this;
    const [[x, y], [wide, high]] = [lens.low, lens.spans.map((span) => span / lens.factor)];
    const beyond = new Int16Array(4 * MARKS).fill(-1);
    let count = 0;
    for (const row of this.order) {
      const across = (points[2 * row] - x) / wide;
      const down = 1 - (points[2 * row + 1] - y) / high;
      if (across >= 0 && across <= 1 && down >= 0 && down <= 1) inView[count++] = row;
      else beyond[placeAlong(across, down)] = this.groups[row];
    }
    return { rows: inView.subarray(0, count), beyond };
  }

  /**
   * @param {Lens} lens
   * @param {Int32Array} rows
   * @param {number} width
   * @param {number} height
   */
  thinned(lens, rows, width, height) {
    const cells = [width, height].map((side) => 2 ** Math.floor(Math.log2((side * lens.factor) / APART)));
    const size = lens.spans.map((span, axis) => span / cells[axis]);
    return thinned(rows, this.points, lens.home.low, size);
  }

  /**
   * @param {CanvasRenderingContext2D} drawing
   * @param {Lens} lens
   * @param {ArrayLike<number>} rows
   * @param {number} width
   * @param {number} height
   */
  dots(drawing, lens, rows, width, height) {
    const radius = width < NARROW ? TINY : rows.length > FEW ? SMALL : LARGE;
    const dots = this.palette.map((colour) => dot(colour, radius));
    const half = radius + HALO;
    const [[x, y], [wide, high]] = [lens.low, lens.spans.map((span) => span / lens.factor)];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      const [across, up] = [(this.points[2 * row] - x) / wide, (this.points[2 * row + 1] - y) / high];
      drawing.drawImage(dots[this.groups[row]], across * width - half, (1 - up) * height - half, 2 * half, 2 * half);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} drawing
   * @param {Lens} lens
   * @param {Int32Array} rows
   * @param {number} width
   * @param {number} height
   */
  density(drawing, lens, rows, width, height) {
    const { points, sums, groups, palette } = this;
    const [[x, y], [wide, high]] = [lens.low, lens.spans.map((span) => span / lens.factor)];
    sums.forEach((sum) => sum.fill(0));
    for (const row of rows) {
      const across = Math.min(Math.floor(((points[2 * row] - x) / wide) * GRID), GRID - 1);
      const up = Math.min(Math.floor(((points[2 * row + 1] - y) / high) * GRID), GRID - 1);
      const cell = (GRID - 1 - up) * GRID + across;
      const colour = palette[groups[row]];
      for (let c = 0; c < 3; c++) sums[c][cell] += colour[c];
      sums[3][cell]++;
    }
    sums.forEach((sum) => smoothed(sum, this.spare));
    const image = new ImageData(GRID, GRID);
    const counts = sums[3];
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    counts.forEach((count, cell) => {
      if (count < 1e-3) return;
      for (let c = 0; c < 3; c++) image.data[4 * cell + c] = sums[c][cell] / count;
      const opacity = FAINT * Math.min(count * 4, 1) + (STRONG - FAINT) * (count / most) ** POWER;
      image.data[4 * cell + 3] = 255 * opacity;
    });
    context(this.grid).putImageData(image, 0, 0);
    drawing.imageSmoothingQuality = 'high';
    drawing.drawImage(this.grid, 0, 0, width, height);
  }

  /**
   * Mark where there are points beyond the edges.
   * @param {CanvasRenderingContext2D} drawing
   * @param {Int16Array} beyond
   * @param {number} width
   * @param {number} height
   */
  edges(drawing, beyond, width, height) {
    beyond.forEach((group, place) => {
      if (group < 0) return;
      const [edge, along] = [Math.floor(place / MARKS), ((place % MARKS) + 0.5) / MARKS];
      const [x, y] = edge < 2 ? [edge * width, along * height] : [along * width, (edge - 2) * height];
      const [right, down] = edge < 2 ? [edge ? -1 : 1, 0] : [0, edge > 2 ? -1 : 1]; // away from the edge
      drawing.beginPath();
      drawing.moveTo(x + right, y + down);
      drawing.lineTo(x + MARK * (1.4 * right + 0.7 * down), y + MARK * (1.4 * down + 0.7 * right));
      drawing.lineTo(x + MARK * (1.4 * right - 0.7 * down), y + MARK * (1.4 * down - 0.7 * right));
      drawing.fillStyle = `rgb(${this.palette[group]})`;
      drawing.fill();
    });
  }
}

/**
 * @param {number} across of the stage, outside of [0, 1] for at least one of both
 * @param {number} down
 * @returns {number} the nearest of the `MARKS` places along each edge: the left, right, upper and lower, in this order
 */
function placeAlong(across, down) {
  const beside = across < 0 || across > 1;
  const edge = beside ? Number(across > 1) : 2 + Number(down > 1);
  return edge * MARKS + clamp(Math.floor((beside ? down : across) * MARKS), 0, MARKS - 1);
}

/**
 * @param {Colour} colour
 * @param {number} radius
 * @returns {HTMLCanvasElement} a point with a rim, which tells it from its neighbours and from tiles: of paper, or of a
 *   colour that is seen on it where its own is not
 */
function dot(colour, radius) {
  const canvas = document.createElement('canvas');
  const side = 2 * (radius + HALO);
  Object.assign(canvas, { width: Math.ceil(side * devicePixelRatio), height: Math.ceil(side * devicePixelRatio) });
  const drawing = context(canvas);
  drawing.scale(canvas.width / side, canvas.height / side);
  const paper = themed('--paper');
  const rim = Math.abs(light(colour) - light(paper)) > UNSEEN ? paper : themed('--soft');
  for (const [paint, r] of /** @type {[Colour, number][]} */ ([
    [rim, radius + HALO],
    [colour, radius],
  ])) {
    drawing.beginPath();
    drawing.arc(side / 2, side / 2, r, 0, 2 * Math.PI);
    drawing.fillStyle = `rgb(${paint})`;
    drawing.fill();
  }
  return canvas;
}

/**
 * @param {Colour} colour
 * @returns {number} how light it is to the eye, up to 255
 */
function light([red, green, blue]) {
  return 0.3 * red + 0.59 * green + 0.11 * blue;
}

/**
 * Spread each cell over its neighbours, by ¼, ½ and ¼ along both axes.
 * @param {Float32Array} cells
 * @param {Float32Array} spare
 */
function smoothed(cells, spare) {
  for (const step of [1, GRID]) {
    spare.set(cells);
    for (let i = step; i < cells.length - step; i++) {
      cells[i] = spare[i] / 2 + (spare[i - step] + spare[i + step]) / 4;
    }
  }
}
