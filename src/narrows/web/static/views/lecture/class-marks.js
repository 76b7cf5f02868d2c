/** Marks of the two classes, which differ in shape and not only in colour. */

const SHAPES = ['M-8-8H8V8H-8Z', 'M-9 0A9 9 0 1 0 9 0A9 9 0 1 0-9 0Z'];

/**
 * @param {SVGPathElement} shape
 * @param {Element} element that holds it
 * @param {number} label the class: 0 is a hollow square, 1 a full circle
 */
export function mark(shape, element, label) {
  shape.setAttribute('d', SHAPES[label]);
  element.classList.toggle('one', label === 1);
  element.classList.toggle('nought', label === 0);
}
