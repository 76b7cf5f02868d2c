/**
 * What the server answers, as its dataclasses in narrows.web.questions say; a test compares the names.
 */

/** @typedef {import('./frames.js').Numbers<Uint8Array>} Levels Examples for the eye: (k, H, W[, C]) or (k, features) */
/** @typedef {import('./frames.js').Numbers<Float32Array>} Floats */
/** @typedef {import('./frames.js').Numbers<Int32Array>} Integers */

/** @typedef {{ id: string, kind: string, latent_dim: number, shape: number[], data: string, count: number, total: number, classes: string[], conditional: boolean, from_prior: boolean, ink: boolean, python: string[] }} Model */
/** @typedef {{ name: string, part: number, done: boolean, error: string }} Progress */
/** @typedef {{ models: Model[], progress: Progress }} Models */
/** @typedef {{ points: Floats, low: Floats, high: Floats, labels: Levels | null, classes: string[], axes: string[], explained: number, mean: number[] }} Plane */
/** @typedef {{ levels: Levels, seen: Levels, side: number }} Tiles */
/** @typedef {{ levels: Levels, z: number[], point: [number, number], seen: boolean }} At */
/** @typedef {{ original: Levels, restored: Levels, label: string, z: number[], error: number }} Example */
/** @typedef {{ values: Floats }} Errors */
/** @typedef {{ mean: Levels, decoded: Levels, count: number, counts: [string, number][], error: number, csv: string }} Group */
/** @typedef {{ order: Integers, weight: Floats, by: 'kl' | 'variance', low: number[], high: number[], mean: number[], dead: Levels, temperature: boolean }} Units */
/** @typedef {{ levels: Levels, codes: Floats }} Decoded */
/** @typedef {{ start: Levels, minus: Levels, plus: Levels, result: Levels, z: number[] }} Arithmetic */
/** @typedef {{ levels: Levels }} Prepared */
/** @typedef {{ original: Levels, restored: Levels, map: Floats, z: number[], score: number, odd: number, part: number, distance: number, far: number, outside: boolean, nearest: Integers, levels: Levels, labels: string[] }} Look */
/** @typedef {{ id: string, kind: string, latent_dim: number, levels: Levels, error: number }} Restored */
/** @typedef {{ clean: Levels, noisy: Levels, error: number, models: Restored[] }} Noise */
/** @typedef {{ id: string, latent_dim: number, error: number, standard_error: number, part: string, pca_error: number | null, restored: Levels, errors: Floats }} Column */
/** @typedef {{ kind: string, columns: Column[], originals: Levels, places: Integers, labels: string[], mean_error: number }} Compared */
/** @typedef {{ names: string[], x: Floats, values: Floats, slopes: Floats, at: number[], slope: number[] }} Activations */

/**
 * @typedef {{
 *   models: Models, plane: Plane, tiles: Tiles, at: At, example: Example, errors: Errors, group: Group, units: Units, decode: Decoded,
 *   noisy: Decoded, samples: Decoded, way: Decoded, arithmetic: Arithmetic, look: Look, noise: Noise, compare: Compared,
 *   activations: Activations,
 * }} Answers
 */

export {};
