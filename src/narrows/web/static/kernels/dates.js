/** Dates and spans of time, in seconds, in words. */
import { roundEven } from './special.js';

/**
 * @param {number} seconds since 1970
 * @param {string} form as strftime has it, of numbers alone; after a minus without a leading zero
 * @param {string} zone '' for UTC
 * @returns {string}
 */
export function momentOf(seconds, form, zone) {
  const whole = Math.floor(roundEven(seconds * 1e6) / 1e6);
  const moment = new Date((whole + offsetOf(whole, zone)) * 1000);
  if (Number.isNaN(moment.getTime())) return String(seconds);
  /** @type {Record<string, [number, number]>} */
  const parts = {
    Y: [moment.getUTCFullYear(), 4],
    m: [moment.getUTCMonth() + 1, 2],
    d: [moment.getUTCDate(), 2],
    H: [moment.getUTCHours(), 2],
    M: [moment.getUTCMinutes(), 2],
    S: [moment.getUTCSeconds(), 2],
  };
  return form.replace(/%(-?)([YmdHMS])/g, (_, short, part) =>
    String(parts[part][0]).padStart(short ? 1 : parts[part][1], '0'),
  );
}

/**
 * @param {number} seconds
 * @param {string} zone
 * @returns {number} how far its clocks are ahead of UTC then
 */
function offsetOf(seconds, zone) {
  if (!zone || zone === 'UTC') return 0;
  const fixed = /^(?:UTC)?([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60);
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const [month, day, year, hour, minute, second] = clock
    .formatToParts(seconds * 1000)
    .filter((part) => part.type !== 'literal')
    .map((part) => Number(part.value));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - Math.floor(seconds);
}

/**
 * @param {number} seconds
 * @param {string} zone
 * @returns {number} the nearest beginning of a day there
 */
export function toDays(seconds, zone) {
  const whole = roundEven(seconds);
  const local = roundEven((whole + offsetOf(whole, zone)) / 86400) * 86400;
  return local - offsetOf(local - offsetOf(local, zone), zone);
}

/**
 * @param {number} seconds
 * @returns {string} as pandas writes a span
 */
export function spanOf(seconds) {
  const micros = roundEven(seconds * 1e6);
  const days = Math.floor(micros / 864e8);
  const rest = micros - days * 864e8;
  const clock = new Date(rest / 1000).toISOString().slice(11, 19);
  const part = rest % 1e6;
  return `${days} days ${days < 0 ? '+' : ''}${clock}${part ? `.${String(part).padStart(6, '0')}` : ''}`;
}
