/** A shared page's own answers, in the place of a connection: without a server, and without a request to anywhere. */

/** @typedef {import('./connection.js').Prepared} Prepared */

export class Inside {
  /** @param {HTMLElement} shared what the page was given to answer from, and the names of the modules that do */
  constructor(shared) {
    this.answers = opened(shared);
  }

  /**
   * @template T
   * @param {string} question
   * @param {Record<string, unknown>} [given]
   * @returns {Promise<T>}
   */
  async ask(question, given = {}) {
    return (await this.answers).ask(question, given);
  }

  /**
   * @param {string} model
   * @param {Blob} image
   * @returns {Promise<Prepared>}
   */
  async prepare(model, image) {
    return (await this.answers).prepare(model, image);
  }
}

/** @param {HTMLElement} shared */
async function opened(shared) {
  const { Answers } = await import('../answers/answers.js');
  const names = shared.dataset.answers?.split(' ') ?? [];
  const modules = await Promise.all(names.map((name) => import(`../answers/${name}.js`)));
  return Answers.of(shared.textContent ?? '', modules);
}
