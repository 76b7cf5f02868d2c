/** What a question is given, checked as the server checks it (by pydantic), and refused in the same words. */

/** @typedef {(value: any, at: string) => any} Check returns the value as the question takes it, or refuses it */

const MOST_WORDS = 300; // characters of a refusal
const BEYOND = 1e21; // from here on JSON writes whole numbers with an exponent

/**
 * @param {Record<string, unknown>} given
 * @param {Record<string, Check>} checks
 * @returns {Record<string, any>} the arguments; those left out are as their checks have it
 */
export function checked(given, checks) {
  const found = Object.entries(checks).map(([name, check]) => [name, check(given[name], name)]);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(checks, name)) refuse(name, 'Unexpected keyword argument', given[name]);
  }
  return Object.fromEntries(found);
}

/**
 * @param {Check} check
 * @param {unknown} otherwise what it is if it is left out
 * @returns {Check}
 */
export function optional(check, otherwise) {
  return (value, at) => (value === undefined ? otherwise : check(value, at));
}

/**
 * @param {Check} check
 * @returns {Check}
 */
export function nullable(check) {
  return (value, at) => (value === null ? null : check(value, at));
}

/**
 * @param {{ least?: number, above?: number, most: number }} range
 * @returns {Check}
 */
export function real(range) {
  return (value, at) => {
    present(value, at);
    const found = parsed(value);
    if (found === null) refuse(at, `Input should be a valid number${unreadable(value, 'a number')}`, value);
    return within(range, /** @type {number} */ (found), value, at);
  };
}

/**
 * @param {{ least: number, most: number }} range
 * @returns {Check}
 */
export function whole(range) {
  return (value, at) => {
    present(value, at);
    const found = parsed(value);
    const broken = found !== null && !Number.isInteger(found);
    if (broken && typeof value === 'number') {
      refuse(at, 'Input should be a valid integer, got a number with a fractional part', value);
    }
    if (Math.abs(found ?? 0) >= BEYOND) {
      refuse(at, 'Unable to parse input string as an integer, exceeded maximum size', value);
    }
    if (broken || found === null) {
      refuse(at, `Input should be a valid integer${unreadable(value, 'an integer')}`, value);
    }
    return within(range, /** @type {number} */ (found), value, at);
  };
}

/**
 * @param {...string} names
 * @returns {Check}
 */
export function oneOf(...names) {
  const all = names.map(quoted);
  const told = `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
  return (value, at) => {
    present(value, at);
    return names.includes(value) ? value : refuse(at, `Input should be ${told}`, value);
  };
}

/**
 * @param {string[]} names
 * @param {Check} check of what is none of them; the names are what is told
 * @returns {Check}
 */
export function oneOfOr(names, check) {
  const named = oneOf(...names);
  return (value, at) => {
    if (names.includes(value)) return value;
    try {
      return check(value, at);
    } catch {
      return named(value, `${at}.literal[${names.map(quoted).join(',')}]`);
    }
  };
}

/**
 * @param {Check} check of each item
 * @param {number} least
 * @param {number} most
 * @returns {Check}
 */
export function list(check, least, most) {
  return (value, at) => {
    present(value, at);
    if (!Array.isArray(value)) refuse(at, 'Input should be a valid list', value);
    if (value.length > most) refuse(at, counted('List', 'most', most, value), value);
    const found = value.map((/** @type {unknown} */ item, /** @type {number} */ i) => check(item, `${at}.${i}`));
    if (value.length < least) refuse(at, counted('List', 'least', least, value), value);
    return found;
  };
}

/**
 * @param {Check} check of either of two
 * @returns {Check}
 */
export function pair(check) {
  return (value, at) => {
    present(value, at);
    if (!Array.isArray(value)) refuse(at, 'Input should be a valid tuple', value);
    if (value.length > 2) refuse(at, counted('Tuple', 'most', 2, value), value);
    return [0, 1].map((i) =>
      i < value.length ? check(value[i], `${at}.${i}`) : refuse(`${at}.${i}`, 'Field required', value),
    );
  };
}

/**
 * @param {string} what
 * @param {'most' | 'least'} end
 * @param {number} limit
 * @param {unknown[]} value
 */
function counted(what, end, limit, value) {
  const items = limit === 1 ? 'item' : 'items';
  return `${what} should have at ${end} ${limit} ${items} after validation, not ${value.length}`;
}

/**
 * @param {{ least?: number, above?: number, most: number }} range
 * @param {number} found
 * @param {unknown} value as it was given
 * @param {string} at
 */
function within({ least, above, most }, found, value, at) {
  if (!(found <= most)) refuse(at, `Input should be less than or equal to ${most}`, value);
  if (least !== undefined && found < least) refuse(at, `Input should be greater than or equal to ${least}`, value);
  if (above !== undefined && found <= above) refuse(at, `Input should be greater than ${above}`, value);
  return found;
}

/**
 * @param {unknown} value
 * @returns {number | null} the number that it is or says
 */
function parsed(value) {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : null;
}

/**
 * @param {unknown} value
 * @param {string} what
 */
function unreadable(value, what) {
  return typeof value === 'string' ? `, unable to parse string as ${what}` : '';
}

/**
 * @param {unknown} value
 * @param {string} at
 */
function present(value, at) {
  if (value === undefined) throw new TypeError(`${at}: Missing required argument`);
}

/**
 * @param {string} at
 * @param {string} why
 * @param {unknown} value
 * @returns {never}
 */
function refuse(at, why, value) {
  throw new RangeError(`${at}: ${why}; it is ${inPython(value)}`.slice(0, MOST_WORDS));
}

/**
 * @param {any} value what JSON can say
 * @returns {string} as Python shows it
 */
export function inPython(value) {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return numberInPython(value);
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inPython).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${quoted(key)}: ${inPython(item)}`)
    .join(', ')}}`;
}

/** @param {string} text */
function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  return mark + text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`).replaceAll('\n', '\\n') + mark;
}

/**
 * @param {number} value
 * @returns {string} as Python shows what JSON makes of it
 */
function numberInPython(value) {
  if (!Number.isFinite(value)) return 'None';
  const text = JSON.stringify(value);
  if (!/[.e]/.test(text)) return text;
  const [digits, exponent] = (Math.abs(value) < 1e-4 ? value.toExponential() : text).split('e');
  if (exponent === undefined) return digits;
  return `${digits}e${exponent[0]}${exponent.replace(/[+-]/, '').padStart(2, '0')}`;
}
