/** Numbers in a grid of squares, of which one is chosen: with mouse, finger or arrow keys. */
import { clamp } from '../shell/numbers.js';
import { svg } from './elements.js';

/** @typedef {(row: number, column: number) => string} Told */
/**
 * @typedef {object} Shown
 * @property {[number, number]} size rows and columns
 * @property {[number, number]} at the chosen one
 * @property {Told} text what stands in a square; nothing where it is empty yet
 * @property {Told} label the same for a reader of screens
 * @property {(row: number, column: number) => number} tone how dark a square is, in [−1, 1]; below 0 in another colour
 * @property {[top: number, left: number, bottom: number, right: number]} [border] squares of padding, not to be chosen
 * @property {string} [padding] what stands in these
 * @property {[row: number, column: number, rows: number, columns: number] | null} [frame] around some, drawn last
 */

const SIDE = 40;
const DARKEST = 0.35; // of the colour, so that numbers in ink can be read on it
const ARROWS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
});

export class Cells {
  element = svg('svg', { class: 'cells', role: 'group' });
  ground = svg('g');
  front = svg('path', { class: 'frame' });
  /** @type {SVGGElement[]} */
  cells = [];
  /** @type {Shown | null} */
  shown = null;

  /**
   * @param {string} label what they are
   * @param {object} does
   * @param {(row: number, column: number) => void} does.chosen
   * @param {(key: string) => boolean} [does.typed] asked about other keys than arrows; says whether one meant something
   * @param {boolean} [does.hover] whether pointing is choosing
   */
  constructor(label, does) {
    this.does = does;
    this.element.setAttribute('aria-label', label);
    this.element.append(this.ground, this.front);
  }

  /** @param {Shown} shown */
  draw(shown) {
    const {
      size: [rows, columns],
      at,
      border: [top, left, bottom, right] = [0, 0, 0, 0],
      padding = '',
      frame,
    } = shown;
    const anew = String([shown.size, shown.border]) !== String(this.shown && [this.shown.size, this.shown.border]);
    const focused = anew && this.element.contains(document.activeElement);
    this.shown = shown;
    if (anew) this.build();
    this.ground.querySelectorAll('text').forEach((text) => {
      text.textContent = padding;
    });
    this.cells.forEach((cell, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const [text, tone] = [shown.text(row, column), shown.tone(row, column)];
      const chosen = row === at[0] && column === at[1];
      cell.setAttribute('class', `cell${text ? '' : ' empty'}${tone < 0 ? ' below' : ''}${chosen ? ' chosen' : ''}`);
      cell.setAttribute('tabindex', chosen ? '0' : '-1');
      cell.setAttribute('aria-label', shown.label(row, column));
      cell.children[1].setAttribute('fill-opacity', text ? String(DARKEST * Math.abs(tone)) : '0');
      cell.children[2].textContent = text;
      cell.children[2].setAttribute('class', text.length > 4 ? 'longest' : text.length > 3 ? 'long' : '');
    });
    this.front.setAttribute('d', frame ? square(frame[0], frame[1], frame[2], frame[3]) : '');
    this.element.setAttribute(
      'viewBox',
      `${-left * SIDE - 3} ${-top * SIDE - 3} ${(left + columns + right) * SIDE + 6} ${(top + rows + bottom) * SIDE + 6}`,
    );
    this.element.setAttribute('width', String((left + columns + right) * SIDE + 6));
    if (focused) this.focus();
  }

  /** Make the squares, for another size. */
  build() {
    const {
      size: [rows, columns],
      border: [top, left, bottom, right] = [0, 0, 0, 0],
    } = /** @type {Shown} */ (this.shown);
    const around = [];
    for (let row = -top; row < rows + bottom; row++) {
      for (let column = -left; column < columns + right; column++) {
        if (row < 0 || column < 0 || row >= rows || column >= columns) {
          around.push(svg('path', { class: 'padding', d: square(row, column) }), middle(row, column));
        }
      }
    }
    this.ground.replaceChildren(...around);
    this.cells = Array.from({ length: rows * columns }, (_, i) => this.cell(Math.floor(i / columns), i % columns));
    this.element.replaceChildren(this.ground, ...this.cells, this.front);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  cell(row, column) {
    const choose = () => this.does.chosen(row, column);
    return svg(
      'g',
      {
        role: 'button',
        onfocus: choose,
        onclick: choose,
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event, row, column),
        onpointerenter: (/** @type {PointerEvent} */ event) => {
          if (this.does.hover && event.pointerType === 'mouse') choose();
        },
      },
      svg('path', { class: 'ground', d: square(row, column) }),
      svg('path', { class: 'tone', d: square(row, column) }),
      middle(row, column),
    );
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} row
   * @param {number} column
   */
  key(event, row, column) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = ARROWS[event.key];
    if (!by && !this.does.typed?.(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!by) return;
    const [rows, columns] = /** @type {Shown} */ (this.shown).size;
    const [down, across] = [clamp(row + by[0], 0, rows - 1), clamp(column + by[1], 0, columns - 1)];
    this.cells[down * columns + across].focus();
  }

  /** Put the focus on the chosen square. */
  focus() {
    const { size, at } = /** @type {Shown} */ (this.shown);
    this.cells[at[0] * size[1] + at[1]]?.focus();
  }
}

/**
 * @param {number} row
 * @param {number} column
 * @param {number} [rows]
 * @param {number} [columns]
 */
function square(row, column, rows = 1, columns = 1) {
  return `M${column * SIDE} ${row * SIDE}h${columns * SIDE}v${rows * SIDE}h${-columns * SIDE}z`;
}

/**
 * @param {number} row
 * @param {number} column
 */
function middle(row, column) {
  return svg('text', { x: (column + 0.5) * SIDE, y: (row + 0.5) * SIDE + 7, 'text-anchor': 'middle' });
}
