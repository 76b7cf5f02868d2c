/** Which models a shared page has. */

/**
 * @param {import('./entry.js').Shared} shared
 * @returns {import('../shell/models.js').Models}
 */
export function models({ open }) {
  return open;
}
