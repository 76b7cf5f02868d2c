/** A slider that acts while the model learns. */
import { scientific } from '../../shell/numbers.js';
import { h } from '../../widgets/elements.js';
import { slider } from '../../widgets/fields.js';
import { newest } from '../../wire/newest.js';

/**
 * @typedef {object} Range
 * @property {number} min of the slider
 * @property {number} max
 * @property {(at: number) => number} value at a position of the slider
 * @property {(value: number) => number} position of a value
 */

const HOLD = 700; // milliseconds for which a slider that a person moves is left alone

export class Dial {
  moved = -HOLD;
  hint = h('span', { class: 'hint number' });

  /**
   * @param {import('../../shell/app.js').App} app
   * @param {'learning_rate' | 'beta'} name
   * @param {Range} range
   */
  constructor(app, name, { min, max, value, position }) {
    this.app = app;
    this.position = position;
    const send = newest((/** @type {number} */ at) =>
      app.attempt(async () => {
        await app.connection.ask('steer', { [name]: value(at) });
      }),
    );
    this.slider = slider({
      label: app.t(`train.${name}`),
      min,
      max,
      step: 0.1,
      value: min,
      show: (at) => app.n(value(at)),
      moved: (at) => {
        this.moved = performance.now();
        send(at);
      },
    });
    this.element = h('div', { class: 'dial' }, this.slider.element, this.hint);
  }

  /**
   * @param {number | null} full what it is set to; null where the model has no such thing
   * @param {number | null} now what it is at this step
   */
  show(full, now) {
    const { app } = this;
    this.element.hidden = full === null;
    const changing = now !== null && now !== full;
    const words = (/** @type {number} */ value) =>
      value > 0 && value < 1e-4 ? scientific(app.language, value) : app.n(value);
    this.hint.textContent = changing ? app.t('train.now', { value: words(now) }) : '';
    if (full !== null && performance.now() > this.moved + HOLD) this.slider.set(this.position(full));
  }
}
