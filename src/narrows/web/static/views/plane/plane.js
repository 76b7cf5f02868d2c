/** The plane: drag through the codes of the data, over what the codes in between stand for. */
import { download, figure, h, select, svg, tick } from '../../widgets/elements.js';
import { context, heat, picture } from '../../widgets/canvases.js';
import { newest } from '../../wire/newest.js';
import { isInside, ranked } from './points.js';
import { join, split } from '../../shell/address.js';

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('../../wire/answers.js').At} At */
/** @typedef {import('../../wire/answers.js').Plane} Plane */
/** @typedef {[number, number]} Point in the plane, or in [0, 1] of the stage from its upper left corner */

const SIDE = 1000; // of the stage's own coordinates
const STEP = 0.01; // of the plane, a press of an arrow key
const NEAR = 0.025; // of the stage, within which a point is pointed at
const BINS = 8; // colours of errors

/** @type {import('../../shell/views.js').View} */
export const plane = {
  id: 'plane',
  group: 'model',
  async mount(root, app) {
    const axes = axesOf(app);
    const given = await app.connection.ask('plane', { model: app.model.id, axes });
    const view = new PlaneView(root, app, axes, given);
    await view.start();
    return view;
  },
};

/**
 * @param {App} app
 * @returns {'pca' | [number, number]}
 */
function axesOf(app) {
  const units = split(app.state.axes, 2);
  const d = app.model.latent_dim;
  return units &&
    d > 2 &&
    units[0] !== units[1] &&
    units.every((unit) => Number.isInteger(unit) && unit >= 0 && unit < d)
    ? [units[0], units[1]]
    : 'pca';
}

class PlaneView {
  tiles = h('canvas', { 'class': 'tiles pixels', 'aria-hidden': 'true' });
  marks = svg('g', { class: 'marks' });
  names = svg('g', { class: 'names' });
  loop = svg('path', { class: 'loop' });
  ring = svg('circle', { class: 'ring', r: 11, visibility: 'hidden' });
  cross = svg(
    'g',
    { class: 'cross' },
    svg('circle', { r: 15 }),
    svg('path', { d: 'M-30 0H-15M15 0H30M0-30V-15M0 15V30' }),
  );
  said = h('figcaption', { 'aria-live': 'polite' });
  side = h('div', { class: 'beside' });
  scale = h('span', { class: 'scale' });
  dragging = false;
  lassoing = false;
  gathered = false;
  frame = 0;
  stamp = 0;
  shown = -1;
  /** @type {Point} */
  point = [0, 0];
  /** @type {Point[] | null} the lasso, while it is drawn */
  loose = null;
  /** @type {At | null} */
  answer = null;

  /**
   * @param {HTMLElement} root
   * @param {App} app
   * @param {'pca' | [number, number]} axes
   * @param {Plane} given
   */
  constructor(root, app, axes, given) {
    this.app = app;
    this.axes = axes;
    this.given = given;
    this.root = root;
    this.brush = app.brush;
    this.z = split(app.state.z, app.model.latent_dim) ?? given.mean;
    this.places = this.laidOut();
    this.decoded = picture(app.t('plane.decoded'));
    this.stage = this.built();
    this.lassoButton = h(
      'button',
      { 'aria-pressed': 'false', 'title': app.t('plane.lasso.help'), 'onclick': () => this.take(!this.lassoing) },
      app.t('plane.lasso'),
    );
    root.append(
      h(
        'div',
        { class: 'board' },
        this.stage,
        h('span', { class: 'axis up' }, this.axisName(1)),
        h('span', { class: 'axis across' }, this.axisName(0)),
        this.key(),
      ),
      h('aside', {}, h('figure', { class: 'large' }, this.decoded, this.said), this.side, this.controls()),
    );
    this.idle();
    this.drag = newest((/** @type {Point | null} */ point, /** @type {number} */ stamp) => this.decode(point, stamp));
    this.hover = newest((/** @type {number} */ place) => app.attempt(() => this.showExample(place)));
  }

  async start() {
    this.app.attempt(() => this.behind()); // which may take a while, and comes when it comes
    await Promise.all([this.mark(), this.decode(null, 0)]);
  }

  /** @returns {Point[]} where the examples lie on the stage */
  laidOut() {
    const { points } = this.given;
    return Array.from({ length: points.shape[0] }, (_, i) =>
      this.onStage([points.data[2 * i], points.data[2 * i + 1]]),
    );
  }

  /**
   * @param {Point} point
   * @returns {Point}
   */
  onStage([x, y]) {
    const {
      low: { data: low },
      high: { data: high },
    } = this.given;
    return [(x - low[0]) / (high[0] - low[0]), (high[1] - y) / (high[1] - low[1])];
  }

  /**
   * @param {Point} place
   * @returns {Point}
   */
  inPlane([x, y]) {
    const {
      low: { data: low },
      high: { data: high },
    } = this.given;
    return [low[0] + x * (high[0] - low[0]), high[1] - y * (high[1] - low[1])];
  }

  built() {
    const drawing = svg(
      'svg',
      { 'viewBox': `0 0 ${SIDE} ${SIDE}`, 'aria-hidden': 'true' },
      this.marks,
      this.names,
      this.loop,
      this.ring,
      this.cross,
    );
    return h(
      'div',
      {
        'class': 'stage',
        'tabindex': 0,
        'role': 'application',
        'aria-label': this.app.t('plane.stage'),
        'onpointerdown': (/** @type {PointerEvent} */ event) => this.down(event),
        'onpointermove': (/** @type {PointerEvent} */ event) => this.moved(event),
        'onpointerrawupdate': (/** @type {PointerEvent} */ event) => this.raw(event),
        'onpointerup': () => this.up(),
        'onpointercancel': () => this.up(),
        'onpointerleave': () => this.ring.setAttribute('visibility', 'hidden'),
      },
      this.tiles,
      drawing,
    );
  }

  /** @param {0 | 1} i */
  axisName(i) {
    const name = this.given.axes[i];
    return name ? this.app.t(name[0] === 'p' ? 'plane.p' : 'plane.z', { i: name.slice(1) }) : '';
  }

  controls() {
    const { app } = this;
    const { classes } = this.given;
    const parts = [];
    if (classes.length)
      parts.push(
        select(
          app.t('plane.colour'),
          [
            ['label', app.t('plane.colour.label')],
            ['error', app.t('plane.colour.error')],
          ],
          this.colouring,
          (colour) => app.set({ colour }),
        ),
      );
    if (app.model.latent_dim > 2) parts.push(...this.axisControls());
    parts.push(tick(app.t('plane.tiles'), app.state.tiles !== '0', (on) => app.set({ tiles: on ? '' : '0' })));
    parts.push(this.lassoButton);
    if (classes.length)
      parts.push(
        select(
          app.t('plane.pick'),
          [['', '–'], ...classes.map((name) => /** @type {[string, string]} */ ([name, name]))],
          '',
          (name) => this.pick(classes.indexOf(name)),
        ),
      );
    return h('div', { class: 'controls stack' }, ...parts);
  }

  /** @param {boolean} lassoing */
  take(lassoing) {
    this.lassoing = lassoing;
    this.lassoButton.setAttribute('aria-pressed', String(lassoing));
    this.stage.classList.toggle('lassoing', lassoing);
  }

  axisControls() {
    const { app, axes } = this;
    const units = Array.from(
      { length: app.model.latent_dim },
      (_, i) => /** @type {[string, string]} */ ([String(i), app.t('plane.z', { i: i + 1 })]),
    );
    const kind = select(
      app.t('plane.axes'),
      [
        ['pca', app.t('plane.pca')],
        ['units', app.t('plane.units')],
      ],
      axes === 'pca' ? 'pca' : 'units',
      (value) => this.turn(value === 'pca' ? '' : '0,1'),
    );
    if (axes === 'pca') return [kind];
    const [across, up] = axes;
    const other = (/** @type {number} */ taken, /** @type {number} */ wanted, /** @type {number} */ before) =>
      wanted === taken ? before : taken;
    return [
      kind,
      select(app.t('plane.across'), units, String(across), (value) =>
        this.turn(`${value},${other(up, Number(value), across)}`),
      ),
      select(app.t('plane.up'), units, String(up), (value) =>
        this.turn(`${other(across, Number(value), up)},${value}`),
      ),
    ];
  }

  /** @param {string} axes */
  turn(axes) {
    this.app.state.axes = axes;
    if (!axes) delete this.app.state.axes;
    this.app.write(false);
    this.app.show();
  }

  get colouring() {
    return this.given.classes.length && this.app.state.colour !== 'error' ? 'label' : 'error';
  }

  key() {
    const { app } = this;
    const explained =
      this.app.model.latent_dim > 2 &&
      h('span', {}, app.t('plane.explained', { part: app.percent(this.given.explained) }));
    this.scale.append(
      ...Array.from({ length: BINS }, (_, i) =>
        svg('svg', { viewBox: '0 0 1 1' }, svg('rect', { width: 1, height: 1, fill: `rgb(${heat(i / (BINS - 1))})` })),
      ),
      ` ${app.t('plane.errors')}`,
    );
    return h('p', { class: 'key' }, h('span', {}, app.t('plane.faded')), explained || '', this.scale);
  }

  // --- Points -----------------------------------------------------------------

  /** Draw the points, a path for each colour: a line without length, with round ends. */
  async mark() {
    const by = this.colouring;
    const groups = by === 'label' ? Array.from(this.given.labels?.data ?? []) : await this.bins();
    /** @type {string[]} */
    const paths = [];
    groups.forEach((group, i) => {
      paths[group] =
        `${paths[group] ?? ''}M${(this.places[i][0] * SIDE).toFixed(1)} ${(this.places[i][1] * SIDE).toFixed(1)}h0`;
    });
    this.marks.replaceChildren(
      ...paths.map((d, i) => svg('path', { d, class: by === 'label' ? `c${i % 10}` : `e${i}` })).filter(Boolean),
    );
    if (by === 'error')
      this.marks.childNodes.forEach((path, i) =>
        /** @type {SVGElement} */ (path).setAttribute('stroke', `rgb(${heat(i / (BINS - 1))})`),
      );
    this.names.replaceChildren(...(by === 'label' ? this.given.classes.map((name, i) => this.nameOf(name, i)) : []));
    this.scale.hidden = by === 'label';
  }

  /** @returns {Promise<number[]>} each example's colour, as many of each */
  async bins() {
    return ranked((await this.app.connection.ask('errors', { model: this.app.model.id })).values.data, BINS);
  }

  /**
   * @param {string} name
   * @param {number} label
   * @returns {SVGElement} the class's name at its median
   */
  nameOf(name, label) {
    const own = this.places.filter((_, i) => this.given.labels?.data[i] === label);
    const [x, y] = [0, 1].map((c) => own.map((place) => place[c]).sort((a, b) => a - b)[own.length >> 1] * SIDE);
    return svg('text', { x, y, class: `c${label % 10}` }, name);
  }

  // --- Pointer and keys -------------------------------------------------------

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [
      Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1),
      Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1),
    ];
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.stage.setPointerCapture(event.pointerId);
    this.dragging = true;
    if (this.lassoing) this.loose = [this.at(event)];
    else this.follow(event);
  }

  /** @param {PointerEvent} event */
  follow(event) {
    this.point = this.inPlane(this.at(event));
    this.drag(this.point, event.timeStamp);
  }

  /** Drags come as raw updates where the browser has these, which don't wait for the next frame.
   * @param {PointerEvent} event */
  raw(event) {
    if (this.dragging && !this.loose) this.follow(event);
  }

  /** @param {PointerEvent} event */
  moved(event) {
    const at = this.at(event);
    if (this.loose) {
      this.loose.push(at);
      this.loop.setAttribute('d', `M${this.loose.map(([x, y]) => `${x * SIDE} ${y * SIDE}`).join('L')}Z`);
    } else if (this.dragging) {
      if (!('onpointerrawupdate' in window)) this.follow(event);
    } else {
      this.pointAt(at);
    }
  }

  up() {
    this.dragging = false;
    const loop = this.loose;
    this.loose = null;
    if (!loop) return;
    this.take(false);
    const inside = this.places.flatMap((place, i) => (isInside(place, loop) ? [i] : []));
    if (inside.length) this.gather(inside);
    else this.letGo();
  }

  /** @param {Point} at */
  pointAt([x, y]) {
    let [best, nearest] = [NEAR ** 2, -1];
    this.places.forEach(([a, b], i) => {
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < best) [best, nearest] = [distance, i];
    });
    this.ring.setAttribute('visibility', nearest < 0 ? 'hidden' : 'visible');
    if (nearest < 0) return;
    this.ring.setAttribute('cx', String(this.places[nearest][0] * SIDE));
    this.ring.setAttribute('cy', String(this.places[nearest][1] * SIDE));
    if (nearest !== this.shown && !this.gathered) this.hover(nearest);
  }

  /** @param {number} x @param {number} y steps */
  move(x, y) {
    const [px, py] = this.onStage(this.point);
    this.point = this.inPlane([Math.min(Math.max(px + x * STEP, 0), 1), Math.min(Math.max(py - y * STEP, 0), 1)]); // now, for presses in quick succession
    this.drag(this.point, performance.now());
  }

  // --- Asking and showing -----------------------------------------------------

  /**
   * @param {Point | null} point null for where the code lies
   * @param {number} stamp when the person moved
   */
  async decode(point, stamp) {
    await this.app.attempt(async () => {
      const answer = await this.app.connection.ask('at', { ...this.app.named, axes: this.axes, z: this.z, point });
      this.z = answer.z;
      if (point === null) this.point = answer.point;
      this.answer = answer;
      this.stamp = stamp;
      this.frame ||= requestAnimationFrame(() => this.painted());
    });
  }

  painted() {
    this.frame = 0;
    const { answer, app } = this;
    if (!answer) return;
    this.brush.paint(this.decoded, answer.levels);
    const [x, y] = this.onStage(answer.point);
    this.cross.setAttribute('transform', `translate(${x * SIDE} ${y * SIDE})`);
    this.said.replaceChildren(
      h('strong', {}, app.t('plane.decoded')),
      h('span', { class: 'number' }, this.zText(answer.z)),
      h('span', { class: answer.seen ? '' : 'warn' }, app.t(answer.seen ? 'plane.seen' : 'plane.unseen')),
    );
    if (this.stamp) {
      performance.measure('drag', { start: this.stamp, end: performance.now() });
      app.set({ z: join(answer.z) });
    }
  }

  /** @param {number[]} z */
  zText(z) {
    const shown = z
      .slice(0, 4)
      .map((value) => this.app.n(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
    return `z = (${shown.join('; ')}${z.length > 4 ? '; …' : ''})`;
  }

  async behind() {
    const canvas = this.tiles;
    canvas.hidden = this.app.state.tiles === '0';
    if (canvas.hidden) return;
    const [width, height] = this.brush.size;
    const side = Math.max(width, height) > 40 ? 12 : 18;
    const { levels, seen } = await this.app.connection.ask('tiles', {
      ...this.app.named,
      axes: this.axes,
      z: this.z,
      side,
    });
    Object.assign(canvas, { width: side * width, height: side * height });
    const one = document.createElement('canvas');
    const drawing = context(canvas);
    for (let i = 0; i < side * side; i++) {
      this.brush.paint(one, levels, i);
      drawing.globalAlpha = seen.data[i] ? 0.85 : 0.12;
      drawing.drawImage(one, (i % side) * width, Math.floor(i / side) * height);
    }
  }

  idle() {
    this.shown = -1;
    this.side.replaceChildren(h('p', { class: 'hint' }, this.app.t('plane.hover')));
  }

  /** @param {number} place */
  async showExample(place) {
    this.shown = place;
    const { app, brush } = this;
    const { original, restored, label, error } = await app.connection.ask('example', { model: app.model.id, place });
    const words = [
      `${app.t('example')} ${app.n(place, {})}`,
      label && app.t('label', { label }),
      app.t('error.number', { error: app.n(error) }),
    ].filter(Boolean);
    this.side.replaceChildren(
      h(
        'div',
        { class: 'pair' },
        figure(brush.canvas(original, 0, app.t('plane.original')), app.t('plane.original')),
        figure(brush.canvas(restored, 0, app.t('plane.restored')), app.t('plane.restored')),
      ),
      h('p', { class: 'hint number' }, words.join(' · ')),
    );
  }

  /** @param {number} label */
  pick(label) {
    if (label < 0) this.letGo();
    else this.gather(Array.from(this.given.labels?.data ?? []).flatMap((own, i) => (own === label ? [i] : [])));
  }

  /** @param {number[]} places */
  async gather(places) {
    const { app, brush } = this;
    this.gathered = true;
    await app.attempt(async () => {
      const { mean, decoded, count, counts, error, csv } = await app.connection.ask('group', {
        model: app.model.id,
        places,
      });
      const shares = counts.map(([name, n]) => `${name} × ${app.n(n, {})}`).join(', ');
      this.side.replaceChildren(
        h(
          'div',
          { class: 'group' },
          h('h2', {}, app.t('plane.group', { count: app.n(count, {}) })),
          h(
            'p',
            { class: 'hint number' },
            [shares, app.t('error.number', { error: app.n(error) })].filter(Boolean).join(' · '),
          ),
          h(
            'div',
            { class: 'pair' },
            figure(brush.canvas(mean, 0, app.t('plane.mean')), app.t('plane.mean')),
            figure(brush.canvas(decoded, 0, app.t('plane.meancode')), app.t('plane.meancode')),
          ),
          h(
            'div',
            { class: 'row controls' },
            h(
              'button',
              { onclick: () => download('codes.csv', new Blob([csv], { type: 'text/csv' })) },
              app.t('plane.csv'),
            ),
            h('button', { class: 'quiet', onclick: () => this.letGo() }, app.t('plane.clear')),
          ),
        ),
      );
    });
  }

  letGo() {
    this.gathered = false;
    this.loop.removeAttribute('d');
    this.idle();
  }

  /** @param {string[]} changed */
  update(changed) {
    if (changed.includes('colour')) this.app.attempt(() => this.mark());
    if (changed.includes('tiles')) this.app.attempt(() => this.behind());
  }

  python() {
    return [
      `z = [[${join(this.z).replaceAll(',', ', ')}]]`,
      `image = model.inverse_transform(z${this.app.pythonLabel})[0]`,
    ];
  }

  close() {
    cancelAnimationFrame(this.frame);
  }
}
