/**
 * The views, in the order of the list at the top of the page. One more is one more module, and one more entry here; its
 * name, in `strings.js`, is its id. Those of the group "lecture" stand under a heading of their own.
 */
import { code } from './views/code.js';
import { compare } from './views/compare.js';
import { input } from './views/input.js';
import { noise } from './views/noise.js';
import { plane } from './views/plane.js';

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
 * @property {'plane' | 'code' | 'input' | 'noise' | 'compare'} id
 * @property {'model' | 'lecture'} group
 * @property {(root: HTMLElement, app: App) => Promise<Mounted> | Mounted} mount build it inside `root`
 */

/** @type {View[]} */
export const VIEWS = [plane, code, input, noise, compare];
