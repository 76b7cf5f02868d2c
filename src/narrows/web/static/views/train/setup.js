/** What is trained: the data, the kind of model, the size of its code, and the seed. */
import { whole } from '../../shell/address.js';
import { spaced } from '../../shell/words.js';
import { h } from '../../widgets/elements.js';
import { choices, wholeField } from '../../widgets/fields.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {{ data: string[], kinds: string[] }} Trainable */
/** @typedef {{ data: string, kind: string, latent_dim: number, seed: number }} Chosen */

export const CHOICES = /** @type {const} */ (['data', 'kind', 'd', 'seed']);

const [MOST_UNITS, LARGEST_SEED] = [256, 2 ** 31 - 1];

export class Setup {
  element = h('div', { class: 'row controls' });
  shown = '';

  /**
   * @param {App} app
   * @param {Trainable} options what can be chosen
   * @param {(change: Partial<Record<typeof CHOICES[number], string>>) => void} changed
   */
  constructor(app, options, changed) {
    this.app = app;
    this.options = options;
    this.changed = changed;
  }

  /** @returns {Chosen} what the address says */
  get chosen() {
    const { data, kind, d, seed } = this.app.state;
    const { data: sets, kinds } = this.options;
    return {
      data: sets.includes(data ?? '') ? data : sets[0],
      kind: kinds.includes(kind ?? '') ? kind : kinds[0],
      latent_dim: Math.min(whole(d, 1, Infinity) ?? 2, MOST_UNITS),
      seed: whole(seed, 0, Infinity) ?? 0,
    };
  }

  /** @param {Chosen} chosen */
  show({ data, kind, latent_dim: d, seed }) {
    const { app } = this;
    const given = [data, kind, d, seed].map(String);
    if (this.shown === given.join()) return;
    this.shown = given.join();
    app.set(Object.fromEntries(CHOICES.map((name, i) => [name, given[i]])));
    const focused = document.activeElement?.id;
    this.element.replaceChildren(
      this.choice('data', app.t('train.data'), this.options.data, data, String),
      this.choice('kind', app.t('model'), this.options.kinds, kind, spaced),
      this.number('d', app.t('compare.d'), 1, MOST_UNITS, d),
      this.number('seed', app.t('train.seed'), 0, LARGEST_SEED, seed),
    );
    if (focused?.startsWith('train-')) document.getElementById(focused)?.focus();
  }

  /**
   * @param {'data' | 'kind'} name
   * @param {string} label
   * @param {string[]} values
   * @param {string} value
   * @param {(value: string) => string} told
   */
  choice(name, label, values, value, told) {
    const chosen = (/** @type {string} */ other) => this.changed({ [name]: other });
    const element = choices({ label, values, value, told, chosen });
    element.querySelector('select')?.setAttribute('id', `train-${name}`);
    return element;
  }

  /**
   * @param {'d' | 'seed'} name
   * @param {string} label
   * @param {number} min
   * @param {number} max
   * @param {number} value
   */
  number(name, label, min, max, value) {
    const chosen = (/** @type {number} */ other) => this.changed({ [name]: String(other) });
    return wholeField({ label, min, max, value, chosen, attributes: { id: `train-${name}` } }).element;
  }
}
