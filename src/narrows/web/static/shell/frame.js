/** What stands above and below the view: where to go, which model, settings, what is shown, and files to keep. */
import { download, h } from '../widgets/elements.js';
import { choices } from '../widgets/fields.js';
import { format } from './address.js';
import { copier, help, python, share } from './dialogs.js';
import { toPng, toSvg } from './saving.js';
import { ENCLOSED, offered, VIEWS } from './views.js';
import { spaced } from './words.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./views.js').View} View */

/**
 * @param {App} app
 * @returns {Node[]} what stands above the view
 */
export function above(app) {
  const brand = h('span', { class: 'brand' }, 'narrows');
  const lecture = VIEWS.filter(({ group }) => group === 'lecture');
  const inside = app.view.group === 'lecture';
  const first = h(
    'ul',
    {},
    ...offered(app).map((view) => link(app, view)),
    lecture.length > 0 && lecturePages(app, lecture[0], inside),
  );
  const parts = [brand, h('nav', { 'aria-label': app.t('views') }, first), choicesAndSettings(app)];
  if (inside) {
    parts.push(
      h(
        'nav',
        { class: 'pages', 'aria-label': app.t('views.lecture') },
        h('ul', {}, ...lecture.map((view) => link(app, view))),
      ),
    );
  }
  return parts;
}

/**
 * @param {App} app
 * @returns {Node[]} what stands below the view
 */
export function below(app) {
  return [about(app), tools(app)];
}

/**
 * @param {App} app
 * @param {View} view
 */
function link(app, view) {
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    app.go({ view: view.id });
  };
  const href = format({ ...app.state, view: view.id });
  return h(
    'li',
    {},
    h(
      'a',
      { id: `to-${view.id}`, href, 'aria-current': view === app.view ? 'page' : null, onclick: go },
      app.t(view.id),
    ),
  );
}

/**
 * @param {App} app
 * @param {View} first of the lecture's pages
 * @param {boolean} inside whether one of them is shown
 */
function lecturePages(app, first, inside) {
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!inside) app.go({ view: first.id });
  };
  const href = format({ ...app.state, view: first.id });
  return h(
    'li',
    { class: 'lessons' },
    h('a', { id: 'to-lecture', href, 'aria-current': inside ? 'true' : null, onclick: go }, app.t('views.lecture')),
  );
}

/** @param {App} app */
function modelChoice(app) {
  const named = (/** @type {string} */ id) => app.models.find((model) => model.id === id);
  return choices({
    label: app.t('model'),
    values: app.models.map(({ id }) => id),
    value: app.model.id,
    told: (id) => `${spaced(named(id)?.kind ?? '')} · ${named(id)?.latent_dim}`,
    chosen: (model) => app.go({ model }),
  });
}

/** @param {App} app */
function classChoice(app) {
  const chosen = (/** @type {string} */ name) => app.set({ class: name });
  return choices({ label: app.t('class'), values: app.model.classes, value: app.label, chosen });
}

/** @param {App} app */
function choicesAndSettings(app) {
  const hasModel = app.models.length > 0 && !app.view.alone;
  const leave = h(
    'button',
    { id: 'leave', class: 'quiet leave', onclick: () => app.set({ teach: '' }) },
    app.t('teacher.leave'),
  );
  return h(
    'div',
    { class: 'choices' },
    hasModel && modelChoice(app),
    hasModel && app.model.conditional && classChoice(app),
    settings(app),
    app.state.teach === '1' && leave,
  );
}

/** @param {App} app */
function settings(app) {
  const other = app.language === 'en' ? 'cs' : 'en';
  const language = h(
    'button',
    { id: 'language', class: 'quiet', lang: other, onclick: () => app.set({ lang: other }) },
    other === 'cs' ? 'Česky' : 'English',
  );
  const dark = app.theme === 'dark';
  const theme = h(
    'button',
    { id: 'theme', class: 'quiet', onclick: () => app.set({ theme: dark ? 'light' : 'dark' }) },
    app.t(dark ? 'theme.light' : 'theme.dark'),
  );
  const teacher = h(
    'button',
    { id: 'teacher', class: 'quiet', onclick: () => app.set({ teach: '1' }) },
    app.t('teacher'),
  );
  const keys = h('button', { id: 'keys', class: 'quiet', onclick: () => help(app) }, app.t('keys'));
  return h('div', { class: 'settings controls' }, language, theme, teacher, keys);
}

/** @param {App} app */
function about(app) {
  if (app.view.id === 'train') return h('p', {}, app.t('about.train'));
  if (app.view.alone) return h('p', {}, app.t('about.lecture', { rows: (app.view.rows ?? []).join(', ') }));
  const { kind, latent_dim: d, data, count, total, from_prior: prior } = app.model;
  const samples = ENCLOSED ? 'about.samples' : 'about.prior';
  const key = prior ? samples : count < total ? 'about.of' : 'about';
  return h('p', {}, app.t(key, { kind: spaced(kind), d, data, count: app.n(count, {}), total: app.n(total, {}) }));
}

/** @param {App} app */
function tools(app) {
  const name = ['narrows', app.view.id, ...(app.view.alone ? [] : [app.model.id])].join('-');
  const whole = () => /** @type {HTMLElement} */ (app.main.querySelector('.view'));
  const png = () => app.attempt(async () => download(`${name}.png`, await toPng(whole())));
  const vector = () =>
    app.attempt(() => download(`${name}.svg`, new Blob([toSvg(whole())], { type: 'image/svg+xml' })));
  return h(
    'div',
    { class: 'tools' },
    h('button', { id: 'python', class: 'quiet', onclick: () => python(app) }, app.t('python')),
    h('button', { id: 'png', class: 'quiet', onclick: png }, app.t('png')),
    h('button', { id: 'svg', class: 'quiet', onclick: vector }, app.t('svg')),
    !ENCLOSED &&
      app.models.length > 0 &&
      h('button', { id: 'share', class: 'quiet', onclick: () => share(app) }, app.t('share')),
    copier(app, 'link', () => {
      app.write(false);
      return location.href;
    }),
  );
}
