/**
 * The plane: the codes of the examples as points, over what the codes in between stand for. Of a code of one unit it is
 * a line. Places have k numbers each, 2 in a plane and 1 on a line.
 */
import { meanCode } from './codes.js';
import { entryOf } from './entry.js';

/** @typedef {import('./entry.js').Shared} Shared */
/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {import('../views/plane/plane.js').Axes} Axes */
/**
 * @typedef {object} Frame places are (z − origin) basis
 * @property {number} k axes
 * @property {ArrayLike<number>} origin (d,)
 * @property {ArrayLike<number>} basis (d, k)
 * @property {Float64Array} points (n, k)
 * @property {number[]} low
 * @property {number[]} high
 * @property {number} reach up to which data count as near, in parts of the range from low to high
 */
/** @typedef {{ model: string, axes?: Axes, z?: number[] | null, label?: string }} Through a code the plane goes */

const ENDS = [0.02, 0.98]; // quantiles of the points between which the plane is shown at first
const MARGIN = 0.08; // of that range, on each side
const NEIGHBOURS = 5; // that a point must have about as near as nearly all points have theirs
const [AT_ONCE, TURN] = [4, 8]; // tiles decoded at once, and milliseconds before the page may do something else
const JUDGED = 2000; // examples by which it is judged how near others are

/**
 * @param {Shared} shared
 * @param {{ model: string, axes?: Axes }} given
 * @returns {import('../views/plane/plane.js').Plane}
 */
export function plane(shared, { model, axes = 'pca' }) {
  const entry = entryOf(shared, model);
  const { k, points, low, high } = frameOf(entry, axes);
  const { labels, classes } = entry.sent;
  return {
    points: { data: Float32Array.from(points), shape: [points.length / k, k] },
    low: { data: Float32Array.from(low), shape: [k] },
    high: { data: Float32Array.from(high), shape: [k] },
    labels,
    classes,
    axes: names(entry, axes),
    explained: explained(entry, points, k),
    mean: Array.from(meanOf(entry)),
  };
}

/**
 * @param {Shared} shared
 * @param {Through & { side?: number, low?: number[] | null, high?: number[] | null }} given
 * @returns {Promise<import('../views/plane/background.js').Tiles>}
 */
export async function tiles(shared, { model, axes = 'pca', z = null, side = 18, low = null, high = null, label }) {
  const entry = entryOf(shared, model);
  const frame = frameOf(entry, axes);
  const [start, end] = [low ?? frame.low, high ?? frame.high];
  const points = Array.from({ length: side ** frame.k }, (_, i) => {
    const middle = [((i % side) + 0.5) / side, 1 - (Math.floor(i / side) + 0.5) / side]; // the first row is the highest
    return start.map((from, axis) => from + middle[axis] * (end[axis] - from));
  });
  const held = z ?? meanOf(entry);
  const decoded = [];
  let begun = performance.now();
  for (let from = 0; from < points.length; from += AT_ONCE) {
    const codes = points.slice(from, from + AT_ONCE).flatMap((point) => codeAt(entry, frame, held, point));
    decoded.push(entry.levels(entry.decode(Float32Array.from(codes), entry.context(label))));
    if (performance.now() - begun < TURN) continue;
    await new Promise((done) => setTimeout(done));
    begun = performance.now();
  }
  const data = new Uint8Array(decoded.reduce((count, one) => count + one.data.length, 0));
  decoded.reduce((begin, one) => (data.set(one.data, begin), begin + one.data.length), 0);
  const seen = Uint8Array.from(points, (point) => Number(isSeen(frame, point)));
  return {
    levels: { data, shape: [points.length, ...decoded[0].shape.slice(1)] },
    seen: { data: seen, shape: [points.length] },
    side,
  };
}

/**
 * @param {Shared} shared
 * @param {Through & { point?: number[] | null }} given
 * @returns {import('../views/plane/plane.js').At}
 */
export function at(shared, { model, point = null, axes = 'pca', z = null, label }) {
  const entry = entryOf(shared, model);
  const frame = frameOf(entry, axes);
  const held = z ?? meanOf(entry);
  const place = point ?? projected(entry, frame, held);
  const code = Float32Array.from(codeAt(entry, frame, held, place));
  return {
    levels: entry.shown(entry.decode(code, entry.context(label))),
    z: Array.from(code),
    point: place,
    seen: isSeen(frame, place),
  };
}

/**
 * @param {Shared} shared
 * @param {{ model: string, row: number }} given
 * @returns {import('../views/plane/beside.js').Example}
 */
export function example(shared, { model, row }) {
  const entry = entryOf(shared, model);
  const x = entry.at([row]);
  const restored = entry.restored(x, entry.context(undefined, row));
  return {
    original: entry.shown(x),
    restored: entry.shown(restored),
    label: entry.names([row]).join(''),
    z: Array.from(entry.code(row)),
    error: entry.errorsOf(x, restored)[0],
  };
}

/**
 * @param {Shared} shared
 * @param {{ model: string }} given
 * @returns {import('../views/plane/plane.js').Errors}
 */
export function errors(shared, { model }) {
  return { values: entryOf(shared, model).sent.errors };
}

/**
 * @param {Shared} shared
 * @param {{ model: string, rows: number[] }} given
 * @returns {import('../views/plane/beside.js').Group}
 */
export function group(shared, { model, rows }) {
  const entry = entryOf(shared, model);
  const labels = entry.names(rows);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const commonest = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0])[0];
  const context = entry.context(entry.told.conditional && commonest ? commonest : undefined);
  const errs = rows.map((row) => entry.sent.errors.data[row]);
  return {
    mean: entry.shown(entry.middle(entry.at(rows))),
    decoded: entry.shown(entry.decode(meanCode(entry, rows), context)),
    count: rows.length,
    counts: [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    error: errs.reduce((sum, error) => sum + error, 0) / errs.length,
    csv: csv(entry, rows, labels, errs),
  };
}

/**
 * @param {Entry} entry
 * @param {number[]} rows
 * @param {string[]} labels
 * @param {number[]} errs
 * @returns {string} a table of codes
 */
function csv(entry, rows, labels, errs) {
  const quoted = (/** @type {string} */ text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const named = labels.length > 0;
  const lines = rows.map((row, i) =>
    [row, ...(named ? [quoted(labels[i])] : []), errs[i], ...entry.code(row)].join(','),
  );
  const heads = ['example', ...(named ? ['label'] : []), 'error', ...entry.sent.features];
  return `${[heads.map(quoted).join(','), ...lines].join('\n')}\n`;
}

// --- Where codes lie in the plane -------------------------------------------------

/**
 * @param {Entry} entry
 * @param {Axes} axes
 * @returns {Frame} worked out once
 */
function frameOf(entry, axes) {
  const key = `plane ${axes}`;
  if (!entry.memo.has(key)) entry.memo.set(key, framed(entry, axes));
  return entry.memo.get(key);
}

/**
 * @param {Entry} entry
 * @param {Axes} axes
 * @returns {Frame}
 */
function framed(entry, axes) {
  const { d, codes, sent } = entry;
  const k = Math.min(d, 2);
  const [origin, basis] =
    axes === 'pca'
      ? [sent.origin, sent.basis.data]
      : [new Float64Array(d), Float64Array.from({ length: 2 * d }, (_, i) => Number(axes[i % 2] === i >> 1))];
  /** @type {Frame} */
  const frame = { k, origin, basis, points: new Float64Array(0), low: [], high: [], reach: 0 };
  const n = codes.length / d;
  frame.points = new Float64Array(k * n);
  for (let row = 0; row < n; row++) frame.points.set(projected(entry, frame, entry.code(row)), k * row);
  for (let axis = 0; axis < k; axis++) {
    const sorted = frame.points.filter((_, i) => i % k === axis).sort();
    const [low, high] = ENDS.map((share) => quantile(sorted, share));
    const margin = MARGIN * (high > low ? high - low : 1);
    frame.low.push(low - margin);
    frame.high.push(high + margin);
  }
  const count = Math.min(NEIGHBOURS + 1, n); // the first is the point itself
  const step = Math.ceil(n / JUDGED);
  const distances = Float64Array.from({ length: Math.ceil(n / step) }, (_, i) =>
    distanceTo(frame, frame.points.subarray(k * i * step, k * i * step + k), count),
  );
  frame.reach = 1.5 * quantile(distances.sort(), 0.98);
  return frame;
}

/**
 * @param {Entry} entry
 * @param {Frame} frame
 * @param {ArrayLike<number>} z a code
 * @returns {number[]} where it lies in the plane
 */
function projected({ d }, { k, origin, basis }, z) {
  return Array.from({ length: k }, (_, axis) => {
    let sum = 0;
    for (let unit = 0; unit < d; unit++) sum += (z[unit] - origin[unit]) * basis[k * unit + axis];
    return sum;
  });
}

/**
 * @param {Entry} entry
 * @param {Frame} frame
 * @param {ArrayLike<number>} held the code that the plane goes through
 * @param {ArrayLike<number>} place
 * @returns {number[]} the code there
 */
function codeAt(entry, frame, held, place) {
  const { k, basis } = frame;
  const own = projected(entry, frame, held);
  return Array.from({ length: entry.d }, (_, unit) =>
    own.reduce((sum, from, axis) => sum + (place[axis] - from) * basis[k * unit + axis], held[unit]),
  );
}

/**
 * @param {Frame} frame
 * @param {ArrayLike<number>} place
 * @returns {boolean} whether data are there
 */
function isSeen(frame, place) {
  return distanceTo(frame, place, Math.min(NEIGHBOURS, frame.points.length / frame.k)) <= frame.reach;
}

/**
 * @param {Frame} frame
 * @param {ArrayLike<number>} place
 * @param {number} count
 * @returns {number} how far the nearest but `count` − 1 of the points is, in parts of the range from low to high
 */
function distanceTo({ k, points, low, high }, place, count) {
  const nearest = new Float64Array(count).fill(Infinity); // squares, the least first
  for (let i = 0; i < points.length; i += k) {
    let square = 0;
    for (let axis = 0; axis < k; axis++) square += ((points[i + axis] - place[axis]) / (high[axis] - low[axis])) ** 2;
    let slot = count - 1;
    if (square >= nearest[slot]) continue;
    for (; slot > 0 && nearest[slot - 1] > square; slot--) nearest[slot] = nearest[slot - 1];
    nearest[slot] = square;
  }
  return Math.sqrt(nearest[count - 1]);
}

/**
 * @param {Float64Array} sorted
 * @param {number} share
 * @returns {number} between the two values that it lies between, as NumPy has it
 */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/**
 * @param {Entry} entry
 * @param {Axes} axes
 * @returns {string[]} the axes' names
 */
function names({ d }, axes) {
  if (axes === 'pca') return d > 2 ? ['p1', 'p2'] : ['z1', 'z2'].slice(0, d);
  return axes.map((unit) => `z${unit + 1}`);
}

/** @param {Entry} entry */
function meanOf(entry) {
  const all = Array.from({ length: entry.codes.length / entry.d }, (_, row) => row);
  return memoised(entry, 'mean', () => meanCode(entry, all));
}

/**
 * @param {Entry} entry
 * @param {Float64Array} points
 * @param {number} k
 * @returns {number} the fraction of the codes' variance that lies in the plane
 */
function explained({ codes, d }, points, k) {
  const whole = variance(codes, d);
  return whole > 0 ? variance(points, k) / whole : 1;
}

/**
 * @param {ArrayLike<number>} rows
 * @param {number} width
 * @returns {number} of all columns together
 */
function variance(rows, width) {
  let whole = 0;
  for (let column = 0; column < width; column++) {
    let [sum, squares] = [0, 0];
    const n = rows.length / width;
    for (let i = column; i < rows.length; i += width) sum += rows[i] / n;
    for (let i = column; i < rows.length; i += width) squares += (rows[i] - sum) ** 2 / n;
    whole += squares;
  }
  return whole;
}

/**
 * @template T
 * @param {Entry} entry
 * @param {string} key
 * @param {() => T} make
 * @returns {T}
 */
function memoised({ memo }, key, make) {
  if (!memo.has(key)) memo.set(key, make());
  return memo.get(key);
}
