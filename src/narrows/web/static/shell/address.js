/**
 * The page's state is its address: everything that is shown can be sent as a link. All values are text.
 */
import { clamp } from './numbers.js';

/** @typedef {Record<string, string>} State */

/**
 * @param {string} hash
 * @returns {State}
 */
export function parse(hash) {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, '')));
}

/**
 * @param {State} state
 * @returns {string}
 */
export function format(state) {
  const kept = Object.entries(state).filter(([, value]) => value !== '');
  // Commas and colons are as good as they stand, and a person may want to read the address.
  return `#${new URLSearchParams(kept).toString().replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
}

/**
 * Numbers as the address holds them, and as people read them.
 * @param {Iterable<number>} numbers
 * @returns {string}
 */
export function join(numbers) {
  return Array.from(numbers, (number) => String(Number(number.toPrecision(4)))).join(',');
}

/**
 * @param {string | undefined} text
 * @param {number} count how many there must be
 * @returns {number[] | null} null where the text does not say so many
 */
export function split(text, count) {
  const numbers = (text ?? '').split(',').map((word) => (word.trim() === '' ? NaN : Number(word)));
  return numbers.length === count && numbers.every(Number.isFinite) ? numbers : null;
}

/**
 * @param {string | undefined} text
 * @param {number} least
 * @param {number} most
 * @returns {number | null} null where it says no whole number in between
 */
export function whole(text, least, most) {
  const value = Number(text || NaN);
  return Number.isInteger(value) && value >= least && value <= most ? value : null;
}

/**
 * @param {string | undefined} text
 * @param {number} low
 * @param {number} high
 * @param {number} usual where the text says no number
 * @returns {number} the nearest from `low` to `high`
 */
export function bounded(text, low, high, usual) {
  const value = Number(text || NaN);
  return Number.isFinite(value) ? clamp(value, low, high) : usual;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} base64, of an alphabet that an address can hold
 */
export function toText(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * @param {string} text of `toText`
 * @returns {string} the usual base64, which the server reads
 */
export function toBase64(text) {
  return text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4);
}
