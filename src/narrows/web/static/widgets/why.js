/** Why an input is odd: asked of the server, and in words. */
import { tenTo } from '../shell/numbers.js';

/** @typedef {import('../shell/app.js').App} App */
/** @typedef {import('../wire/frames.js').Floats} Floats */
/** @typedef {import('../wire/frames.js').Shown} Shown */
/** @typedef {import('./rows.js').RowBrush} RowBrush */
/**
 * @typedef {{
 *   known: boolean, rate: number, p_values: Floats, surprise: Floats, changed: number[], original: Shown,
 *   ordinary: Shown, is_ordinary: boolean, was_ordinary: boolean,
 * }} Why
 */

const NAMED = 5; // cells in a sentence
const LEAST = -6; // powers of ten below which p-values are not told apart, as held-out rows are few

/**
 * @param {App} app
 * @param {{ example: number } | { pixels: string }} given
 * @returns {Promise<Why>}
 */
export async function askWhy(app, given) {
  /** @type {Why} */
  const why = await app.connection.ask('explain', { ...app.named, given });
  return why;
}

/**
 * @param {App} app
 * @param {number} p
 * @returns {string} a p-value as it is said
 */
export function chance(app, p) {
  if (p < 10 ** LEAST) return `p < ${tenTo(LEAST)}`;
  return `p = ${app.n(p, { maximumSignificantDigits: 2 })}`;
}

/**
 * @param {App} app
 * @param {Why} why
 * @param {RowBrush} brush
 * @returns {string} a sentence about a row
 */
export function whyWords(app, why, brush) {
  if (!why.known) return app.t('why.unknown');
  if (!why.changed.length) return app.t('why.nothing');
  const [own, ordinary] = [why.original, why.ordinary].map((shown) => brush.words(shown, 0));
  const cells = why.changed.slice(0, NAMED).map((i) =>
    app.t('why.cell', {
      name: brush.headings[i].name,
      ordinary: ordinary[i],
      own: own[i],
      p: chance(app, why.p_values.data[i]),
    }),
  );
  const more = why.changed.length - NAMED;
  if (more > 0) cells.push(app.t('why.more', { count: app.n(more, {}) }));
  const would = why.is_ordinary ? 'why.would' : 'why.would.not';
  return app.t(why.was_ordinary ? 'why.likelier' : would, { cells: cells.join(', ') });
}
