/**
 * Likelihoods: what a decoder's outputs say of a row's numbers, in scaled units. A part has some of the features, each
 * known by its number among these, and its own outputs, which begin at `at` in `h`.
 */
import { ACTIVATIONS } from './activations.js';
import { binary, bins, category, ordered } from './levels.js';
import { gamma, normalOf, poisson } from './random.js';
import { logGamma, roundEven, softplus } from './special.js';

/** @typedef {{ data: Float32Array }} Floats */
/** @typedef {{ kind: string, places: number[] | null }} Sent */
/**
 * @typedef {object} Part
 * @property {number} width its outputs
 * @property {(h: Float32Array, at: number, feature: number) => number} mean of a number, or the most probable level
 * @property {(h: Float32Array, at: number, feature: number, x: number) => number} logTerm log p of x, in nats
 * @property {((h: Float32Array, at: number, feature: number, random: () => number) => number) | null} draw of one like
 *   it, where that is a number's or a level's; null where it would only be a level of grey
 * @property {Levels | null} levels more of columns of levels; null of others
 */
/**
 * @typedef {object} Levels
 * @property {(feature: number) => number} outcomes how many the decoder tells apart
 * @property {(h: Float32Array, at: number, feature: number, sums: Float64Array, weight: number) => void} add their
 *   probabilities, times a weight, to sums
 * @property {(feature: number, sums: Float64Array) => Float64Array} chances of all levels, by such sums
 */
/** @typedef {Part & { places: number[] | null, start: number }} Placed Where its outputs begin, and its features are */

/** @type {Record<string, (sent: any) => Part>} */
const MAKERS = {
  gaussian,
  laplace,
  bernoulli: () => grey(ACTIVATIONS.sigmoid, (x, h) => x * h - softplus(h)),
  'continuous-bernoulli': () => grey(continuousMean, (x, h) => x * h - continuousNormaliser(h)),
  poisson: (sent) => counts(sent, poissonTerm),
  'negative-binomial': negativeBinomial,
  bins,
  binary,
  category,
  ordered,
};

/**
 * @param {Sent[]} sent
 * @param {number} features of a row
 * @returns {Placed[]}
 */
export function partsOf(sent, features) {
  let start = 0;
  return sent.map((each) => {
    const made = MAKERS[each.kind](each);
    const part = { ...made, width: made.width || (each.places?.length ?? features), places: each.places, start };
    start += part.width;
    return part;
  });
}

/**
 * Numbers around g(h), given what a residual of scale 1 is like.
 * @param {{ link: string, scales: Floats }} sent
 * @param {(t: number) => number} logDensity
 * @param {(random: () => number) => number} residual
 * @returns {Part}
 */
function located({ link, scales: { data } }, logDensity, residual) {
  const mean = ACTIVATIONS[link];
  const scale = (/** @type {number} */ feature) => data[data.length > 1 ? feature : 0];
  return {
    levels: null,
    width: 0,
    mean: (h, at, feature) => mean(h[at + feature]),
    logTerm: (h, at, feature, x) => logDensity((x - mean(h[at + feature])) / scale(feature)) - Math.log(scale(feature)),
    draw: (h, at, feature, random) => mean(h[at + feature]) + scale(feature) * residual(random),
  };
}

/**
 * @param {{ link: string, scales: Floats }} sent
 * @returns {Part}
 */
function gaussian(sent) {
  return located(
    sent,
    (t) => -0.5 * t * t - 0.5 * Math.log(2 * Math.PI),
    (random) => normalOf(random)(),
  );
}

/**
 * @param {{ link: string, scales: Floats }} sent
 * @returns {Part}
 */
function laplace(sent) {
  return located(
    sent,
    (t) => -Math.abs(t) - Math.LN2,
    (random) => {
      const u = random() - 0.5;
      return -Math.sign(u) * Math.log1p(-2 * Math.abs(u));
    },
  );
}

/**
 * @param {(h: number) => number} mean
 * @param {(x: number, h: number) => number} term
 * @returns {Part}
 */
function grey(mean, term) {
  return {
    levels: null,
    width: 0,
    mean: (h, at, feature) => mean(h[at + feature]),
    logTerm: (h, at, feature, x) => term(x, h[at + feature]),
    draw: null,
  };
}

/** @param {number} h ½ + ½ coth ½h − 1 / h, near 0 by its series */
function continuousMean(h) {
  if (Math.abs(h) >= 0.5) return 0.5 + 0.5 / Math.tanh(h / 2) - 1 / h;
  const square = h * h;
  return 0.5 + h * (1 / 12 + square * (-1 / 720 + square * (1 / 30240 + square * (-1 / 1209600 + square / 47900160))));
}

/** @param {number} h log (eʰ − 1) / h, near 0 by its series */
function continuousNormaliser(h) {
  if (Math.abs(h) < 0.1) return h / 2 + h * h * (1 / 24 + h * h * (-1 / 2880 + (h * h) / 181440));
  const size = Math.abs(h);
  return Math.max(h, 0) + Math.log(-Math.expm1(-size) / size);
}

/**
 * @param {{ zero: Floats, scale: Floats }} sent
 * @param {(k: number, logRate: number, feature: number) => number} logMass
 * @returns {Part}
 */
function counts({ zero: { data: zero }, scale: { data: scale } }, logMass) {
  return {
    levels: null,
    width: 0,
    mean: (h, at, feature) => Math.exp(h[at + feature]) + zero[feature],
    logTerm: (h, at, feature, x) => {
      const k = roundEven(Math.max((x - zero[feature]) * scale[feature], 0));
      return logMass(k, h[at + feature] + Math.log(scale[feature]), feature);
    },
    draw: null,
  };
}

/**
 * @param {number} k
 * @param {number} logRate
 */
function poissonTerm(k, logRate) {
  return k * logRate - Math.exp(logRate) - logGamma(k + 1);
}

/**
 * @param {{ zero: Floats, scale: Floats, r: Floats, places: number[] | null }} sent
 * @returns {Part}
 */
function negativeBinomial({ zero, scale, r, places }) {
  const part = counts({ zero, scale }, (k, logRate, feature) => {
    const own = r.data[feature];
    const odds = logRate - Math.log(own);
    const ways = logGamma(k + own) - logGamma(own) - logGamma(k + 1);
    return ways - k * softplus(-odds) - own * softplus(odds);
  });
  if (!places) return part; // only of a table's cells is there more to say than their mean
  /** @type {NonNullable<Part['draw']>} */
  const draw = (h, at, feature, random) => {
    const [own, unit] = [r.data[feature], scale.data[feature]];
    const rate = (Math.exp(h[at + feature]) * unit * gamma(random, own)) / own;
    return poisson(random, rate) / unit + zero.data[feature];
  };
  return { ...part, draw };
}
