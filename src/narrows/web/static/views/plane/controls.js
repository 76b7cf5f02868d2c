/** What can be chosen about the plane, and the key to its drawing. */
import { heat } from '../../widgets/canvases.js';
import { h, svg } from '../../widgets/elements.js';
import { choices, tick } from '../../widgets/fields.js';
import { cellWords } from '../../widgets/rows.js';
import { columnColour, shownColumn } from './background.js';

export const BINS = 8; // colours of errors
const NAMED = 10; // levels whose colours are told

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./plane.js').Axes} Axes */
/** @typedef {import('./plane.js').Plane} Plane */

/** @typedef {'label' | 'column' | 'error'} Colouring */

/**
 * @param {App} app
 * @param {Plane} given
 * @returns {Colouring[]} what the points' colours can stand for, the usual first
 */
function colourings(app, given) {
  /** @type {Colouring[]} */
  const all = ['label', 'column', 'error'];
  return all.filter(
    (kind) => kind === 'error' || (kind === 'label' ? given.classes.length : app.model.columns.length) > 0,
  );
}

/**
 * @param {App} app
 * @param {Plane} given
 * @returns {Colouring} what they do stand for
 */
export function colouring(app, given) {
  const all = colourings(app, given);
  return all.find((kind) => kind === app.state.colour) ?? all[0];
}

/**
 * @param {App} app
 * @param {Axes} axes
 * @param {Plane} given
 * @param {HTMLElement} lasso
 * @param {(rows: number[]) => void} select examples; none clears the selection
 */
export function controls(app, axes, given, lasso, select) {
  const { classes } = given;
  const colour = choices({
    label: app.t('plane.colour'),
    values: colourings(app, given),
    value: colouring(app, given),
    told: (kind) => app.t(`plane.colour.${kind}`),
    chosen: (kind) => app.set({ colour: kind }),
  });
  const one = choices({
    label: app.t('plane.pick'),
    values: ['', ...classes],
    value: '',
    told: (name) => name || '–',
    chosen: (name) => select(ofClass(given, classes.indexOf(name))),
  });
  return h(
    'div',
    { class: 'controls stack' },
    colourings(app, given).length > 1 && colour,
    app.model.columns.length > 0 && columnChoice(app),
    ...(app.model.latent_dim > 2 ? axisChoices(app, axes) : []),
    tick(app.t(app.model.columns.length ? 'plane.tiles.column' : 'plane.tiles'), app.state.tiles !== '0', (on) =>
      app.set({ tiles: on ? '' : '0' }),
    ),
    lasso,
    classes.length > 0 && one,
  );
}

/** @param {App} app */
function columnChoice(app) {
  const [, { name }] = shownColumn(app);
  return choices({
    label: app.t('plane.column'),
    values: app.model.columns.map((heading) => heading.name),
    value: name,
    chosen: (column) => app.set({ column }),
  });
}

/**
 * @param {Plane} given
 * @param {number} label
 */
function ofClass({ labels }, label) {
  return Array.from(labels?.data ?? []).flatMap((own, i) => (own === label ? [i] : []));
}

/**
 * @param {App} app
 * @param {Axes} axes
 */
function axisChoices(app, axes) {
  const kind = choices({
    label: app.t('plane.axes'),
    values: /** @type {const} */ (['pca', 'units']),
    value: axes === 'pca' ? 'pca' : 'units',
    told: (name) => app.t(`plane.${name}`),
    chosen: (name) => app.set({ axes: name === 'pca' ? '' : '0,1', zoom: '' }),
  });
  if (axes === 'pca') return [kind];
  const units = Array.from({ length: app.model.latent_dim }, (_, i) => String(i));
  const told = (/** @type {string} */ unit) => app.t('plane.z', { i: Number(unit) + 1 });
  const unit = (/** @type {0 | 1} */ axis) =>
    choices({
      label: app.t(axis ? 'plane.up' : 'plane.across'),
      values: units,
      value: String(axes[axis]),
      told,
      chosen: (value) => app.set({ axes: swapped(axes, axis, Number(value)).join(','), zoom: '' }),
    });
  return [kind, unit(0), unit(1)];
}

/**
 * @param {[number, number]} axes
 * @param {0 | 1} axis
 * @param {number} unit
 * @returns {number[]} the axes with this unit on this axis; if the other has it already, the two are exchanged
 */
function swapped(axes, axis, unit) {
  const other = axes[1 - axis] === unit ? axes[axis] : axes[1 - axis];
  return axis ? [other, unit] : [unit, other];
}

/**
 * @param {App} app
 * @param {Plane} given
 * @param {HTMLElement} scale filled with the colours of errors
 * @param {HTMLElement[]} counts what is said of how many examples are shown
 */
export function key(app, given, scale, counts) {
  const rows = app.model.columns.length > 0;
  const square = (/** @type {number} */ bin) =>
    svg('svg', { viewBox: '0 0 1 1' }, svg('rect', { width: 1, height: 1, fill: `rgb(${heat(bin / (BINS - 1))})` }));
  scale.append(...Array.from({ length: BINS }, (_, bin) => square(bin)), ` ${app.t('plane.errors')}`);
  const explained =
    app.model.latent_dim > 2 && h('span', {}, app.t('plane.explained', { part: app.percent(given.explained) }));
  return h(
    'p',
    { class: 'key' },
    rows && h('span', { class: 'of-column' }, ...columnKey(app)),
    h('span', {}, app.t('plane.faded')),
    explained,
    scale,
    ...counts,
  );
}

/**
 * @param {App} app
 * @returns {(Node | string)[]} what the colours of the column in the background stand for
 */
export function columnKey(app) {
  const [, heading] = shownColumn(app);
  const { name, levels, ends } = heading;
  const square = (/** @type {number} */ at) =>
    svg(
      'svg',
      { viewBox: '0 0 1 1', 'aria-hidden': 'true' },
      svg('rect', { width: 1, height: 1, fill: `rgb(${columnColour(heading, at)})` }),
    );
  if (levels.length) {
    const named = levels.slice(0, NAMED).map((level, i) => h('span', {}, square(i / (levels.length - 1)), ` ${level}`));
    return [`${name}: `, ...named, ...(levels.length > NAMED ? [' …'] : [])];
  }
  const squares = Array.from({ length: BINS }, (_, bin) => square(bin / (BINS - 1)));
  const [low, high] = ends.map((text) => cellWords(app, heading, text, 0));
  return [...squares, h('span', {}, app.t('plane.range', { name, low, high }))];
}
