/** New codes, from a model's prior or from noise alone, and cells of what codes stand for. */
import { outputs, unscaled } from './model.js';
import { chosen, normalOf, randomOf } from './random.js';

/** @typedef {{ data: Float32Array }} Floats */
/**
 * @typedef {{
 *   kind: string, frequencies: number[], starts?: number[], weights?: Floats, means?: Floats,
 *   factors?: Floats | null, deviations?: Floats | null, codes?: Floats,
 * }} Prior
 */

/**
 * @param {number} seed
 * @param {number} count
 * @returns {Float32Array} so many numbers from N(0, 1)
 */
export function normals(seed, count) {
  return Float32Array.from({ length: count }, normalOf(randomOf(seed)));
}

/**
 * @param {import('./model.js').Model} model
 * @param {number} n
 * @param {number} seed
 * @param {number | null} [label] the index of a class; null draws classes by how frequent they are
 * @param {number} [temperature] what the deviations of the prior's Gaussians are multiplied by
 * @returns {{ z: Float32Array, labels: Int32Array }} n codes, and their classes
 */
export function sample({ head: { prior, classes }, d }, n, seed, label = null, temperature = 1) {
  if (temperature !== 1 && (prior.kind === 'codes' || prior.deviations)) {
    throw new Error(`temperature=${temperature}: this prior is drawn from as it is`);
  }
  const random = randomOf(seed);
  const draw = DRAWS[prior.kind](prior, d, random, temperature);
  const z = new Float32Array(n * d);
  const labels = Int32Array.from({ length: n }, () => {
    return label === null || !classes ? chosen(random, prior.frequencies) : label;
  });
  labels.forEach((own, row) => draw(z.subarray(row * d, (row + 1) * d), own));
  return { z, labels };
}

/**
 * @param {import('./model.js').Model} model of a table
 * @param {ArrayLike<number>} z
 * @param {number} n
 * @param {import('./model.js').Labels} labels
 * @param {number} seed
 * @returns {Float64Array} cells drawn from p(x | z)
 */
export function drawn(model, z, n, labels, seed) {
  const random = randomOf(seed);
  const h = outputs(model, z, n, labels);
  const cells = new Float32Array(n * model.features);
  for (let row = 0; row < n; row++) {
    for (const { places, start, draw } of model.parts) {
      places?.forEach((place, i) => {
        if (draw) cells[row * model.features + place] = draw(h, row * model.width + start, i, random);
      });
    }
  }
  return unscaled(model, cells);
}

/** @typedef {(code: Float32Array, label: number) => void} Draw Fills a code of a class */

/** @type {Record<string, (prior: Prior, d: number, random: () => number, temperature: number) => Draw>} */
const DRAWS = { normal, mixture, codes };

/**
 * @param {Prior} _
 * @param {number} __
 * @param {() => number} random
 * @param {number} temperature
 * @returns {Draw}
 */
function normal(_, __, random, temperature) {
  const noise = normalOf(random);
  return (code) => code.forEach((___, i) => (code[i] = temperature * noise()));
}

/**
 * @param {Prior} prior
 * @param {number} d
 * @param {() => number} random
 * @param {number} temperature
 * @returns {Draw}
 */
function mixture({ starts, weights, means, factors, deviations }, d, random, temperature) {
  const noise = normalOf(random);
  const [ends, shares, middles] = [
    /** @type {number[]} */ (starts),
    /** @type {Floats} */ (weights).data,
    /** @type {Floats} */ (means).data,
  ];
  const epsilon = new Float64Array(d);
  return (code, label) => {
    const k = chosen(random, shares, ends[label], ends[label + 1]);
    for (let i = 0; i < d; i++) epsilon[i] = temperature * noise();
    let at = (k * d * (d + 1)) / 2;
    for (let i = 0; i < d; i++) {
      let sum = middles[k * d + i];
      if (deviations) sum += deviations.data[k * d + i] * epsilon[i];
      else if (factors) for (let j = 0; j <= i; j++) sum += factors.data[at++] * epsilon[j];
      code[i] = sum;
    }
  };
}

/**
 * @param {Prior} prior
 * @param {number} d
 * @param {() => number} random
 * @returns {Draw}
 */
function codes({ starts, codes: known }, d, random) {
  const [ends, { data }] = [/** @type {number[]} */ (starts), /** @type {Floats} */ (known)];
  return (code, label) => {
    const k = ends[label] + Math.floor(random() * (ends[label + 1] - ends[label]));
    code.set(data.subarray(k * d, (k + 1) * d));
  };
}
