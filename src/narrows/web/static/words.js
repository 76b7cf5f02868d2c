/** Words and numbers as a person reads them. */
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
 * Numbers as each language writes them.
 * @param {import('./strings.js').Language} language
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 * @returns {string}
 */
export function number(language, value, options = { maximumSignificantDigits: 3 }) {
  return new Intl.NumberFormat(language === 'cs' ? 'cs-CZ' : 'en-GB', options).format(value).replace('-', '−');
}

/**
 * @param {string} kind such as "DenoisingAutoencoder"
 * @returns {string} in words
 */
export function spaced(kind) {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
}
