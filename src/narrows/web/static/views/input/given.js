/** The input that a person has given: one of the examples, or one of their own. Other views take it up. */
import { toBase64, whole } from '../../shell/address.js';

/** @typedef {import('../../shell/app.js').App} App */

const MOST_TEXT = 1500; // characters of an input in the address; a larger one is kept only as long as the page

/** @type {{ model: string, x: string } | null} what the address cannot hold */
let held = null;

/**
 * The input that the state names, as the server takes it.
 * @param {App} app
 * @returns {{ example: number } | { pixels: string }}
 */
export function givenTo(app) {
  const x = app.state.x === 'held' ? (held?.model === String(app.model.shape) ? held.x : '') : (app.state.x ?? '');
  if (x) return { pixels: toBase64(x) };
  return { example: whole(app.state.example, 0, app.model.count - 1) ?? 0 };
}

/**
 * Make the input of a person's own the one that the state names.
 * @param {App} app
 * @param {string} x of `toText`
 * @returns {Record<string, string>} what has to be set for that
 */
export function own(app, x) {
  held = { model: String(app.model.shape), x };
  return { x: x.length > MOST_TEXT ? 'held' : x, example: '' };
}

/**
 * @param {App} app
 * @returns {number | null} the example that the state names; null where it has an input of the person's own
 */
export function shownExample(app) {
  const given = givenTo(app);
  return app.state.x || !('example' in given) ? null : given.example;
}

/**
 * @param {App} app
 * @returns {string[]} lines of Python that make that input, `x`
 */
export function inputLines(app) {
  const given = givenTo(app);
  const X = app.model.from_prior ? 'model.sample(1000, random_state=0)' : 'data.X';
  if ('example' in given) return [`x = ${X}[${given.example}:${given.example + 1}]`];
  return [
    'from base64 import b64decode',
    '',
    'import numpy as np',
    '',
    `levels = np.frombuffer(b64decode("${given.pixels}"), np.uint8)`,
    'low, size = model.scaling_.offset[0], model.scaling_.scale[0]',
    `x = low + levels.reshape(1, ${app.model.shape.join(', ')}) / 255 * size`,
  ];
}
