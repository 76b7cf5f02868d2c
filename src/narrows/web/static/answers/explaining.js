/** Why an input is odd: a shared page cannot say, since it holds no training examples to compare cells with. */
import { entryOf } from './entry.js';
import { taken } from './inputs.js';

/**
 * @param {import('./entry.js').Shared} shared
 * @param {{ model: string, given: import('./inputs.js').Meant }} given
 * @returns {import('../widgets/why.js').Why}
 */
export function explain(shared, { model, given }) {
  const entry = entryOf(shared, model);
  const nothing = { data: new Float32Array(0), shape: [1, 0] };
  const original = entry.shown(taken(entry, given));
  return {
    known: false,
    rate: 0,
    p_values: nothing,
    surprise: nothing,
    changed: [],
    original,
    ordinary: original,
    is_ordinary: false,
    was_ordinary: false,
  };
}
