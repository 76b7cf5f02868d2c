/**
 * What a model says of each cell of a row, given its code, or given some of its cells: a value, a range, chances; as
 * narrows.fitted.marginals, but for two things. Chance is this module's own, so that ends differ by what 400 draws let
 * them. And where too few codes of the prior count, the server looks for the mode of p(z | cells) by derivatives, which
 * are not here; here codes are drawn from the Gaussian of those that count, again and again, until enough do (adaptive
 * importance sampling: Cappé et al. 2004). Both weigh by p(cells, z), and so come to the same but for chance.
 */
import { gaussianOf, logNormal, logPriorOf, logSumExp } from './density.js';
import { highest } from './levels.js';
import { encode, outputs, scaled, unscaled } from './model.js';
import { normalOf, randomOf } from './random.js';
import { sample } from './sampling.js';

/** @typedef {import('./model.js').Model} Model */
/**
 * @typedef {object} Marginals
 * @property {Float32Array} z the code, or the mean of those that it may have
 * @property {Float64Array} cells of numbers the mean, of levels the most probable one's place
 * @property {Float64Array} low where four fifths of what a number may be begin; NaN of levels, and where unknown
 * @property {Float64Array} high and where they end
 * @property {Float64Array[]} chances of each column's levels; none of numbers
 */
/** @typedef {{ z: Float32Array, h: Float32Array, weights: Float64Array }} Weighted Codes, outputs; weights sum to 1 */

const [CODES, ENOUGH, MOST_KNOWN] = [2048, 100, 0.5];
const [AROUND, ROUNDS, COUNTED] = [512, 8, 64]; // codes a round, rounds at most, and how many count for the next
const [DRAWS, ENDS] = [400, [0.1, 0.9]];

/**
 * @param {Model} model
 * @param {ArrayLike<number>} z
 * @param {number} [label] a class, of a conditional model
 * @returns {Marginals}
 */
export function atCode(model, z, label = 0) {
  return marginals(model, { z: Float32Array.from(z), h: outputs(model, z, 1, label), weights: Float64Array.of(1) });
}

/**
 * @param {Model} model
 * @param {ArrayLike<number>} cells NaN where they are to follow
 * @param {number} [label] a class, of a conditional model
 * @returns {Marginals}
 */
export function givenCells(model, cells, label = 0) {
  const x = scaled(model, cells);
  const known = x.reduce((count, cell) => count + (Number.isNaN(cell) ? 0 : 1), 0);
  let found = ofPrior(model, x, label);
  const open = model.features - known;
  if (open / model.features < MOST_KNOWN || !(counted(found.weights) >= ENOUGH)) {
    found = around(model, x, label, found);
  }
  const said = marginals(model, found);
  const unknown = (/** @type {Float64Array} */ ends) => ends.map((end, i) => (Number.isNaN(x[i]) ? end : NaN));
  const filled = said.cells.map((cell, i) => (Number.isNaN(x[i]) ? cell : cells[i]));
  return { ...said, cells: filled, low: unknown(said.low), high: unknown(said.high) };
}

/**
 * Codes of the prior, the same each time, weighted by p(cells | z).
 * @param {Model} model
 * @param {Float32Array} x
 * @param {number} label
 * @returns {Weighted}
 */
function ofPrior(model, x, label) {
  const key = `codes of ${label}`;
  if (!model.memo.has(key)) {
    const { z } = sample(model, CODES, 0, label);
    model.memo.set(key, { z, h: outputs(model, z, CODES, label).slice() });
  }
  const { z, h } = model.memo.get(key);
  return { z, h, weights: normalised(logKnown(model, x, h)) };
}

/**
 * Codes near those that count, weighted by p(cells, z). Where codes or the prior have no density, those of the prior,
 * and the encoder's own.
 * @param {Model} model
 * @param {Float32Array} x
 * @param {number} label
 * @param {Weighted} first codes of the prior
 * @returns {Weighted}
 */
function around(model, x, label, first) {
  const { head, d } = model;
  const seen = head.table ? x : x.map((cell) => (Number.isNaN(cell) ? 0 : cell)); // whose encoder knows no gaps
  const own = encode(model, unscaled(model, seen), 1, label).mu;
  const z = Float32Array.from([...own, ...first.z]);
  const h = Float32Array.from([...outputs(model, own, 1, label), ...first.h]);
  let logWeights = logKnown(model, x, h);
  const logPrior = logPriorOf(head.prior, d);
  const quantised = head.bottleneck.kind === 'vector' || head.bottleneck.kind === 'finite-scalar';
  if (quantised || !Number.isFinite(logPrior(own))) return { z, h, weights: normalised(logWeights) };
  /** @type {Weighted} */
  let found = { z, h, weights: normalised(logWeights) };
  const noise = normalOf(randomOf(0));
  for (let round = 0; round < ROUNDS; round++) {
    const gaussian = gaussianOf(found.z, levelled(logWeights), d);
    const drawn = codesOf(gaussian, noise);
    const density = logNormal(gaussian);
    const said = outputs(model, drawn, AROUND, label).slice();
    logWeights = logKnown(model, x, said).map((log, row) => {
      const code = drawn.subarray(row * d, (row + 1) * d);
      return log + logPrior(code) - density(code);
    });
    found = { z: drawn, h: said, weights: normalised(logWeights) };
    if (counted(found.weights) >= ENOUGH) break;
  }
  return found;
}

/**
 * @param {import('./density.js').Gaussian} gaussian
 * @param {() => number} noise
 * @returns {Float32Array} `AROUND` codes of it
 */
function codesOf({ mean, factor }, noise) {
  const d = mean.length;
  const found = new Float32Array(AROUND * d);
  const epsilon = new Float64Array(d);
  for (let row = 0; row < AROUND; row++) {
    for (let i = 0; i < d; i++) {
      epsilon[i] = noise();
      let sum = mean[i];
      for (let j = 0; j <= i; j++) sum += factor[i * d + j] * epsilon[j];
      found[row * d + i] = sum;
    }
  }
  return found;
}

/**
 * @param {Model} model
 * @param {Float32Array} x
 * @param {Float32Array} h outputs of codes
 * @returns {Float64Array} log p(cells | z) of those cells that are known
 */
function logKnown(model, x, h) {
  const found = new Float64Array(h.length / model.width);
  for (const { part, place, i } of cellsOf(model)) {
    if (Number.isNaN(x[place])) continue;
    for (let row = 0; row < found.length; row++) {
      found[row] += part.logTerm(h, row * model.width + part.start, i, x[place]);
    }
  }
  return found;
}

/** @param {Float64Array} logs @returns {Float64Array} weights that sum to 1 */
function normalised(logs) {
  const sum = logSumExp(logs);
  return logs.map((log) => Math.exp(log - sum));
}

/** @param {Float64Array} weights @returns {number} how many codes count (Kong 1992) */
function counted(weights) {
  return 1 / weights.reduce((sum, weight) => sum + weight * weight, 0);
}

/** @param {Float64Array} logs @returns {Float64Array} weights of a power of theirs by which enough count */
function levelled(logs) {
  let [low, high] = [0, 1];
  if (counted(normalised(logs)) >= COUNTED) return normalised(logs);
  for (let i = 0; i < 20; i++) {
    const middle = (low + high) / 2;
    if (counted(normalised(logs.map((log) => middle * log))) >= COUNTED) low = middle;
    else high = middle;
  }
  return normalised(logs.map((log) => low * log));
}

/**
 * @param {Model} model
 * @param {Weighted} weighted
 * @returns {Marginals}
 */
function marginals(model, { z, h, weights }) {
  const { d, features, width, head } = model;
  const [mean, low, high] = [0, 1, 2].map(() => new Float64Array(features).fill(NaN));
  /** @type {Float64Array[]} */
  const chances = Array.from({ length: features }, () => new Float64Array(0));
  const rows = spread(weights);
  const stretched = new Set(weights.length > 1 && head.table ? head.table.stretched : []);
  for (const { part, place, i } of cellsOf(model)) {
    const at = (/** @type {number} */ row) => row * width + part.start;
    const { draw, levels } = part;
    if (levels) {
      const sums = new Float64Array(levels.outcomes(i));
      weights.forEach((weight, row) => levels.add(h, at(row), i, sums, weight));
      mean[place] = highest(sums);
      chances[place] = levels.chances(i, sums);
      continue;
    }
    mean[place] = weights.reduce((sum, weight, row) => sum + weight * part.mean(h, at(row), i), 0);
    if (!draw) continue;
    const random = randomOf(place); // the same for each code, so that bars glide
    const factor = stretched.has(place) && head.table ? head.table.stretch : 1;
    const drawn = rows.map((row) => mean[place] + factor * (draw(h, at(row), i, random) - mean[place])).sort();
    [low[place], high[place]] = ENDS.map((share) => quantile(drawn, share));
  }
  const middle = new Float64Array(d);
  weights.forEach((weight, row) => middle.forEach((_, i) => (middle[i] += weight * z[row * d + i])));
  const [cells, from, to] = [mean, low, high].map((each) => unscaled(model, each));
  return { z: Float32Array.from(middle), cells, low: from, high: to, chances };
}

/**
 * @param {Model} model
 * @returns {{ part: import('./likelihoods.js').Placed, place: number, i: number }[]} each feature's part and place, and
 *   its number in the part
 */
function cellsOf({ parts, features }) {
  return parts.flatMap((part) => {
    return Array.from({ length: part.places?.length ?? features }, (_, i) => ({
      part,
      place: part.places ? part.places[i] : i,
      i,
    }));
  });
}

/** @param {Float64Array} weights @returns {Float64Array} `DRAWS` rows, each about as often as it weighs */
function spread(weights) {
  let [row, sum] = [0, weights[0]];
  return Float64Array.from({ length: DRAWS }, (_, i) => {
    while (sum < (i + 0.5) / DRAWS && row < weights.length - 1) sum += weights[++row];
    return row;
  });
}

/** @param {Float64Array} sorted @param {number} share @returns {number} between the two values nearest to it */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[next] - sorted[below]);
}
