/** Densities of codes: a prior's, and that of a single Gaussian with a full covariance. */

/** @typedef {import('./sampling.js').Prior} Prior */
/** @typedef {{ mean: Float64Array, factor: Float64Array }} Gaussian N(mean, L Lᵀ), L (d, d) lower-triangular */

/**
 * @param {Prior} prior
 * @param {number} d
 * @returns {(z: ArrayLike<number>) => number} log p(z), over all classes; NaN where there is none
 */
export function logPriorOf(prior, d) {
  if (prior.kind === 'normal') {
    return (z) => Array.from(z).reduce((sum, value) => sum - 0.5 * value * value, (-d / 2) * Math.log(2 * Math.PI));
  }
  if (prior.kind === 'codes') return () => NaN;
  const { frequencies, weights, means, factors, deviations } = prior;
  const starts = /** @type {number[]} */ (prior.starts);
  const components = frequencies.flatMap((frequency, label) => {
    return Array.from({ length: starts[label + 1] - starts[label] }, (_, i) => {
      const k = starts[label] + i;
      const mean = Float64Array.from(/** @type {any} */ (means).data.subarray(k * d, (k + 1) * d));
      const factor = new Float64Array(d * d);
      for (let row = 0; row < d; row++) {
        if (deviations) factor[row * (d + 1)] = deviations.data[k * d + row];
        const from = (k * d * (d + 1)) / 2 + (row * (row + 1)) / 2;
        if (factors) factor.set(factors.data.subarray(from, from + row + 1), row * d);
      }
      return { log: Math.log(frequency * /** @type {any} */ (weights).data[k]), density: logNormal({ mean, factor }) };
    });
  });
  return (z) => logSumExp(components.map(({ log, density }) => log + density(z)));
}

/**
 * @param {Gaussian} gaussian
 * @returns {(z: ArrayLike<number>) => number} its log-density
 */
export function logNormal({ mean, factor }) {
  const d = mean.length;
  const t = new Float64Array(d);
  let constant = (-d / 2) * Math.log(2 * Math.PI);
  for (let i = 0; i < d; i++) constant -= Math.log(factor[i * (d + 1)]);
  return (z) => {
    let sum = constant;
    for (let i = 0; i < d; i++) {
      let rest = z[i] - mean[i];
      for (let j = 0; j < i; j++) rest -= factor[i * d + j] * t[j];
      t[i] = rest / factor[i * (d + 1)];
      sum -= 0.5 * t[i] * t[i];
    }
    return sum;
  };
}

/**
 * @param {ArrayLike<number>} z codes (n, d)
 * @param {Float64Array} weights (n,) that sum to 1
 * @param {number} d
 * @returns {Gaussian} with their mean and covariance, and a little more, so that there is a factor
 */
export function gaussianOf(z, weights, d) {
  const mean = new Float64Array(d);
  weights.forEach((weight, row) => mean.forEach((_, i) => (mean[i] += weight * z[row * d + i])));
  const factor = new Float64Array(d * d);
  weights.forEach((weight, row) => {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        factor[i * d + j] += weight * (z[row * d + i] - mean[i]) * (z[row * d + j] - mean[j]);
      }
    }
  });
  for (let i = 0; i < d; i++) {
    factor[i * (d + 1)] += LEAST_VARIANCE;
    for (let j = 0; j <= i; j++) {
      let rest = factor[i * d + j];
      for (let k = 0; k < j; k++) rest -= factor[i * d + k] * factor[j * d + k];
      factor[i * d + j] = i === j ? Math.sqrt(Math.max(rest, LEAST_VARIANCE)) : rest / factor[j * (d + 1)];
    }
  }
  return { mean, factor };
}

const LEAST_VARIANCE = 1e-8;

/** @param {ArrayLike<number>} logs @returns {number} */
export function logSumExp(logs) {
  let most = -Infinity;
  for (let i = 0; i < logs.length; i++) most = Math.max(most, logs[i]);
  if (most === -Infinity) return most;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) sum += Math.exp(logs[i] - most);
  return most + Math.log(sum);
}
