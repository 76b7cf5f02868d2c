/** What hands do on the plane or the line: drag the code, draw a lasso, point, and move or magnify what is shown. */
import { clamp } from '../../shell/numbers.js';

/** @typedef {[number, number]} Spot in [0, 1] of the element from its upper left corner */
/**
 * @typedef {object} Answers
 * @property {(at: Spot, stamp: number) => void} dragged
 * @property {(at: Spot) => void} pointed
 * @property {() => void} left the pointer has gone
 * @property {(at: Spot[], done: boolean) => void} drawn a lasso, so far or whole
 * @property {(by: Spot) => void} panned
 * @property {(by: number, at: Spot) => boolean} zoomed whether that changed what is shown
 * @property {() => void} reset
 */

const [WHEEL, PINCHED] = [0.0015, 0.01]; // how much nearer by a pixel of the wheel, or of a pinched touchpad
const LINE = 16; // pixels in a line, of wheels that count lines

export class Gestures {
  /** @type {Map<number, Spot>} where each finger, or the mouse's button, is down */
  down = new Map();
  /** @type {'drag' | 'draw' | 'pan' | null} */
  doing = null;
  lassoing = false;
  /** @type {Spot[]} */
  loose = [];

  /**
   * @param {HTMLElement} element
   * @param {Answers} answers
   */
  constructor(element, answers) {
    this.element = element;
    this.answers = answers;
    element.addEventListener('pointerdown', (event) => this.press(event));
    element.addEventListener('pointermove', (event) => this.move(event));
    // Drags come as raw updates where the browser has these, which don't wait for the next frame.
    element.addEventListener('pointerrawupdate', (event) => this.raw(/** @type {PointerEvent} */ (event)));
    element.addEventListener('pointerup', (event) => this.lift(event));
    element.addEventListener('pointercancel', (event) => this.lift(event));
    element.addEventListener('pointerleave', () => answers.left());
    element.addEventListener('wheel', (event) => this.turn(event));
    element.addEventListener('dblclick', (event) => {
      if (!isButton(event)) answers.reset();
    });
  }

  /**
   * @param {MouseEvent} event
   * @returns {Spot}
   */
  at(event) {
    const box = this.element.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1)];
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (isButton(event)) return;
    if (event.button === 1) event.preventDefault(); // or else the page scrolls by itself
    this.element.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, this.at(event));
    if (this.down.size > 1 || event.shiftKey || event.button === 1) this.doing = 'pan';
    else if (this.lassoing) {
      this.doing = 'draw';
      this.loose = [this.at(event)];
    } else if (event.button === 0) {
      this.doing = 'drag';
      this.answers.dragged(this.at(event), event.timeStamp);
    }
  }

  /** @param {PointerEvent} event */
  raw(event) {
    if (this.doing === 'drag') this.answers.dragged(this.at(event), event.timeStamp);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const at = this.at(event);
    if (this.doing === null) this.answers.pointed(at);
    else if (this.doing === 'pan') this.pan(event.pointerId, at);
    else if (this.doing === 'draw') {
      this.loose.push(at);
      this.answers.drawn(this.loose, false);
    } else if (!('onpointerrawupdate' in window)) this.answers.dragged(at, event.timeStamp);
  }

  /**
   * One hand pans; two fingers pan by their middle, and magnify by their distance.
   * @param {number} id of the finger that moved
   * @param {Spot} at
   */
  pan(id, at) {
    if (!this.down.has(id)) return;
    const before = between([...this.down.values()]);
    this.down.set(id, at);
    const after = between([...this.down.values()]);
    this.answers.panned([after.middle[0] - before.middle[0], after.middle[1] - before.middle[1]]);
    if (before.distance && after.distance) this.answers.zoomed(after.distance / before.distance, after.middle);
  }

  /** @param {PointerEvent} event */
  lift(event) {
    this.down.delete(event.pointerId);
    if (this.down.size) return; // a finger that is still down goes on to pan
    const drawn = this.doing === 'draw';
    this.doing = null;
    if (!drawn) return;
    this.lassoing = false;
    this.answers.drawn(this.loose, true);
  }

  /** @param {WheelEvent} event */
  turn(event) {
    const unit = event.deltaMode ? LINE : 1;
    const [across, down] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey && !event.ctrlKey) {
      const box = this.element.getBoundingClientRect();
      event.preventDefault();
      this.answers.panned([-(across || down) / box.width, across ? -down / box.height : 0]);
    } else {
      const by = Math.exp(-down * (event.ctrlKey ? PINCHED : WHEEL));
      if (this.answers.zoomed(by, this.at(event)) || event.ctrlKey) event.preventDefault(); // or else the page scrolls
    }
  }
}

/** @param {Event} event */
function isButton({ target }) {
  return target instanceof Element && target.closest('button') !== null;
}

/**
 * @param {Spot[]} spots one or more
 * @returns {{ middle: Spot, distance: number }} of the first two; the distance of one is 0
 */
function between([a, b = a]) {
  return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], distance: Math.hypot(a[0] - b[0], a[1] - b[1]) };
}
