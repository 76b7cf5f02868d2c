/** One vector: a unit's weighted inputs, added up and held against its threshold; the lecture's numbers at first. */
import { join, split } from '../../shell/address.js';
import { h } from '../../widgets/elements.js';
import { numberBox } from '../../widgets/fields.js';
import { table } from '../../widgets/table.js';
import { newest } from '../../wire/newest.js';
import { sub } from './formulas.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {{ products: number[], sum: number, fires: number }} Excitation */

const START = [0.9, -0.3, -1.7, 0.3, 1, 0.5, 0, 1, 1]; // w, x and θ
const MOST = 1e6;

export class VectorTable {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const box = (/** @type {number} */ i, /** @type {string} */ name) =>
      numberBox({
        min: -MOST,
        max: MOST,
        step: 'any',
        on: 'input',
        taken: (value) => this.put(i, value),
        attributes: { 'aria-label': name },
      });
    const indices = [0, 1, 2, 3];
    this.boxes = [
      ...indices.map((i) => box(i, sub(`w${i + 1}`))),
      ...indices.map((i) => box(4 + i, sub(`x${i + 1}`))),
      box(8, 'θ'),
    ];
    this.products = indices.map(() => h('span', {}));
    this.sum = h('span', {});
    this.verdict = h('p', { class: 'verdict', 'aria-live': 'polite' });
    const inputs = this.boxes.map(({ input }) => input);
    const rows = indices.map((i) => [String(i + 1), inputs[i], inputs[4 + i], this.products[i]]);
    const facts = table(['i', 'wᵢ', 'xᵢ', 'wᵢxᵢ'], [...rows, ['wᵀx', '', '', this.sum], ['θ', '', '', inputs[8]]]);
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
   * @param {number} value
   */
  put(i, value) {
    this.app.set({ v: join(this.numbers.map((old, j) => (j === i ? value : old))) });
  }

  draw = newest(async () => {
    const { app, given } = this;
    /** @type {Excitation} */
    const found = await app.connection.ask('excitation', given);
    this.numbers.forEach((value, i) => this.boxes[i].set(value));
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
