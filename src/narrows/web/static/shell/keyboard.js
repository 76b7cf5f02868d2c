/** What keys do, wherever the focus is, unless a field takes them. */
import { help, python } from './dialogs.js';
import { offered, VIEWS } from './views.js';

/** @typedef {import('./app.js').App} App */

const FAR = 5; // times as far, with Shift
const TYPED = 'dialog[open], select, textarea, input:not([type=checkbox])';
const MOVES = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
});
const DOES = /** @type {Record<string, (app: App) => void>} */ ({
  t: (app) => app.set({ teach: app.state.teach === '1' ? '' : '1' }),
  Escape: (app) => app.set({ teach: '' }),
  d: (app) => app.set({ theme: app.theme === 'dark' ? 'light' : 'dark' }),
  l: (app) => app.set({ lang: app.language === 'en' ? 'cs' : 'en' }),
  p: python,
  '?': help,
  '+': (app) => app.mounted?.zoom?.(1),
  '=': (app) => app.mounted?.zoom?.(1), // where + needs Shift
  '-': (app) => app.mounted?.zoom?.(-1),
  r: (app) => app.mounted?.zoom?.(0),
  '[': (app) => step(app, -1),
  ']': (app) => step(app, 1),
});

/**
 * @param {App} app
 * @param {KeyboardEvent} event
 */
export function pressed(app, event) {
  const at = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || !app.ready || at.closest(TYPED)) return;
  const move = MOVES[event.key];
  if (move && app.mounted?.move) {
    event.preventDefault();
    const far = event.shiftKey ? FAR : 1;
    app.mounted.move(far * move[0], far * move[1]);
    return;
  }
  const lecture = VIEWS.filter(({ group }) => group === 'lecture');
  const views = (app.view.group === 'model') === (event.key !== '0') ? offered(app) : lecture;
  const view = views[event.key === '0' ? 0 : Number(event.key) - 1];
  if (view) app.go({ view: view.id });
  else DOES[event.key]?.(app);
}

/**
 * @param {App} app
 * @param {number} by models
 */
function step(app, by) {
  if (app.view.alone) return;
  const at = app.models.indexOf(app.model);
  app.go({ model: app.models[(at + by + app.models.length) % app.models.length].id });
}
