/** A plane with axes to draw on, and handles on it that mouse, finger and arrow keys move. */
import { clamp } from '../shell/numbers.js';
import { h, svg } from './elements.js';

/** @typedef {[number, number]} Point */

const EDGE = 34; // room for the numbers on the axes, in units of the drawing

export class Plot {
  /**
   * @param {object} options
   * @param {Point} options.low corner of what is shown
   * @param {Point} options.high
   * @param {string} options.label what it is, in words
   * @param {number} [options.width]
   * @param {number} [options.height]
   * @param {[number[], number[]]} [options.ticks] the numbers on the axes
   * @param {(value: number, axis: number) => string} [options.show] how they are written on axis 0 or 1
   */
  constructor({ low, high, label, width = 460, height = 460, ticks = [[], []], show = String }) {
    this.low = low;
    this.high = high;
    this.size = [width, height];
    const [left, right, bottom, top] = [this.x(low[0]), this.x(high[0]), this.y(low[1]), this.y(high[1])];
    this.back = svg('g');
    this.front = svg('g');
    const grid = svg(
      'g',
      { class: 'axes' },
      ...ticks[0].map((value) =>
        svg('path', { class: value ? 'grid' : 'zero', d: `M${this.x(value)} ${bottom}V${top}` }),
      ),
      ...ticks[1].map((value) =>
        svg('path', { class: value ? 'grid' : 'zero', d: `M${left} ${this.y(value)}H${right}` }),
      ),
      ...ticks[0].map((value) =>
        svg('text', { class: 'tick', x: this.x(value), y: bottom + 22, 'text-anchor': 'middle' }, show(value, 0)),
      ),
      ...ticks[1].map((value) =>
        svg('text', { class: 'tick', x: left - 8, y: this.y(value) + 5, 'text-anchor': 'end' }, show(value, 1)),
      ),
    );
    this.element = svg(
      'svg',
      { class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label },
      this.back,
      grid,
      this.front,
    );
  }

  /** @param {number} value */
  x(value) {
    return EDGE + ((value - this.low[0]) / (this.high[0] - this.low[0])) * (this.size[0] - EDGE - 8);
  }

  /** @param {number} value */
  y(value) {
    return 8 + ((this.high[1] - value) / (this.high[1] - this.low[1])) * (this.size[1] - EDGE - 8);
  }

  /**
   * @param {Point[]} points
   * @returns {string} the way from one to the next, as a path's `d`; broken off where it leaves what is shown
   */
  path(points) {
    let pen = 'M';
    return points
      .map(([x, y]) => {
        const shown = y >= this.low[1] && y <= this.high[1];
        const piece = shown ? `${pen}${this.x(x).toFixed(2)} ${this.y(y).toFixed(2)}` : '';
        pen = shown ? 'L' : 'M';
        return piece;
      })
      .join('');
  }

  /**
   * @param {Point[]} points
   * @returns {string} the way from one to the next, and from three on back to the first, as a path's `d`
   */
  outline(points) {
    if (!points.length) return '';
    const corners = points.map(([x, y]) => `${this.x(x)} ${this.y(y)}`);
    return `M${corners.join('L')}${corners.length > 2 ? 'Z' : ''}`;
  }

  /**
   * @param {PointerEvent | MouseEvent} event
   * @returns {Point} where it is, at most at the edge
   */
  at(event) {
    const box = this.element.getBoundingClientRect();
    const across = ((event.clientX - box.left) / box.width) * this.size[0];
    const down = ((event.clientY - box.top) / box.height) * this.size[1];
    return this.inside([
      this.low[0] + ((across - EDGE) / (this.size[0] - EDGE - 8)) * (this.high[0] - this.low[0]),
      this.high[1] - ((down - 8) / (this.size[1] - EDGE - 8)) * (this.high[1] - this.low[1]),
    ]);
  }

  /**
   * @param {Point} point
   * @returns {Point} the nearest that is shown
   */
  inside(point) {
    return /** @type {Point} */ (point.map((value, i) => clamp(value, this.low[i], this.high[i])));
  }
}

/**
 * What a person drags about on a plot. An arrow key moves it by a hundredth of the plot, with Shift five times as far.
 * @param {Plot} plot
 * @param {object} options
 * @param {string} options.label
 * @param {Point} options.at
 * @param {(point: Point) => void} options.moved
 * @param {() => void} [options.pressed] called for a click without a drag, for Enter and for the space bar
 * @param {SVGElement} [options.shape]
 * @returns {{ element: SVGGElement, set: (point: Point, label?: string) => void }}
 */
export function handle(plot, { label, at, moved, pressed, shape = svg('circle', { r: 9 }) }) {
  let [point, held, dragged] = [at, false, false];
  const element = svg(
    'g',
    {
      class: 'handle',
      tabindex: 0,
      role: 'button',
      'aria-label': label,
      onpointerdown: (/** @type {PointerEvent} */ event) => {
        event.preventDefault();
        [held, dragged] = [true, false];
        element.setPointerCapture(event.pointerId);
        element.focus();
      },
      onpointermove: (/** @type {PointerEvent} */ event) => {
        if (held) {
          dragged = true;
          moved(plot.at(event));
        }
      },
      onpointerup: () => {
        if (held && !dragged) pressed?.();
        held = false;
      },
      onpointercancel: () => {
        held = false;
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const steps = /** @type {Record<string, Point>} */ ({
          ArrowLeft: [-1, 0],
          ArrowRight: [1, 0],
          ArrowUp: [0, 1],
          ArrowDown: [0, -1],
        });
        const step = steps[event.key];
        if (!step && event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        if (!step) return pressed?.();
        const far = event.shiftKey ? 0.05 : 0.01;
        moved(
          plot.inside(
            /** @type {Point} */ (point.map((value, i) => value + far * step[i] * (plot.high[i] - plot.low[i]))),
          ),
        );
      },
    },
    svg('circle', { class: 'reach', r: 22 }),
    shape,
  );
  const set = (/** @type {Point} */ now, said = label) => {
    point = now;
    element.setAttribute('transform', `translate(${plot.x(now[0])} ${plot.y(now[1])})`);
    element.setAttribute('aria-label', said);
  };
  set(at);
  return { element, set };
}

/**
 * @param {string} line its classes
 * @param {...(string | Node)} words
 * @returns {HTMLElement} what a line of a plot stands for
 */
export function keyItem(line, ...words) {
  const sample = { class: 'plot sample', viewBox: '0 0 40 8', 'aria-hidden': 'true' };
  return h('span', { class: 'item' }, svg('svg', sample, svg('path', { class: line, d: 'M0 4H40' })), ...words);
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} step
 * @returns {number[]} the multiples of `step` in between
 */
export function multiples(low, high, step) {
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {number[]} 1, 2 and 5 times powers of ten in between
 */
export function roundNumbers(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}

/**
 * @param {number} step
 * @returns {number} the next of 1, 2 and 5 times powers of ten
 */
export function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step || 1));
  return [1, 2, 5, 10].map((digit) => digit * power).find((value) => value >= 0.999 * step) ?? 1;
}
