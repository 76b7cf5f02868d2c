/** Random numbers that a seed makes the same in every browser; they are not those that torch has for that seed. */

/** @typedef {() => number} Random a number from U[0, 1), the next each time */

/**
 * @param {number} seed
 * @returns {Random} by sfc32 (Doty-Humphrey, “PractRand”), 32 bits each, after a warm-up that spreads near seeds apart
 */
export function randomOf(seed) {
  let [a, b, c, counter] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b9, 1];
  const random = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i++) random();
  return random;
}

/**
 * @param {Random} random
 * @returns {Random} numbers from N(0, 1), two from a point of the plane each time (Box & Muller 1958)
 */
export function normalOf(random) {
  /** @type {number | null} */
  let spare = null;
  return () => {
    if (spare !== null) {
      const found = spare;
      spare = null;
      return found;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * @param {Random} random
 * @param {ArrayLike<number>} weights
 * @param {number} [from]
 * @param {number} [to]
 * @returns {number} the place, from `from` to before `to`, of one of the weights, drawn in proportion to them
 */
export function chosen(random, weights, from = 0, to = weights.length) {
  let sum = 0;
  for (let i = from; i < to; i++) sum += weights[i];
  let left = random() * sum;
  for (let i = from; i < to; i++) {
    left -= weights[i];
    if (left < 0) return i;
  }
  let last = to - 1;
  while (last > from && !weights[last]) last--; // rounding may leave a little over
  return last;
}

/**
 * @param {Random} random
 * @param {number} shape
 * @returns {number} from the gamma distribution of that shape and scale 1 (Marsaglia & Tsang 2000)
 */
export function gamma(random, shape) {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random()) ** (1 / shape);
  const [d, normal] = [shape - 1 / 3, normalOf(random)];
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * @param {Random} random
 * @param {number} rate
 * @returns {number} from the Poisson distribution of that rate: events within a time, or for many of them their number
 *   in a part of it, and then in what is left (Ahrens & Dieter 1974)
 */
export function poisson(random, rate) {
  let [count, left] = [0, rate];
  while (left > FEW && left < LARGEST_DRAWN) {
    const half = Math.floor(0.875 * left);
    const time = gamma(random, half); // of so many events
    if (time > left) return count + binomial(random, half - 1, left / time);
    count += half;
    left -= time;
  }
  if (left >= LARGEST_DRAWN) return count + Math.round(left);
  for (let time = -Math.log(1 - random()); time < left; time -= Math.log(1 - random())) count++;
  return count;
}

/** Events that are drawn one by one, at most, on average. */
const FEW = 30;

/** From here on a count's spread is less than the rounding of 32 bits. */
const LARGEST_DRAWN = 2 ** 48;

/**
 * @param {Random} random
 * @param {number} n
 * @param {number} p
 * @returns {number} how many of n are less than p: where n is large, by the one in their middle
 */
function binomial(random, n, p) {
  let [count, left, share] = [0, n, p];
  while (left > FEW) {
    const middle = Math.floor((left + 1) / 2);
    const [below, above] = [gamma(random, middle), gamma(random, left + 1 - middle)];
    const at = below / (below + above); // the middle one of so many uniform numbers
    if (at <= share) {
      count += middle;
      share = (share - at) / (1 - at);
      left -= middle;
    } else {
      share /= at;
      left = middle - 1;
    }
  }
  for (let i = 0; i < left; i++) if (random() < share) count++;
  return count;
}
