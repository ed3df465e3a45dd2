import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { page } from './page.mjs';

const { Streams } = await page('streams.js');
const { points } = await page('streamlist.js');
const { age } = await page('time.js');

const NOW = Date.UTC(2026, 10, 25, 20, 0);
const file = (name, size, secondsAgo, more = {}) => ({
  name, kind: 'file', size, modified: secondsAgo === null ? null : new Date(NOW - secondsAgo * 1000).toISOString(), url: `stream/${name}`, clients: 0, ...more,
});

/** A server whose answers are given, with a clock of its own. */
function scene(answers, more = {}) {
  const scene = { now: NOW, asked: 0, appeared: [], changed: 0, asleep: false };
  scene.streams = new Streams({
    ask: async () => {
      scene.asked += 1;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === null) throw new Error('away');
      return answer;
    },
    now: () => scene.now,
    asleep: () => scene.asleep,
    changed: () => (scene.changed += 1),
    appeared: ({ name }) => scene.appeared.push(name),
    ...more,
  });
  return scene;
}

test('the newest first, with age and rate', async () => {
  const one = scene([
    [file('old', 5, 9000), file('b', 100, 3), file('a', 10, 50), file('never', null, null)],
    [file('old', 5, 9000), file('b', 600, -5), file('a', 10, 50), file('never', null, null)],
    [file('old', 5, 9000), file('b', 40, -10), file('a', 10, 50), file('never', null, null)],
  ]);
  await one.streams.ask();
  assert.deepEqual(one.streams.list.map(({ name, age }) => [name, age]), [['a', 50_000], ['b', 3_000], ['old', 9_000_000], ['never', null]]);
  one.now += 5_000;
  await one.streams.ask();
  one.now += 5_000;
  await one.streams.ask();
  const b = one.streams.list.find(({ name }) => name === 'b');
  // 500 bytes in 5 s; then another file, of which 40 bytes came.
  assert.deepEqual(b.rates, [100, 8]);
  assert.equal(b.age, 0);
  assert.equal(one.changed, 3);
  one.streams.close();
});

test('a board with a wrong clock: what was seen to change is new', async () => {
  const one = scene([[file('a', 1, 86_400)], [file('a', 2, 86_395)], [file('a', 2, 86_395)]]);
  await one.streams.ask();
  one.now += 5_000;
  await one.streams.ask();
  assert.equal(one.streams.list[0].age, 0);
  one.now += 5_000;
  await one.streams.ask();
  assert.equal(one.streams.list[0].age, 5_000);
  one.streams.close();
});

test('readings of a sample', async () => {
  const one = scene([[file('t', 6, 0, { kind: 'sample' })], [file('t', 6, -1, { kind: 'sample' })], [file('t', 6, -1, { kind: 'sample' })]]);
  for (let i = 0; i < 3; i += 1) {
    await one.streams.ask();
    one.now += 1_000;
  }
  assert.deepEqual(one.streams.list[0].rates, [1, 0]);
  one.streams.close();
});

test('a stream that appears is told of once', async () => {
  const one = scene([[file('a', 1, 0)], [file('a', 1, 0), file('b', 1, 0)], [file('b', 1, 0)], [file('a', 1, 0), file('b', 1, 0)]]);
  for (let i = 0; i < 4; i += 1) await one.streams.ask();
  assert.deepEqual(one.appeared, ['b', 'a']);
  one.streams.close();
});

/** Lets what is due happen, in steps of a second. */
async function pass(seconds) {
  for (let i = 0; i < seconds; i += 1) {
    mock.timers.tick(1_000);
    for (let turn = 0; turn < 10; turn += 1) await null;
  }
}

test('one chain of requests, whatever happens', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const one = scene([[]]);
    // Many ask at once, of a server without a stream.
    for (let i = 0; i < 50; i += 1) one.streams.ask();
    await one.streams.ask();
    assert.equal(one.asked, 1);
    await pass(3_600);
    // 2, 4, 8, 16, 32 s, then each minute.
    assert.ok(one.asked > 55 && one.asked < 70, `${one.asked} requests in an hour`);
    one.streams.close();

    const open = scene([[file('a', 1, 0)], null, null, [file('a', 1, 0)]]);
    open.streams.open = true;
    await pass(0);
    await open.streams.ask();
    await pass(60);
    assert.ok(open.asked >= 18 && open.asked <= 22, `${open.asked} requests in a minute`);
    open.streams.open = false;
    const before = open.asked;
    await pass(300);
    assert.equal(open.asked - before, 5);
    open.asleep = true;
    await pass(600);
    assert.equal(open.asked - before, 5);
    open.streams.close();
    open.streams.ask();
    await pass(300);
    assert.equal(open.asked - before, 5);
  } finally {
    mock.timers.reset();
  }
});

test('ages and sparklines', () => {
  const table = [[null, 'never'], [0, '0 s ago'], [59_999, '59 s ago'], [60_000, '1 min ago'], [7_200_000, '2 h ago'], [172_800_000, '2 days ago']];
  for (const [ms, words] of table) assert.equal(age(ms), words);
  assert.equal(points([0, 0]), '57.9,15.0 60.0,15.0');
  assert.equal(points([5, 10]), '57.9,8.0 60.0,1.0');
  assert.equal(points([]), '');
});
