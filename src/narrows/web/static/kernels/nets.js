/**
 * Nets: lists of operations on numbers that lie row by row, of an image pixel by pixel with its channels one after
 * another. Each operation keeps the room that its results lie in, so that a drag makes no garbage; what comes out is
 * overwritten by the next call.
 */
import { ACTIVATIONS } from './activations.js';
import { numbersOf } from './weights.js';

/** @typedef {import('./weights.js').Weights} Weights */
/**
 * @typedef {{ op: string }
 *   | { op: 'linear', weight: Weights, bias: Weights }
 *   | { op: 'planes', size: number[], classes: number }
 *   | { op: 'convolution', size: number[], stride: number, weight: Weights, bias: Weights }
 *   | { op: 'shuffle', size: number[], cropped: number[] }
 *   | { op: 'sum', branches: Operation[][] }} Operation
 */
/** @typedef {(x: Float32Array, n: number) => Float32Array} Net What becomes of n rows, which may be longer than it */

/**
 * @param {Operation[]} operations
 * @returns {Net}
 */
export function netOf(operations) {
  const steps = operations.map((operation) => {
    const make = MAKERS[operation.op];
    return make ? make(operation) : pointwise(ACTIVATIONS[operation.op]);
  });
  return (x, n) => steps.reduce((rows, step) => step(rows, n), x);
}

/** @type {Record<string, (operation: any) => Net>} */
const MAKERS = { linear, planes, convolution, shuffle, sum };

/** @returns {(count: number) => Float32Array} room for so many numbers: the same again, where they fit into it */
function room() {
  let kept = new Float32Array(0);
  return (count) => {
    if (kept.length < count) kept = new Float32Array(count);
    return kept.length === count ? kept : kept.subarray(0, count);
  };
}

/**
 * @param {(x: number) => number} activation
 * @returns {Net}
 */
function pointwise(activation) {
  const space = room();
  return (x) => {
    const out = space(x.length);
    for (let i = 0; i < x.length; i++) out[i] = activation(x[i]);
    return out;
  };
}

/**
 * @param {{ weight: Weights, bias: Weights }} operation
 * @returns {Net}
 */
function linear({ weight, bias }) {
  const [outputs, inputs] = weight.shape;
  const w = numbersOf(weight);
  const b = numbersOf(bias);
  const space = room();
  return (x, n) => {
    const out = space(n * outputs);
    for (let k = 0; k < outputs; k += 4) fourUnits(x, w, b, out, n, inputs, outputs, k);
    return out;
  };
}

/**
 * Four units of a layer, or as many as there are from the first on, of all rows: each number that is read is used four
 * times.
 * @param {Float32Array} x
 * @param {Float32Array} w
 * @param {Float32Array} b
 * @param {Float32Array} out
 * @param {number} n
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} k the first
 */
function fourUnits(x, w, b, out, n, inputs, outputs, k) {
  const last = outputs - 1;
  const [k1, k2, k3] = [Math.min(k + 1, last), Math.min(k + 2, last), Math.min(k + 3, last)];
  const [w0, w1, w2, w3] = [k * inputs, k1 * inputs, k2 * inputs, k3 * inputs];
  for (let row = 0; row < n; row++) {
    const start = row * inputs;
    let [a0, a1, a2, a3] = [b[k], b[k1], b[k2], b[k3]];
    for (let i = 0; i < inputs; i++) {
      const value = x[start + i];
      a0 += value * w[w0 + i];
      a1 += value * w[w1 + i];
      a2 += value * w[w2 + i];
      a3 += value * w[w3 + i];
    }
    const at = row * outputs;
    out[at + k] = a0;
    out[at + k1] = a1;
    out[at + k2] = a2;
    out[at + k3] = a3;
  }
}

/**
 * @param {{ size: number[], classes: number }} operation
 * @returns {Net}
 */
function planes({ size: [h, w, c], classes }) {
  const space = room();
  const pixels = h * w;
  return (x, n) => {
    const out = space(n * pixels * (c + classes));
    for (let row = 0; row < n; row++) {
      const start = row * (pixels * c + classes);
      for (let pixel = 0; pixel < pixels; pixel++) {
        const at = (row * pixels + pixel) * (c + classes);
        for (let i = 0; i < c; i++) out[at + i] = x[start + pixel * c + i];
        for (let i = 0; i < classes; i++) out[at + c + i] = x[start + pixels * c + i];
      }
    }
    return out;
  };
}

/**
 * @param {{ size: number[], stride: number, weight: Weights, bias: Weights }} operation
 * @returns {Net}
 */
function convolution({ size: [h, w, c], stride, weight, bias }) {
  const outputs = weight.shape[0];
  const own = { h, w, c, stride, outputs, weights: numbersOf(weight), bias: numbersOf(bias) };
  const [down, across] = [Math.ceil(h / stride), Math.ceil(w / stride)];
  const space = room();
  return (x, n) => {
    const out = space(n * down * across * outputs);
    for (let image = 0; image < n; image++) {
      const [from, to] = [image * h * w * c, image * down * across * outputs];
      for (let row = 0; row < down; row++) {
        for (let column = 0; column < across; column++) {
          convolved(own, x, from, row * stride, column * stride, out, to + (row * across + column) * outputs);
        }
      }
    }
    return out;
  };
}

/**
 * All outputs of one window. Its pixels side by side, with their channels, are one piece in the image as in the
 * weights; of a window over an edge the pieces are shorter.
 * @param {{ h: number, w: number, c: number, outputs: number, weights: Float32Array, bias: Float32Array }} own
 * @param {Float32Array} x
 * @param {number} from where the image begins
 * @param {number} row
 * @param {number} column the window's middle
 * @param {Float32Array} out
 * @param {number} to
 */
function convolved({ h, w, c, outputs, weights, bias }, x, from, row, column, out, to) {
  const [top, bottom] = [Math.max(row - 1, 0), Math.min(row + 1, h - 1)];
  const [left, right] = [Math.max(column - 1, 0), Math.min(column + 1, w - 1)];
  const length = (right - left + 1) * c;
  const each = 9 * c;
  for (let k = 0; k < outputs; k += 4) {
    const last = outputs - 1;
    const [k1, k2, k3] = [Math.min(k + 1, last), Math.min(k + 2, last), Math.min(k + 3, last)];
    let [a0, a1, a2, a3] = [bias[k], bias[k1], bias[k2], bias[k3]];
    for (let y = top; y <= bottom; y++) {
      const begin = from + (y * w + left) * c;
      const within = ((y - row + 1) * 3 + left - column + 1) * c;
      const [w0, w1, w2, w3] = [k * each + within, k1 * each + within, k2 * each + within, k3 * each + within];
      for (let i = 0; i < length; i++) {
        const value = x[begin + i];
        a0 += value * weights[w0 + i];
        a1 += value * weights[w1 + i];
        a2 += value * weights[w2 + i];
        a3 += value * weights[w3 + i];
      }
    }
    out[to + k] = a0;
    out[to + k1] = a1;
    out[to + k2] = a2;
    out[to + k3] = a3;
  }
}

/**
 * @param {{ size: number[], cropped: number[] }} operation
 * @returns {Net}
 */
function shuffle({ size: [h, w, channels], cropped: [down, across] }) {
  const c = channels / 4;
  const space = room();
  return (x, n) => {
    const out = space(n * down * across * c);
    for (let pixel = 0; pixel < n * down * across; pixel++) {
      const column = pixel % across;
      const line = Math.floor(pixel / across); // of all images, one below another
      const y = line % down;
      const from = ((((line - y) / down) * h + (y >> 1)) * w + (column >> 1)) * channels;
      const quarter = from + ((y & 1) * 2 + (column & 1)) * c;
      for (let i = 0; i < c; i++) out[pixel * c + i] = x[quarter + i];
    }
    return out;
  };
}

/**
 * @param {{ branches: Operation[][] }} operation
 * @returns {Net}
 */
function sum({ branches }) {
  const nets = branches.map(netOf);
  const space = room();
  return (x, n) => {
    const each = nets.map((net) => net(x, n));
    const out = space(each[0].length);
    out.set(each[0]);
    for (const rows of each.slice(1)) {
      for (let i = 0; i < out.length; i++) out[i] += rows[i];
    }
    return out;
  };
}
