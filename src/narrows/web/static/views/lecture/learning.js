/** Learning: three rules that move a unit's line, an example a step, and what is promised of the first. */
import { h } from '../../widgets/elements.js';
import { choices, slider } from '../../widgets/fields.js';
import { stepper } from '../../widgets/stepper.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./perceptron.js').Learning} Learning */
/** @typedef {import('./perceptron.js').Perceptron} Perceptron */
/** @typedef {import('./perceptron.js').Given} Given */

/** Each rule's learning rate, to begin with. */
export const ETA = /** @type {Record<string, number>} */ ({ rosenblatt: 1, hebb: 1, adaline: 0.05 });

export class LearningPanel {
  /** @type {Learning | null} */
  walk = null;

  /**
   * @param {App} app
   * @param {() => Given} read
   */
  constructor(app, read) {
    this.app = app;
    const { rule } = read();
    this.eta = slider({
      label: 'η',
      min: 0.01,
      max: 1,
      step: 0.01,
      value: 1,
      show: (value) => app.n(value),
      moved: (value) => {
        this.stop();
        app.set({ eta: String(value), k: read().step === null ? '' : '0' });
      },
    });
    this.player = stepper(app, {
      next: () => {
        const k = Math.min((read().step ?? 0) + 1, this.last);
        app.set({ k: String(k) });
        return k < this.last;
      },
      start: () => app.set({ k: '0' }),
    });
    this.done = h('p', { 'aria-live': 'polite' });
    this.promise = h('p', { class: 'verdict' });
    this.wrong = h('p', { class: 'hint' });
    this.element = h(
      'div',
      { class: 'beside' },
      h('h2', {}, app.t('perceptron.learning')),
      h(
        'div',
        { class: 'beside controls' },
        h(
          'div',
          { class: 'row' },
          choices({
            label: app.t('perceptron.rule'),
            values: Object.keys(ETA),
            value: rule,
            told: (name) => app.t(`perceptron.rule.${/** @type {'hebb'} */ (name)}`),
            chosen: (name) => {
              this.stop();
              app.set({ rule: name, eta: '', k: '' });
            },
          }),
        ),
        this.eta.element,
        this.player.element,
      ),
      this.done,
      this.wrong,
      this.promise,
    );
  }

  /** @returns {number} how many steps there are */
  get last() {
    return this.walk?.index.length ?? 0;
  }

  stop() {
    this.player.stop();
  }

  /**
   * @param {Given} given
   * @param {Learning | null} walk
   * @param {Perceptron} found
   */
  draw(given, walk, { fires }) {
    const { app } = this;
    this.walk = walk;
    this.eta.set(given.eta);
    const wrong = given.points.filter(({ label }, i) => fires[i] !== label).length;
    this.wrong.textContent = given.points.length
      ? app.t('perceptron.wrong', { wrong, count: given.points.length })
      : '';
    this.done.textContent = walk ? done(app, given, walk) : app.t('perceptron.none');
    this.promise.textContent = walk ? promised(app, given, walk) : '';
  }
}

/**
 * @param {App} app
 * @param {Given} given
 * @param {Learning} walk
 * @returns {string} what the last step did
 */
function done(app, { points, step, rule }, walk) {
  const last = walk.index.length;
  const k = Math.min(step ?? 0, last);
  if (!k) return app.t('perceptron.begin');
  const {
    at: [x, y],
    label,
  } = points[walk.index[k - 1]];
  const [before, after] = [walk.units[k - 1], walk.units[k]];
  const [dw1, dw2, dtheta] = after.map((value, i) => app.n(value - before[i]));
  const change = walk.updated[k - 1] ? app.t('perceptron.change', { dw1, dw2, dtheta }) : app.t('perceptron.same');
  const said = app.t('perceptron.did', {
    k: app.n(k, {}),
    epoch: app.n(walk.epoch[k - 1], {}),
    x: app.n(x),
    y: app.n(y),
    label,
    error: app.n(walk.error[k - 1]),
  });
  const end =
    k < last
      ? ''
      : walk.ended
        ? app.t(rule === 'hebb' ? 'perceptron.pass' : 'perceptron.stops', {
            k: app.n(walk.updated.filter(Boolean).length, {}),
          })
        : app.t('perceptron.enough', { k: app.n(last, {}) });
  return [said, change, end].join(' ');
}

/**
 * @param {App} app
 * @param {Given} given
 * @param {Learning} walk
 * @returns {string} what theory says of the rule on these points
 */
function promised(app, { rule, eta }, walk) {
  if (rule === 'hebb') return app.t('perceptron.hebb');
  if (rule === 'adaline') {
    return app.t(eta < walk.limit ? 'perceptron.adaline' : 'perceptron.too.fast', { limit: app.n(walk.limit) });
  }
  if (walk.contradiction.length) return app.t('perceptron.never');
  if (walk.bound === null) return app.t('perceptron.some');
  return app.t('perceptron.bound', {
    radius: app.n(walk.radius),
    gamma: app.n(walk.gamma),
    bound: app.n(Math.floor(walk.bound), {}),
  });
}
