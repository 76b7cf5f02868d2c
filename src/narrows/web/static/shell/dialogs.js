/** What opens above the page: the Python for a view, and the keys. */
import { download, h } from '../widgets/elements.js';
import { tick } from '../widgets/fields.js';
import { spaced } from './words.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./strings.js').Key} Key */
/**
 * @typedef {{
 *   data: string, count: number, total: number, from_prior: boolean, labels: string[], columns: string[],
 *   left_out: string[],
 * }} Part
 */
/** @typedef {{ models: [string, number][], parts: Part[] }} Contents */

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
 * Give the person a file that needs no server, after saying what is in it.
 * @param {App} app
 */
export async function share(app) {
  const told = h('ul', { 'aria-live': 'polite' });
  const failed = h('p', { class: 'warn', role: 'alert' });
  let data = true;
  const tell = async () => {
    /** @type {Contents} */
    const { models, parts } = await app.connection.ask('contents', { data });
    const names = models.map(([kind, d]) => `${spaced(kind)} · ${d}`).join(', ');
    told.replaceChildren(...[names, ...parts.flatMap((part) => inWords(app, part))].map((line) => h('li', {}, line)));
  };
  const without = tick(app.t('share.without'), false, (on) => {
    data = !on;
    app.attempt(tell);
  });
  const save = async () => {
    button.disabled = true;
    failed.textContent = app.t('share.wait');
    const response = await fetch(`/share?data=${data}`);
    button.disabled = false;
    failed.textContent = response.ok ? '' : app.t('error', { error: await response.text() });
    if (response.ok) download('narrows.html', await response.blob());
  };
  const button = h('button', { onclick: () => app.attempt(save) }, app.t('share.save'));
  await app.attempt(tell);
  dialog(app, app.t('share.title'), h('p', {}, app.t('share.lead')), told, h('p', {}, without), failed, button);
}

/**
 * @param {App} app
 * @param {Part} part
 * @returns {string[]}
 */
function inWords(app, { data, count, total, from_prior: prior, labels, columns, left_out }) {
  const numbers = { data, count: app.n(count, {}), total: app.n(total, {}) };
  return [
    app.t(prior ? 'share.samples' : 'share.examples', numbers),
    labels.length ? app.t('share.labels', { names: labels.join(', ') }) : '',
    columns.length ? app.t('share.columns', { names: columns.join(', ') }) : '',
    left_out.length ? app.t('share.out', { names: left_out.join(', ') }) : '',
  ].filter(Boolean);
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
