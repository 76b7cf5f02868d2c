/** The line of a code of one number: where each group's examples lie on it, the place that is decoded, and a range. */
import { clamp } from '../../shell/numbers.js';
import { svg } from '../../widgets/elements.js';
import { multiples, nice } from '../../widgets/plot.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./board.js').Groups} Groups */
/** @typedef {import('./cloud.js').InView} InView */
/** @typedef {import('./gestures.js').Spot} Spot */
/** @typedef {import('./lens.js').Lens} Lens */

const [WIDE, AXIS] = [1000, 60]; // the drawing's own width, and the height of its axis
const [ALL, LEAST, MOST] = [600, 26, 150]; // heights of all groups together, and of one
const [NARROW, TALLER] = [500, 2]; // pixels up to which all is so much taller
const [BINS, PASSES] = [200, 4]; // of the density, and how often it is smoothed
const [TICK, FILLED] = [0.16, 0.68]; // of a group's height: an example's mark, and the density at its highest
const NEAR = 0.02; // of the line, within which an example is pointed at

export class Line {
  groups = svg('g', { class: 'groups' });
  axis = svg('g', { class: 'ticks' });
  ring = svg('circle', { class: 'ring', r: 9, visibility: 'hidden' });
  range = svg('path', { class: 'loop' });
  spot = svg('path', { class: 'cross', d: 'M0 0V1' });
  /** @type {number[][]} */
  corners = [];
  pointed = -1;
  /** @type {number[]} */
  place = [];
  /** @type {Groups} */
  given = { of: [], palette: [], names: [] };
  tall = ALL;

  /**
   * @param {Float32Array} points
   * @param {Lens} lens
   * @param {App} app
   */
  constructor(points, lens, app) {
    this.points = points;
    this.lens = lens;
    this.app = app;
    this.drawing = svg('svg', { class: 'densities', 'aria-hidden': 'true' }, this.groups, this.axis, this.ring);
    const over = { class: 'over', viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' };
    this.layers = [this.drawing, svg('svg', over, this.range, this.spot)];
  }

  /** @param {Groups} groups */
  colour(groups) {
    this.given = groups;
    this.build();
  }

  /** Make room for the groups. */
  build() {
    const groups = this.given;
    this.drawing.setAttribute('viewBox', `0 0 ${WIDE} ${groups.palette.length * this.tall + AXIS}`);
    this.groups.replaceChildren(...groups.palette.map((colour, i) => this.group(colour, groups.names[i] ?? '', i)));
  }

  /**
   * @param {import('../../widgets/canvases.js').Colour} colour
   * @param {string} name
   * @param {number} i
   */
  group(colour, name, i) {
    const [fill, bottom] = [`rgb(${colour})`, (i + 1 - TICK) * this.tall];
    return svg(
      'g',
      {},
      svg('path', { class: 'density', fill }),
      svg('path', { class: 'base', d: `M0 ${bottom}H${WIDE}` }),
      svg('path', { class: 'rug', stroke: fill }),
      svg('text', { class: 'name', x: 8, y: bottom - 8, fill }, name),
    );
  }

  /**
   * @param {number} width as it is shown, in pixels
   * @returns {InView}
   */
  draw(width) {
    const { points, lens, given } = this;
    const tall = (width < NARROW ? TALLER : 1) * clamp(ALL / given.palette.length, LEAST, MOST);
    if (tall !== this.tall) {
      this.tall = tall;
      this.build();
    }
    const [low, wide] = [lens.low[0], lens.spans[0] / lens.factor];
    const counts = given.palette.map(() => new Float32Array(BINS));
    const marks = given.palette.map(() => new Set());
    const rows = [];
    for (let row = 0; row < points.length; row++) {
      const at = (points[row] - low) / wide;
      if (at < 0 || at > 1) continue;
      rows.push(row);
      counts[given.of[row]][Math.min(Math.floor(at * BINS), BINS - 1)]++;
      marks[given.of[row]].add(Math.round(at * WIDE));
    }
    counts.forEach(smoothed);
    const most = Math.sqrt(Math.max(...counts.map((bins) => bins.reduce((a, b) => Math.max(a, b), 0)))) || 1;
    Array.from(this.groups.children).forEach((group, i) => {
      const bottom = (i + 1 - TICK) * tall;
      const tops = Array.from(counts[i], (count, bin) => {
        const top = bottom - (FILLED * tall * Math.sqrt(count)) / most;
        return `L${(((bin + 0.5) * WIDE) / BINS).toFixed(1)} ${top.toFixed(1)}`;
      });
      group.children[0].setAttribute('d', `M0 ${bottom}${tops.join('')}L${WIDE} ${bottom}Z`);
      const rug = Array.from(marks[i], (x) => `M${x} ${bottom}v${(TICK * tall * 0.7).toFixed(1)}`);
      group.children[2].setAttribute('d', rug.join('') || 'M0 0');
    });
    this.number(low, low + wide);
    this.cross(this.place);
    this.circle(this.corners);
    if (this.pointed >= 0) this.surround(this.pointed);
    return { inside: rows.length, dense: true, rows };
  }

  /**
   * Write numbers on the axis.
   * @param {number} low
   * @param {number} high
   */
  number(low, high) {
    const top = this.given.palette.length * this.tall;
    const ticks = multiples(low, high, nice((high - low) / 6)).flatMap((value) => {
      const x = ((value - low) / (high - low)) * WIDE;
      if (x < 20 || x > WIDE - 20) return [];
      const text = this.app.n(value, { maximumSignificantDigits: 6 });
      return [svg('path', { d: `M${x} ${top}v8` }), svg('text', { x, y: top + 44, 'text-anchor': 'middle' }, text)];
    });
    this.axis.replaceChildren(...ticks);
  }

  /** @param {number[]} place that is decoded */
  cross(place) {
    this.place = place;
    if (place.length) this.spot.setAttribute('transform', `translate(${this.lens.onStage(place)[0]} 0)`);
  }

  /** @param {number[][]} corners of what is selected, from the first to the last; none take it away */
  circle(corners) {
    this.corners = corners;
    if (!corners.length) return this.range.removeAttribute('d');
    const [from, to] = [corners[0], corners[corners.length - 1]].map((corner) => this.lens.onStage(corner)[0]);
    this.range.setAttribute('d', `M${from} 0V1H${to}V0Z`);
  }

  /** @returns {number[]} the rows of the examples in the range */
  circled() {
    const ends = [this.corners[0][0], this.corners[this.corners.length - 1][0]].sort((a, b) => a - b);
    return Array.from(this.points.keys()).filter((row) => this.points[row] >= ends[0] && this.points[row] <= ends[1]);
  }

  /**
   * Mark the example of the group that a spot lies in which is nearest to it.
   * @param {Spot} spot
   * @returns {number} its row; -1 where none is near
   */
  pointAt(spot) {
    const { points, lens, given } = this;
    const [stage, box] = [this.drawing.parentElement, this.drawing.getBoundingClientRect()];
    const all = /** @type {HTMLElement} */ (stage).getBoundingClientRect();
    const down = (spot[1] * all.height + all.top - box.top) / box.width;
    const group = Math.floor((down * WIDE) / this.tall);
    const wide = lens.spans[0] / lens.factor;
    const x = lens.inPlane(spot)[0];
    let [best, nearest] = [NEAR * wide, -1];
    for (let row = 0; row < points.length; row++) {
      const distance = Math.abs(points[row] - x);
      if (given.of[row] === group && distance < best) [best, nearest] = [distance, row];
    }
    this.pointed = nearest;
    this.ring.setAttribute('visibility', nearest < 0 ? 'hidden' : 'visible');
    if (nearest >= 0) this.surround(nearest);
    return nearest;
  }

  /** @param {number} row of the example that the ring goes around */
  surround(row) {
    this.ring.setAttribute('cx', String(this.lens.onStage([this.points[row]])[0] * WIDE));
    this.ring.setAttribute('cy', String((this.given.of[row] + 1 - TICK * 0.6) * this.tall));
  }

  /** Mark no example. */
  unpoint() {
    this.pointed = -1;
    this.ring.setAttribute('visibility', 'hidden');
  }
}

/**
 * Spread each bin over its neighbours, by ¼, ½ and ¼, several times.
 * @param {Float32Array} bins
 */
function smoothed(bins) {
  for (let pass = 0; pass < PASSES; pass++) {
    const before = bins.slice();
    const at = (/** @type {number} */ i) => before[clamp(i, 0, BINS - 1)];
    for (let i = 0; i < BINS; i++) bins[i] = before[i] / 2 + (at(i - 1) + at(i + 1)) / 4;
  }
}
