/**
 * What stands behind a shared page: its own answers to the questions that the explorer's server answers, one function a
 * question, in a module for each of `narrows.web.questions`. What is shared is a frame, zipped, in base64.
 */
import { unpack } from '../wire/frames.js';
import { Entry } from './entry.js';
import { prepared } from './uploads.js';

/** @typedef {import('./entry.js').Shared} Shared */
/** @typedef {Record<string, (shared: Shared, given: any) => any>} Questions by name */

export class Answers {
  /**
   * @param {Shared} shared
   * @param {Questions} questions
   */
  constructor(shared, questions) {
    this.shared = shared;
    this.questions = questions;
  }

  /**
   * @param {string} text what the page was given
   * @param {Questions[]} modules
   * @returns {Promise<Answers>}
   */
  static async of(text, modules) {
    const zipped = atob(text.trim());
    const bytes = new Uint8Array(zipped.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = zipped.charCodeAt(i);
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    const { open, examples, models: sent } = unpack(await new Response(plain).arrayBuffer());
    const entries = new Map(
      open.models.map((/** @type {import('../shell/models.js').Model} */ model, /** @type {number} */ i) => [
        model.id,
        new Entry(model, sent[i], examples[sent[i].examples]),
      ]),
    );
    return new Answers({ open, entries }, Object.assign({}, ...modules));
  }

  /**
   * @param {string} question
   * @param {Record<string, unknown>} given
   * @returns {any} the answer, or a promise of it
   */
  ask(question, given) {
    return this.questions[question](this.shared, given);
  }

  /**
   * @param {string} model
   * @param {Blob} image
   * @returns {Promise<import('../wire/connection.js').Prepared>}
   */
  prepare(model, image) {
    return prepared(/** @type {Entry} */ (this.shared.entries.get(model)), image);
  }
}
