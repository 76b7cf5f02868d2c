/** What a person chooses with: lists, sliders, tick boxes, numbers. Each has its label. */
import { clamp } from '../shell/numbers.js';
import { h } from './elements.js';

/**
 * A choice of a few words.
 * @template {string} V
 * @param {object} options
 * @param {string} options.label
 * @param {readonly V[]} options.values
 * @param {string} options.value the chosen one
 * @param {(value: V) => string} [options.told] a value in words, where it is none itself
 * @param {(value: V) => void} options.chosen
 * @returns {HTMLLabelElement}
 */
export function choices({ label, values, value, told = String, chosen }) {
  const options = values.map((one) => h('option', { value: one, selected: one === value }, told(one)));
  const box = h('select', { onchange: () => chosen(/** @type {V} */ (box.value)) }, ...options);
  return labelled(label, box);
}

/**
 * A slider; its value is shown beside it.
 * @param {object} options
 * @param {string} options.label
 * @param {number} options.min
 * @param {number} options.max
 * @param {number} options.step
 * @param {number} options.value
 * @param {(value: number) => string} options.show
 * @param {(value: number, stamp: number) => void} options.moved `stamp` says when
 * @returns {{ element: HTMLLabelElement, set: (value: number) => void }}
 */
export function slider({ label, min, max, step, value, show, moved }) {
  const output = h('output', {}, show(value));
  const input = h('input', {
    type: 'range',
    min,
    max,
    step,
    value,
    'aria-valuetext': show(value),
    oninput: (/** @type {Event} */ event) => {
      tell(input.valueAsNumber);
      moved(input.valueAsNumber, event.timeStamp);
    },
  });
  const tell = (/** @type {number} */ now) => {
    output.textContent = show(now);
    input.setAttribute('aria-valuetext', show(now));
  };
  return {
    element: h('label', { class: 'field slider' }, h('span', {}, label), input, output),
    set: (now) => {
      input.value = String(now);
      tell(now);
    },
  };
}

/**
 * A tick box.
 * @param {string} label
 * @param {boolean} on
 * @param {(on: boolean) => void} chosen
 * @returns {HTMLLabelElement}
 */
export function tick(label, on, chosen) {
  const box = h('input', { type: 'checkbox', checked: on, onchange: () => chosen(box.checked) });
  return h('label', { class: 'field tick' }, box, h('span', {}, label));
}

/**
 * A box for a number. What it cannot be is marked, and changes nothing.
 * @param {object} options
 * @param {number} options.min
 * @param {number} options.max
 * @param {number | 'any'} options.step
 * @param {'input' | 'change'} options.on whether it is taken as it is typed, or when it is left
 * @param {(value: number) => void} options.taken
 * @param {(text: string) => void} [options.refused]
 * @param {Record<string, string>} [options.attributes]
 * @returns {{ input: HTMLInputElement, set: (value: number) => void }} `set` leaves a box alone that is being typed in
 */
export function numberBox({ min, max, step, on, taken, refused, attributes = {} }) {
  const input = h('input', { type: 'number', min, max, step, ...attributes, [`on${on}`]: () => read() });
  const read = () => {
    const good = input.value !== '' && input.validity.valid;
    input.setAttribute('aria-invalid', String(!good));
    if (good) taken(input.valueAsNumber);
    else refused?.(input.value);
  };
  const set = (/** @type {number} */ value) => {
    if (on === 'input' && input === document.activeElement) return;
    input.value = String(value);
    input.removeAttribute('aria-invalid');
  };
  return { input, set };
}

/**
 * A field for a whole number; any other is replaced by the nearest.
 * @param {object} options
 * @param {string} options.label
 * @param {number} options.min
 * @param {number} options.max
 * @param {number | null} options.value
 * @param {(value: number) => void} options.chosen
 * @param {Record<string, string>} [options.attributes]
 * @returns {{ element: HTMLLabelElement, input: HTMLInputElement }}
 */
export function wholeField({ label, min, max, value, chosen, attributes = {} }) {
  const input = h('input', {
    type: 'number',
    min,
    max,
    step: 1,
    value,
    ...attributes,
    onchange: () => {
      input.valueAsNumber = clamp(Math.round(input.valueAsNumber) || min, min, max);
      chosen(input.valueAsNumber);
    },
  });
  return { element: labelled(label, input), input };
}

/**
 * A field for one of the model's examples, by its number.
 * @param {import('../shell/app.js').App} app
 * @param {object} options
 * @param {string} options.label
 * @param {number | null} options.value null where none of them is shown
 * @param {string} [options.placeholder] what is said then
 * @param {(row: number) => void} options.chosen
 */
export function examplePicker(app, { label, value, placeholder = '', chosen }) {
  return wholeField({ label, min: 0, max: app.model.count - 1, value, chosen, attributes: { placeholder } });
}

/**
 * @param {string | Node} label
 * @param {HTMLElement} field
 * @returns {HTMLLabelElement}
 */
export function labelled(label, field) {
  return h('label', { class: 'field' }, h('span', {}, label), field);
}
