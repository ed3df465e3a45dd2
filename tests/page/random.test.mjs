// Whatever stands in a file: nothing throws, nothing takes long, and what is told of a line lies within it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dice } from './dice.mjs';
import { page } from './page.mjs';

const { overwritten, plain, spans } = await page('ansi.js');
const { LEVELS, level } = await page('level.js');
const { compile, terms } = await page('pattern.js');
const { record } = await page('json.js');
const { continues } = await page('lines.js');
const { detect, reader } = await page('fields.js');
const { Times, shown } = await page('time.js');

/** What the modules look for, to be found in wrong places. */
const PIECES = [
  '\x1b[', '\x1b]8;;', '\x1b\\', '\x07', '\x1b[38;5;', '\x1b[48;2;1;2;', 'm', '\r', '\x9b', '\x9d', '\0', ';', ':', ',', '\t', ' ', '  ', '"', '{', '}', '[', ']',
  '(', ')', '/', '\\', '<', '>', '=', '-', '+', '.', '|', '§', '2026-11-25', 'T', '20:26:01', '.123', 'Z', '+01:00', 'CET', 'Dec  2 ', 'Thu ', '1795634761', '99', '0', 'E1125 ',
  'ERROR', 'info', '[WARN]', 'level=', '"level":', '"time":', 'time=', 'temp', '21.5', '°C', 'NaN', 'null', 'Stats ', 'Start printer at ', 'audit(', '29/Jan/2024:', '(?=', '\\1', '/a+/', 'é', '漢', '👍', '\ud83d',
];

function line(random) {
  const length = Math.floor(random() * 24);
  if (random() < 0.3) {
    const bytes = Uint8Array.from({ length: length * 4 }, () => Math.floor(random() * 256));
    return new TextDecoder().decode(bytes).replaceAll('\n', '');
  }
  return Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]).join('');
}

/** All that is asked of a line. */
function ask(text, times, term) {
  const visible = plain(text);
  assert.equal(spans(text).map((span) => span.text).join(''), visible);
  assert.doesNotMatch(visible, /[\0-\x08\n-\x1f\x7f-\x9f]/);
  assert.ok(!overwritten(text).includes('\r'));
  assert.ok([null, ...LEVELS].includes(level(text)));
  const found = times.parse(text);
  if (found) {
    assert.ok(found.start >= 0 && found.start < found.end && found.end <= text.length, text);
    assert.ok(Number.isFinite(found.ms));
    assert.ok(shown(found.ms, false).length >= 10);
  }
  const log = record(text);
  if (log) assert.ok(Array.isArray(log.rest) && [null, ...LEVELS].includes(log.level));
  assert.equal(typeof continues(text, false), 'boolean');
  for (const [start, end] of term.ranges(text)) assert.ok(start >= 0 && start < end && end <= text.length);
}

test('random lines', () => {
  const random = dice(14);
  for (let i = 0; i < 4_000; i += 1) {
    const text = line(random);
    const times = new Times({ zoneOffsetMinutes: 60, now: Date.UTC(2026, 10, 25) });
    times.learn([line(random), text], Date.UTC(2026, 10, 25));
    const pattern = line(random);
    assert.ok(['string', 'object'].includes(typeof terms([pattern]).error));
    try {
      ask(text, times, compile(pattern));
    } catch (error) {
      throw new Error(JSON.stringify(text), { cause: error });
    }
  }
});

test('random streams', () => {
  const random = dice(15);
  let charts = 0;
  for (let i = 0; i < 400; i += 1) {
    // Lines of one shape with other digits, and some of any.
    const shape = line(random);
    const lines = Array.from({ length: 30 }, () =>
      random() < 0.1 ? line(random) : shape.replace(/\d/g, () => String(Math.floor(random() * 10))),
    );
    const found = detect(lines, { path: line(random) });
    if (!found) continue;
    charts += 1;
    const read = reader(JSON.parse(JSON.stringify(found)));
    let wrong = 0;
    for (const text of [...lines, ...Array.from({ length: 10 }, () => line(random))]) {
      const row = read(text);
      if (row === null) wrong += 1;
      else {
        assert.equal(row.values.length, found.series.length);
        assert.ok(row.values.every((value) => Number.isNaN(value) || Number.isFinite(value)), text);
        assert.ok(row.ms === null || Number.isFinite(row.ms), text);
      }
    }
    assert.ok(read.wrong <= wrong);
  }
  assert.ok(charts > 10, `${charts} of the streams had a chart`);
});

test('a line of 64 KiB of anything is no burden', () => {
  // Far above what it takes; far below what it would take if the time grew with the square of the length.
  const limit = 2_000;
  const term = compile('timeout');
  for (const piece of PIECES) {
    const text = piece.repeat(Math.ceil(65_536 / piece.length));
    const begin = performance.now();
    ask(text, new Times(), term);
    detect([text, text]);
    const ms = performance.now() - begin;
    assert.ok(ms < limit, `${Math.round(ms)} ms for ${JSON.stringify(piece)}`);
  }
});
