/**
 * What the server answers, as its dataclasses in narrows.web.questions say; a test compares the names.
 */

/** @typedef {import('./frames.js').Numbers<Uint8Array>} Levels Examples for the eye: (k, H, W[, C]) or (k, features) */
/** @typedef {import('./frames.js').Numbers<Float32Array>} Floats */
/** @typedef {import('./frames.js').Numbers<Int32Array>} Integers */
/** @typedef {[number, number]} Place */

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
/** @typedef {{ bias: number[], line: Place[], half: Place[], excitation: number[], fires: number[], distance: number[] }} Perceptron */
/** @typedef {{ units: number[][], index: number[], epoch: number[], error: number[], updated: boolean[], ended: boolean, limit: number, gamma: number, radius: number, bound: number | null, contradiction: number[], place: number[] }} Learning */
/** @typedef {{ products: number[], sum: number, fires: number }} Excitation */
/** @typedef {{ weights: number[], theta: number, excitation: number[], fires: number[] }} WiredUnit */
/** @typedef {{ inputs: number[][], weights: number[], theta: number, boundary: number[][], half: Place[], multipliers: number[], side: string, layers: WiredUnit[][] }} BooleanFunction */
/** @typedef {{ functions: number[], separable: number[] }} Counts */
/** @typedef {{ names: string[], primitives: string[], at: Place[], edges: Place[], values: number[], derivatives: number[], handed: number[] }} GraphPass */
/** @typedef {{ names: string[], x: Floats, values: Floats, slopes: Floats, at: number[], slope: number[] }} Activations */
/** @typedef {{ xs: Floats, ys: Floats, values: Floats }} Surface */
/** @typedef {{ points: Floats, values: Floats, gradients: Floats, verdict: 'starts' | 'converges' | 'falls' | 'zigzags' | 'oscillates' | 'diverges' }} Descent */
/** @typedef {{ x: Floats, target: Floats, fit: Floats, widths: Integers, rms: Floats, sup: number, dimensions: number }} Approximated */
/** @typedef {{ images: [string, string][], filters: [string, string][] }} Patterns */
/** @typedef {{ values: Floats, before: Place, after: Place, corners: Integers, patches: Floats, products: Floats }} Convolved */
/** @typedef {{ values: Floats, before: Place, after: Place, corners: Integers, patches: Floats, sums: Floats }} Pooled */
/** @typedef {{ inputs: number, dense: number, convolutional: number }} Parameters */
/** @typedef {{ part: 'input' | 'encoder' | 'code' | 'decoder' | 'output', kind: string, parameters: number, shape: number[], values: Floats, most: number, dead: Levels, count: number }} Drawn */
/** @typedef {{ layers: Drawn[], original: Levels, restored: Levels, examples: number }} Layers */
/** @typedef {{ data: string[], kinds: string[] }} Trainable */
/** @typedef {{ key: string, epochs: Integers, losses: Floats, validation: Floats, shape: number[], ink: boolean, originals: Levels, restored: Levels, names: string[], points: Floats, labels: Levels | null, classes: string[], units: number }} Moment */
/** @typedef {{ mode: string, error: string, data: string, kind: string, latent_dim: number, seed: number, epoch: number, epochs: number, step: number, steps: number, learning_rate: number, beta: number | null, rate_now: number | null, beta_now: number | null, notes: string[], kept: number[], python: string[], moment: Moment | null }} Live */
/** @typedef {{ model: string, name: string, file: Levels }} Kept */

/**
 * @typedef {{
 *   models: Models, plane: Plane, tiles: Tiles, at: At, example: Example, errors: Errors, group: Group, units: Units, decode: Decoded,
 *   noisy: Decoded, samples: Decoded, way: Decoded, arithmetic: Arithmetic, look: Look, noise: Noise, compare: Compared,
 *   perceptron: Perceptron, learning: Learning, excitation: Excitation, boolean: BooleanFunction, counts: Counts, graph: GraphPass,
 *   activations: Activations, surface: Surface, descent: Descent, approximation: Approximated, patterns: Patterns, convolution: Convolved,
 *   pooling: Pooled, parameters: Parameters, layers: Layers,
 *   trainable: Trainable, train: Live, steer: Live, live: Live, keep: Kept,
 * }} Answers
 */

export {};
