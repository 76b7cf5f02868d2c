/** Approximation: how near nets with one hidden layer come to a function, the wider they are. */
import { whole } from '../../shell/address.js';
import { clamp, scientific, tenTo } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { choices, slider } from '../../widgets/fields.js';
import { keyItem, multiples, Plot } from '../../widgets/plot.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/**
 * @typedef {{
 *   x: Floats, target: Floats, fit: Floats, widths: Integers, rms: Floats, sup: number, dimensions: number,
 * }} Approximated
 */
/** @typedef {{ target: string, activation: string, width: number, degree: number }} Given */

/** What is approximated, in Python. */
const TARGETS = /** @type {Record<string, string>} */ ({
  wave: 'lambda x: math.sin(3 * x)',
  corner: 'abs',
  bump: 'lambda x: math.exp(-4 * x * x)',
  jump: 'lambda x: float(x >= 0)',
});
const ACTIVATIONS = ['sigmoid', 'relu', 'polynomial'];
const [WIDEST, HIGHEST] = [64, 15];

/** @type {import('../../shell/views.js').Module} */
export const approximation = {
  async mount(root, app) {
    const given = () => read(app.state);
    const { target, activation, width, degree } = given();
    const show = (/** @type {number} */ value) => app.n(value, {});
    const plot = new Plot({
      low: [-2, -1.6],
      high: [2, 2.4],
      label: app.t('approximation.fit'),
      width: 520,
      height: 340,
      ticks: [multiples(-2, 2, 1), [-1, 0, 1, 2]],
      show,
    });
    const [drawn, key] = [svg('g'), h('p', { class: 'key' })];
    plot.front.append(drawn);
    const widths = slider({
      label: app.t('approximation.width'),
      min: 1,
      max: WIDEST,
      step: 1,
      value: width,
      show,
      moved: (value) => app.set({ w: String(value) }),
    });
    const degrees = slider({
      label: app.t('approximation.degree'),
      min: 1,
      max: HIGHEST,
      step: 1,
      value: degree,
      show,
      moved: (value) => app.set({ k: String(value) }),
    });
    const [verdict, errors, facts] = [h('p', { class: 'verdict', 'aria-live': 'polite' }), h('div'), h('div')];
    root.append(
      h(
        'div',
        { class: 'lesson even' },
        h('section', {}, h('h2', {}, app.t('approximation.fit')), plot.element, key),
        h('section', {}, h('h2', {}, app.t('approximation.errors')), errors),
        h(
          'div',
          { class: 'beside controls' },
          choices({
            label: app.t('approximation.f'),
            values: Object.keys(TARGETS),
            value: target,
            told: (name) => targetName(app, name),
            chosen: (name) => app.set({ f: name }),
          }),
          choices({
            label: app.t('approximation.phi'),
            values: ACTIVATIONS,
            value: activation,
            told: (name) => named(app, name),
            chosen: (name) => app.set({ phi: name }),
          }),
          widths.element,
          degrees.element,
        ),
        h('div', { class: 'beside' }, verdict, facts, h('p', { class: 'hint' }, app.t('approximation.how'))),
      ),
    );
    const draw = newest(async () => {
      const asked = given();
      /** @type {Approximated} */
      const found = await app.connection.ask('approximation', asked);
      const path = (/** @type {Float32Array} */ values) =>
        plot.path(Array.from(found.x.data, (x, i) => [x, values[i]]));
      const net = `line whole k${ACTIVATIONS.indexOf(asked.activation)}`;
      drawn.replaceChildren(
        svg('path', { class: 'line faint', d: path(found.target.data) }),
        svg('path', { class: net, d: path(found.fit.data) }),
      );
      key.replaceChildren(
        keyItem('line faint', app.t(`approximation.f.${/** @type {'wave'} */ (asked.target)}`)),
        keyItem(net, app.t('approximation.net', { phi: named(app, asked.activation), n: app.n(asked.width) })),
      );
      widths.set(asked.width);
      degrees.set(asked.degree);
      errors.replaceChildren(curves(app, asked, found));
      verdict.textContent = said(app, asked, found);
      facts.replaceChildren(numbers(app, asked, found));
    });
    await draw();
    return {
      update: () => app.attempt(draw),
      move: (by) => app.set({ w: String(clamp(given().width + by, 1, WIDEST)) }),
      python: () => lines(given()),
    };
  },
};

/**
 * @param {import('../../shell/address.js').State} state
 * @returns {Given}
 */
function read({ f, phi, w, k }) {
  return {
    target: Object.hasOwn(TARGETS, f ?? '') ? f : 'wave',
    activation: ACTIVATIONS.includes(phi) ? phi : 'relu',
    width: whole(w, 1, WIDEST) ?? 8,
    degree: whole(k, 1, HIGHEST) ?? 3,
  };
}

/**
 * @param {App} app
 * @param {string} target
 */
function targetName(app, target) {
  return app.t(`approximation.f.${/** @type {'wave'} */ (target)}`);
}

/**
 * @param {App} app
 * @param {string} activation
 */
function named(app, activation) {
  return app.t(`approximation.phi.${/** @type {'relu'} */ (activation)}`);
}

/**
 * @param {Approximated} found
 * @param {number} i which activation
 * @param {number} width
 */
function error({ rms, widths }, i, width) {
  return rms.data[i * widths.data.length + width - 1];
}

/**
 * The errors over the width, their axis logarithmic.
 * @param {App} app
 * @param {Given} given
 * @param {Approximated} found
 */
function curves(app, { activation, width }, found) {
  const low = Math.min(-3, Math.floor(Math.log10(Math.min(...found.rms.data))));
  const plot = new Plot({
    low: [0, low],
    high: [WIDEST, 0],
    label: app.t('approximation.errors'),
    width: 520,
    height: 340,
    ticks: [multiples(0, WIDEST, 16), multiples(low, 0, low < -4 ? 2 : 1)],
    show: (value, axis) => (axis ? tenTo(value) : app.n(value, {})),
  });
  const chosen = ACTIVATIONS.indexOf(activation);
  plot.back.append(svg('path', { class: 'line faint', d: `M${plot.x(width)} ${plot.y(low)}V${plot.y(0)}` }));
  plot.front.append(
    ...ACTIVATIONS.map((_, i) =>
      svg('path', {
        class: `line k${i}${i === chosen ? '' : ' aside'}`,
        d: plot.path(Array.from(found.widths.data, (w) => [w, Math.log10(error(found, i, w))])),
      }),
    ),
    svg('circle', {
      class: `spot k${chosen}`,
      cx: plot.x(width),
      cy: plot.y(Math.log10(error(found, chosen, width))),
      r: 6,
    }),
  );
  return plot.element;
}

/**
 * @param {App} app
 * @param {Given} given
 * @param {Approximated} found
 * @returns {string} how it goes
 */
function said(app, { target, activation, width, degree }, found) {
  const last = ACTIVATIONS.indexOf(activation);
  const values = {
    n: app.n(width),
    rms: brief(app, error(found, last, width)),
    most: app.n(WIDEST),
    last: brief(app, error(found, last, WIDEST)),
    k: app.n(degree),
    dimensions: app.n(found.dimensions),
    bound: app.n(degree + 1),
    sup: brief(app, found.sup),
  };
  if (activation === 'polynomial') return app.t('approximation.is.polynomial', values);
  return app.t(target === 'jump' ? 'approximation.is.jump' : 'approximation.is.falls', values);
}

/**
 * @param {App} app
 * @param {Given} given
 * @param {Approximated} found
 */
function numbers(app, { width }, found) {
  const heads = [
    app.t('approximation.phi'),
    app.t('approximation.at', { n: app.n(width) }),
    app.t('approximation.at', { n: app.n(WIDEST) }),
  ];
  return table(
    heads,
    ACTIVATIONS.map((name, i) => [
      keyItem(`line k${i}`, named(app, name)),
      brief(app, error(found, i, width)),
      brief(app, error(found, i, WIDEST)),
    ]),
  );
}

/**
 * @param {App} app
 * @param {number} value
 */
function brief(app, value) {
  return value < 1e-3 ? scientific(app.language, value) : app.n(value);
}

/** @param {Given} given */
function lines({ target, activation, width, degree }) {
  const [from, phi] =
    activation === 'polynomial' ? ['approximate, monomial', `monomial(${degree})`] : ['approximate', activation];
  return [
    'import math',
    '',
    ...(activation === 'polynomial' ? [] : [`from narrows.foundations.activations import ${phi}`]),
    `from narrows.foundations.approximation import ${from}`,
    '',
    `f = ${TARGETS[target]}`,
    `found = approximate(f, (-2, 2), ${phi}, widths=range(1, ${WIDEST + 1}))`,
    `fit, rms = found.fits[${width - 1}], found.rms[${width - 1}]`,
  ];
}
