// Answers as a shared page does: it is given what stands in the page, and then a question a line, in JSON, and answers
// in a line each.
import { createInterface } from 'node:readline';
import { Inside } from '../../src/narrows/web/static/wire/inside.js';

function plain(_, value) {
  if (!ArrayBuffer.isView(value?.data)) return value;
  const { data, shape } = value;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return { array: data.constructor.name.replace('Array', '').toLowerCase(), shape, bytes };
}

let page = null;
for await (const line of createInterface({ input: process.stdin })) {
  const { shared, answers, ask, ...given } = JSON.parse(line);
  if (shared) page = new Inside({ textContent: shared, dataset: { answers } });
  else {
    const answer = await page.ask(ask, given).catch((error) => ({ refused: error.message }));
    process.stdout.write(`${JSON.stringify(answer, plain)}\n`);
  }
}
