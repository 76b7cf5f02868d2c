// The page's functions that draw nothing, by node --test.
import assert from 'node:assert/strict';
import test from 'node:test';
import { unpack } from '../../src/narrows/web/static/wire/frames.js';
import { Connection } from '../../src/narrows/web/static/wire/connection.js';
import { newest } from '../../src/narrows/web/static/wire/newest.js';
import { Plot, multiples } from '../../src/narrows/web/static/widgets/plot.js';
import { blockOf } from '../../src/narrows/web/static/views/plane/background.js';
import { Lens } from '../../src/narrows/web/static/views/plane/lens.js';
import { isInside, mixed, ranked, thinned } from '../../src/narrows/web/static/views/plane/points.js';
import { format, join, parse, split, toBase64, toText } from '../../src/narrows/web/static/shell/address.js';
import { STRINGS } from '../../src/narrows/web/static/shell/strings.js';
import { shown } from '../../src/narrows/web/static/shell/models.js';
import { number } from '../../src/narrows/web/static/shell/numbers.js';
import { spaced, translate } from '../../src/narrows/web/static/shell/words.js';

const later = () => new Promise((done) => setTimeout(done));

function frame(head, ...arrays) {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const whole = Buffer.concat([length, text, ...arrays.map((array) => Buffer.from(array.buffer))]);
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length);
}

class Socket {
  static made = [];
  sent = [];
  readyState = 0;
  constructor() {
    Socket.made.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  opens() {
    this.readyState = 1;
    this.onopen();
  }
  breaks() {
    this.readyState = 3;
    this.onclose();
  }
  answers(head) {
    this.onmessage({ data: frame(head) });
  }
}

test('a frame is read, arrays at odd places and nested ones too', () => {
  const head = {
    id: 1,
    told: 'ž',
    bytes: { array: 'uint8', shape: [3] },
    parts: [{ floats: { array: 'float32', shape: [1, 2] } }],
    whole: { array: 'int32', shape: [2] },
    none: null,
  };
  const read = unpack(frame(head, Uint8Array.of(1, 2, 255), Float32Array.of(0.5, -1), Int32Array.of(-7, 7)));
  assert.equal(read.told, 'ž');
  assert.deepEqual([...read.bytes.data], [1, 2, 255]);
  assert.deepEqual([...read.parts[0].floats.data], [0.5, -1]);
  assert.deepEqual([...read.whole.data], [-7, 7]);
  assert.deepEqual(read.parts[0].floats.shape, [1, 2]);
  assert.equal(read.none, null);
});

test('only the newest of those that wait is worked on, one at a time', async () => {
  const done = [];
  let running = 0;
  const offer = newest(async (value) => {
    assert.equal(++running, 1);
    await later();
    running--;
    done.push(value);
  });
  const first = offer(1);
  [2, 3, 4].forEach((value) => offer(value));
  await first;
  assert.deepEqual(done, [1, 4]);
  await offer(5);
  assert.deepEqual(done, [1, 4, 5]);
});

test('newest goes on after what failed', async () => {
  const offer = newest((value) => (value < 0 ? Promise.reject(new Error('no')) : Promise.resolve()));
  await assert.rejects(offer(-1));
  await offer(1);
});

test('questions get their own answers, in any order', async () => {
  const connection = new Connection(
    '',
    () => {},
    () => new Socket(),
  );
  const socket = Socket.made.at(-1);
  const [a, b, c] = [connection.ask('models'), connection.ask('units', { model: 'x' }), connection.ask('at')];
  assert.deepEqual(socket.sent, []);
  socket.opens();
  assert.deepEqual(
    socket.sent.map(({ id, ask }) => [id, ask]),
    [
      [1, 'models'],
      [2, 'units'],
      [3, 'at'],
    ],
  );
  socket.answers({ id: 2, got: 'b' });
  socket.answers({ id: 3, refused: 'why' });
  socket.answers({ id: 1, got: 'a' });
  assert.deepEqual([(await a).got, (await b).got], ['a', 'b']);
  await assert.rejects(c, /why/);
});

test('a broken line is mended, and what was asked is asked again', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const told = [];
  const connection = new Connection(
    '',
    (open) => told.push(open),
    () => new Socket(),
  );
  const first = Socket.made.at(-1);
  first.opens();
  const answer = connection.ask('models');
  first.breaks();
  assert.deepEqual(told, [true, false]);
  context.mock.timers.tick(500);
  const second = Socket.made.at(-1);
  assert.notEqual(first, second);
  second.breaks();
  context.mock.timers.tick(999);
  assert.equal(Socket.made.at(-1), second, 'it waits twice as long');
  context.mock.timers.tick(1);
  Socket.made.at(-1).opens();
  assert.deepEqual(
    Socket.made.at(-1).sent.map(({ ask }) => ask),
    ['models'],
  );
  Socket.made.at(-1).answers({ id: 1, got: 1 });
  assert.equal((await answer).got, 1);
});

test('a lasso holds what is inside it, also where it is not convex', () => {
  const u = [
    [0, 0],
    [4, 0],
    [4, 4],
    [3, 4],
    [3, 1],
    [1, 1],
    [1, 4],
    [0, 4],
  ];
  const inside = [
    [0.5, 3],
    [2, 0.5],
    [3.5, 3.9],
  ];
  const outside = [
    [2, 3],
    [-1, 2],
    [5, 2],
    [2, 4.5],
  ];
  assert.ok(inside.every((place) => isInside(place, u)));
  assert.ok(!outside.some((place) => isInside(place, u)));
  for (const place of [...inside, ...outside]) assert.equal(isInside(place, u), isInside(place, [...u].reverse()));
  assert.ok(!isInside([0, 0], [[1, 1]]));
});

test('ranks come in bins that hold equally many', () => {
  assert.deepEqual(ranked([0.3, 0.1, 9, 0.2], 2), [1, 0, 1, 0]);
  const bins = ranked(
    Float32Array.from({ length: 800 }, (_, i) => (i * 7919) % 800),
    8,
  );
  for (let bin = 0; bin < 8; bin++) assert.equal(bins.filter((own) => own === bin).length, 100);
});

test('the state is its address', () => {
  const state = { view: 'plane', z: '-0.5,1e-7', class: 'á & b=c', x: '' };
  assert.equal(format(state), '#view=plane&z=-0.5,1e-7&class=%C3%A1+%26+b%3Dc');
  assert.deepEqual(parse(format(state)), { view: 'plane', z: '-0.5,1e-7', class: 'á & b=c' });
  assert.deepEqual(parse(''), {});
});

test('numbers in the address', () => {
  assert.deepEqual(split(join([0.123456, -2, 1e-9]), 3), [0.1235, -2, 1e-9]);
  for (const text of [undefined, '', '1', '1,2,3', '1,x', '1,', '1,Infinity', '1,NaN']) {
    assert.equal(split(text, 2), null, text);
  }
});

test('bytes in the address are those of base64', () => {
  for (let n = 0; n < 70; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 151 + n) % 256);
    assert.equal(toBase64(toText(bytes)), Buffer.from(bytes).toString('base64'));
    assert.equal(encodeURIComponent(toText(bytes)), toText(bytes));
  }
});

test('both languages say the same things, with the same values in them', () => {
  assert.deepEqual(Object.keys(STRINGS.cs), Object.keys(STRINGS.en));
  const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, text] of Object.entries(STRINGS.en)) {
    assert.deepEqual(values(STRINGS.cs[key]), values(text), key);
    assert.ok(text.trim() && STRINGS.cs[key].trim(), key);
  }
});

test('words and numbers as each language has them', () => {
  assert.equal(translate('en', 'key.help'), 'this list');
  assert.equal(translate('cs', 'error', { error: 'x {y}' }), 'Nepodařilo se: x {y}');
  assert.equal(number('en', -1234.5), '−1,230');
  assert.equal(number('en', -0.04, { maximumFractionDigits: 1 }), '0');
  assert.equal(number('cs', 0.25), '0,25');
  assert.equal(spaced('DenoisingAutoencoder'), 'Denoising Autoencoder');
  assert.equal(spaced('VAE'), 'VAE');
});

test('marks on an axis are the multiples in between, its ends among them', () => {
  assert.deepEqual(multiples(-0.3, 0.3, 0.1), [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
  assert.deepEqual(multiples(-1.3, 2.3, 1), [-1, 0, 1, 2]);
});

test('a curve is broken off where it leaves the plot', () => {
  const plot = { low: [0, 0], high: [1, 1], x: (v) => 10 * v, y: (v) => 10 - 10 * v };
  assert.equal(
    Plot.prototype.path.call(plot, [
      [0, 0],
      [0.2, 2],
      [0.5, 1],
      [1, 0.5],
    ]),
    'M0.00 10.00M5.00 0.00L10.00 5.00',
  );
});

test('the model that is shown is the one named, or the first whose codes fill a plane', () => {
  const models = [1, 4, 2, 8].map((d) => ({ id: `m${d}`, latent_dim: d, kind: 'VAE', data: 'digits' }));
  assert.equal(shown(models, 'm8').id, 'm8');
  assert.equal(shown(models, undefined).id, 'm2');
  assert.equal(shown(models, 'none').id, 'm2');
  assert.equal(shown(models.slice(0, 2), undefined).id, 'm4');
  assert.equal(shown(models.slice(0, 1), undefined).id, 'm1');
});

test('an order that is mixed has every row once, and any beginning of it is spread over all', () => {
  for (const n of [1, 2, 3, 10, 1797, 100_000]) {
    const order = mixed(n);
    assert.deepEqual([...order].sort((a, b) => a - b).slice(0, 5), [0, 1, 2, 3, 4].slice(0, Math.min(n, 5)));
    assert.equal(new Set(order).size, n);
  }
  const first = mixed(10_000).slice(0, 100);
  const tenths = Array.from({ length: 10 }, (_, i) => first.filter((row) => Math.floor(row / 1000) === i).length);
  assert.ok(Math.min(...tenths) >= 8 && Math.max(...tenths) <= 12, String(tenths));
});

test('whoever goes nearer sees points come and none go', () => {
  const points = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i + 1));
  const rows = mixed(2000);
  const cells = [0.5, 0.25, 0.125].map((size) => thinned(rows, points, [-1, -1], [size, size]));
  assert.deepEqual(
    cells.map((kept) => kept.length > 0 && kept.length < 2000),
    [true, true, true],
  );
  assert.ok(cells[0].every((row) => cells[1].includes(row)) && cells[1].every((row) => cells[2].includes(row)));
  assert.equal(cells[0].length, 16); // a point for each cell
});

test('a lens shows a place wherever it is magnified, and all points from far', () => {
  const lens = new Lens([-1, -2], [1, 2], Float32Array.of(0, 0, 10, 0, 0, -3));
  assert.equal(lens.text, '');
  assert.deepEqual(lens.onStage([1, 2]), [1, 0]);
  const place = lens.inPlane([0.2, 0.7]);
  lens.zoom(4, [0.2, 0.7]);
  assert.deepEqual(
    lens.onStage(place).map((at) => Number(at.toFixed(9))),
    [0.2, 0.7],
  );
  const other = new Lens([-1, -2], [1, 2], Float32Array.of(0, 0, 10, 0, 0, -3));
  other.read(lens.text);
  assert.equal(other.text, lens.text);
  lens.whole();
  for (const point of [
    [0, 0],
    [10, 0],
    [0, -3],
  ]) {
    assert.ok(lens.onStage(point).every((at) => at >= 0 && at <= 1));
  }
  lens.zoom(0.5, [0, 0]);
  assert.equal(lens.factor, lens.farthest);
  lens.reset();
  assert.equal(lens.text, '');
  lens.follow([5, 0]);
  assert.ok(lens.onStage([5, 0])[0] < 1);
});

test('tiles lie on a grid that stands still, and cover what is shown', () => {
  const lens = new Lens([0, 0], [18, 18], Float32Array.of(0, 0, 18, 18));
  assert.deepEqual(blockOf(lens, 18), { side: 20, low: [-1, -1], high: [19, 19] });
  lens.set(2, [9.3, 9.2]);
  const { side, low, high } = blockOf(lens, 18);
  const size = (high[0] - low[0]) / side;
  assert.equal(size, 0.5);
  assert.ok([...low, ...high].every((end) => Number.isInteger(end / size)));
  assert.ok(low.every((end, axis) => end <= lens.low[axis]) && high.every((end, axis) => end >= lens.low[axis] + 9));
});
