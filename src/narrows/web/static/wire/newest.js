/** A brake: a drag asks more often than can be answered, so only its newest question waits. */

/**
 * Let only the newest call wait while one is being worked on; those between are dropped.
 * @template {unknown[]} A
 * @param {(...given: A) => Promise<void>} work
 * @returns {(...given: A) => Promise<void>}
 */
export function newest(work) {
  let busy = false;
  /** @type {A | null} */
  let next = null;
  return async (...given) => {
    next = given;
    if (busy) return;
    busy = true;
    try {
      while (next !== null) {
        const now = next;
        next = null;
        await work(...now);
      }
    } finally {
      busy = false;
    }
  };
}
