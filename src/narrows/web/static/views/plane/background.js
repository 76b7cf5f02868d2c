/** What stands behind the plane's points: what the codes there decode to, faded where no data are. */
import { context } from '../../widgets/canvases.js';

/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {{ levels: Levels, seen: Levels, side: number }} Tiles */

const [MANY, FEW, LARGE] = [18, 12, 40]; // tiles a side; fewer of examples with more pixels a side than `LARGE`
const [NEAR_DATA, FAR_FROM_DATA] = [0.85, 0.12]; // opacities

/**
 * @param {import('../../shell/app.js').App} app
 * @param {import('./plane.js').Axes} axes
 * @param {number[]} z the code through which the plane goes
 * @param {HTMLCanvasElement} canvas
 */
export async function background(app, axes, z, canvas) {
  const { brush } = app;
  const [width, height] = brush.size;
  const side = Math.max(width, height) > LARGE ? FEW : MANY;
  /** @type {Tiles} */
  const { levels, seen } = await app.connection.ask('tiles', { ...app.named, axes, z, side });
  Object.assign(canvas, { width: side * width, height: side * height });
  const one = document.createElement('canvas');
  const drawing = context(canvas);
  for (let i = 0; i < side * side; i++) {
    brush.paint(one, levels, i);
    drawing.globalAlpha = seen.data[i] ? NEAR_DATA : FAR_FROM_DATA;
    drawing.drawImage(one, (i % side) * width, Math.floor(i / side) * height);
  }
}
