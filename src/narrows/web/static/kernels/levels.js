/** Likelihoods of levels, and of numbers in bins, which are levels and a place within one. */
import { chosen } from './random.js';
import { softplus } from './special.js';

/** @typedef {import('./likelihoods.js').Part} Part */
/** @typedef {{ data: Float32Array }} Floats */
/**
 * @typedef {{ widths: number[], seen: number[], unseen: Floats, within: Floats, thresholds: Floats | null }} Sent
 */
/** @typedef {(h: Float32Array, at: number, feature: number) => Float64Array} LogLevels Of those told apart */

/** Of a difference of probabilities, so that its logarithm is finite. */
const LEAST = 1e-30;

/**
 * @param {Sent} sent
 * @returns {Part}
 */
export function binary(sent) {
  return levels(sent, 0, (h, at, feature) => {
    return Float64Array.of(-softplus(h[at + feature]), -softplus(-h[at + feature]));
  });
}

/**
 * @param {Sent} sent
 * @returns {Part}
 */
export function category(sent) {
  const starts = startsOf(sent.widths);
  return levels(sent, starts[sent.widths.length], (h, at, feature) => {
    return logSoftmax(h.subarray(at + starts[feature], at + starts[feature + 1]));
  });
}

/**
 * @param {Sent} sent
 * @returns {Part}
 */
export function ordered(sent) {
  const { data } = /** @type {Floats} */ (sent.thresholds);
  const starts = startsOf(sent.widths.map((width) => width - 1));
  return levels(sent, 0, (h, at, feature) => {
    let before = 0;
    return Float64Array.from({ length: sent.widths[feature] }, (_, k) => {
      const last = k === sent.widths[feature] - 1;
      const upTo = last ? 1 : 1 / (1 + Math.exp(h[at + feature] - data[starts[feature] + k]));
      const own = Math.log(Math.max(upTo - before, LEAST));
      before = upTo;
      return own;
    });
  });
}

/**
 * @param {Sent} sent
 * @param {number} width outputs, or 0 for one a column
 * @param {LogLevels} logLevels
 * @returns {Part}
 */
function levels({ widths, seen, unseen, within }, width, logLevels) {
  const starts = startsOf(seen);
  const own = (/** @type {number} */ feature, /** @type {number} */ level) => within.data[starts[feature] + level];
  return {
    width,
    mean: (h, at, feature) => highest(logLevels(h, at, feature)),
    logTerm: (h, at, feature, x) => {
      if (x >= seen[feature]) return Math.log(unseen.data[feature]);
      const output = Math.min(x, widths[feature] - 1);
      return logLevels(h, at, feature)[output] + own(feature, x) + Math.log1p(-unseen.data[feature]);
    },
    draw: (h, at, feature, random) => {
      const drawn = chosen(random, logLevels(h, at, feature).map(Math.exp));
      if (drawn < widths[feature] - 1 || seen[feature] === widths[feature]) return drawn;
      const rare = within.data.subarray(starts[feature] + drawn, starts[feature + 1]).map(Math.exp);
      return drawn + chosen(random, rare);
    },
    levels: {
      outcomes: (feature) => widths[feature],
      add: (h, at, feature, sums, weight) => {
        logLevels(h, at, feature).forEach((log, k) => (sums[k] += weight * Math.exp(log)));
      },
      chances: (feature, sums) => {
        return Float64Array.from({ length: seen[feature] }, (_, level) => {
          return sums[Math.min(level, widths[feature] - 1)] * Math.exp(own(feature, level));
        });
      },
    },
  };
}

/**
 * @param {{ widths: number[], low: Floats, high: Floats, unseen: Floats }} sent
 * @returns {Part}
 */
export function bins({ widths, low: { data: low }, high: { data: high }, unseen }) {
  const starts = startsOf(widths);
  /** @type {LogLevels} */
  const logBins = (h, at, feature) => logSoftmax(h.subarray(at + starts[feature], at + starts[feature + 1]));
  return {
    width: starts[widths.length],
    mean: (h, at, feature) => {
      const from = starts[feature];
      return logBins(h, at, feature).reduce(
        (sum, log, k) => sum + (Math.exp(log) * (low[from + k] + high[from + k])) / 2,
        0,
      );
    },
    logTerm: (h, at, feature, x) => {
      const [from, to] = [starts[feature], starts[feature + 1]];
      let bin = from;
      while (bin < to - 1 && high[bin] < x) bin++;
      if (x < low[bin] || x > high[bin]) {
        return Math.log(unseen.data[feature]) - Math.log1p(x * x) - Math.log(Math.PI);
      }
      const mass = logBins(h, at, feature)[bin - from] + Math.log1p(-unseen.data[feature]);
      return mass - Math.log(high[bin] - low[bin]);
    },
    draw: (h, at, feature, random) => {
      const bin = starts[feature] + chosen(random, logBins(h, at, feature).map(Math.exp));
      return low[bin] + (high[bin] - low[bin]) * random();
    },
    levels: null,
  };
}

/** @param {number[]} widths @returns {number[]} where each begins, and the last ends */
function startsOf(widths) {
  let sum = 0;
  return [0, ...widths.map((width) => (sum += width))];
}

/** @param {Float32Array} h @returns {Float64Array} */
function logSoftmax(h) {
  const most = h.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = h.reduce((a, b) => a + Math.exp(b - most), 0);
  return Float64Array.from(h, (value) => value - most - Math.log(sum));
}

/** @param {Float64Array} values @returns {number} the place of the highest, the first of several */
export function highest(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}
