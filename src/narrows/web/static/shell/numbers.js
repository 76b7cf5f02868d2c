/** Numbers kept in bounds, and written as a person reads them. */

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @returns {number} the nearest to the value from `low` to `high`
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * Numbers as each language writes them.
 * @param {import('./strings.js').Language} language
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 * @returns {string}
 */
export function number(language, value, options = { maximumSignificantDigits: 3 }) {
  const locale = language === 'cs' ? 'cs-CZ' : 'en-GB';
  return new Intl.NumberFormat(locale, { signDisplay: 'negative', ...options }).format(value).replace('-', '−');
}

/**
 * @param {number} exponent whole
 * @returns {string} as 10⁻³; 10⁰ is 1
 */
export function tenTo(exponent) {
  if (!exponent) return '1';
  return `10${exponent < 0 ? '⁻' : ''}${[...String(Math.abs(exponent))].map((digit) => RAISED[Number(digit)]).join('')}`;
}

/**
 * @param {import('./strings.js').Language} language
 * @param {number} value
 * @returns {string} three digits and a power of ten
 */
export function scientific(language, value) {
  const [digits, exponent] = value.toExponential(2).split('e').map(Number);
  return `${number(language, digits)}\u00a0·\u00a0${tenTo(exponent)}`;
}
