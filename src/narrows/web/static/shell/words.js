/** Words in the page's two languages. */
import { STRINGS } from './strings.js';

/**
 * @param {import('./strings.js').Language} language
 * @param {import('./strings.js').Key} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function translate(language, key, values = {}) {
  return STRINGS[language][key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * @param {string} kind such as "DenoisingAutoencoder"
 * @returns {string} in words
 */
export function spaced(kind) {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
}
