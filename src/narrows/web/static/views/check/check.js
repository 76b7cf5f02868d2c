/** Check: what is wrong with the model, in words, and which examples are the oddest to it. */
import { blankCanvas, paintErrors } from '../../widgets/canvases.js';
import { figure, h } from '../../widgets/elements.js';
import { RowBrush } from '../../widgets/rows.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {{ kind: string, words: string, figure: string, advice: string }} Finding */
/** @typedef {{ findings: Finding[], judged: number, refused: string }} Check */
/**
 * @typedef {{
 *   rows: Integers, scores: Floats, odd: number, originals: Shown, restored: Shown, maps: Floats, labels: string[],
 * }} Oddest
 */

const MOST_ERROR = 0.25; // squared, at the end of the colours

/** @type {import('../../shell/views.js').Module} */
export const check = {
  async mount(root, app) {
    /** @type {Oddest} */
    const found = await app.connection.ask('oddest', { model: app.model.id });
    const odd = app.n(found.odd);
    const lead = app.model.columns.length ? app.t('check.oddest.rows', { odd }) : app.t('check.oddest.lead', { odd });
    const diagnosis = h('div', { class: 'diagnosis', 'aria-live': 'polite' }, h('p', {}, app.t('check.wait')));
    root.append(
      h('section', {}, h('h2', {}, app.t('check.diagnosis')), diagnosis),
      h('section', {}, h('h2', {}, app.t('check.oddest'), h('small', {}, lead)), shown(app, found)),
    );
    app.attempt(() => diagnose(app, diagnosis)); // which may take a while
    return { python: () => lines(app) };
  },
};

/**
 * @param {App} app
 * @param {HTMLElement} element that says it
 */
async function diagnose(app, element) {
  /** @type {Check} */
  const { findings, judged, refused } = await app.connection.ask('check', { model: app.model.id });
  if (refused) return element.replaceChildren(h('p', {}, app.t('check.refused', { why: refused })));
  const count = app.n(judged, {});
  if (!findings.length) return element.replaceChildren(h('p', {}, app.t('check.nothing', { count })));
  const told = findings.map(({ kind, words, figure: number, advice }) =>
    h(
      'li',
      { lang: 'en' },
      h('strong', {}, kind),
      h('p', {}, words),
      h('p', { class: 'hint' }, `${number}. ${advice}`),
    ),
  );
  element.replaceChildren(h('p', {}, app.t('check.found', { count })), h('ol', {}, ...told));
}

/**
 * @param {App} app
 * @param {Oddest} found
 */
function shown(app, found) {
  const { brush } = app;
  const rows = Array.from(found.rows.data);
  if (brush instanceof RowBrush) {
    const told = rows.map((row, i) => ({ name: opener(app, found, row, i), shown: found.originals, row: i }));
    return brush.table(told);
  }
  const [, ...size] = found.maps.shape;
  const width = size.reduce((a, b) => a * b, 1);
  const figures = rows.map((row, i) => {
    const map = blankCanvas(app.t('input.map'));
    paintErrors(map, { data: found.maps.data.subarray(i * width, (i + 1) * width), shape: [1, ...size] }, MOST_ERROR);
    const name = `${app.t('example')} ${row}`;
    const three = [brush.canvas(found.originals, i, name), brush.canvas(found.restored, i, app.t('input.restored'))];
    return figure(h('div', { class: 'three' }, ...three, map), opener(app, found, row, i));
  });
  return h('div', { class: 'odd' }, ...figures);
}

/**
 * @param {App} app
 * @param {Oddest} found
 * @param {number} row
 * @param {number} i its place among them
 */
function opener(app, { scores, labels, odd }, row, i) {
  const score = scores.data[i];
  const words = [app.n(row, {}), labels[i] && app.t('label', { label: labels[i] }), app.n(score)];
  const view = app.model.columns.length ? 'row' : 'input';
  const open = () => app.go({ view, x: '', example: String(row) });
  const title = app.t('check.open', { row });
  return h(
    'button',
    { class: `quiet kept number ${score > odd ? 'above' : ''}`, title, onclick: open },
    words.filter(Boolean).join(' · '),
  );
}

/** @param {App} app */
function lines(app) {
  const { model } = app;
  const y = model.conditional ? ', data.y' : '';
  const X = model.from_prior ? 'model.sample(1000, random_state=0)' : 'data.X';
  const evaluation = ['evaluation = model.evaluate(data.X, data.y)', 'findings = evaluation.findings'];
  return [
    ...(model.from_prior ? [] : evaluation),
    `scores = model.anomaly_score(${X}${y})`,
    'oddest = (-scores).argsort()[:24]',
  ];
}
