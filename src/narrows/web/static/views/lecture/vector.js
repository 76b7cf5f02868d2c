/** One vector: a unit's weighted inputs, added up and held against its threshold; the lecture's numbers at first. */
import { h } from '../../widgets/elements.js';
import { newest } from '../../wire/newest.js';
import { table } from '../../widgets/plot.js';
import { join, split } from '../../shell/address.js';
import { sub } from './formulas.js';

/** @typedef {import('../../shell/app.js').App} App */

const START = [0.9, -0.3, -1.7, 0.3, 1, 0.5, 0, 1, 1]; // w, x and θ
const MOST = 1e6;

export class VectorTable {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const field = (/** @type {number} */ i, /** @type {string} */ name) => {
      const input = h('input', {
        'type': 'number',
        'step': 'any',
        'aria-label': name,
        'oninput': () => this.put(i, input),
      });
      return input;
    };
    const places = [0, 1, 2, 3];
    this.fields = [
      ...places.map((i) => field(i, sub(`w${i + 1}`))),
      ...places.map((i) => field(4 + i, sub(`x${i + 1}`))),
      field(8, 'θ'),
    ];
    this.products = places.map(() => h('span', {}));
    this.sum = h('span', {});
    this.verdict = h('p', { 'class': 'verdict', 'aria-live': 'polite' });
    const rows = places.map((i) => [String(i + 1), this.fields[i], this.fields[4 + i], this.products[i]]);
    const facts = table(['i', 'wᵢ', 'xᵢ', 'wᵢxᵢ'], [...rows, ['wᵀx', '', '', this.sum], ['θ', '', '', this.fields[8]]]);
    this.element = h('div', { class: 'beside' }, h('h2', {}, app.t('perceptron.vector')), facts, this.verdict);
  }

  /** @returns {{ w: number[], x: number[], theta: number }} */
  get given() {
    const numbers = this.numbers;
    return { w: numbers.slice(0, 4), x: numbers.slice(4, 8), theta: numbers[8] };
  }

  /** @returns {number[]} */
  get numbers() {
    const numbers = split(this.app.state.v, START.length);
    return numbers?.every((value) => Math.abs(value) <= MOST) ? numbers : START;
  }

  /**
   * @param {number} i
   * @param {HTMLInputElement} input an empty one changes nothing yet
   */
  put(i, input) {
    const good = Math.abs(input.valueAsNumber) <= MOST;
    input.setAttribute('aria-invalid', String(!good));
    if (good) this.app.set({ v: join(this.numbers.map((old, j) => (j === i ? input.valueAsNumber : old))) });
  }

  draw = newest(async () => {
    const { app, given } = this;
    const found = await app.connection.ask('excitation', given);
    this.numbers.forEach((value, i) => {
      if (this.fields[i] !== document.activeElement) this.fields[i].value = String(value);
    });
    this.products.forEach((product, i) => {
      product.textContent = app.n(found.products[i]);
    });
    this.sum.textContent = app.n(found.sum, { maximumSignificantDigits: 6 });
    this.verdict.textContent = app.t(found.fires ? 'perceptron.vector.fires' : 'perceptron.vector.silent', {
      sum: app.n(found.sum, { maximumSignificantDigits: 6 }),
      theta: app.n(given.theta, { maximumSignificantDigits: 6 }),
    });
  });
}
