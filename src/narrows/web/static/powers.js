/** Numbers too large or too small to be written out, as 9 · 10¹². */
import { number } from './words.js';

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

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
