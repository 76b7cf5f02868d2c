/** An input of one's own: drawn, dropped, pasted or chosen, and what the model makes of it. */
import { toText } from '../../shell/address.js';
import { tenTo } from '../../shell/numbers.js';
import { ENCLOSED } from '../../shell/views.js';
import { context, paintErrors, blankCanvas, themed } from '../../widgets/canvases.js';
import { figure, h } from '../../widgets/elements.js';
import { examplePicker } from '../../widgets/fields.js';
import { RowBrush } from '../../widgets/rows.js';
import { askWhy, whyWords } from '../../widgets/why.js';
import { newest } from '../../wire/newest.js';
import { givenTo, inputLines, own, shownExample } from './given.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/frames.js').Shown} Shown */
/** @typedef {import('../../wire/frames.js').Floats} Floats */
/** @typedef {import('../../wire/frames.js').Integers} Integers */
/**
 * @typedef {{
 *   original: Shown, restored: Shown, map: Floats, z: number[], error: number, score: number, odd: number,
 *   by: string, fraction: number, distance: number, far: number, outside: boolean, nearest: Integers, levels: Shown,
 *   labels: string[],
 * }} Look
 */
/** @typedef {import('../../widgets/why.js').Why} Why */

const [PAD, PEN] = [280, 30]; // pixels of the field to draw in, and of a stroke
const MOST_MEGABYTES = 8;
const MOST_ERROR = 0.25; // squared, at the end of the colours
const MOST_SURPRISE = 6; // −log₁₀ p, likewise

/** @type {import('../../shell/views.js').Module} */
export const input = {
  async mount(root, app) {
    const view = new InputView(root, app);
    await view.look();
    return view;
  },
};

class InputView {
  result = h('div', { class: 'result', 'aria-live': 'polite' });
  said = h('p', { class: 'hint', role: 'status' });
  why = h('section', { class: 'why', hidden: Boolean(ENCLOSED), 'aria-live': 'polite' }); // no shared page can say
  drawing = false;
  /** @type {[number, number]} */
  pen = [0, 0];

  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    this.brush = app.brush;
    this.takesImages = app.model.shape.length > 1;
    this.ask = newest((/** @type {ReturnType<typeof givenTo>} */ given) => this.explained(given));
    this.send = newest(() => app.attempt(() => this.upload(this.inked())));
    this.paste = (/** @type {ClipboardEvent} */ event) => this.files(event.clipboardData);
    this.pad = h('canvas', { width: PAD, height: PAD, role: 'img', 'aria-label': app.t('input.draw.keys') });
    this.field = this.built();
    this.example = examplePicker(app, {
      label: app.t('input.example'),
      value: shownExample(app),
      chosen: (row) => {
        this.clear();
        app.set({ x: '', example: String(row) });
      },
    });
    root.append(
      h(
        'div',
        { class: 'give' },
        ...(this.takesImages
          ? [this.field]
          : [h('p', { class: 'hint' }, app.t(app.model.columns.length ? 'input.rows.named' : 'input.rows'))]),
        this.said,
        this.controls(),
      ),
      this.result,
    );
    addEventListener('paste', this.paste);
    this.clear();
  }

  // --- Giving -----------------------------------------------------------------

  built() {
    const { app } = this;
    const field = h(
      'div',
      {
        class: 'pad',
        onpointerdown: (/** @type {PointerEvent} */ event) => this.down(event),
        onpointermove: (/** @type {PointerEvent} */ event) => this.drawn(event),
        onpointerup: () => {
          this.drawing = false;
        },
        onpointercancel: () => {
          this.drawing = false;
        },
        ondragover: (/** @type {DragEvent} */ event) => {
          event.preventDefault();
          field.classList.add('over');
        },
        ondragleave: () => field.classList.remove('over'),
        ondrop: (/** @type {DragEvent} */ event) => {
          event.preventDefault();
          field.classList.remove('over');
          this.files(event.dataTransfer);
        },
      },
      this.pad,
      h('span', { class: 'hint' }, app.t('input.draw')),
    );
    return field;
  }

  controls() {
    const { app } = this;
    const file = h('input', {
      type: 'file',
      accept: 'image/*',
      class: 'sr-only',
      onchange: () => file.files?.[0] && this.take(file.files[0]),
    });
    const choose = h('label', { class: 'button' }, app.t('input.file'), file);
    return h(
      'div',
      { class: 'controls row' },
      ...(this.takesImages ? [h('button', { onclick: () => this.clear() }, app.t('input.clear')), choose] : []),
      this.example.element,
    );
  }

  clear() {
    const drawing = context(this.pad);
    drawing.fillStyle = `rgb(${themed('--tile')})`;
    drawing.fillRect(0, 0, PAD, PAD);
    this.field.classList.remove('used');
    this.said.textContent = '';
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  at(event) {
    const box = this.pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.field.setPointerCapture(event.pointerId);
    this.field.classList.add('used');
    this.drawing = true;
    this.pen = this.at(event);
    this.drawn(event);
  }

  /** @param {PointerEvent} event */
  drawn(event) {
    if (!this.drawing) return;
    const drawing = context(this.pad);
    Object.assign(drawing, {
      lineWidth: PEN,
      lineCap: 'round',
      lineJoin: 'round',
      strokeStyle: `rgb(${themed('--ink')})`,
    });
    const to = this.at(event);
    drawing.beginPath();
    drawing.moveTo(...this.pen);
    drawing.lineTo(to[0], to[1] + 0.01);
    drawing.stroke();
    this.pen = to;
    this.send();
  }

  /** @returns {Promise<Blob>} the drawing, whatever the theme's colours */
  inked() {
    return new Promise((done, failed) => this.pad.toBlob((blob) => (blob ? done(blob) : failed(new Error('PNG')))));
  }

  /** @param {DataTransfer | null} data */
  files(data) {
    const file = data?.files[0];
    if (file && this.takesImages) this.take(file);
  }

  /** @param {File} file */
  take(file) {
    const size = file.size / 2 ** 20;
    if (size > MOST_MEGABYTES) {
      this.said.textContent = this.app.t('input.large', { size: this.app.n(size) });
      return;
    }
    this.clear();
    this.said.textContent = this.app.t('input.reading');
    this.app.attempt(() => this.upload(Promise.resolve(file)));
  }

  /** @param {Promise<Blob>} blob */
  async upload(blob) {
    const { app } = this;
    const { levels, refused } = await app.connection.prepare(app.model.id, await blob);
    this.said.textContent = refused === undefined ? '' : app.t('input.bad', { error: refused });
    if (refused !== undefined) return;
    this.example.input.value = '';
    const before = app.state.x;
    app.set(own(app, toText(levels.data)));
    if (before === 'held') await this.look();
  }

  // --- Showing ----------------------------------------------------------------

  async look() {
    const { app } = this;
    /** @type {Look} */
    const answer = await app.connection.ask('look', { ...app.named, given: givenTo(app) });
    this.why.replaceChildren();
    this.result.replaceChildren(...this.told(answer));
    await this.ask(givenTo(app));
  }

  /** @param {ReturnType<typeof givenTo>} given */
  async explained(given) {
    const why = await askWhy(this.app, given);
    this.why.replaceChildren(h('h2', {}, this.app.t('why')), ...this.reasons(why));
  }

  /** @param {Why} why */
  reasons(why) {
    const { app, brush } = this;
    if (brush instanceof RowBrush || !why.known) {
      return [h('p', {}, brush instanceof RowBrush ? whyWords(app, why, brush) : app.t('why.unknown'))];
    }
    const map = blankCanvas(app.t('why.map'));
    paintErrors(map, why.surprise, MOST_SURPRISE);
    const count = Array.from(why.surprise.data).filter((surprise) => surprise > 0).length;
    const scale = { count: app.n(count, {}), rate: app.n(why.rate), least: tenTo(-MOST_SURPRISE) };
    return [
      h(
        'div',
        { class: 'chain' },
        figure(
          map,
          h('strong', {}, app.t('why.map')),
          h('span', {}, count ? app.t('why.map.scale', scale) : app.t('why.map.none')),
        ),
        figure(
          brush.canvas(why.ordinary, 0, app.t('why.nearest')),
          h('strong', {}, app.t(why.is_ordinary ? 'why.nearest' : 'why.nearest.not')),
        ),
      ),
    ];
  }

  /** @param {Look} look */
  told(look) {
    const { app, brush } = this;
    if (brush instanceof RowBrush) return this.toldOfRows(look, brush);
    const map = blankCanvas(app.t('input.map'));
    paintErrors(map, look.map, MOST_ERROR);
    const example = shownExample(app);
    const prepared =
      example === null
        ? app.t(app.model.ink ? 'input.prepared.ink' : 'input.prepared.crop', {
            w: app.model.shape[1],
            h: app.model.shape[0],
          })
        : `${app.t('example')} ${example}`;
    const row = h(
      'div',
      { class: 'chain' },
      figure(
        brush.canvas(look.original, 0, app.t('input.prepared')),
        h('strong', {}, app.t('input.prepared')),
        h('span', {}, prepared),
      ),
      figure(this.bars(look.z), h('strong', {}, app.t('input.code'))),
      figure(
        brush.canvas(look.restored, 0, app.t('input.restored')),
        h('strong', {}, app.t('input.restored')),
        h('span', { class: 'number' }, app.t('error.number', { error: app.n(look.error) })),
      ),
      figure(
        map,
        h('strong', {}, app.t('input.map')),
        h('span', {}, app.t('input.map.scale', { most: app.n(MOST_ERROR) })),
      ),
    );
    const nearest = h(
      'div',
      { class: 'strip' },
      ...Array.from(look.nearest.data, (near, i) =>
        figure(
          brush.canvas(look.levels, i, `${app.t('example')} ${near}`),
          look.labels[i] ? app.t('label', { label: look.labels[i] }) : app.n(near, {}),
        ),
      ),
    );
    return [row, this.verdict(look), this.why, h('section', {}, h('h2', {}, app.t('input.nearest')), nearest)];
  }

  /**
   * @param {Look} look
   * @param {RowBrush} brush
   */
  toldOfRows(look, brush) {
    const { app } = this;
    const cells = brush.facts([app.t('plane.original'), app.t('input.restored')], [look.original, look.restored]);
    const code = figure(this.bars(look.z), h('strong', {}, app.t('input.code')));
    const rows = Array.from(look.nearest.data, (near, i) => ({
      name: [app.n(near, {}), look.labels[i] && app.t('label', { label: look.labels[i] })].filter(Boolean).join(', '),
      shown: look.levels,
      row: i,
    }));
    const nearest = h('section', {}, h('h2', {}, app.t('input.nearest')), brush.table(rows));
    return [h('div', { class: 'chain of-rows' }, cells, code), this.verdict(look), this.why, nearest];
  }

  /** @param {number[]} z */
  bars(z) {
    const { app } = this;
    const most = Math.max(...z.map(Math.abs), 1e-9);
    const list = z
      .slice(0, 16)
      .map((value, i) =>
        h(
          'li',
          {},
          h('span', {}, app.t('code.unit', { i: i + 1 })),
          bar(value / most),
          h('span', { class: 'number' }, app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })),
        ),
      );
    return h('ol', { class: 'bars' }, ...list, ...(z.length > 16 ? [h('li', {}, '…')] : []));
  }

  /** @param {Look} look */
  verdict({ score, odd, fraction, distance, far, outside }) {
    const { app } = this;
    const most = 2 * odd;
    const meter = h('div', { class: 'score' });
    const gauge = h('progress', {
      max: most,
      value: Math.min(score, most),
      class: outside ? 'odd' : '',
      'aria-label': app.t('input.score'),
    });
    meter.append(gauge, h('span', { class: 'tick' }, app.t('input.threshold', { odd: app.n(odd) })));
    const why = distance > far ? `; ${app.t('input.far', { distance: app.n(distance), far: app.n(far) })}` : '';
    return h(
      'section',
      {},
      h('h2', { class: outside ? 'warn' : '' }, app.t(outside ? 'input.outside' : 'input.inside')),
      meter,
      h(
        'p',
        { class: 'hint' },
        `${app.t('input.score')} ${app.t('input.score.text', { score: app.n(score), part: app.percent(fraction) })}${why}`,
      ),
    );
  }

  // --- What the page asks of a view -------------------------------------------

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('x') || changed.includes('example')) this.app.attempt(() => this.look());
  }

  python() {
    const { model } = this.app;
    const y = model.conditional ? this.app.pythonLabel : '';
    return [
      ...inputLines(this.app),
      `z = model.transform(x${y})`,
      `restored = model.reconstruct(x${y})`,
      `score = model.anomaly_score(x${y})`,
      `errors = model.error_map(x${y})`,
      `why = model.explain(x${y})`,
    ];
  }

  close() {
    removeEventListener('paste', this.paste);
  }
}

/** @param {number} fraction in [−1, 1] */
function bar(fraction) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 120, height: 10 });
  canvas.setAttribute('aria-hidden', 'true');
  const drawing = context(canvas);
  drawing.fillStyle = `rgb(${themed('--accent')})`;
  drawing.fillRect(Math.min(60, 60 + 58 * fraction), 1, Math.abs(58 * fraction), 8);
  drawing.fillStyle = `rgb(${themed('--ink')})`;
  drawing.fillRect(59.5, 0, 1, 10);
  return canvas;
}
