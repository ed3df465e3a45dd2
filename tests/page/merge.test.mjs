import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { Merge } = await page('merge.js');
const shown = (merge) => merge.lines.map(({ line }) => line).join(' ');

test('lines are ordered by time, a late one is put in its place', () => {
  const merge = new Merge();
  const table = [
    ['a', 'a1', 10, 0, 'a1'],
    ['b', 'b1', 30, 1, 'a1 b1'],
    ['a', 'a2', 20, 1, 'a1 a2 b1'],
    ['b', 'b2', 40, 3, 'a1 a2 b1 b2'],
    ['c', 'c1', 5, 0, 'c1 a1 a2 b1 b2'],
    ['a', 'a3', 40, 5, 'c1 a1 a2 b1 b2 a3'],
  ];
  for (const [source, line, ms, index, order] of table) {
    assert.deepEqual(merge.put(source, line, ms, 100), { index, dropped: 0 }, line);
    assert.equal(shown(merge), order);
  }
});

test('one stream is never sorted anew', () => {
  const merge = new Merge();
  for (const [source, line, ms] of [['a', 'a1', 50], ['b', 'b1', 60], ['a', 'a2', 10], ['b', 'b2', 20], ['a', 'a3', 55]]) merge.put(source, line, ms, 100);
  for (const source of ['a', 'b']) {
    const lines = merge.lines.filter((line) => line.source === source).map(({ line }) => line);
    assert.deepEqual(lines, [...lines].sort());
  }
});

test('lines without a time stay behind the one before, or go by arrival', () => {
  const merge = new Merge();
  merge.put('a', 'a1', 10, 100);
  merge.put('b', 'b1', 20, 100);
  merge.put('a', 'trace', null, 101);
  merge.put('c', 'c1', null, 15);
  assert.equal(shown(merge), 'a1 trace c1 b1');
});

test('memory has an end', () => {
  const merge = new Merge();
  for (let i = 0; i < 5_000; i += 1) merge.put('a', String(i), i, i);
  assert.deepEqual(merge.put('b', 'late', 4_998.5, 5_000), { index: 4_998, dropped: 1 });
  assert.equal(merge.lines.length, 5_000);
  assert.equal(merge.dropped, 1);
  // Older than all that is kept.
  assert.deepEqual(merge.put('c', 'ancient', -1, 5_000), { index: -1, dropped: 1 });
});

test('each stream has its colour, also after another was taken away', () => {
  const merge = new Merge();
  assert.deepEqual(['x', 'y', 'x', 'z'].map((name) => merge.colour(name)), ['source0', 'source1', 'source0', 'source2']);
  merge.put('x', 'x1', 1, 1);
  merge.put('y', 'y1', 2, 2);
  merge.remove('x');
  assert.equal(shown(merge), 'y1');
  assert.equal(merge.colour('w'), 'source0');
  assert.deepEqual(['y', 'z'].map((name) => merge.colour(name)), ['source1', 'source2']);
});
