/** Compare: models that differ in the size of their code, on the same examples, and how the error falls. */
import { spaced } from '../../shell/words.js';
import { h, svg } from '../../widgets/elements.js';
import { roundNumbers } from '../../widgets/plot.js';
import { RowBrush } from '../../widgets/rows.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../shell/strings.js').Key} Key */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/**
 * @typedef {{
 *   id: string, latent_dim: number, error: number, standard_error: number, subset: string, pca_error: number | null,
 *   restored: Shown, errors: Floats,
 * }} Column
 */
/**
 * @typedef {{
 *   kind: string, columns: Column[], originals: Shown, rows: Integers, labels: string[], mean_error: number,
 * }} Compared
 */

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 320, 58, 16, 14, 48];
const [DOWN, UP] = [1 / 1.6, 1.6]; // around the least and the largest error

/** @type {import('../../shell/views.js').Module} */
export const compare = {
  async mount(root, app) {
    /** @type {Compared} */
    const given = await app.connection.ask('compare', { model: app.model.id });
    root.append(table(app, given), curve(app, given));
    if (given.columns.length < 2) root.append(h('p', { class: 'hint' }, app.t('compare.one')));
    return { python: () => lines(app) };
  },
};

/**
 * @param {App} app
 * @param {Compared} given
 */
function curve(app, { kind, columns, mean_error: mean }) {
  const pca = columns.filter((column) => column.pca_error !== null);
  const errors = columns
    .flatMap(({ error, pca_error: other }) => [error, other ?? error])
    .concat(columns.length > 1 ? mean : []);
  const [low, high] = [Math.min(...errors) * DOWN, Math.max(...errors) * UP];
  const dims = columns.map((column) => column.latent_dim);
  const spread = Math.log2(Math.max(...dims) / Math.min(...dims)) || 1;
  const x = (/** @type {number} */ d) =>
    LEFT + 30 + (columns.length > 1 ? (Math.log2(d / Math.min(...dims)) / spread) * (WIDTH - LEFT - RIGHT - 60) : 0);
  const y = (/** @type {number} */ error) =>
    TOP + (Math.log(high / error) / Math.log(high / low)) * (HEIGHT - TOP - BOTTOM);
  const path = (/** @type {Column[]} */ some, /** @type {(column: Column) => number} */ value) =>
    `M${some.map((column) => `${x(column.latent_dim)} ${y(value(column))}`).join('L')}`;
  const drawing = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: 'curve',
    role: 'group',
    'aria-label': app.t('compare.curve'),
  });
  for (const value of roundNumbers(low, high)) {
    drawing.append(
      svg('path', { class: 'grid', d: `M${LEFT} ${y(value)}H${WIDTH - RIGHT}` }),
      svg('text', { class: 'tick', x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end' }, app.n(value)),
    );
  }
  for (const d of dims) {
    drawing.append(
      svg('text', { class: 'tick', x: x(d), y: HEIGHT - BOTTOM + 20, 'text-anchor': 'middle' }, app.n(d, {})),
    );
  }
  drawing.append(
    svg('text', { class: 'tick', x: WIDTH - RIGHT, y: HEIGHT - 4, 'text-anchor': 'end' }, app.t('compare.d')),
  );
  if (columns.length > 1) drawing.append(svg('path', { class: 'mean', d: `M${LEFT} ${y(mean)}H${WIDTH - RIGHT}` }));
  if (pca.length > 1) drawing.append(svg('path', { class: 'pca', d: path(pca, (column) => column.pca_error ?? 0) }));
  drawing.append(svg('path', { class: 'ours', d: path(columns, (column) => column.error) }));
  for (const column of columns) {
    const text = app.t('compare.open', { d: column.latent_dim, error: app.n(column.error) });
    const open = () => app.go({ model: column.id, view: 'plane' });
    drawing.append(
      svg(
        'circle',
        {
          class: column.id === app.model.id ? 'dot own' : 'dot',
          cx: x(column.latent_dim),
          cy: y(column.error),
          r: 8,
          tabindex: 0,
          role: 'button',
          'aria-label': text,
          onclick: open,
          onkeydown: (/** @type {KeyboardEvent} */ event) => {
            if (event.key === 'Enter' || event.key === ' ') {
              event.preventDefault();
              open();
            }
          },
        },
        svg('title', {}, text),
      ),
    );
  }
  const subset = /** @type {Key} */ (`compare.subset.${columns[0].subset}`);
  const item = (/** @type {string} */ name, /** @type {string} */ words) =>
    h(
      'span',
      { class: 'item' },
      svg('svg', { viewBox: '0 0 24 8', 'aria-hidden': 'true' }, svg('path', { class: name, d: 'M0 4H24' })),
      words,
    );
  return h(
    'figure',
    { class: 'errors' },
    h(
      'p',
      { class: 'key' },
      item('ours', spaced(kind)),
      pca.length > 1 && item('pca', app.t('compare.pca')),
      columns.length > 1 && item('mean', app.t('compare.mean')),
    ),
    drawing,
    h('figcaption', {}, `${app.t(app.model.table ? 'unit.table' : 'unit')}, ${app.t(subset)}`),
  );
}

/**
 * A column a model, a row an example; a row is marked in all of them at once.
 * @param {App} app
 * @param {Compared} given
 */
function table(app, given) {
  const { columns, originals, rows, labels } = given;
  const { brush } = app;
  if (brush instanceof RowBrush) return h('div', { class: 'columns' }, tableOfRows(app, brush, given));
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, app.t('compare.original')),
    ...columns.map((column) =>
      h(
        'th',
        { scope: 'col', class: column.id === app.model.id ? 'own' : '' },
        h(
          'button',
          { class: 'quiet kept', onclick: () => app.go({ model: column.id, view: 'plane' }) },
          `d = ${column.latent_dim}`,
        ),
        h('small', { class: 'number' }, app.n(column.error)),
      ),
    ),
  );
  const body = Array.from(rows.data, (row, i) => {
    const name = app.t('compare.row', { row });
    const first = h(
      'th',
      { scope: 'row' },
      brush.canvas(originals, i, labels[i] ? `${name}, ${app.t('label', { label: labels[i] })}` : name),
    );
    const cells = columns.map((column) => {
      const words = app.t('compare.look', { row, d: column.latent_dim, error: app.n(column.errors.data[i]) });
      const canvas = brush.canvas(column.restored, i, words);
      return h(
        'td',
        {},
        h(
          'button',
          {
            class: 'cell kept',
            title: words,
            onclick: () => app.go({ model: column.id, view: 'input', x: '', example: String(row) }),
          },
          canvas,
        ),
      );
    });
    return h('tr', {}, first, ...cells);
  });
  return h('div', { class: 'columns' }, h('table', {}, h('thead', {}, head), h('tbody', {}, ...body)));
}

/**
 * Of each example its original, and under it what each model makes of it.
 * @param {App} app
 * @param {RowBrush} brush
 * @param {Compared} given
 */
function tableOfRows(app, brush, { columns, originals, rows }) {
  const look = (/** @type {Column} */ column, /** @type {number} */ row, /** @type {number} */ i) => {
    const words = app.t('compare.look', { row, d: column.latent_dim, error: app.n(column.errors.data[i]) });
    const open = () => app.go({ model: column.id, view: 'row', x: '', example: String(row) });
    return h('button', { class: 'quiet kept', title: words, onclick: open }, `d = ${column.latent_dim}`);
  };
  return brush.table(
    Array.from(rows.data).flatMap((row, i) => [
      { name: app.t('compare.row', { row }), shown: originals, row: i, kind: 'first' },
      ...columns.map((column) => ({ name: look(column, row, i), shown: column.restored, row: i })),
    ]),
  );
}

/** @param {App} app */
function lines(app) {
  const { model } = app;
  const y = model.conditional ? ', data.y' : '';
  const X = model.from_prior ? 'model.sample(1000, random_state=0)' : 'data.X';
  return [`errors = model.anomaly_score(${X}${y}, by="reconstruction")`, `restored = model.reconstruct(${X}${y})`];
}
