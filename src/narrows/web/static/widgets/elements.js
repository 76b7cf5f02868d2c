/** Elements from plain calls, so that views read like what they build. */

/** @typedef {Node | string | null | false} Child */

/**
 * Make an HTML element. Properties that begin with "on" are listeners, `class` is its class, true is an attribute
 * without a value, false and null leave one out; the rest are attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, properties);
  append(element, children);
  return element;
}

/**
 * Make an SVG element, as `h` makes HTML.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  dress(element, properties);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, any>} properties
 */
function dress(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  element.append(
    ...children
      .filter((child) => child !== null && child !== false)
      .map((child) => /** @type {Node | string} */ (child)),
  );
}

/**
 * A drawing with words under it.
 * @param {HTMLElement | SVGElement} drawing
 * @param {...Child} words
 * @returns {HTMLElement}
 */
export function figure(drawing, ...words) {
  return h('figure', {}, drawing, h('figcaption', {}, ...words));
}

/**
 * Give the person a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const link = h('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
