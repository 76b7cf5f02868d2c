/** The cells of a row that are held. */

/** @typedef {import('../../shell/app.js').App} App */
/** @typedef {import('./line.js').Value} Value */

/**
 * @param {App} app
 * @returns {Record<string, Value>} the cells that the address says are held
 */
export function heldIn(app) {
  try {
    const found = JSON.parse(app.state.held ?? '{}');
    const names = app.model.columns.map(({ name }) => name);
    const sound = Object.entries(found).filter(
      ([name, value]) => names.includes(name) && (value === null || typeof value === 'string'),
    );
    return Object.fromEntries(sound);
  } catch {
    return {};
  }
}
