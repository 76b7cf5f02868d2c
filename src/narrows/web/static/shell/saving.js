/**
 * What a view shows as one SVG: its canvases as images, its SVGs as they are, its words as text. A PNG is that SVG,
 * drawn.
 */
import { svg } from '../widgets/elements.js';

const MARGIN = 16;
const SCALE = 2;
const DRAWN = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-linecap',
  'stroke-dasharray',
  'vector-effect',
  'opacity',
  'font',
  'text-anchor',
  'paint-order',
];

/**
 * @param {HTMLElement} root
 * @returns {string} the SVG
 */
export function toSvg(root) {
  const box = root.getBoundingClientRect();
  const style = getComputedStyle(document.body);
  const [width, height] = [box.width + 2 * MARGIN, box.height + 2 * MARGIN];
  const whole = svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` });
  whole.append(svg('rect', { width, height, fill: style.backgroundColor }));
  const all = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, {
    acceptNode: (node) =>
      node instanceof Element && isLeftOut(node) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  });
  for (let node = all.nextNode(); node; node = all.nextNode()) {
    if (node instanceof HTMLCanvasElement) whole.append(image(node, box));
    else if (node instanceof SVGSVGElement) whole.append(copied(node, box));
    else if (node instanceof Text && !node.parentElement?.closest('svg')) whole.append(...words(node, box));
  }
  return new XMLSerializer().serializeToString(whole);
}

/**
 * @param {HTMLElement} root
 * @returns {Promise<Blob>} the PNG, of twice as many pixels
 */
export async function toPng(root) {
  const url = URL.createObjectURL(new Blob([toSvg(root)], { type: 'image/svg+xml' }));
  try {
    const loaded = new Image();
    loaded.src = url;
    await loaded.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: loaded.width * SCALE, height: loaded.height * SCALE });
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(
      loaded,
      0,
      0,
      canvas.width,
      canvas.height,
    );
    return await new Promise((done, failed) =>
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('PNG'))), 'image/png'),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** @param {Element} element */
function isLeftOut(element) {
  return (
    element.matches('.controls, button:not(.kept), select, input, .sr-only') || element.getClientRects().length === 0
  );
}

/**
 * @param {Element} element
 * @param {DOMRect} box
 */
function place(element, box) {
  const own = element.getBoundingClientRect();
  return { x: own.left - box.left + MARGIN, y: own.top - box.top + MARGIN, width: own.width, height: own.height };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {DOMRect} box
 */
function image(canvas, box) {
  const pixelated = getComputedStyle(canvas).imageRendering === 'pixelated';
  return svg('image', {
    ...place(canvas, box),
    href: canvas.toDataURL(),
    preserveAspectRatio: 'none',
    opacity: getComputedStyle(canvas).opacity,
    'image-rendering': pixelated ? 'pixelated' : null,
  });
}

/**
 * @param {SVGSVGElement} original
 * @param {DOMRect} box
 */
function copied(original, box) {
  const copy = /** @type {SVGSVGElement} */ (original.cloneNode(true));
  const parts = [...original.querySelectorAll('*')];
  copy.querySelectorAll('*').forEach((element, i) => {
    const style = getComputedStyle(parts[i]);
    // As attributes, since a style of a page with a strict policy may not be written into its elements.
    for (const name of DRAWN) if (name !== 'font') element.setAttribute(name, style.getPropertyValue(name));
    element.setAttribute('font-size', style.fontSize);
    element.setAttribute('font-family', style.fontFamily);
    element.removeAttribute('class');
  });
  copy.removeAttribute('class');
  for (const [name, value] of Object.entries(place(original, box))) copy.setAttribute(name, String(value));
  return copy;
}

/**
 * @param {Text} text
 * @param {DOMRect} box
 * @returns {SVGTextElement[]} one for each line
 */
function words(text, box) {
  const parent = text.parentElement;
  if (!parent || !text.data.trim()) return [];
  const style = getComputedStyle(parent);
  /** @type {Map<number, { left: number, bottom: number, said: string }>} */
  const lines = new Map();
  const range = document.createRange();
  for (let i = 0; i < text.length; i++) {
    range.setStart(text, i);
    range.setEnd(text, i + 1);
    const [at] = range.getClientRects();
    if (!at) continue;
    const line = lines.get(at.top) ?? { left: at.left, bottom: at.bottom - 0.22 * at.height, said: '' };
    line.said += text.data[i];
    lines.set(at.top, line);
  }
  const given = {
    fill: style.color,
    'font-family': style.fontFamily,
    'font-size': style.fontSize,
    'font-weight': style.fontWeight,
    'font-style': style.fontStyle,
  };
  return [...lines.values()].map((line) =>
    svg('text', { ...given, x: line.left - box.left + MARGIN, y: line.bottom - box.top + MARGIN }, line.said),
  );
}
