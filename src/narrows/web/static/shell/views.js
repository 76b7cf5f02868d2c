/**
 * The views, in the order of the list at the top of the page. One more is a module and its rules, side by side under
 * its id, a module of questions on the server, an entry here, and its words in `strings/`. The lecture's pages, from
 * `views/lecture/`, have a list of their own.
 */
import { code } from '../views/code/code.js';
import { compare } from '../views/compare/compare.js';
import { input } from '../views/input/input.js';
import { noise } from '../views/noise/noise.js';
import { plane } from '../views/plane/plane.js';
import { train } from '../views/train/train.js';
import { h } from '../widgets/elements.js';

/** @typedef {import('./app.js').App} App */
/**
 * @typedef {object} Mounted
 * @property {() => string[]} python the lines that do the same in Python, after those that make `model` and `data`
 * @property {(changed: string[]) => void} [update] called when these parts of the state have changed
 * @property {(x: number, y: number) => void} [move] called for arrow keys; one step is 1
 * @property {() => void} [close] called before the view is taken away
 */
/**
 * @typedef {object} View
 * @property {import('./strings.js').Key} id
 * @property {'model' | 'lecture'} group
 * @property {boolean} [alone] whether it shows no model, so that there need be none
 * @property {string[]} [rows] of the lecture, such as "L5"; an address may name one instead of the view
 * @property {(root: HTMLElement, app: App) => Promise<Mounted> | Mounted} mount build it inside `root`
 */

/** @typedef {Pick<View, 'mount'>} Lesson what a module of `views/lecture/` has, under its own name */

/**
 * A page of the lecture, whose module is fetched when it is opened, so that the first page is there sooner.
 * @param {import('./strings.js').Key} id
 * @param {string[]} rows
 * @param {boolean} alone
 * @returns {View}
 */
function lesson(id, rows, alone = true) {
  return {
    id,
    group: 'lecture',
    alone,
    rows,
    mount: async (root, app) => (await import(`../views/lecture/${id}.js`))[id].mount(root, app),
  };
}

/** @type {View[]} */
export const VIEWS = [
  plane,
  code,
  input,
  noise,
  compare,
  train,
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

/** @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/**
 * Fetch a view's rules, once.
 * @param {View} view
 * @returns {Promise<unknown>} fulfilled when they hold
 */
export function styled({ id, group }) {
  const found = sheets.get(id);
  if (found) return found;
  const link = h('link', { rel: 'stylesheet', href: `/static/views/${group === 'lecture' ? group : id}/${id}.css` });
  const sheet = new Promise((done, failed) => {
    link.onload = done;
    link.onerror = () => {
      sheets.delete(id);
      link.remove();
      failed(new Error(link.href));
    };
  });
  sheets.set(id, sheet);
  document.head.append(link);
  return sheet;
}
