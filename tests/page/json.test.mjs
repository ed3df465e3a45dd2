import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { record } = await page('json.js');
const { continues } = await page('lines.js');

test('records of the usual loggers', () => {
  const table = [
    [
      '{"timestamp":"2026-05-20T22:52:37.240+02:00","log_level":"INFO","message":"FTL started","n":1}',
      { time: '2026-05-20T22:52:37.240+02:00', level: 'info', logger: null, message: 'FTL started', rest: [['n', 1]] },
    ],
    [
      '{"level":30,"time":1627551892437,"pid":1,"name":"app","msg":"pino"}',
      { time: 1627551892437, level: 'info', logger: 'app', message: 'pino', rest: [['pid', 1]] },
    ],
    [
      '{"log":{"level":"warn","logger":"a.b"},"@timestamp":"2026-05-20T22:52:37Z","message":"ecs"}',
      { time: '2026-05-20T22:52:37Z', level: 'warn', logger: 'a.b', message: 'ecs', rest: [] },
    ],
    [
      '{"log":"started\\n","stream":"stdout","time":"2026-05-20T22:52:37Z"}',
      { time: '2026-05-20T22:52:37Z', level: null, logger: null, message: 'started', rest: [['stream', 'stdout']] },
    ],
    [
      '2026-11-25T20:26:01+01:00 {"msg":"behind a time","level":"odd"}',
      { time: '2026-11-25T20:26:01+01:00', level: null, logger: null, message: 'behind a time', rest: [['level', 'odd']] },
    ],
    ['{"t":21.5,"level":42}', { time: null, level: null, logger: null, message: null, rest: [['t', 21.5], ['level', 42]] }],
    ['{}', { time: null, level: null, logger: null, message: null, rest: [] }],
    ['{"a":{"b":[1]},"__proto__":1}', { time: null, level: null, logger: null, message: null, rest: [['a', { b: [1] }], ['__proto__', 1]] }],
  ];
  for (const [line, expected] of table) assert.deepEqual(record(line), expected, line);
});

test('what is no record', () => {
  for (const line of ['', 'text', 'text {"a":1}', '{"a":1', '[1,2]', '{a:1}', `{"a":"${'x'.repeat(65536)}"}`, '1 + {}']) {
    assert.equal(record(line), null, line.slice(0, 40));
  }
});

test('lines that belong to the one before', () => {
  const trace = ['  File "x.py", line 3', '\tat com.example.Main', 'Traceback (most recent call last):', 'Caused by: x', 'at f', '}', 'ValueError: x', '... 12 more'];
  for (const line of trace) {
    assert.equal(continues(line, false), true, line);
    assert.equal(continues(line, true), true, line);
  }
  assert.equal(continues('some text', false), false);
  assert.equal(continues('some text', true), true);
  assert.equal(continues('attached', false), false);
  assert.equal(continues('2026-11-25 20:26:01 x', true), false);
  assert.equal(continues('  2026-11-25 20:26:01 x', true), false);
  assert.equal(continues('', false), false);
});
