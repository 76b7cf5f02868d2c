/** Rows with named columns, for the eye: one as a list of bars, several as a table. */
import { clamp } from '../shell/numbers.js';
import { h, svg } from './elements.js';

/** @typedef {import('../shell/app.js').App} App */
/** @typedef {import('../wire/frames.js').Floats} Floats */
/** @typedef {import('../wire/frames.js').Shown} Shown */
/** @typedef {{ name: string, kind: string, decimals: number, levels: string[], ends: string[] }} Heading */
/** @typedef {{ texts: string[][], at: Floats }} Rows */

/**
 * A cell in words. Numbers are written as the page's language writes them.
 * @param {App} app
 * @param {Heading} heading
 * @param {string} text
 * @param {number} at NaN where the cell is missing
 * @returns {string}
 */
export function cellWords(app, { decimals }, text, at) {
  if (text === '') return app.t(Number.isNaN(at) ? 'row.missing' : 'row.new');
  if (decimals < 0) return text;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return app.n(Number(text), { ...digits, useGrouping: false });
}

/** How one model's rows look; it can do what a `Brush` can. */
export class RowBrush {
  /**
   * @param {App} app
   * @param {Heading[]} headings
   */
  constructor(app, headings) {
    this.app = app;
    this.headings = headings;
  }

  /**
   * @param {Shown} shown
   * @param {number} row
   * @returns {string[]} its cells in words
   */
  words(shown, row) {
    const { texts, at } = /** @type {Rows} */ (shown);
    const k = this.headings.length;
    return this.headings.map((heading, i) => cellWords(this.app, heading, texts[row][i], at.data[row * k + i]));
  }

  /**
   * @param {string} label what it shows, in words
   * @returns {HTMLElement} an empty list for a row
   */
  blank(label) {
    return h('ul', { class: 'cells-of-row', tabindex: 0, 'aria-label': label });
  }

  /**
   * Show a row in a list.
   * @param {HTMLElement} list
   * @param {Shown} shown
   * @param {number} [row]
   */
  paint(list, shown, row = 0) {
    const { at } = /** @type {Rows} */ (shown);
    const k = this.headings.length;
    if (list.childElementCount !== k) list.replaceChildren(...this.headings.map((heading) => line(heading)));
    this.words(shown, row).forEach((words, i) => {
      const [, bar, value] = list.children[i].children;
      const cell = at.data[row * k + i];
      bar.lastElementChild?.setAttribute('width', `${100 * clamp(cell || 0, 0, 1)}%`);
      value.textContent = words;
      value.classList.toggle('none', Number.isNaN(cell));
    });
  }

  /**
   * @param {Shown} shown
   * @param {number} row
   * @param {string} label what it shows, in words
   */
  canvas(shown, row, label) {
    const list = this.blank(label);
    this.paint(list, shown, row);
    return list;
  }

  /**
   * Fill a strip with rows, a table.
   * @param {HTMLElement} strip
   * @param {Shown} shown
   * @param {(i: number) => string} label of each row, counted from 1
   */
  fill(strip, shown, label) {
    const { texts } = /** @type {Rows} */ (shown);
    const left = strip.firstElementChild?.scrollLeft ?? 0;
    strip.classList.add('whole');
    strip.replaceChildren(this.table(texts.map((_, i) => ({ name: label(i + 1), shown, row: i }))));
    if (strip.firstElementChild) strip.firstElementChild.scrollLeft = left;
  }

  /**
   * @param {{ name: string | Node, shown: Shown, row: number, kind?: string }[]} rows
   * @returns {HTMLElement} a table of these, each under its columns' names
   */
  table(rows) {
    const none = this.app.t('row.missing');
    const heads = this.headings.map(({ name, decimals }) =>
      h('th', { scope: 'col', class: decimals < 0 ? '' : 'number' }, name),
    );
    const body = rows.map(({ name, shown, row, kind = '' }) => {
      const cells = this.words(shown, row).map((words, i) =>
        h('td', { class: `${this.headings[i].decimals < 0 ? '' : 'number'} ${words === none ? 'none' : ''}` }, words),
      );
      return h('tr', { class: kind }, h('th', { scope: 'row' }, name), ...cells);
    });
    const head = h('tr', {}, h('td', {}), ...heads);
    const label = this.app.t('row.table');
    return h(
      'div',
      { class: 'table-of-rows', tabindex: 0, role: 'region', 'aria-label': label },
      h('table', {}, h('thead', {}, head), h('tbody', {}, ...body)),
    );
  }

  /**
   * @param {string[]} heads
   * @param {Shown[]} shown a row each
   * @returns {HTMLElement} a table with a line for each column
   */
  facts(heads, shown) {
    const words = shown.map((one) => this.words(one, 0));
    const none = this.app.t('row.missing');
    const lines = this.headings.map(({ name }, i) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, name),
        ...words.map((own) => h('td', { class: own[i] === none ? 'number none' : 'number' }, own[i])),
      ),
    );
    const head = h('tr', {}, h('td', {}), ...heads.map((one) => h('th', { scope: 'col' }, one)));
    const label = this.app.t('row.table');
    return h(
      'div',
      { class: 'facts-of-rows', tabindex: 0, role: 'region', 'aria-label': label },
      h('table', { class: 'facts' }, h('thead', {}, head), h('tbody', {}, ...lines)),
    );
  }
}

/** @param {Heading} heading */
function line({ name, levels }) {
  const bar = svg(
    'svg',
    { class: levels.length ? 'bar many' : 'bar', 'aria-hidden': 'true' },
    svg('rect', { class: 'track', width: '100%', height: '100%', rx: 2 }),
    svg('rect', { class: 'filled', height: '100%', rx: 2 }),
  );
  return h('li', {}, h('span', { class: 'name', title: name }, name), bar, h('span', { class: 'value' }));
}
