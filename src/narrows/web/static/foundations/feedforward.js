/**
 * A graph of primitive functions, as `narrows.foundations.feedforward`: one pass along its arrows gives the value of
 * every node, and one against them, by the chain rule, the derivative of the output with respect to every node.
 */
import { tanh } from './activations.js';

/**
 * @typedef {object} Primitive
 * @property {(...x: number[]) => number} value
 * @property {((...x: number[]) => number)[]} partials one an argument
 */
/** @typedef {{ name: string, primitive: string, parents: string[] }} Node */

const one = () => 1;

/** @type {Record<string, Primitive>} */
const PRIMITIVES = {
  add: { value: (x, y) => x + y, partials: [one, one] },
  multiply: { value: (x, y) => x * y, partials: [(_, y) => y, (x) => x] },
  square: { value: (x) => x * x, partials: [(x) => 2 * x] },
  sin: { value: Math.sin, partials: [Math.cos] },
  tanh: { value: tanh.value, partials: [tanh.slope] },
};

export class Graph {
  /**
   * @param {string[]} inputs
   * @param {Node[]} nodes every one after its parents; the last is the output
   */
  constructor(inputs, nodes) {
    this.inputs = inputs;
    this.nodes = nodes;
    this.names = [...inputs, ...nodes.map(({ name }) => name)];
    /** Of each node its primitive and its parents' rows. */
    this.wiring = nodes.map(({ primitive, parents }) => ({
      ...PRIMITIVES[primitive],
      from: parents.map((parent) => this.names.indexOf(parent)),
    }));
  }

  /**
   * @param {number[]} given the inputs
   * @returns {number[]} every node's value
   */
  forward(given) {
    const values = [...given];
    for (const { value, from } of this.wiring) values.push(value(...from.map((row) => values[row])));
    return values;
  }

  /**
   * @param {number[]} values
   * @returns {{ derivatives: number[], handed: number[] }} of the output with respect to every node; and what each node
   *   hands its parents, in the order of the edges
   */
  backward(values) {
    const derivatives = values.map((_, row) => Number(row === values.length - 1));
    const handed = this.wiring.map(() => /** @type {number[]} */ ([]));
    for (let i = this.wiring.length - 1; i >= 0; i--) {
      const { partials, from } = this.wiring[i];
      const given = from.map((row) => values[row]);
      handed[i] = partials.map((partial) => derivatives[this.inputs.length + i] * partial(...given));
      from.forEach((row, k) => (derivatives[row] += handed[i][k]));
    }
    return { derivatives, handed: handed.flat() };
  }

  /** @returns {number[][]} the edges, pairs of rows, in the order of the nodes and of their arguments */
  edges() {
    return this.wiring.flatMap(({ from }, i) => from.map((row) => [row, this.inputs.length + i]));
  }

  /** @returns {number[][]} of each node the layer, and where in it, from its middle: each near that of its parents */
  layout() {
    const parents = this.names.map((_, row) => this.wiring[row - this.inputs.length]?.from ?? []);
    /** @type {number[]} */
    const layer = [];
    parents.forEach((rows) => layer.push(1 + Math.max(-1, ...rows.map((row) => layer[row]))));
    const place = layer.map(() => 0);
    const middle = (/** @type {number} */ row) =>
      parents[row].reduce((sum, parent) => sum + place[parent], 0) / parents[row].length;
    for (let depth = 0; depth <= Math.max(...layer); depth++) {
      const rows = [...layer.keys()].filter((row) => layer[row] === depth);
      if (depth) rows.sort((a, b) => middle(a) - middle(b));
      rows.forEach((row, i) => (place[row] = i - (rows.length - 1) / 2));
    }
    return layer.map((depth, row) => [depth, place[row]]);
  }
}

/** @returns {Graph} the lecture's: tanh((x + y)² · sin(y·z)) */
export function lectureGraph() {
  const nodes = [
    ['f1', 'add', 'x', 'y'],
    ['f2', 'multiply', 'y', 'z'],
    ['f3', 'square', 'f1'],
    ['f4', 'sin', 'f2'],
    ['f5', 'multiply', 'f3', 'f4'],
    ['f6', 'tanh', 'f5'],
  ];
  return new Graph(
    ['x', 'y', 'z'],
    nodes.map(([name, primitive, ...parents]) => ({ name, primitive, parents })),
  );
}
