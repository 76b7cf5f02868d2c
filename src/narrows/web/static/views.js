/**
 * The views, in the order of the list at the top of the page. One more is one more module, and one more entry here; its
 * name, in `strings/`, is its id. The lecture's pages, from `views/lecture/`, have a list of their own.
 */
import { code } from './views/code.js';
import { compare } from './views/compare.js';
import { input } from './views/input.js';
import { activations } from './views/lecture/activations.js';
import { convolution } from './views/lecture/convolution.js';
import { boolean } from './views/lecture/boolean.js';
import { approximation } from './views/lecture/approximation.js';
import { descent } from './views/lecture/descent.js';
import { graph } from './views/lecture/graph.js';
import { parameters } from './views/lecture/parameters.js';
import { perceptron } from './views/lecture/perceptron.js';
import { layers } from './views/lecture/layers.js';
import { noise } from './views/noise.js';
import { plane } from './views/plane.js';
import { train } from './views/train.js';

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

/** @type {View[]} */
export const VIEWS = [
  plane, code, input, noise, compare, train,
  perceptron, boolean, graph, descent, activations, approximation, convolution, parameters, layers,
];
