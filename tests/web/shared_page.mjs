// Answers as shared pages do: a line of JSON holds what stands in a page, or a question to one of those before, by its
// number, to which a line with the answer is written.
import { createInterface } from 'node:readline';
import { Inside } from '../../src/narrows/web/static/wire/inside.js';

function plain(_, value) {
  if (!ArrayBuffer.isView(value?.data)) return value;
  const { data, shape } = value;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return { array: data.constructor.name.replace('Array', '').toLowerCase(), shape, bytes };
}

const pages = [];
for await (const line of createInterface({ input: process.stdin })) {
  const { shared, answers, page, ask, ...given } = JSON.parse(line);
  if (shared) pages.push(new Inside({ textContent: shared, dataset: { answers } }));
  else {
    const answer = await pages[page].ask(ask, given).catch((error) => ({ refused: error.message }));
    process.stdout.write(`${JSON.stringify(answer, plain)}\n`);
  }
}
