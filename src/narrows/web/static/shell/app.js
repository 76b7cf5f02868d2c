/** The page around the views: which view and model, language, theme, teacher mode, and what is wrong if anything is. */
import { Brush } from '../widgets/canvases.js';
import { h } from '../widgets/elements.js';
import { RowBrush } from '../widgets/rows.js';
import { Connection } from '../wire/connection.js';
import { Inside } from '../wire/inside.js';
import { format, parse } from './address.js';
import { above, below } from './frame.js';
import { pressed } from './keyboard.js';
import { shown } from './models.js';
import { number } from './numbers.js';
import { ENCLOSED, fetched, VIEWS } from './views.js';
import { translate } from './words.js';

/** @typedef {import('./strings.js').Key} Key */
/** @typedef {import('./strings.js').Language} Language */
/** @typedef {import('./views.js').Mounted} Mounted */
/** @typedef {import('./models.js').Model} Model */
/** @typedef {import('./models.js').Models} Models */
/** @typedef {import('./models.js').Progress} Progress */

const POLL = 400; // milliseconds between questions for models that are still being trained
const WRITE = 250; // milliseconds before the address follows the state; browsers refuse to write it much more often
const FRAME = ['view', 'model', 'class', 'lang', 'theme', 'teach'];
const SHARED = ['x', 'example']; // what is true of the next model as well, if its inputs are alike

export class App {
  #state = parse(location.hash);
  head = h('header', {});
  status = h('div', { class: 'status', role: 'status' });
  main = h('main', { id: 'main', tabindex: -1 });
  foot = h('footer', { class: 'controls' });
  skip = h('a', {
    class: 'skip',
    href: '#main',
    onclick: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.main.focus();
    },
  });
  /** @type {Model[]} */
  models = [];
  /** @type {import('./app.js').Progress | null} */
  progress = null;
  /** @type {Mounted | null} */
  mounted = null;
  turn = 0;
  written = 0;

  constructor() {
    document.body.append(this.skip, this.head, this.status, this.main, this.foot);
    /** @type {import('../wire/connection.js').Answering} */
    this.connection = ENCLOSED
      ? new Inside(ENCLOSED)
      : new Connection(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`, (open, again) =>
          this.connected(open, again),
        );
  }

  /** Ask what is open, and show it. */
  async start() {
    addEventListener('hashchange', () => this.read());
    addEventListener('keydown', (event) => pressed(this, event));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show());
    this.dress();
    this.furnish();
    if (this.view.alone) {
      this.show();
    } else {
      this.say('loading');
      this.attempt(() => fetched(this.view)); // while the server answers
    }
    await this.list();
    for (const view of VIEWS) {
      if (view.group === 'model') this.attempt(() => fetched(view)); // so that it is there at once when it is wanted
    }
    while (!this.progress?.done) {
      await new Promise((done) => setTimeout(done, POLL));
      await this.list();
    }
  }

  /** Ask which models are open, and take up new ones. */
  async list() {
    /** @type {Models} */
    const { models, progress } = await this.connection.ask('models');
    const before = this.models.length;
    [this.models, this.progress] = [models, progress];
    if (models.length !== before) {
      if (!this.view.alone && (!before || this.view.id === 'compare' || this.view.id === 'noise')) await this.show();
      else this.furnish();
    }
    this.report();
  }

  // --- State ------------------------------------------------------------------

  /** @returns {Readonly<import('./address.js').State>} what the address says; `set` changes it */
  get state() {
    return this.#state;
  }

  /** @returns {Language} */
  get language() {
    const wanted = this.state.lang ?? navigator.language.slice(0, 2);
    return wanted === 'cs' ? 'cs' : 'en';
  }

  /** @returns {import('./views.js').View} what the address names: a view, or one by a row of the lecture that it has */
  get view() {
    const wanted = this.state.view ?? '';
    return VIEWS.find((view) => view.id === wanted || view.rows?.includes(wanted)) ?? VIEWS[0];
  }

  /** @returns {boolean} whether what the view needs is there */
  get ready() {
    return this.view.alone || this.models.length > 0;
  }

  /** @returns {Model} the model that is shown; there is one */
  get model() {
    return shown(this.models, this.state.model);
  }

  /** @returns {boolean} whether the address names a view and a model that there are */
  get known() {
    const { view, model } = this.state;
    const [views, models] = [
      VIEWS.flatMap(({ id, rows }) => [String(id), ...(rows ?? [])]),
      this.models.map(({ id }) => id),
    ];
    return (
      (view === undefined || views.includes(view)) &&
      (model === undefined || models.includes(model) || !this.progress?.done)
    );
  }

  get theme() {
    return this.state.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  }

  /** @returns {Record<string, string>} what every question about the model says */
  get named() {
    return this.model.conditional ? { model: this.model.id, label: this.label } : { model: this.model.id };
  }

  /** @returns {string} the class that a conditional model decodes */
  get label() {
    const wanted = this.state.class ?? '';
    return this.model.classes.includes(wanted) ? wanted : this.model.classes[0];
  }

  /** @returns {string} the arguments after z in Python, for a conditional model its class */
  get pythonLabel() {
    const { conditional, classes, literals } = this.model;
    return conditional ? `, [${literals[classes.indexOf(this.label)]}]` : '';
  }

  /** @returns {Brush | RowBrush} what shows the model's examples */
  get brush() {
    const { shape, ink, columns } = this.model;
    return columns.length ? new RowBrush(this, columns) : new Brush(shape, ink);
  }

  /**
   * Change the state; the address follows.
   * @param {Record<string, string>} changes "" takes one away
   */
  set(changes) {
    const changed = Object.keys(changes).filter((name) => (this.state[name] ?? '') !== changes[name]);
    if (!changed.length) return;
    for (const name of changed) {
      if (changes[name]) this.#state[name] = changes[name];
      else delete this.#state[name];
    }
    const whole = changed.some((name) => FRAME.includes(name));
    clearTimeout(this.written);
    if (whole) this.write(true);
    else this.written = setTimeout(() => this.write(false), WRITE);
    if (whole) this.show();
    else this.mounted?.update?.(changed);
  }

  /** @param {boolean} step whether the browser's back button shall undo it */
  write(step) {
    clearTimeout(this.written);
    if (format(this.state) !== location.hash) {
      history[step ? 'pushState' : 'replaceState'](null, '', format(this.state));
    }
  }

  /** Take the state from the address. */
  read() {
    this.#state = parse(location.hash);
    this.show();
  }

  /**
   * Go to another view or model; what belongs to the one before is left behind.
   * @param {Record<string, string>} changes
   */
  go(changes) {
    const target = this.models.find((model) => model.id === changes.model) ?? this.model;
    const keep =
      target === this.model
        ? [...FRAME, ...SHARED, 'z']
        : String(target.shape) === String(this.model.shape)
          ? [...FRAME, ...SHARED]
          : FRAME;
    const left = Object.keys(this.state).filter((name) => !keep.includes(name));
    this.set({ ...Object.fromEntries(left.map((name) => [name, ''])), ...changes });
  }

  // --- Words ------------------------------------------------------------------

  /**
   * @param {Key} key
   * @param {Record<string, string | number>} [values]
   */
  t(key, values) {
    return translate(this.language, key, values);
  }

  /**
   * @param {number} value
   * @param {Intl.NumberFormatOptions} [options]
   */
  n(value, options) {
    return number(this.language, value, options);
  }

  /** @param {number} fraction in [0, 1] */
  percent(fraction) {
    return this.n(fraction, { style: 'percent', maximumFractionDigits: fraction > 0.99 && fraction < 1 ? 1 : 0 });
  }

  /**
   * @param {number[]} z
   * @returns {string} the code, its first four numbers at most
   */
  code(z) {
    const first = z.slice(0, 4).map((value) => this.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
    return `z = (${first.join('; ')}${z.length > 4 ? '; …' : ''})`;
  }

  // --- Showing ----------------------------------------------------------------

  /** Show the view anew. */
  async show() {
    const turn = ++this.turn;
    this.dress();
    if (!this.ready) return this.furnish();
    this.mounted?.close?.();
    this.mounted = null;
    this.furnish();
    const root = h('div', { class: `view ${this.view.id}` });
    const rows = this.view.rows?.map((row) => h('a', { href: `#view=${row}` }, row));
    const lead = h(
      'div',
      { class: 'lead' },
      h('h1', {}, this.t(this.view.id)),
      rows ? h('p', { class: 'rows' }, ...rows) : null,
      h('p', {}, this.t(/** @type {Key} */ (`${this.view.id}.lead`))),
    );
    this.say('');
    const waiting = setTimeout(() => this.say('loading'), 200);
    try {
      const module = await fetched(this.view);
      if (turn !== this.turn) return;
      const mounted = await module.mount(root, this);
      if (turn !== this.turn) return mounted.close?.();
      this.mounted = mounted;
      this.main.replaceChildren(h('div', { class: 'sheet' }, lead, root));
      if (!this.known) this.say('unknown');
      this.report();
      document.documentElement.dataset.ready = this.view.id;
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    } finally {
      clearTimeout(waiting);
      if (turn === this.turn && this.status.dataset.key === 'loading') this.say('');
    }
  }

  /** @param {unknown} error */
  fail(error) {
    const told = error instanceof Error ? error.message : String(error);
    this.main.replaceChildren(
      h(
        'div',
        { class: 'sheet empty', role: 'alert' },
        h('p', {}, this.t('error', { error: told })),
        h('button', { onclick: () => this.show() }, this.t('error.again')),
      ),
    );
  }

  /**
   * Run something that asks the server; what goes wrong is said, and the page goes on.
   * @param {() => Promise<unknown> | void} work
   */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.say('error', { error: error instanceof Error ? error.message : String(error) });
    }
  }

  dress() {
    const root = document.documentElement;
    root.lang = this.language;
    root.dataset.theme = this.theme;
    root.classList.toggle('teach', this.state.teach === '1');
    document.title = this.t('title');
    this.skip.textContent = this.t('skip');
  }

  /** Build what stands above and below the view. */
  furnish() {
    const focused = document.activeElement?.id;
    this.head.replaceChildren(...above(this));
    if (this.ready) this.foot.replaceChildren(...below(this));
    if (focused) document.getElementById(focused)?.focus();
  }

  // --- What is going on -------------------------------------------------------

  /**
   * @param {Key | ''} key
   * @param {Record<string, string | number>} [values]
   * @param {...Node} more
   */
  say(key, values, ...more) {
    if (this.status.dataset.key === 'lost' && document.documentElement.classList.contains('lost')) return;
    this.status.dataset.key = key;
    this.status.replaceChildren(...(key ? [h('span', {}, this.t(key, values)), ...more] : []));
  }

  /** Say how far training is. */
  report() {
    if (!this.progress || this.status.dataset.key === 'error') return;
    const { done, error, name, fraction } = this.progress;
    if (error) return this.say('training.failed', { error });
    if (done) return this.status.dataset.key?.startsWith('training') ? this.say('') : undefined;
    const bar = h('progress', { max: 1, value: fraction, 'aria-label': this.t('training', { name }) });
    if (this.ready) return this.say('training', { name }, bar);
    this.say('');
    this.main.replaceChildren(
      h('div', { class: 'sheet empty' }, h('h1', {}, this.t('title')), h('p', {}, this.t('training.first')), bar),
    );
  }

  /**
   * @param {boolean} open
   * @param {() => void} again try, now
   */
  connected(open, again) {
    document.documentElement.classList.toggle('lost', !open);
    if (open) {
      this.status.dataset.key = '';
      this.status.replaceChildren();
      this.report();
      return;
    }
    this.status.dataset.key = 'lost';
    this.status.replaceChildren(h('span', {}, this.t('lost')), h('button', { onclick: again }, this.t('lost.now')));
  }
}

new App().start();
