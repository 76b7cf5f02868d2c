/** One row: its cells as labelled bars, a slider for each number of its code, cells held while the others follow. */
import { join, split, whole } from '../../shell/address.js';
import { dragPainter } from '../../widgets/drag-painter.js';
import { h } from '../../widgets/elements.js';
import { examplePicker, labelled } from '../../widgets/fields.js';
import { RowBrush } from '../../widgets/rows.js';
import { askWhy, whyWords } from '../../widgets/why.js';
import { newest } from '../../wire/newest.js';
import { inputLines } from '../input/given.js';
import { CodePanel } from './code-panel.js';
import { heldIn } from './held.js';
import { Line } from './line.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../widgets/rows.js').Rows} Rows */
/** @typedef {import('../code/code.js').Units} Units */
/** @typedef {{ examples: import('../../wire/frames.js').Integers }} Ranked */
/** @typedef {import('./line.js').Value} Value */
/** @typedef {{ z: number[], row: Rows, low: Floats, high: Floats, chances: [string, number][][] }} Follows */
/**
 * @typedef {{
 *   original: Rows, label: string, coded: Follows, filled: Follows | null, error: number, score: number, odd: number,
 * }} Row
 */

const FILTERED = 12; // columns from which on they can be searched

/** @type {import('../../shell/views.js').Module} */
export const row = {
  async mount(root, app) {
    if (!app.model.columns.length) {
      root.append(h('p', { class: 'hint' }, app.t('row.none')));
      return { python: () => [] };
    }
    const [units, given] = await Promise.all([unitsOf(app), exampleOf(app)]);
    const view = new RowView(root, app, units, given);
    await view.start();
    return view;
  },
};

/**
 * @param {App} app
 * @returns {Promise<Units>}
 */
async function unitsOf(app) {
  /** @type {Units} */
  const units = await app.connection.ask('units', { model: app.model.id });
  return units;
}

/**
 * @param {App} app
 * @returns {Promise<Row>} the example that the address names
 */
async function exampleOf(app) {
  const example = whole(app.state.example, 0, app.model.count - 1) ?? 0;
  /** @type {Row} */
  const given = await app.connection.ask('row', { model: app.model.id, example });
  return given;
}

class RowView {
  list = h('ul', { class: 'lines' });
  about = h('p', { class: 'hint number', 'aria-live': 'polite' });
  why = h('p', { class: 'why', 'aria-live': 'polite' });
  /** @type {string[]} examples, the oddest first */
  oddest = [];

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {Units} units
   * @param {Row} given
   */
  constructor(root, app, units, given) {
    this.app = app;
    this.units = units;
    this.given = given;
    this.shown = given.coded;
    this.d = app.model.latent_dim;
    this.z = [...given.coded.z];
    this.held = heldIn(app);
    this.lines = app.model.columns.map(
      (heading, i) =>
        new Line(app, heading, {
          held: (value, stamp) => this.hold(heading.name, value, stamp),
          released: () => this.release(i),
        }),
    );
    this.explain = newest((/** @type {number} */ example) => this.explained(example));
    this.ask = newest((/** @type {number} */ stamp, /** @type {'held' | 'code'} */ by) => this.follow(stamp, by));
    this.painter = dragPainter(
      (/** @type {Follows} */ follows) => this.painted(follows),
      () => this.write(),
    );
    this.list.append(this.heads(), ...this.lines.map(({ element }) => element));
    const cells = h('section', { class: 'cells-and-heads' }, this.controls(), this.about, this.why, this.list);
    this.code = new CodePanel(app, units, this.z, {
      moved: (z, stamp) => this.put(z, stamp),
      own: () => (this.free ? this.releaseAll() : this.put(this.given.coded.z, performance.now())),
    });
    root.append(h('aside', {}, this.code.element), cells);
  }

  async start() {
    this.originals();
    const z = split(this.app.state.z, this.d);
    if (!this.free) await this.ask(0, 'held');
    else if (z) await this.put(z, 0);
    else this.painted(this.given.coded);
  }

  // --- What stands around ------------------------------------------------------

  controls() {
    const { app } = this;
    const picker = examplePicker(app, {
      label: app.t('example'),
      value: this.example,
      chosen: (example) => this.go(example),
    });
    this.picker = picker.input;
    const search = h('input', { type: 'search', oninput: () => this.filter(search.value) });
    return h(
      'div',
      { class: 'controls row' },
      picker.element,
      h('button', { onclick: () => app.attempt(() => this.nextOddest()) }, app.t('row.oddest')),
      h('button', { onclick: () => this.holdAll() }, app.t('row.hold.all')),
      h('button', { onclick: () => this.releaseAll() }, app.t('row.release.all')),
      this.lines.length > FILTERED && labelled(app.t('row.filter'), search),
    );
  }

  heads() {
    const { app } = this;
    const head = (/** @type {string} */ kind, /** @type {string} */ words) => h('span', { class: kind }, words);
    return h(
      'li',
      { class: 'line heads', 'aria-hidden': 'true' },
      head('name', app.t('row.column')),
      head('key', app.t('row.key')),
      head('value', app.t('row.model')),
      head('original', app.t('plane.original')),
    );
  }

  // --- The example -------------------------------------------------------------

  /** @returns {number} the example that the address names */
  get example() {
    return whole(this.app.state.example, 0, this.app.model.count - 1) ?? 0;
  }

  /** @returns {boolean} whether no cell is held */
  get free() {
    return !Object.keys(this.held).length;
  }

  originals() {
    const { app, given, lines } = this;
    const [texts, at] = [given.original.texts[0], given.original.at.data];
    lines.forEach((line, i) => line.from(texts[i], at[i]));
    const words = [
      `${app.t('example')} ${app.n(this.example, {})}`,
      given.label && app.t('label', { label: given.label }),
      app.model.table && app.t('error.number', { error: app.n(given.error) }),
      app.t('row.score', { score: app.n(given.score), odd: app.n(given.odd) }),
    ];
    this.about.textContent = words.filter(Boolean).join(' · ');
    this.why.textContent = '';
    app.attempt(() => this.explain(this.example));
  }

  /** @param {number} example whose odd cells are named */
  async explained(example) {
    const { app, lines } = this;
    const why = await askWhy(app, { example });
    if (example !== this.example) return;
    if (app.brush instanceof RowBrush) this.why.textContent = whyWords(app, why, app.brush);
    const [p, surprise] = [why.p_values.data, why.surprise.data];
    lines.forEach((line, i) => line.judge(why.known ? p[i] : Number.NaN, surprise[i] > 0));
  }

  /** @param {number} example */
  go(example) {
    this.app.set({ example: String(example), z: '', held: '', x: '' });
  }

  /** Go to the oddest example, and from there to the next. */
  async nextOddest() {
    const { app } = this;
    if (!this.oddest.length) {
      /** @type {Ranked} */
      const { examples } = await app.connection.ask('ranked', { model: app.model.id });
      this.oddest = Array.from(examples.data, String);
    }
    const at = this.oddest.indexOf(String(this.example));
    this.go(Number(this.oddest[this.ranked ? (at + 1) % this.oddest.length : 0]));
    this.ranked = true;
  }

  async take() {
    this.given = await exampleOf(this.app);
    if (this.picker) this.picker.value = String(this.example);
    this.held = {};
    this.originals();
    this.show(this.given.coded, performance.now());
  }

  /** @param {string} text */
  filter(text) {
    const wanted = text.toLocaleLowerCase();
    for (const { element, heading } of this.lines) {
      element.hidden = !heading.name.toLocaleLowerCase().includes(wanted);
    }
  }

  // --- Holding -----------------------------------------------------------------

  /**
   * @param {string} name
   * @param {Value} value
   * @param {number} stamp
   */
  hold(name, value, stamp) {
    this.held = { ...this.held, [name]: value };
    this.ask(stamp, 'held');
  }

  /** @param {number} i the column that is let go */
  release(i) {
    const name = this.lines[i].heading.name;
    this.held = Object.fromEntries(Object.entries(this.held).filter(([other]) => other !== name));
    if (this.free) this.releaseAll();
    else this.ask(performance.now(), 'held');
  }

  /** Hold all of the example's cells that are known. */
  holdAll() {
    const { at } = this.given.original;
    const known = this.lines.filter((_, i) => !Number.isNaN(at.data[i]));
    this.held = Object.fromEntries(known.map(({ heading }) => [heading.name, null]));
    this.ask(performance.now(), 'held');
  }

  releaseAll() {
    this.held = {};
    this.show(this.given.coded, performance.now());
  }

  /** @param {number[]} z @param {number} stamp */
  put(z, stamp) {
    this.z = [...z];
    return this.ask(stamp, 'code');
  }

  /**
   * Ask what follows, from what is held or from the code.
   * @param {number} stamp when the person moved, or 0
   * @param {'held' | 'code'} by
   */
  async follow(stamp, by) {
    const { app, held } = this;
    try {
      this.show(by === 'held' ? await this.heldBy(held) : await this.coded(), stamp);
      if (by === 'held') this.good = held;
      if (app.status.dataset.key === 'error') app.say('');
    } catch (error) {
      if (this.held === held && by === 'held') this.held = this.good ?? {};
      app.say('error', { error: error instanceof Error ? error.message : String(error) });
      this.painted(this.shown);
    }
  }

  /**
   * @param {Record<string, Value>} held
   * @returns {Promise<Follows>}
   */
  async heldBy(held) {
    const { app } = this;
    /** @type {Follows} */
    const follows = await app.connection.ask('follow', { ...app.named, held, example: this.example });
    return follows;
  }

  /** @returns {Promise<Follows>} what the code says */
  async coded() {
    const { app } = this;
    /** @type {Follows} */
    const follows = await app.connection.ask('means', { ...app.named, z: this.z });
    const { row: original, low, high, chances } = this.shown;
    this.lines.forEach(({ heading }, i) => {
      if (!(heading.name in this.held)) return;
      follows.row.texts[0][i] = original.texts[0][i];
      follows.row.at.data[i] = original.at.data[i];
      follows.low.data[i] = low.data[i];
      follows.high.data[i] = high.data[i];
      follows.chances[i] = chances[i];
    });
    return follows;
  }

  // --- Showing -----------------------------------------------------------------

  /**
   * @param {Follows} follows
   * @param {number} stamp
   */
  show(follows, stamp) {
    this.z = [...follows.z];
    this.painter.show(follows, stamp);
  }

  /** @param {Follows} follows */
  painted(follows) {
    const { given, held, lines } = this;
    const { free } = this;
    this.shown = follows;
    this.code.set(follows.z);
    lines.forEach((line, i) => {
      const fills = free && follows === given.coded && given.filled !== null && (line.missing ?? false);
      const said = fills && given.filled ? given.filled : follows;
      line.paint({
        text: said.row.texts[0][i],
        at: said.row.at.data[i],
        low: said.low.data[i],
        high: said.high.data[i],
        chances: said.chances[i],
        held: line.heading.name in held,
        fills: fills || (!free && (line.missing ?? false) && !(line.heading.name in held)),
      });
    });
  }

  /** Say in the address what is shown. */
  write() {
    const { held, lines, shown } = this;
    const texts = lines.flatMap(({ heading }, i) =>
      heading.name in held ? [[heading.name, held[heading.name] === null ? null : shown.row.texts[0][i]]] : [],
    );
    const free = !texts.length;
    const own = shown === this.given.coded;
    this.app.set({ held: free ? '' : JSON.stringify(Object.fromEntries(texts)), z: free && !own ? join(this.z) : '' });
  }

  /** @param {number} x @param {number} y steps along the first unit and the second */
  move(x, y) {
    this.put(this.code.moved(this.z, x, y), performance.now());
  }

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('example')) this.app.attempt(() => this.take());
  }

  python() {
    const { model, pythonLabel } = this.app;
    const held = Object.entries(heldIn(this.app));
    if (!held.length) {
      const z = this.app.state.z ? [`z = [[${join(this.z).replaceAll(',', ', ')}]]`] : ['z = model.transform(x)'];
      const y = model.conditional ? pythonLabel : '';
      if (y) z[0] = z[0].replace('(x)', `(x${y})`);
      const filled = model.table ? [`filled = model.impute(x${y})`] : [];
      return [...inputLines(this.app), ...z, `row = model.inverse_transform(z${y})`, ...filled];
    }
    const cells = held.map(([name, value]) => {
      const i = model.columns.findIndex((heading) => heading.name === name);
      const text = value === null ? this.given.original.texts[0][i] : String(value);
      return [`${JSON.stringify(name)}: ${model.columns[i].decimals < 0 ? JSON.stringify(text) : text}`, i, text];
    });
    if (model.table) {
      return [`rows = model.sample(1000, given={${cells.map(([pair]) => pair).join(', ')}}, missing=False)`];
    }
    return [
      'import numpy as np',
      'from narrows.fitted.marginals import given_cells',
      '',
      `cells = np.full(${model.columns.length}, np.nan)`,
      `cells[[${cells.map(([, i]) => i).join(', ')}]] = ${cells.map(([, , text]) => text).join(', ')}`,
      'row = given_cells(model.fitted_, cells, None).cells',
    ];
  }

  close() {
    this.painter.close();
  }
}
