import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { page } from './page.mjs';

const { Merged } = await page('merged.js');

/** A merged view of streams `a` and `b`, fed by hand. */
function scene() {
  const listeners = new Map();
  const told = { grew: 0, moved: 0, closed: 0 };
  const open = (address, listener) => {
    listeners.set(address, listener);
    return { close: () => (told.closed += 1), wake() {} };
  };
  const sources = ['a', 'b'].map((name) => ({ name, address: name }));
  const merged = new Merged(sources, { grew: () => (told.grew += 1), moved: () => (told.moved += 1), state() {} }, open);
  const write = (name, text) => listeners.get(name).bytes(new TextEncoder().encode(text));
  return { merged, told, listeners, write };
}

function forwards(merged) {
  const found = [];
  for (let entry = merged.after(null); entry; entry = merged.after(entry)) found.push(entry.line ?? entry.mark);
  return found;
}

function backwards(merged) {
  const found = [];
  for (let entry = merged.before(null); entry; entry = merged.before(entry)) found.unshift(entry.line ?? entry.mark);
  return found;
}

test('lines of two streams in the order of their times, whoever comes first', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { merged, told, write, listeners } = scene();
    write('a', '2026-11-25T20:00:01Z a1\n2026-11-25T20:00:05Z a2\n  trace\n2026-11-25T20:0');
    write('b', '2026-11-25T20:00:03Z b1\r\n2026-11-25T20:00:06Z b2\n');
    write('a', '0:07Z a3\n');
    const order = ['2026-11-25T20:00:01Z a1', '2026-11-25T20:00:03Z b1', '2026-11-25T20:00:05Z a2', '  trace', '2026-11-25T20:00:06Z b2', '2026-11-25T20:00:07Z a3'];
    assert.deepEqual(forwards(merged), order);
    assert.deepEqual(backwards(merged), order);
    assert.deepEqual([told.grew, told.moved], [5, 0]);
    // Rows are moved soon, and once for all that came late.
    mock.timers.tick(250);
    assert.equal(told.moved, 1);

    listeners.get('b').mark({ event: 'rotated' });
    assert.equal(forwards(merged)[5], 'rotated');
    const last = merged.before(null);
    assert.deepEqual([merged.above(last), merged.below(last)], [600, 0]);
    assert.equal(merged.at(0), merged.after(null));
    assert.equal(merged.at(1), last);
    merged.close();
    assert.equal(told.closed, 2);
  } finally {
    mock.timers.reset();
  }
});

test('a character that is cut in half, and a line that is cut off', () => {
  const { merged, listeners } = scene();
  const bytes = new TextEncoder().encode('Grüße\nhalf a line');
  for (const byte of bytes) listeners.get('a').bytes(Uint8Array.of(byte));
  assert.deepEqual(forwards(merged), ['Grüße']);
  listeners.get('a').begin({});
  assert.deepEqual(forwards(merged), ['Grüße', 'half a line']);
  merged.close();
});
