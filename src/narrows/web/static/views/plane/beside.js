/** What is said beside the plane: of the example that is pointed at, or of those that are selected. */
import { download, figure, h } from '../../widgets/elements.js';
import { RowBrush } from '../../widgets/rows.js';
import { newest } from '../../wire/newest.js';

/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {{ original: Shown, restored: Shown, label: string, z: number[], error: number }} Example */
/**
 * @typedef {{
 *   mean: Shown, decoded: Shown, count: number, counts: [string, number][], error: number, csv: string,
 * }} Group
 */

export class Beside {
  element = h('div', { class: 'beside' });
  selected = false;
  shown = -1;

  /**
   * @param {import('../../shell/app.js').App} app
   * @param {() => void} cleared called when the selection is
   */
  constructor(app, cleared) {
    this.app = app;
    this.brush = app.brush;
    this.cleared = cleared;
    this.hover = newest((/** @type {number} */ row) => app.attempt(() => this.show(row)));
    this.idle();
  }

  /** Say what could be done. */
  idle() {
    this.shown = -1;
    this.element.replaceChildren(h('p', { class: 'hint' }, this.app.t('plane.hover')));
  }

  /** @param {number} row of the example that is pointed at */
  pointAt(row) {
    if (row !== this.shown && !this.selected) this.hover(row);
  }

  /** @param {number} row */
  async show(row) {
    this.shown = row;
    const { app } = this;
    /** @type {Example} */
    const answer = await app.connection.ask('example', { model: app.model.id, row });
    const words = [
      `${app.t('example')} ${app.n(row, {})}`,
      answer.label && app.t('label', { label: answer.label }),
      app.t('error.number', { error: app.n(answer.error) }),
    ];
    this.element.replaceChildren(
      this.pair([answer.original, app.t('plane.original')], [answer.restored, app.t('plane.restored')]),
      h('p', { class: 'hint number' }, words.filter(Boolean).join(' · ')),
    );
  }

  /** @param {number[]} rows of the selected examples */
  async gather(rows) {
    const { app } = this;
    this.selected = true;
    await app.attempt(async () => {
      /** @type {Group} */
      const group = await app.connection.ask('group', { model: app.model.id, rows });
      this.element.replaceChildren(this.told(group));
    });
  }

  /** @param {Group} group */
  told({ mean, decoded, count, counts, error, csv }) {
    const { app } = this;
    const shares = counts.map(([name, n]) => `${name} × ${app.n(n, {})}`).join(', ');
    const words = [shares, app.t('error.number', { error: app.n(error) })];
    const save = () => download('codes.csv', new Blob([csv], { type: 'text/csv' }));
    return h(
      'div',
      { class: 'group' },
      h('h2', {}, app.t('plane.group', { count: app.n(count, {}) })),
      h('p', { class: 'hint number' }, words.filter(Boolean).join(' · ')),
      this.pair([mean, app.t('plane.mean')], [decoded, app.t('plane.meancode')]),
      h(
        'div',
        { class: 'row controls' },
        h('button', { onclick: save }, app.t('plane.csv')),
        h('button', { class: 'quiet', onclick: () => this.clear() }, app.t('plane.clear')),
      ),
    );
  }

  /** @param {...[Shown, string]} both with what each is */
  pair(...both) {
    const { brush } = this;
    if (brush instanceof RowBrush) {
      return brush.facts(
        both.map(([, words]) => words),
        both.map(([shown]) => shown),
      );
    }
    return h('div', { class: 'pair' }, ...both.map(([shown, words]) => figure(brush.canvas(shown, 0, words), words)));
  }

  /** Clear the selection. */
  clear() {
    this.selected = false;
    this.cleared();
    this.idle();
  }
}
