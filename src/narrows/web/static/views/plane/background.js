/** What stands behind the plane's points: what the codes there decode to, faded where no data are. */
import { clamp } from '../../shell/numbers.js';
import { context, heat, themed } from '../../widgets/canvases.js';
import { RowBrush } from '../../widgets/rows.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../widgets/rows.js').Heading} Heading */
/** @typedef {{ levels: Levels, seen: Levels, side: number }} Tiles */

const [MANY, FEW, LARGE] = [18, 12, 40]; // tiles a side; fewer of examples with more pixels a side than `LARGE`
const FINE = 32; // tiles a side of a single colour
const [NEAR_DATA, FAR_FROM_DATA] = [0.85, 0.12]; // opacities
const [LOWEST, REACH] = [1, 254]; // of the bytes that say where a cell lies

/**
 * @param {App} app
 * @param {import('./plane.js').Axes} axes
 * @param {number[]} z the code through which the plane goes
 * @param {HTMLCanvasElement} canvas
 */
export async function background(app, axes, z, canvas) {
  const { brush } = app;
  const rows = brush instanceof RowBrush;
  const [width, height] = rows ? [1, 1] : brush.size;
  const side = rows ? FINE : Math.max(width, height) > LARGE ? FEW : MANY;
  /** @type {Tiles} */
  const { levels, seen } = await app.connection.ask('tiles', { ...app.named, axes, z, side });
  const count = levels.shape[0];
  Object.assign(canvas, { width: side * width, height: (count / side) * height });
  const one = document.createElement('canvas');
  Object.assign(one, { width, height });
  const drawing = context(canvas);
  const [column, heading] = shownColumn(app);
  for (let i = 0; i < count; i++) {
    if (rows) {
      const at = (levels.data[i * levels.shape[1] + column] - LOWEST) / REACH;
      context(one).fillStyle = `rgb(${columnColour(heading, at)})`;
      context(one).fillRect(0, 0, 1, 1);
    } else brush.paint(one, levels, i);
    drawing.globalAlpha = seen.data[i] ? NEAR_DATA : FAR_FROM_DATA;
    drawing.drawImage(one, (i % side) * width, Math.floor(i / side) * height);
  }
}

/**
 * @param {App} app
 * @returns {[number, Heading]} the column of rows that the tiles show, by its number
 */
export function shownColumn(app) {
  const { columns } = app.model;
  const found = columns.findIndex(({ name }) => name === app.state.column);
  return [Math.max(found, 0), columns[Math.max(found, 0)]];
}

/**
 * @param {Heading} heading
 * @param {number} at on the column's range
 * @returns {import('../../widgets/canvases.js').Colour}
 */
export function columnColour({ levels }, at) {
  if (!levels.length) return heat(clamp(at, 0, 1));
  return themed(`--c${Math.round(clamp(at, 0, 1) * (levels.length - 1)) % 10}`);
}
