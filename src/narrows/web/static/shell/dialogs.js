/** What opens above the page: the Python for a view, and the keys. */
import { h } from '../widgets/elements.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./strings.js').Key} Key */

const COPIED = 1500; // milliseconds for which a button says so
const KEYS = /** @type {[string, Key][]} */ ([
  ['1 – 9', 'key.views'],
  ['0', 'key.lecture'],
  ['[  ]', 'key.models'],
  ['← → ↑ ↓', 'key.arrows'],
  ['+  −  R', 'key.zoom'],
  ['T', 'key.teacher'],
  ['D', 'key.theme'],
  ['L', 'key.language'],
  ['P', 'key.python'],
  ['?', 'key.help'],
]);

/** @param {App} app */
export function python(app) {
  const model = app.view.alone ? [] : [...app.model.python, ''];
  const text = [...model, ...(app.mounted?.python() ?? [])].join('\n');
  dialog(
    app,
    app.t('python.title'),
    h('pre', { tabindex: 0 }, text),
    copier(app, 'copy', () => text),
  );
}

/** @param {App} app */
export function help(app) {
  const rows = KEYS.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, app.t(what))]);
  dialog(app, app.t('keys'), h('dl', {}, ...rows));
}

/**
 * @param {App} app
 * @param {'link' | 'copy'} key what the button says
 * @param {() => string} text that it copies
 */
export function copier(app, key, text) {
  const copy = async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = app.t('copied');
    setTimeout(() => {
      button.textContent = app.t(key);
    }, COPIED);
  };
  const button = h('button', { class: 'quiet', onclick: () => app.attempt(copy) }, app.t(key));
  return button;
}

/**
 * @param {App} app
 * @param {string} title
 * @param {...Node} parts
 */
function dialog(app, title, ...parts) {
  const close = h('button', { onclick: () => box.close() }, app.t('close'));
  const box = h('dialog', { 'aria-label': title, onclose: () => box.remove() }, h('h2', {}, title), ...parts, close);
  document.body.append(box);
  box.showModal();
}
