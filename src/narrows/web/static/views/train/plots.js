/** What is drawn of a training: its losses, the codes, and points with what comes back of them. */
import { h, svg } from '../../widgets/elements.js';
import { keyItem, multiples, nice, Plot, roundNumbers } from '../../widgets/plot.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./moment.js').Moment} Moment */
/** @typedef {import('../../widgets/plot.js').Point} Point */

const LINE = 18; // between names that would stand on each other
const LOG_FROM = 20; // times the least loss that the largest is, from which on a logarithmic scale shows more

/**
 * @param {App} app
 * @param {Moment} moment
 * @param {number} last epoch
 * @returns {Node[]} the losses of the epochs up to the moment, and what is what
 */
export function lossPlot(app, { epochs, losses, validation }, last) {
  const [ours, theirs] = [losses, validation].map((values) =>
    Array.from(values.data, (loss, i) => /** @type {Point} */ ([epochs.data[i], loss])),
  );
  const all = [...ours, ...theirs].map(([, loss]) => loss);
  const [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
  const log = low > 0 && high > LOG_FROM * low;
  const scaled = (/** @type {number} */ loss) => (log ? Math.log10(loss) : loss);
  const room = 0.06 * (scaled(high) - scaled(low)) || 0.5;
  const [bottom, top] = [scaled(low) - room, scaled(high) + room];
  const across = multiples(1, last, nice((last - 1) / 5));
  const up = log
    ? roundNumbers(10 ** bottom, 10 ** top).map(Math.log10)
    : multiples(bottom, top, nice((top - bottom) / 4));
  const show = (/** @type {number} */ value, /** @type {number} */ axis) =>
    app.n(axis && log ? 10 ** value : value, { maximumSignificantDigits: 4 });
  const plot = new Plot({
    low: [1, bottom],
    high: [Math.max(last, 2), top],
    label: app.t('train.loss'),
    width: 520,
    height: 300,
    ticks: [across.filter(Number.isInteger), all.length ? up : []],
    show,
  });
  const curve = (/** @type {string} */ name, /** @type {Point[]} */ points) => {
    const at = points.map(([epoch, loss]) => /** @type {Point} */ ([epoch, scaled(loss)]));
    const end = at.at(-1);
    plot.front.append(
      svg('path', { class: `line ${name}`, d: plot.path(at) }),
      ...(end ? [svg('circle', { class: `end ${name}`, cx: plot.x(end[0]), cy: plot.y(end[1]), r: 4 })] : []),
    );
  };
  curve('training', ours);
  curve('validation', theirs);
  const item = (/** @type {string} */ name, /** @type {string} */ words, /** @type {Point[]} */ points) => {
    const loss = points.slice(-1).map(([, value]) => app.n(value, { maximumSignificantDigits: 4 }));
    return keyItem(`line ${name}`, [words, ...loss].join(' '));
  };
  const key = h(
    'p',
    { class: 'key' },
    item('training', app.t('train.loss.training'), ours),
    theirs.length > 0 ? item('validation', app.t('train.loss.validation'), theirs) : null,
    h('span', {}, app.t(log ? 'train.loss.log' : 'train.loss.unit')),
  );
  return [plot.element, key];
}

/**
 * @param {App} app
 * @param {Moment} moment
 * @returns {SVGElement} the codes, a colour and a name for each class
 */
export function codesPlot(app, { points: codes, labels, classes, units }) {
  const points = Array.from(
    { length: codes.shape[0] },
    (_, i) => /** @type {Point} */ ([codes.data[2 * i], codes.data[2 * i + 1]]),
  );
  const ends = [0, 1]
    .map((c) => points.map((point) => point[c]))
    .map((values) => [Math.min(...values), Math.max(...values)]);
  const [low, high] = [-1, 1].map(
    (side) =>
      /** @type {Point} */ (ends.map(([from, to]) => (side < 0 ? from : to) + side * (0.05 * (to - from) || 0.5))),
  );
  const steps = ends.map((_, c) => nice((high[c] - low[c]) / 4));
  const ticks = /** @type {[number[], number[]]} */ ([
    multiples(low[0], high[0], steps[0]),
    units === 1 ? [] : multiples(low[1], high[1], steps[1]),
  ]);
  const plot = new Plot({
    low,
    high,
    label: app.t('train.codes'),
    width: 520,
    height: 460,
    ticks,
    show: (value) => app.n(value),
  });
  /** @type {string[]} */
  const paths = [];
  points.forEach((point, i) => {
    const group = labels?.data[i] ?? 0;
    paths[group] = `${paths[group] ?? ''}M${plot.x(point[0]).toFixed(1)} ${plot.y(point[1]).toFixed(1)}h0`;
  });
  /** @type {{ x: number, y: number, name: string, i: number }[]} */
  const names = [];
  classes.forEach((name, i) => {
    const own = points.filter((_, j) => labels?.data[j] === i);
    if (!own.length) return;
    const [x, middle] = [0, 1].map((c) => own.map((point) => point[c]).sort((a, b) => a - b)[own.length >> 1]);
    const isNear = (/** @type {{ x: number, y: number, name: string }} */ other, /** @type {number} */ y) =>
      Math.abs(other.x - plot.x(x)) < 5 * (name.length + other.name.length) && Math.abs(other.y - y) < LINE;
    let y = plot.y(middle);
    while (names.some((other) => isNear(other, y))) y += LINE;
    names.push({ x: plot.x(x), y, name, i });
  });
  plot.front.append(
    svg('g', { class: 'marks' }, ...paths.map((d, i) => svg('path', { class: `c${i % 10}`, d })).filter(Boolean)),
    svg('g', { class: 'names' }, ...names.map(({ x, y, name, i }) => svg('text', { x, y, class: `c${i % 10}` }, name))),
  );
  return plot.element;
}

/**
 * Examples of two numbers, as points, and what comes back of each.
 * @param {App} app
 * @param {Moment} moment
 */
export function scatter(app, moment) {
  const [originals, restored] = /** @type {import('../../wire/frames.js').Levels[]} */ ([
    moment.originals,
    moment.restored,
  ]);
  const ends = [0, 1]
    .map((c) => Array.from({ length: originals.shape[0] }, (_, i) => originals.data[2 * i + c]))
    .map((values) => [Math.min(...values) - 8, Math.max(...values) + 8]);
  const plot = new Plot({
    low: [ends[0][0], ends[1][0]],
    high: [ends[0][1], ends[1][1]],
    label: app.t('train.examples'),
    height: 320,
  });
  const dots = (/** @type {import('../../wire/frames.js').Levels} */ levels) =>
    Array.from(
      { length: levels.shape[0] },
      (_, i) => `M${plot.x(levels.data[2 * i]).toFixed(1)} ${plot.y(levels.data[2 * i + 1]).toFixed(1)}h0`,
    ).join('');
  plot.front.append(
    svg('path', { class: 'dots', d: dots(originals) }),
    svg('path', { class: 'dots back', d: dots(restored) }),
  );
  const item = (/** @type {string} */ name, /** @type {string} */ words) =>
    h(
      'span',
      { class: 'item' },
      svg(
        'svg',
        { class: 'plot', viewBox: '0 0 12 8', 'aria-hidden': 'true' },
        svg('path', { class: name, d: 'M6 4h0' }),
      ),
      words,
    );
  return h(
    'div',
    { class: 'scatter' },
    plot.element,
    h('p', { class: 'key' }, item('dots', app.t('plane.original')), item('dots back', app.t('plane.restored'))),
  );
}
