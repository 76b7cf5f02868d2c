/** Parameters: how many numbers an image has, and how many weights a layer needs to take it in. */
import { whole } from '../../shell/address.js';
import { scientific, tenTo } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { labelled, numberBox } from '../../widgets/fields.js';
import { multiples, Plot } from '../../widgets/plot.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {{ inputs: number, dense: number, convolutional: number }} Parameters */
/** @typedef {'height' | 'width' | 'channels' | 'units' | 'filters' | 'kernel'} Name */
/** @typedef {Record<Name, number>} Sizes */

/** @type {Sizes} */
const MOST = { height: 4096, width: 4096, channels: 4, units: 1e8, filters: 4096, kernel: 15 };
/** @type {Record<'lecture' | 'photo' | 'digits', Sizes>} */
const PRESETS = {
  lecture: { height: 1000, width: 1000, channels: 3, units: 3e6, filters: 64, kernel: 3 },
  photo: { height: 224, width: 224, channels: 3, units: 4096, filters: 64, kernel: 3 },
  digits: { height: 8, width: 8, channels: 1, units: 32, filters: 16, kernel: 3 },
};
const NAMES = /** @type {Name[]} */ (Object.keys(MOST));
const BYTES = 4; // a 32-bit number
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
const LONGEST = 16; // power of ten at which the axis ends

/** @type {import('../../shell/views.js').Module} */
export const parameters = {
  async mount(root, app) {
    const wrong = h('p', { class: 'warn', role: 'alert' });
    const fields = NAMES.map((name) =>
      field(app, name, (text) => {
        wrong.textContent = text;
      }),
    );
    const at = (/** @type {Name} */ name) => fields[NAMES.indexOf(name)].element;
    const presets = /** @type {(keyof typeof PRESETS)[]} */ (Object.keys(PRESETS)).map((name) =>
      h('button', { onclick: () => app.set(texts(PRESETS[name])) }, app.t(`parameters.preset.${name}`)),
    );
    const [image, dense, convolutional, verdict] = [
      formula(),
      formula(),
      formula(),
      h('p', { class: 'verdict', 'aria-live': 'polite' }),
    ];
    const [bars, facts] = [h('div'), h('div')];
    root.append(
      h('div', { class: 'row controls presets' }, ...presets),
      h(
        'div',
        { class: 'lesson even' },
        h(
          'div',
          { class: 'layers' },
          counted(app, 'image', image, at('height'), at('width'), at('channels')),
          counted(app, 'dense', dense, at('units')),
          counted(app, 'convolutional', convolutional, at('filters'), at('kernel')),
          wrong,
        ),
        h(
          'section',
          { class: 'beside' },
          h('h2', {}, app.t('parameters.bars')),
          bars,
          facts,
          verdict,
          h('p', { class: 'hint' }, app.t('parameters.how')),
        ),
      ),
    );
    const draw = newest(async () => {
      const sizes = read(app.state);
      /** @type {Parameters} */
      const found = await app.connection.ask('parameters', sizes);
      const n = (/** @type {number} */ value) => app.n(value, {});
      fields.forEach(({ set }, i) => set(sizes[NAMES[i]]));
      wrong.textContent = '';
      image.textContent = `${n(sizes.height)} × ${n(sizes.width)} × ${n(sizes.channels)} = ${n(found.inputs)}`;
      dense.textContent = `${n(sizes.units)} × ${n(found.inputs)} = ${n(found.dense)}`;
      convolutional.textContent = `${n(sizes.filters)} × ${n(sizes.channels)} × ${n(sizes.kernel)} × ${n(sizes.kernel)} = ${n(found.convolutional)}`;
      bars.replaceChildren(compared(app, found));
      facts.replaceChildren(
        table(
          ['', app.t('parameters.weights'), app.t('parameters.memory')],
          [
            [app.t('parameters.dense'), power(app, found.dense), memory(app, found.dense)],
            [app.t('parameters.convolutional'), power(app, found.convolutional), memory(app, found.convolutional)],
          ],
        ),
      );
      const [more, times] =
        found.dense >= found.convolutional
          ? ['dense', found.dense / found.convolutional]
          : ['convolutional', found.convolutional / found.dense];
      verdict.textContent = app.t(`parameters.more.${/** @type {'dense'} */ (more)}`, {
        times: app.n(times, times < 100 ? undefined : { maximumFractionDigits: 0 }),
      });
    });
    await draw();
    return { update: () => app.attempt(draw), python: () => lines(read(app.state)) };
  },
};

function formula() {
  return h('p', { class: 'formula number' });
}

/**
 * @param {App} app
 * @param {'image' | 'dense' | 'convolutional'} name
 * @param {HTMLElement} count
 * @param {...HTMLElement} fields
 */
function counted(app, name, count, ...fields) {
  return h(
    'section',
    {},
    h('h2', {}, app.t(`parameters.${name}`), h('small', {}, app.t(`parameters.about.${name}`))),
    h('div', { class: 'row controls' }, ...fields),
    count,
  );
}

/**
 * A number that a person writes; what cannot be is said, and changes nothing.
 * @param {App} app
 * @param {Name} name
 * @param {(words: string) => void} say
 */
function field(app, name, say) {
  const words = app.t(`parameters.size.${name}`);
  const most = app.n(MOST[name], {});
  const { input, set } = numberBox({
    min: 1,
    max: MOST[name],
    step: 1,
    on: 'change',
    taken: (value) => {
      app.set({ [name]: String(value) });
      say('');
    },
    refused: (text) => say(app.t('parameters.wrong', { name: words, most, value: text || '–' })),
    attributes: { class: name },
  });
  return { element: labelled(words, input), set };
}

/**
 * @param {import('../../shell/address.js').State} state
 * @returns {Sizes} the lecture's where the state does not say
 */
function read(state) {
  const size = (/** @type {Name} */ name) => whole(state[name], 1, MOST[name]) ?? PRESETS.lecture[name];
  return /** @type {Sizes} */ (Object.fromEntries(NAMES.map((name) => [name, size(name)])));
}

/** @param {Sizes} sizes */
function texts(sizes) {
  return Object.fromEntries(NAMES.map((name) => [name, String(sizes[name])]));
}

/**
 * Bars on a logarithmic axis.
 * @param {App} app
 * @param {Parameters} found
 */
function compared(app, { inputs, dense, convolutional }) {
  const plot = new Plot({
    low: [0, 0],
    high: [LONGEST, 3],
    label: app.t('parameters.bars'),
    height: 270,
    ticks: [multiples(0, LONGEST, 3), []],
    show: tenTo,
  });
  const rows = /** @type {['image' | 'dense' | 'convolutional', number][]} */ ([
    ['image', inputs],
    ['dense', dense],
    ['convolutional', convolutional],
  ]);
  rows.forEach(([name, count], i) => {
    const top = plot.y(3 - i);
    plot.front.append(
      svg('text', { class: 'name', x: plot.x(0) + 6, y: top + 22 }, app.t(`parameters.${name}`)),
      svg('text', { class: 'name count', x: plot.x(LONGEST), y: top + 22, 'text-anchor': 'end' }, app.n(count, {})),
      svg('rect', {
        class: `bar ${name}`,
        x: plot.x(0),
        y: top + 32,
        width: Math.max(plot.x(Math.log10(count)) - plot.x(0), 2),
        height: 22,
      }),
    );
  });
  return plot.element;
}

/**
 * @param {App} app
 * @param {number} count
 */
function power(app, count) {
  return count < 1e4 ? app.n(count, {}) : scientific(app.language, count);
}

/**
 * @param {App} app
 * @param {number} count of 32-bit numbers
 */
function memory(app, count) {
  const step = Math.min(Math.floor(Math.log10(BYTES * count) / 3), UNITS.length - 1);
  return app.n((BYTES * count) / 1000 ** step, { style: 'unit', unit: UNITS[step], maximumSignificantDigits: 3 });
}

/** @param {Sizes} sizes */
function lines({ height, width, channels, units, filters, kernel }) {
  return [
    'from narrows.foundations.images import convolution_parameters, dense_parameters',
    '',
    `inputs = ${height} * ${width} * ${channels}`,
    `dense = dense_parameters(inputs, ${units}, bias=False)`,
    `convolutional = convolution_parameters(${channels}, ${filters}, ${kernel}, bias=False)`,
  ];
}
