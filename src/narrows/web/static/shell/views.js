/**
 * The views, in the order of the list at the top of the page. One more is a module and its rules, side by side under
 * its id, a module of questions on the server, an entry here, and its words in `strings/`. The lecture's pages, from
 * `views/lecture/`, have a list of their own.
 */
import { h } from '../widgets/elements.js';

/** @typedef {import('./app.js').App} App */
/**
 * @typedef {object} Mounted
 * @property {() => string[]} python the lines that do the same in Python, after those that make `model` and `data`
 * @property {(changed: string[]) => void} [update] called when these parts of the state have changed
 * @property {(x: number, y: number) => void} [move] called for arrow keys; one step is 1
 * @property {(nearer: -1 | 0 | 1) => void} [zoom] called for + and −; 0 is as at first
 * @property {() => void} [close] called before the view is taken away
 */
/**
 * @typedef {object} View
 * @property {import('./strings.js').Key} id
 * @property {'model' | 'lecture'} group
 * @property {boolean} [alone] whether it shows no model, so that there need be none
 * @property {string[]} [rows] of the lecture, such as "L5"; an address may name one instead of the view
 * @property {string} folder of its module and its rules
 */
/**
 * @typedef {object} Module what a view's module has, under the view's id
 * @property {(root: HTMLElement, app: App) => Promise<Mounted> | Mounted} mount build it inside `root`
 */

/**
 * @param {import('./strings.js').Key} id
 * @param {boolean} alone
 * @returns {View}
 */
function view(id, alone = false) {
  return { id, group: 'model', alone, folder: id };
}

/**
 * A page of the lecture.
 * @param {import('./strings.js').Key} id
 * @param {string[]} rows
 * @param {boolean} alone
 * @returns {View}
 */
function lesson(id, rows, alone = true) {
  return { id, group: 'lecture', alone, rows, folder: 'lecture' };
}

/** @type {HTMLElement | null | undefined} of a shared page, a file without a server: what it shows, and which views */
export const ENCLOSED = globalThis.document?.getElementById('shared');

/** @type {View[]} */
const ALL = [
  view('plane'),
  view('row'),
  view('code'),
  view('input'),
  view('noise'),
  view('compare'),
  view('check'),
  view('train', true),
  lesson('perceptron', ['L1', 'L2', 'L3', 'L4']),
  lesson('boolean', ['L5', 'L6']),
  lesson('graph', ['L7']),
  lesson('descent', ['L8', 'L9']),
  lesson('activations', ['L10']),
  lesson('approximation', ['L13']),
  lesson('convolution', ['L14', 'L16', 'L17', 'L18']),
  lesson('parameters', ['L12', 'L14', 'L15']),
  lesson('layers', ['L20', 'L23'], false),
];

const names = ENCLOSED?.dataset.views?.split(' ');

/** @type {View[]} those that the page has; the first is shown first */
export const VIEWS = names?.flatMap((name) => ALL.filter(({ id }) => id === name)) ?? ALL;

/**
 * @param {App} app
 * @returns {View[]} those of models that show something of the one that is shown: only one of rows has a row
 */
export function offered(app) {
  const models = VIEWS.filter(({ group }) => group === 'model');
  const rows = app.models.length > 0 && app.model.columns.length > 0;
  return models.filter(({ id }) => id !== 'row' || rows || app.view.id === id);
}

/** @type {Map<string, Promise<Event>>} */
const sheets = new Map();

/**
 * Fetch a view: not before it is wanted, so that the first page is there sooner.
 * @param {View} view
 * @returns {Promise<Module>} fulfilled when its rules hold
 */
export async function fetched({ id, folder }) {
  const [modules] = await Promise.all([
    import(`../views/${folder}/${id}.js`),
    ENCLOSED ? null : styled(`/static/views/${folder}/${id}.css`), // all of a shared page's rules stand in its head
  ]);
  return modules[id];
}

/**
 * @param {string} href of a view's rules
 * @returns {Promise<Event>} fulfilled when they hold
 */
function styled(href) {
  const found = sheets.get(href);
  if (found) return found;
  const link = h('link', { rel: 'stylesheet', href });
  /** @type {Promise<Event>} */
  const sheet = new Promise((done, failed) => {
    link.onload = done;
    link.onerror = () => {
      sheets.delete(href);
      link.remove();
      failed(new Error(href));
    };
  });
  sheets.set(href, sheet);
  document.head.append(link);
  return sheet;
}
