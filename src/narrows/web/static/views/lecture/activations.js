/** Activations: the lecture's functions, their derivatives, and both at an input that a person moves. */
import { join, split } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { h, svg } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';
import { handle, keyItem, multiples, Plot } from '../../widgets/plot.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';

/** @typedef {import('../../wire/frames.js').Floats} Floats */
/**
 * @typedef {{
 *   names: string[], x: Floats, values: Floats, slopes: Floats, at: number[], slope: number[],
 * }} Activations
 */

const REACH = 6;

/** @type {import('../../shell/views.js').Module} */
export const activations = {
  async mount(root, app) {
    const reads = () => ({ x: split(app.state.at, 1)?.[0] ?? 1, k: split(app.state.k, 1)?.[0] ?? 1 });
    const show = (/** @type {number} */ value) => app.n(value, {});
    const ticks = /** @type {[number[], number[]]} */ ([multiples(-REACH, REACH, 2), [-1, 0, 1, 2]]);
    const left = new Plot({
      low: [-REACH, -1.3],
      high: [REACH, 2.3],
      label: app.t('activations.values'),
      width: 520,
      height: 340,
      ticks,
      show,
    });
    const right = new Plot({
      low: [-REACH, -1.3],
      high: [REACH, 2.3],
      label: app.t('activations.slopes'),
      width: 520,
      height: 340,
      ticks,
      show,
    });
    const drawn = [left, right].map((plot) => {
      const curves = svg('g');
      plot.front.append(curves);
      return curves;
    });
    const move = (/** @type {number} */ x) => app.set({ at: join([Math.round(100 * x) / 100]) });
    const grip = handle(left, { label: app.t('activations.drag'), at: [reads().x, 0], moved: ([x]) => move(x) });
    left.front.append(grip.element);
    const x = slider({
      label: app.t('activations.x'),
      min: -REACH,
      max: REACH,
      step: 0.05,
      value: reads().x,
      show: (value) => app.n(value),
      moved: move,
    });
    const k = slider({
      label: app.t('activations.k'),
      min: 0.5,
      max: 20,
      step: 0.5,
      value: reads().k,
      show: (value) => app.n(value),
      moved: (value) => app.set({ k: String(value) }),
    });
    const told = h('div');
    root.append(
      h(
        'div',
        { class: 'lesson even' },
        h('section', {}, h('h2', {}, app.t('activations.values')), left.element),
        h('section', {}, h('h2', {}, app.t('activations.slopes')), right.element),
        h('div', { class: 'beside controls' }, x.element, k.element),
        told,
      ),
    );
    const draw = newest(async () => {
      const given = reads();
      /** @type {Activations} */
      const found = await app.connection.ask('activations', given);
      const curve = (/** @type {Plot} */ plot, /** @type {Floats} */ values) =>
        found.names.map((_, i) => {
          const row = values.data.subarray(i * found.x.data.length, (i + 1) * found.x.data.length);
          return svg('path', { class: `line k${i}`, d: plot.path(Array.from(found.x.data, (at, j) => [at, row[j]])) });
        });
      drawn[0].replaceChildren(...curve(left, found.values));
      drawn[1].replaceChildren(...curve(right, found.slopes));
      grip.set([given.x, 0]);
      [x, k].forEach((one, i) => one.set(i ? given.k : given.x));
      const heads = [app.t('activations.name'), app.t('activations.value'), app.t('activations.slope')];
      told.replaceChildren(
        table(
          heads,
          found.names.map((name, i) => [keyItem(`line k${i}`, name), app.n(found.at[i]), app.n(found.slope[i])]),
        ),
      );
    });
    await draw();
    return {
      update: () => app.attempt(draw),
      move: (by) => move(clamp(reads().x + 0.05 * by, -REACH, REACH)),
      python: () => lines(reads()),
    };
  },
};

/** @param {{ x: number, k: number }} given */
function lines({ x, k }) {
  return [
    'from narrows.foundations.activations import relu, sigmoid, step, tanh',
    '',
    `x, k = ${x}, ${k}`,
    'values = step(x), sigmoid(k * x), tanh(x), relu(x)',
    'slopes = step.derivative(x), k * sigmoid.derivative(k * x), tanh.derivative(x), relu.derivative(x)',
  ];
}
