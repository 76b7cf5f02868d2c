/** What each layer of a model makes of one example, as `narrows.models.tracing` has it, pixels with channels last. */
import { encode, reconstruct, scaled, withClasses } from './model.js';
import { netOf } from './nets.js';

/** @typedef {import('./nets.js').Operation} Operation */

/**
 * @param {import('./model.js').Model} model
 * @param {Float64Array} x one example
 * @param {number | null} label
 * @returns {Float32Array[]} from the input over the code to the output
 */
export function trace(model, x, label) {
  const input = scaled(model, x);
  const z = encode(model, x, 1, label).mu;
  const up = layersOf(model.head.encoder, withClasses(model, input, 1, label));
  const down = layersOf(model.head.decoder, withClasses(model, z, 1, label));
  const output = scaled(model, reconstruct(model, x, 1, label));
  return [input, ...up.slice(0, -1), z, ...down.slice(0, -1), output];
}

/**
 * @param {Operation[]} operations
 * @param {Float32Array} row
 */
function layersOf(operations, row) {
  /** @type {Float32Array[]} */
  const found = [];
  follow(operations, row, found);
  return found;
}

/**
 * Note what each operation with weights makes, with all that follows it before the next one; of a sum the last branch,
 * next to which the others are shortcuts.
 * @param {Operation[]} operations
 * @param {Float32Array} row
 * @param {Float32Array[]} found
 * @returns {Float32Array} what they all make of the row
 */
function follow(operations, row, found) {
  return operations.reduce((before, operation) => {
    if ('branches' in operation) {
      const { branches } = operation;
      const deep = follow(branches[branches.length - 1], before, found);
      const shortcuts = branches.slice(0, -1).map((branch) => netOf(branch)(before, 1));
      return deep.map((value, i) => shortcuts.reduce((sum, shortcut) => sum + shortcut[i], value));
    }
    const values = netOf([operation])(before, 1);
    if ('weight' in operation) found.push(values);
    else if (found.length) found[found.length - 1] = values;
    return values;
  }, row);
}
