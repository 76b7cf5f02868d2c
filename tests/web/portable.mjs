// What the page's kernels make of models: node portable.mjs JOBS.json prints what each call of it returns, in JSON.
import fs from 'node:fs';
import { unpack } from '../../src/narrows/web/static/wire/frames.js';
import * as model_ from '../../src/narrows/web/static/kernels/model.js';
import { shown, heldCells } from '../../src/narrows/web/static/kernels/columns.js';
import { corrupt } from '../../src/narrows/web/static/kernels/corruptions.js';
import { errorMaps } from '../../src/narrows/web/static/kernels/errors.js';
import { atCode, givenCells } from '../../src/narrows/web/static/kernels/marginals.js';
import { drawn, sample } from '../../src/narrows/web/static/kernels/sampling.js';

const kernels = { ...model_, atCode, givenCells, corrupt, drawn, errorMaps, sample };
const ofModel = { shown, heldCells };
const plain = (value) => {
  if (ArrayBuffer.isView(value)) return Array.from(value, (number) => (Number.isFinite(number) ? number : `${number}`));
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, plain(own)]));
};

const answers = JSON.parse(fs.readFileSync(process.argv[2])).map(({ frame, calls }) => {
  const bytes = fs.readFileSync(frame);
  const model = kernels.open(unpack(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
  return calls.map(([name, ...given]) => {
    const own = given.map((each) => (Array.isArray(each) ? each.map((x) => (x === null ? NaN : x)) : each));
    return plain(ofModel[name] ? ofModel[name](model.head.columns, ...own) : kernels[name](model, ...own));
  });
});
console.log(JSON.stringify(answers));
