/** A line of the row: a column's name, its cell on the column's range, what the model says of it, and the original. */
import { clamp } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { cellWords } from '../../widgets/rows.js';
import { chance } from '../../widgets/why.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/** @typedef {string | number | null} Value as it is typed or chosen, or a place on the range, or the example's own */
/**
 * @typedef {object} Cell
 * @property {string} text
 * @property {number} at
 * @property {number} low of four fifths of what it may be; NaN where that is not known
 * @property {number} high
 * @property {[string, number][]} chances of levels
 * @property {boolean} held
 * @property {boolean} fills whether the cell is missing in the example, and this is what would fill it
 */
/**
 * @typedef {object} Does
 * @property {(value: Value, stamp: number) => void} held
 * @property {() => void} released
 */

const STEPS = 500; // of a drag along the range

export class Line {
  /**
   * @param {App} app
   * @param {Heading} heading
   * @param {Does} does
   */
  constructor(app, heading, does) {
    this.app = app;
    this.heading = heading;
    this.does = does;
    this.value = h('div', { class: 'value' });
    this.told = h('button', { class: 'quiet kept told', onclick: () => this.edit() });
    this.value.append(this.told);
    this.original = h('span', { class: 'original' });
    this.p = h('span', { class: 'p' });
    this.lock = h('button', {
      class: 'lock',
      'aria-pressed': 'false',
      'aria-label': app.t('row.hold', { name: heading.name }),
      title: app.t('row.hold', { name: heading.name }),
      onclick: (/** @type {Event} */ event) => this.toggle(event.timeStamp),
    });
    this.lock.append(padlock());
    this.scale = heading.levels.length ? h('ul', { class: 'chances' }) : this.range();
    this.element = h(
      'li',
      { class: 'line' },
      h('span', { class: 'name', title: heading.name }, heading.name),
      this.scale,
      this.value,
      h('div', { class: 'own' }, this.original, this.p),
      this.lock,
    );
    /** @type {Cell | null} */
    this.cell = null;
  }

  /** The range of a column of numbers, along which its cell can be dragged. */
  range() {
    const { app, heading } = this;
    this.band = svg('rect', { class: 'band', y: '20%', height: '60%', rx: 3 });
    this.filled = svg('rect', { class: 'filled', y: '42%', height: '16%', rx: 1 });
    this.spot = svg('circle', { class: 'spot', cy: '50%', r: 6 });
    this.tick = svg('rect', { class: 'tick', y: '8%', width: 2, height: '84%' });
    this.slide = h('input', {
      type: 'range',
      min: 0,
      max: STEPS,
      step: 1,
      'aria-label': heading.name,
      oninput: (/** @type {Event} */ event) => {
        if (this.slide) this.does.held(this.slide.valueAsNumber / STEPS, event.timeStamp);
      },
    });
    const track = svg('rect', { class: 'track', y: '42%', width: '100%', height: '16%', rx: 1 });
    const drawing = svg('svg', { 'aria-hidden': 'true' }, track, this.band, this.filled, this.tick, this.spot);
    const ends = `${this.words(heading.ends[0])} – ${this.words(heading.ends[1])}`;
    return h('div', { class: 'range', title: app.t('row.range', { ends }) }, drawing, this.slide);
  }

  /**
   * @param {string} text
   * @param {number} [at]
   */
  words(text, at = 0) {
    return cellWords(this.app, this.heading, text, at);
  }

  /**
   * @param {string} text of the example's own cell
   * @param {number} at
   */
  from(text, at) {
    this.missing = Number.isNaN(at);
    this.original.textContent = this.words(text, at);
    this.original.classList.toggle('none', text === '');
    this.tick?.setAttribute('x', `${100 * clamp(at || 0, 0, 1)}%`);
    this.tick?.setAttribute('visibility', this.missing ? 'hidden' : 'visible');
    this.judge(Number.NaN, false);
  }

  /**
   * @param {number} p how seldom ordinary cells are as odd as the example's own; NaN where that is not known
   * @param {boolean} odd
   */
  judge(p, odd) {
    this.p.textContent = Number.isNaN(p) ? '' : chance(this.app, p);
    this.element.classList.toggle('odd', odd);
  }

  /** @param {Cell} cell */
  paint(cell) {
    const { app, heading } = this;
    this.cell = cell;
    const words = this.words(cell.text, cell.at);
    this.element.classList.toggle('held', cell.held);
    this.element.classList.toggle('fills', cell.fills);
    this.lock.setAttribute('aria-pressed', String(cell.held));
    this.told.textContent = words;
    const more = cell.held ? app.t('row.is.held') : cell.fills ? app.t('row.is.filled') : '';
    this.told.setAttribute('aria-label', app.t('row.change', { name: heading.name, value: words, more }));
    this.told.title = more;
    if (heading.levels.length) this.paintChances(cell);
    else this.paintRange(cell, words);
  }

  /**
   * @param {Cell} cell
   * @param {string} words
   */
  paintRange({ at, low, high }, words) {
    const percent = (/** @type {number} */ value) => `${100 * clamp(value, 0, 1)}%`;
    const known = low <= high;
    this.band?.setAttribute('x', percent(known ? low : at));
    this.band?.setAttribute('width', known ? `${100 * (clamp(high, 0, 1) - clamp(low, 0, 1))}%` : '0');
    this.filled?.setAttribute('width', percent(at));
    this.spot?.setAttribute('cx', percent(at));
    if (!this.slide) return;
    this.slide.value = String(Math.round(STEPS * clamp(at, 0, 1)));
    this.slide.setAttribute('aria-valuetext', words);
  }

  /** @param {Cell} cell */
  paintChances({ chances, text, held }) {
    const { app, heading } = this;
    const shown = held ? [/** @type {[string, number]} */ ([text, 1])] : chances;
    const rest = held ? 0 : 1 - shown.reduce((sum, [, p]) => sum + p, 0);
    const others = heading.levels.length - shown.length;
    const items = this.scale.querySelectorAll('li');
    if (items.length !== shown.length + 1) {
      this.scale.replaceChildren(...shown.map(() => this.chance()), h('li', { class: 'rest' }));
    }
    const parts = [...this.scale.children];
    shown.forEach(([level, p], i) => {
      const button = parts[i].children[0];
      const [drawing, name, share] = button.children;
      drawing.lastElementChild?.setAttribute('width', `${100 * p}%`);
      name.textContent = level;
      share.textContent = held ? '' : app.percent(p);
      button.setAttribute('title', level);
      button.setAttribute('data-level', level);
    });
    parts[shown.length].textContent =
      others > 0 && !held ? app.t('row.rest', { count: app.n(others, {}), part: app.percent(Math.max(rest, 0)) }) : '';
  }

  chance() {
    const drawing = svg(
      'svg',
      { 'aria-hidden': 'true' },
      svg('rect', { class: 'track', width: '100%', height: '100%', rx: 2 }),
      svg('rect', { class: 'filled', height: '100%', rx: 2 }),
    );
    const button = h(
      'button',
      {
        class: 'quiet kept chance',
        onclick: (/** @type {Event} */ event) => this.does.held(button.dataset.level ?? '', event.timeStamp),
      },
      drawing,
      h('span', { class: 'level' }),
      h('span', { class: 'share number' }),
      h('span', { class: 'sr-only' }, this.app.t('row.hold', { name: this.heading.name })),
    );
    return h('li', {}, button);
  }

  /** @param {number} stamp */
  toggle(stamp) {
    if (!this.cell) return;
    if (this.cell.held) this.does.released();
    else this.does.held(this.cell.text, stamp);
  }

  /** Let the person write the cell, or choose its level. */
  edit() {
    const { app, heading, cell } = this;
    const label = { 'aria-label': heading.name };
    const box = heading.levels.length
      ? h(
          'select',
          label,
          ...heading.levels.map((level) => h('option', { value: level, selected: level === cell?.text }, level)),
        )
      : h('input', {
          type: 'text',
          inputmode: heading.decimals < 0 ? 'text' : 'decimal',
          value: this.told.textContent,
          ...label,
        });
    const before = box.value;
    const back = (/** @type {boolean} */ focused) => {
      box.onblur = null;
      box.replaceWith(this.told);
      if (focused) this.told.focus();
    };
    const take = (/** @type {number} */ stamp, /** @type {boolean} */ focused) => {
      const typed = heading.decimals < 0 ? box.value.trim() : plain(app.language, box.value);
      back(focused);
      if (box.value !== before || focused) this.does.held(typed, stamp);
    };
    box.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') back(true);
      else if (event.key === 'Enter') take(event.timeStamp, true);
      else return;
      event.preventDefault();
    };
    if (heading.levels.length) box.onchange = (/** @type {Event} */ event) => take(event.timeStamp, true);
    box.onblur = (/** @type {Event} */ event) => take(event.timeStamp, false);
    this.told.replaceWith(box);
    box.focus();
    if (box instanceof HTMLInputElement) box.select();
  }
}

/**
 * @param {import('../../shell/strings.js').Language} language
 * @param {string} typed a number, as a person writes it
 * @returns {string} as the server reads it
 */
export function plain(language, typed) {
  const text = typed.replace(/\s/g, '').replace('−', '-');
  return language === 'cs' ? text.replace(',', '.') : text.replaceAll(',', '');
}

function padlock() {
  return svg(
    'svg',
    { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { class: 'shackle', d: 'M5 7V5a3 3 0 0 1 6 0v2' }),
    svg('rect', { class: 'body', x: 3, y: 7, width: 10, height: 7, rx: 1.5 }),
  );
}
