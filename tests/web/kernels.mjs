// What the page's kernels make of models, in a browser, or by `node kernels.mjs JOBS.json`, which prints the answers.
import { unpack } from '../../src/narrows/web/static/wire/frames.js';
import { heldCells, shown } from '../../src/narrows/web/static/kernels/columns.js';
import { corrupt } from '../../src/narrows/web/static/kernels/corruptions.js';
import { logPriorOf } from '../../src/narrows/web/static/kernels/density.js';
import { errorMaps } from '../../src/narrows/web/static/kernels/errors.js';
import { atCode, givenCells } from '../../src/narrows/web/static/kernels/marginals.js';
import * as model from '../../src/narrows/web/static/kernels/model.js';
import { drawn, sample } from '../../src/narrows/web/static/kernels/sampling.js';

const KERNELS = {
  ...model,
  atCode,
  corrupt,
  drawn,
  errorMaps,
  givenCells,
  heldCells: ({ head }, ...given) => heldCells(head.columns, ...given),
  logPriors: ({ head, d }, z) => {
    const logPrior = logPriorOf(head.prior, d);
    return Float64Array.from({ length: z.length / d }, (_, row) => logPrior(z.slice(row * d, (row + 1) * d)));
  },
  sample,
  shown: ({ head }, cells) => shown(head.columns, cells),
};

// JSON has no NaN: among numbers null is one on the way here, and 'NaN' on the way back.
function plain(value) {
  if (ArrayBuffer.isView(value)) return Array.from(value, (number) => (Number.isFinite(number) ? number : `${number}`));
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, plain(own)]));
}

export function answered(frame, calls) {
  const opened = model.open(unpack(frame));
  return calls.map(([name, ...given]) => {
    const own = given.map((each) => (Array.isArray(each) ? Float64Array.from(each, (number) => number ?? NaN) : each));
    return plain(KERNELS[name](opened, ...own));
  });
}

if (globalThis.process?.argv[2]) {
  const fs = await import('node:fs');
  const jobs = JSON.parse(fs.readFileSync(process.argv[2]));
  const answers = jobs.map(({ frame, calls }) => answered(Uint8Array.from(Buffer.from(frame, 'base64')).buffer, calls));
  process.stdout.write(JSON.stringify(answers));
}
