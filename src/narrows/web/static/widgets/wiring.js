/** Circles and arrows between them: networks of units, and graphs of functions. */
import { svg } from './elements.js';

/** @typedef {import('./plot.js').Point} Point */
/** @typedef {{ element: SVGGElement, label: SVGTextElement }} Arrow */

const HEAD = 9; // length of an arrow's head, in units of the drawing

/**
 * @param {{ label: string, size: Point, points: Point[], edges: Point[], radius: number, along?: number }} options
 *   what it is, in words; width and height; the circles' middles; pairs of circles; where on an arrow its words stand,
 *   as a fraction of the way
 * @returns {{ element: SVGSVGElement, nodes: SVGGElement[], arrows: Arrow[] }} nodes to write into, about (0, 0)
 */
export function wiring({ label, size, points, edges, radius, along = 0.5 }) {
  const nodes = points.map(([x, y]) =>
    svg('g', { class: 'node', transform: `translate(${x} ${y})` }, svg('circle', { r: radius })),
  );
  const arrows = edges.map(([from, to]) => arrow(points[from], points[to], radius, along));
  const words = svg('g', {}, ...arrows.map((one) => one.label));
  const element = svg(
    'svg',
    { class: 'plot wired', viewBox: `0 0 ${size[0]} ${size[1]}`, role: 'img', 'aria-label': label },
    ...arrows.map((one) => one.element),
    ...nodes,
    words,
  );
  return { element, nodes, arrows };
}

/**
 * An arrow that can also point back, if its class says so.
 * @param {Point} from
 * @param {Point} to
 * @param {number} radius
 * @param {number} along
 * @returns {Arrow}
 */
function arrow([x0, y0], [x1, y1], radius, along) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const head = (/** @type {number} */ at, /** @type {1 | -1} */ way) => {
    const [x, y, back] = [x0 + at * ux, y0 + at * uy, way * HEAD];
    return `M${x} ${y}L${x - back * ux + (HEAD * uy) / 2} ${y - back * uy - (HEAD * ux) / 2}L${x - back * ux - (HEAD * uy) / 2} ${y - back * uy + (HEAD * ux) / 2}Z`;
  };
  const [start, end] = [radius + 2, length - radius - 2];
  const element = svg(
    'g',
    { class: 'edge' },
    svg('path', {
      class: 'shaft',
      d: `M${x0 + (start + 4) * ux} ${y0 + (start + 4) * uy}L${x0 + (end - 4) * ux} ${y0 + (end - 4) * uy}`,
    }),
    svg('path', { class: 'head', d: head(end, 1) }),
    svg('path', { class: 'tail', d: head(start, -1) }),
  );
  return {
    element,
    label: svg('text', {
      class: 'name',
      x: x0 + along * (x1 - x0),
      y: y0 + along * (y1 - y0) + 5,
      'text-anchor': 'middle',
    }),
  };
}
