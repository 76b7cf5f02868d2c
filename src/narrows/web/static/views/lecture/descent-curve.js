/** f over the steps of a descent. */
import { scientific } from '../../shell/numbers.js';
import { svg } from '../../widgets/elements.js';
import { multiples, nice, Plot } from '../../widgets/plot.js';

/** @typedef {import('../../shell/app.js').App} App */

/**
 * f over the steps.
 * @param {App} app
 * @param {Float32Array} values
 */
export function falling(app, values) {
  const last = values.length - 1;
  const span = [10, 20, 50, 100, 200].find((count) => count >= last) ?? values.length;
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const top = high > low ? high : low + 1;
  const plot = new Plot({
    low: [0, low],
    high: [span, top],
    label: app.t('descent.curve'),
    width: 460,
    height: 180,
    ticks: [multiples(0, span, span / 5), multiples(low, top, nice((top - low) / 5))],
    show: (value) => brief(app, value),
  });
  plot.front.append(
    svg('path', { class: 'line', d: plot.path(Array.from(values, (value, k) => [k, value])) }),
    svg('circle', { class: 'now', cx: plot.x(last), cy: plot.y(values[last]), r: 6 }),
  );
  return plot.element;
}

/**
 * @param {App} app
 * @param {number} value
 */
export function brief(app, value) {
  if (Math.abs(value) >= 1e4) return scientific(app.language, value);
  return app.n(
    value,
    Math.abs(value) < 1 ? { maximumFractionDigits: 3, signDisplay: 'negative' } : { maximumSignificantDigits: 4 },
  );
}
