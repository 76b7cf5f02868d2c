// What the page's kernels make of models: node portable.mjs JOBS.json, whose models are frames; prints answers in JSON.
import fs from 'node:fs';
import { unpack } from '../../src/narrows/web/static/wire/frames.js';
import * as kernels from '../../src/narrows/web/static/kernels/model.js';

const { frame, x, z, n, labels } = JSON.parse(fs.readFileSync(process.argv[2]));
const bytes = fs.readFileSync(frame);
const model = kernels.open(unpack(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
const { mu, sigma } = kernels.encode(model, x, n, labels);
console.log(
  JSON.stringify({
    mu: [...mu],
    sigma: [...sigma],
    decoded: [...kernels.decode(model, z, n, labels)],
    restored: [...kernels.reconstruct(model, x, n, labels)],
  }),
);
