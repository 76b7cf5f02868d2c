// Answers the lecture's questions as a page without a server does: a question a line, and its answer a line, in JSON.
import { createInterface } from 'node:readline';
import * as images from '../../src/narrows/web/static/answers/lecture-images.js';
import * as nets from '../../src/narrows/web/static/answers/lecture-nets.js';
import * as units from '../../src/narrows/web/static/answers/lecture-units.js';

const QUESTIONS = { ...images, ...nets, ...units };

function plain(_, value) {
  if (!ArrayBuffer.isView(value?.data)) return value;
  const { data, shape } = value;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return { array: data.constructor.name.replace('Array', '').toLowerCase(), shape, bytes };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = QUESTIONS[ask](null, given);
  } catch (error) {
    answer = { refused: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer, plain)}\n`);
}
