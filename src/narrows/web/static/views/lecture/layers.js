/** Layers: what each layer of the model makes of one input, from the input over the code to the output. */
import { whole } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';
import { context, heat, blankCanvas } from '../../widgets/canvases.js';
import { h, svg } from '../../widgets/elements.js';
import { examplePicker } from '../../widgets/fields.js';
import { newest } from '../../wire/newest.js';
import { givenTo, inputLines } from '../input/given.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../shell/strings.js').Key} Key */
/** @typedef {import('../../wire/frames.js').Levels} Levels */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/**
 * @typedef {{
 *   part: 'input' | 'encoder' | 'code' | 'decoder' | 'output', kind: string, parameters: number, shape: number[],
 *   dead: Levels, count: number, values: Floats, most: number,
 * }} Drawn
 */
/** @typedef {{ layers: Drawn[], original: Levels, restored: Levels, examples: number }} Layers */

const [SIDE, HIGH] = [12, 16]; // of a unit's cell, and units on top of each other

/** @type {import('../../shell/views.js').Module} */
export const layers = {
  async mount(root, app) {
    const view = new LayersView(root, app);
    await view.ask();
    return view;
  },
};

class LayersView {
  strip = h('ol', { class: 'layers-strip' });
  key = h('p', { class: 'key' });
  detail = h('section', { class: 'apart' });
  /** @type {Layers | null} */
  found = null;
  /** @type {Column[]} */
  columns = [];

  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    this.brush = app.brush;
    this.renew = newest(() => app.attempt(() => this.ask()));
    this.example = examplePicker(app, {
      label: app.t('example'),
      value: null,
      placeholder: app.t('noise.drawn'),
      chosen: (row) => this.take(row),
    });
    const step = (/** @type {number} */ by, /** @type {Key} */ key, /** @type {string} */ arrow) =>
      h('button', { 'aria-label': app.t(key), title: app.t(key), onclick: () => this.take(this.row + by) }, arrow);
    root.append(
      h(
        'div',
        { class: 'controls row' },
        this.example.element,
        step(-1, 'layers.previous', '←'),
        step(1, 'layers.next', '→'),
      ),
      this.strip,
      this.key,
      this.detail,
    );
  }

  /** @returns {number} the example's; of a drawing, the one before the first */
  get row() {
    const given = givenTo(this.app);
    return 'example' in given ? given.example : -1;
  }

  /** @returns {number} the layer whose numbers are shown; the code's, unless the address names another */
  get chosen() {
    const { layers: all } = /** @type {Layers} */ (this.found);
    return whole(this.app.state.layer, 0, all.length - 1) ?? all.findIndex(({ part }) => part === 'code');
  }

  /** @param {number} row of the example to take */
  take(row) {
    this.app.set({ x: '', example: String(clamp(row, 0, this.app.model.count - 1)) });
  }

  async ask() {
    const { app } = this;
    /** @type {Layers} */
    const found = await app.connection.ask('layers', { ...app.named, given: givenTo(app) });
    this.found = found;
    if (!this.columns.length) this.build(found);
    this.example.input.value = this.row < 0 ? '' : String(this.row);
    this.columns.forEach((column, i) => column.paint(found.layers[i], found));
    this.tell();
  }

  /** @param {Layers} found */
  build({ layers: all, examples }) {
    const { app } = this;
    const counts = { input: 0, encoder: 0, code: 0, decoder: 0, output: 0 };
    this.columns = all.map((layer, i) => {
      const name = app.t(`layers.part.${layer.part}`, { i: ++counts[layer.part] });
      return new Column(this, layer, name, () => app.set({ layer: String(i) }));
    });
    this.strip.replaceChildren(...this.columns.map((column) => column.element));
    const square = (/** @type {string} */ kind, /** @type {string} */ d) =>
      svg(
        'svg',
        { class: 'units', viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' },
        svg('path', { class: kind, d }),
      );
    const item = (/** @type {Element} */ sample, /** @type {Key} */ key) =>
      h('span', { class: 'item' }, sample, app.t(key, { n: app.n(examples, {}) }));
    const total = all.reduce((sum, { parameters }) => sum + parameters, 0);
    this.key.replaceChildren(
      h('span', {}, app.t('layers.total', { n: app.n(total, {}) })),
      item(square('above', 'M1 1h10v10h-10z'), 'layers.above'),
      item(square('below', 'M2 2h8v8h-8z'), 'layers.below'),
    );
    if (all.some(({ values }) => values.shape.length > 1)) {
      this.key.append(h('span', { class: 'item' }, ramp(), app.t('layers.maps.key')));
    }
    if (all.some(({ count }) => count)) this.key.append(item(square('still', 'M2 2l8 8M10 2l-8 8'), 'layers.dead.key'));
  }

  /** Show the chosen layer in numbers. */
  tell() {
    const { app, chosen } = this;
    const layer = /** @type {Layers} */ (this.found).layers[chosen];
    this.columns.forEach((column, i) => column.mark(i === chosen));
    const units = Array.from({ length: layer.values.shape[0] }, (_, i) => this.unit(layer, i));
    const most = h('small', {}, app.t('layers.most', { most: app.n(layer.most) }));
    this.detail.replaceChildren(
      h('h2', {}, this.columns[chosen].name, most),
      h('ol', { class: layer.values.shape.length > 1 ? 'maps' : 'numbers' }, ...units),
    );
  }

  /**
   * @param {Drawn} layer
   * @param {number} i
   */
  unit(layer, i) {
    const { app } = this;
    const dead = layer.dead.data[i] ? app.t('code.dead') : '';
    const number = h('span', { class: 'hint' }, app.n(i + 1, {}));
    if (layer.values.shape.length === 1) {
      return h(
        'li',
        {},
        number,
        h(
          'span',
          { class: dead ? 'warn' : 'number' },
          dead || app.n(layer.values.data[i], { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
        ),
      );
    }
    const [, high, wide] = layer.values.shape;
    const map = blankCanvas(app.t('layers.map', { i: i + 1 }));
    paintMaps(map, {
      ...layer,
      values: { shape: [1, high, wide], data: layer.values.data.subarray(i * high * wide, (i + 1) * high * wide) },
      dead: { shape: [1], data: layer.dead.data.subarray(i, i + 1) },
    });
    return h('li', {}, map, number, h('span', { class: 'warn' }, dead));
  }

  // --- What the page asks of a view -------------------------------------------

  /** @param {string[]} changed */
  update(changed) {
    if (changed.some((name) => name !== 'layer')) this.renew();
    else this.tell();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  move(x, y) {
    if (y) this.take(this.row + y);
    if (x) this.app.set({ layer: String(clamp(this.chosen + x, 0, this.columns.length - 1)) });
  }

  python() {
    const y = this.app.model.conditional ? this.app.pythonLabel : '';
    return [
      ...inputLines(this.app),
      `layers = model.activations(x${y})`,
      'for layer in layers:',
      '    print(layer.part, layer.kind, tuple(layer.values.shape[1:]), layer.parameters)',
      `values = layers[${this.chosen}].values[0]`,
    ];
  }
}

/** A layer among the others: a blankCanvas, which chooses it, and words under it. */
class Column {
  /**
   * @param {LayersView} view
   * @param {Drawn} layer
   * @param {string} name
   * @param {() => void} chosen
   */
  constructor({ app, brush }, layer, name, chosen) {
    this.name = name;
    this.brush = brush;
    this.canvas = blankCanvas('');
    this.units = svg('svg', { class: 'units' });
    const [n, height, width] = layer.shape;
    const ends = layer.part === 'input' || layer.part === 'output';
    const size = !height
      ? app.t('layers.units', { n: app.n(n, {}) })
      : ends
        ? layer.shape.join(' × ')
        : app.t('layers.maps', { n, h: height, w: width });
    const k = layer.values.shape[0];
    const words = [
      layer.kind,
      size,
      layer.part !== 'input' && app.t('layers.parameters', { n: app.n(layer.parameters, {}) }),
      !ends && k < n && app.t('layers.drawn', { k, n }),
      layer.count > 0 && app.t('layers.dead', { n: app.n(layer.count, {}) }),
    ];
    const shown = ends || height ? this.canvas : this.units;
    shown.removeAttribute('role');
    shown.removeAttribute('aria-label');
    shown.setAttribute('aria-hidden', 'true');
    this.button = h('button', { class: 'cell kept', 'aria-label': `${name}: ${size}`, onclick: chosen }, shown);
    this.element = h(
      'li',
      { class: layer.part === 'code' ? 'narrowest' : '' },
      h(
        'figure',
        {},
        this.button,
        h(
          'figcaption',
          {},
          h('strong', {}, name),
          ...words.map((word) => word && h('span', { class: 'number' }, word)),
        ),
      ),
    );
  }

  /**
   * @param {Drawn} layer
   * @param {Layers} all
   */
  paint(layer, all) {
    if (layer.part === 'input') this.brush.paint(this.canvas, all.original);
    else if (layer.part === 'output') this.brush.paint(this.canvas, all.restored);
    else if (layer.values.shape.length > 1) paintMaps(this.canvas, layer);
    else paintUnits(this.units, layer);
  }

  /** @param {boolean} on whether it is the chosen one */
  mark(on) {
    if (on) this.button.setAttribute('aria-current', 'true');
    else this.button.removeAttribute('aria-current');
  }
}

/**
 * Draw units as squares whose areas are what they give (Hinton's diagram): full above 0, hollow below; dead ones are
 * crossed.
 * @param {SVGSVGElement} element
 * @param {Drawn} layer
 */
function paintUnits(element, { values: { data }, most, dead }) {
  const paths = { cell: '', above: '', below: '', still: '' };
  data.forEach((value, i) => {
    const [x, y] = [(Math.floor(i / HIGH) + 0.5) * SIDE + 1, ((i % HIGH) + 0.5) * SIDE + 1];
    const side = (SIDE - 2) * Math.sqrt(Math.abs(value) / (most || 1));
    paths.cell += box(x, y, SIDE);
    if (dead.data[i]) paths.still += `M${x - 4} ${y - 4}l8 8m0-8l-8 8`;
    else if (value) paths[value > 0 ? 'above' : 'below'] += box(x, y, Math.max(value > 0 ? side : side - 1.5, 0.5));
  });
  const [wide, high] = [Math.ceil(data.length / HIGH) * SIDE + 2, Math.min(data.length, HIGH) * SIDE + 2];
  Object.entries({ viewBox: `0 0 ${wide} ${high}`, width: wide, height: high }).forEach(([name, value]) =>
    element.setAttribute(name, String(value)),
  );
  element.replaceChildren(...Object.entries(paths).map(([kind, d]) => svg('path', { class: kind, d })));
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} side
 */
function box(x, y, side) {
  return `M${(x - side / 2).toFixed(2)} ${(y - side / 2).toFixed(2)}h${side.toFixed(2)}v${side.toFixed(2)}h${(-side).toFixed(2)}z`;
}

/**
 * Paint feature maps side by side, a pixel apart; dead ones stay empty.
 * @param {HTMLCanvasElement} canvas
 * @param {Drawn} layer
 */
function paintMaps(
  canvas,
  {
    values: {
      data,
      shape: [count, high, wide],
    },
    most,
    dead,
  },
) {
  const across = Math.ceil(Math.sqrt(count));
  Object.assign(canvas, { width: across * (wide + 1) - 1, height: Math.ceil(count / across) * (high + 1) - 1 });
  const image = new ImageData(canvas.width, canvas.height);
  data.forEach((value, i) => {
    const map = Math.floor(i / (high * wide));
    const [row, column] = [
      Math.floor(map / across) * (high + 1) + (Math.floor(i / wide) % high),
      (map % across) * (wide + 1) + (i % wide),
    ];
    if (!dead.data[map]) {
      image.data.set([...heat((1 + value / (most || 1)) / 2), 255], 4 * (row * canvas.width + column));
    }
  });
  context(canvas).putImageData(image, 0, 0);
}

/** @returns {HTMLCanvasElement} the colours of feature maps, from the lowest to the highest */
function ramp() {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 48, height: 1, className: 'ramp' });
  canvas.setAttribute('aria-hidden', 'true');
  const image = new ImageData(48, 1);
  for (let i = 0; i < 48; i++) image.data.set([...heat(i / 47), 255], 4 * i);
  context(canvas).putImageData(image, 0, 0);
  return canvas;
}
