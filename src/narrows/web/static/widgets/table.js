/** Tables of facts. */
import { h } from './elements.js';

/**
 * @param {string[]} heads
 * @param {(string | Node)[][]} rows their first cells name them
 * @returns {HTMLTableElement}
 */
export function table(heads, rows) {
  return h(
    'table',
    { class: 'facts' },
    h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
    h(
      'tbody',
      {},
      ...rows.map(([name, ...cells]) =>
        h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', { class: 'number' }, cell))),
      ),
    ),
  );
}
