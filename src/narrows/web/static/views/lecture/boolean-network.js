/** The network of units that computes a Boolean function, and what flows through it. */
import { svg } from '../../widgets/elements.js';
import { wiring } from '../../widgets/wiring.js';
import { sub } from './formulas.js';

/** @typedef {import('../../widgets/plot.js').Point} Point */

const NETWORK = { radius: 32, across: 180, down: 102, above: 44 };

/**
 * @param {import('../../shell/app.js').App} app
 * @param {import('./boolean.js').BooleanFunction} found
 * @param {number} row the input whose values flow
 */
export function network(app, found, row) {
  const { radius, across, down, above } = NETWORK;
  const columns = [
    found.inputs[row].map((value) => ({ weights: [], inside: '', below: String(value), on: value })),
    ...found.layers.map((layer) =>
      layer.map((unit) => ({
        weights: unit.weights,
        inside: `≥ ${app.n(unit.theta)}`,
        below: `${app.n(unit.excitation[row])} → ${unit.fires[row]}`,
        on: unit.fires[row],
      })),
    ),
  ];
  const height = 2 * above + down * (Math.max(...columns.map((column) => column.length)) - 1) + 20;
  const nodes = columns.flatMap((column, depth) =>
    column.map((unit, i) => ({
      ...unit,
      depth,
      at: /** @type {Point} */ ([radius + 4 + across * depth, height / 2 - 8 + down * (i - (column.length - 1) / 2)]),
    })),
  );
  const edges = nodes.flatMap(({ depth, weights }, to) => {
    const before = nodes.findIndex((node) => node.depth === depth - 1);
    return weights.flatMap((weight, i) => (weight ? [{ ends: /** @type {Point} */ ([before + i, to]), weight }] : []));
  });
  const size = /** @type {Point} */ ([2 * radius + 8 + across * 2, height]);
  const drawn = wiring({
    label: app.t('boolean.network'),
    size,
    points: nodes.map(({ at }) => at),
    edges: edges.map(({ ends }) => ends),
    radius,
    along: 0.25,
  });
  drawn.nodes.forEach((element, i) => {
    const { inside, below, on, depth } = nodes[i];
    element.setAttribute('class', `node${depth ? '' : ' input'}${on ? ' on' : ''}`);
    element.append(
      svg('text', { class: 'inside', y: 5 }, inside || sub(`x${i + 1}`)),
      svg('text', { class: 'inside', y: radius + 18 }, below),
    );
  });
  drawn.arrows.forEach(({ element, label }, i) => {
    if (nodes[edges[i].ends[0]].on) element.classList.add('on');
    label.textContent = app.n(edges[i].weight);
  });
  return drawn.element;
}
