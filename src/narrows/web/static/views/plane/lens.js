/** The part of the plane, or of the line, that is shown: its middle, and how many times as near as at first it is. */
import { join, split } from '../../shell/address.js';
import { clamp } from '../../shell/numbers.js';

const NEAREST = 256; // times as near as at first
const ROOM = 0.03; // around all points, of their range
const KEPT = 0.06; // of what is shown, that a place is kept away from its edge

export class Lens {
  /**
   * @param {ArrayLike<number>} low corner of what is shown at first
   * @param {ArrayLike<number>} high
   * @param {Float32Array} points place after place
   */
  constructor(low, high, points) {
    this.home = { low: Array.from(low), high: Array.from(high) };
    this.spans = this.home.high.map((end, axis) => end - this.home.low[axis]);
    this.reach = this.home.low.map((from, axis) =>
      reached(points, this.spans.length, axis, [from, this.home.high[axis]]),
    );
    this.farthest = Math.min(...this.reach.map(([from, to], axis) => this.spans[axis] / (to - from)));
    this.factor = 1;
    this.middle = this.home.low.map((from, axis) => from + this.spans[axis] / 2);
  }

  /** @param {string | undefined} text of the address */
  read(text) {
    const found = split(text, 1 + this.spans.length);
    if (found && found[0] > 0) this.set(found[0], found.slice(1));
  }

  /** @returns {string} for the address; none of what is shown at first */
  get text() {
    const first =
      this.factor === 1 && this.middle.every((at, axis) => at === this.home.low[axis] + this.spans[axis] / 2);
    return first ? '' : join([this.factor, ...this.middle]);
  }

  /** @returns {number[]} the lower ends of what is shown */
  get low() {
    return this.middle.map((at, axis) => at - this.spans[axis] / this.factor / 2);
  }

  /**
   * @param {ArrayLike<number>} place
   * @returns {number[]} where it is, in [0, 1] from the upper left corner if it is shown
   */
  onStage(place) {
    return this.middle.map((middle, axis) => {
      const right = ((place[axis] - middle) / this.spans[axis]) * this.factor;
      return 0.5 + (axis ? -right : right);
    });
  }

  /**
   * @param {number[]} at
   * @returns {number[]} the place
   */
  inPlane(at) {
    return this.middle.map((middle, axis) => {
      const right = axis ? 0.5 - at[axis] : at[axis] - 0.5;
      return middle + (right * this.spans[axis]) / this.factor;
    });
  }

  /**
   * @param {number[]} place
   * @returns {number[]} the nearest within reach
   */
  inReach(place) {
    return place.map((value, axis) => clamp(value, ...this.reach[axis]));
  }

  /**
   * Show what is around a place, as much of it as lies within reach.
   * @param {number} factor
   * @param {number[]} middle
   */
  set(factor, middle) {
    this.factor = clamp(factor, this.farthest, NEAREST);
    this.middle = middle.map((at, axis) => {
      const half = this.spans[axis] / this.factor / 2;
      const ends = [this.reach[axis][0] + half, this.reach[axis][1] - half];
      return clamp(at, Math.min(...ends), Math.max(...ends));
    });
  }

  /**
   * @param {number} by times as near
   * @param {number[]} at what stays where it is
   */
  zoom(by, at) {
    const place = this.inPlane(at);
    const factor = clamp(this.factor * by, this.farthest, NEAREST);
    const moved = this.middle.map((middle, axis) => place[axis] + ((middle - place[axis]) * this.factor) / factor);
    this.set(factor, moved);
  }

  /** @param {number[]} by as parts of what is shown, to the right and down, as the hand moves */
  pan(by) {
    this.set(this.factor, this.inPlane(by.map((part) => 0.5 - part)));
  }

  /** @param {number[]} place that shall be shown */
  follow(place) {
    this.pan(this.onStage(place).map((at) => clamp(at, KEPT, 1 - KEPT) - at));
  }

  /** Show what is shown at first. */
  reset() {
    this.factor = 1;
    this.middle = this.home.low.map((from, axis) => from + this.spans[axis] / 2);
  }

  /** Show all points. */
  whole() {
    this.set(
      this.farthest,
      this.reach.map(([from, to]) => (from + to) / 2),
    );
  }
}

/**
 * @param {Float32Array} points
 * @param {number} k numbers of each
 * @param {number} axis
 * @param {[number, number]} ends
 * @returns {[number, number]} the ends moved apart until all points are between them, with some room
 */
function reached(points, k, axis, [low, high]) {
  let [from, to] = [Infinity, -Infinity];
  for (let i = axis; i < points.length; i += k) {
    if (points[i] < from) from = points[i];
    if (points[i] > to) to = points[i];
  }
  const room = ROOM * (to - from);
  return [Math.min(low, from - room), Math.max(high, to + room)];
}
