/** The models that are open, and which of them is shown. */

/** @typedef {import('../widgets/rows.js').Heading} Heading */
/**
 * @typedef {{
 *   id: string, kind: string, latent_dim: number, shape: number[], columns: Heading[], table: boolean, data: string,
 *   count: number, total: number, classes: string[], literals: string[], conditional: boolean, from_prior: boolean,
 *   ink: boolean, python: string[],
 * }} Model
 */
/** @typedef {{ name: string, fraction: number, done: boolean, error: string }} Progress */
/** @typedef {{ models: Model[], progress: Progress }} Models */

/**
 * @param {Model[]} models at least one
 * @param {string | undefined} id that the address names
 * @returns {Model} that one; where it names none, of those like the first the one whose codes are a plane, or fill one
 */
export function shown(models, id) {
  const named = models.find((model) => model.id === id);
  if (named) return named;
  const alike = models.filter(({ kind, data }) => kind === models[0].kind && data === models[0].data);
  const plane = alike.find((model) => model.latent_dim === 2);
  return plane ?? models.find((model) => model.latent_dim > 1) ?? models[0];
}
