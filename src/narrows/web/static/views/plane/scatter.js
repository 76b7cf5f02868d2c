/** The plane as drawn: the examples as points, their classes' names, the place that is decoded, and the lasso. */
import { svg } from '../../widgets/elements.js';
import { Cloud } from './cloud.js';
import { isInside } from './points.js';

/** @typedef {import('./board.js').Groups} Groups */
/** @typedef {import('./cloud.js').InView} InView */
/** @typedef {import('./gestures.js').Spot} Spot */
/** @typedef {import('./lens.js').Lens} Lens */
/** @typedef {{ element: SVGElement, middle: number[], wide: number }} Name of a class, and the middle of its points */

const SIDE = 1000; // of the drawing's own coordinates
const NEAR = 0.025; // of the stage, within which a point is pointed at
const [LETTER, LINE] = [0.6, 1.05]; // of a name's size: how wide a letter is, and how far apart two names are

export class Scatter {
  names = svg('g', { class: 'names' });
  loop = svg('path', { class: 'loop' });
  ring = svg('circle', { class: 'ring', r: 11, visibility: 'hidden' });
  spot = svg(
    'g',
    { class: 'cross' },
    svg('circle', { r: 15 }),
    svg('path', { d: 'M-30 0H-15M15 0H30M0-30V-15M0 15V30' }),
  );
  /** @type {Name[]} */
  named = [];
  /** @type {number[][]} */
  corners = [];
  pointed = -1;
  /** @type {number[]} */
  place = [];
  /** @type {InView} */
  drawn = { inside: 0, dense: false, rows: [] };

  /**
   * @param {Float32Array} points two numbers each
   * @param {Lens} lens
   */
  constructor(points, lens) {
    this.points = points;
    this.lens = lens;
    this.cloud = new Cloud(points);
    const size = { viewBox: `0 0 ${SIDE} ${SIDE}`, 'aria-hidden': 'true' };
    this.layers = [this.cloud.canvas, svg('svg', size, this.names, this.loop, this.ring, this.spot)];
  }

  /** @param {Groups} groups */
  colour({ of, palette, names }) {
    this.cloud.colour(of, palette);
    this.named = names.map((name, i) => ({
      element: svg('text', { class: `c${i % 10}` }, name),
      middle: this.middle(Array.from(of, (group, row) => (group === i ? row : -1)).filter((row) => row >= 0)),
      wide: name.length,
    }));
    this.names.replaceChildren(...this.named.map(({ element }) => element));
  }

  /**
   * @param {number[]} rows
   * @returns {number[]} the medians of their places
   */
  middle(rows) {
    return [0, 1].map((axis) => Float32Array.from(rows, (row) => this.points[2 * row + axis]).sort()[rows.length >> 1]);
  }

  /**
   * @param {number} width as it is shown, in pixels
   * @param {number} height
   * @returns {InView}
   */
  draw(width, height) {
    this.drawn = this.cloud.draw(this.lens, width, height);
    this.spread();
    this.cross(this.place);
    this.circle(this.corners);
    if (this.pointed >= 0) this.surround(this.pointed);
    return this.drawn;
  }

  /** Put each name at its class's middle; or, where another stands there, as near above or below as there is room. */
  spread() {
    const size = parseFloat(getComputedStyle(this.names).fontSize);
    /** @type {{ x: number, y: number, wide: number }[]} */
    const placed = [];
    for (const { element, middle, wide } of this.named) {
      const [across, down] = this.lens.onStage(middle);
      const [x, from] = [across * SIDE, down * SIDE];
      const free = (/** @type {number} */ y) =>
        placed.every(
          (other) =>
            Math.abs(other.x - x) > (LETTER * size * (wide + other.wide)) / 2 || Math.abs(other.y - y) >= LINE * size,
        );
      const tries = Array.from({ length: 21 }, (_, i) => from + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * (size / 3));
      const y = tries.find(free) ?? from;
      placed.push({ x, y, wide });
      element.setAttribute('x', x.toFixed(1));
      element.setAttribute('y', y.toFixed(1));
    }
  }

  /** @param {number[]} place that is decoded */
  cross(place) {
    this.place = place;
    if (!place.length) return;
    const [x, y] = this.lens.onStage(place);
    this.spot.setAttribute('transform', `translate(${x * SIDE} ${y * SIDE})`);
  }

  /** @param {number[][]} corners of the lasso, places of the plane; none take it away */
  circle(corners) {
    this.corners = corners;
    const spots = corners.map((corner) => this.lens.onStage(corner).map((at) => (at * SIDE).toFixed(1)));
    if (spots.length) this.loop.setAttribute('d', `M${spots.map((spot) => spot.join(' ')).join('L')}Z`);
    else this.loop.removeAttribute('d');
  }

  /** @returns {number[]} the rows of the examples in the lasso */
  circled() {
    const loop = /** @type {Spot[]} */ (this.corners);
    const [low, high] = [Math.min, Math.max].map((end) => [0, 1].map((axis) => end(...loop.map((at) => at[axis]))));
    return Array.from(this.cloud.order)
      .filter((row) => {
        const [x, y] = this.points.subarray(2 * row, 2 * row + 2);
        return x >= low[0] && x <= high[0] && y >= low[1] && y <= high[1] && isInside([x, y], loop);
      })
      .sort((a, b) => a - b);
  }

  /**
   * Mark the example nearest to a spot.
   * @param {Spot} spot
   * @returns {number} its row; -1 where none is near
   */
  pointAt(spot) {
    const { points, lens } = this;
    const [[x, y], [wide, high]] = [lens.inPlane(spot), lens.spans.map((span) => span / lens.factor)];
    let [best, nearest] = [NEAR ** 2, -1];
    const { rows } = this.drawn;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      const distance = ((points[2 * row] - x) / wide) ** 2 + ((points[2 * row + 1] - y) / high) ** 2;
      if (distance < best) [best, nearest] = [distance, row];
    }
    this.pointed = nearest;
    this.ring.setAttribute('visibility', nearest < 0 ? 'hidden' : 'visible');
    if (nearest >= 0) this.surround(nearest);
    return nearest;
  }

  /** @param {number} row of the example that the ring goes around */
  surround(row) {
    const [x, y] = this.lens.onStage(this.points.subarray(2 * row, 2 * row + 2));
    this.ring.setAttribute('cx', String(x * SIDE));
    this.ring.setAttribute('cy', String(y * SIDE));
  }

  /** Mark no example. */
  unpoint() {
    this.pointed = -1;
    this.ring.setAttribute('visibility', 'hidden');
  }
}
