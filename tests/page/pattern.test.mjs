import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { compile, terms } = await page('pattern.js');

test('plain terms: lower case means any case', () => {
  const table = [
    ['timeout', 'Timeout here', true],
    ['Timeout', 'timeout here', false],
    ['Timeout', 'a Timeout', true],
    ['a.b', 'axb', false],
    ['a.b', 'A.B', true],
    // As on the board: the case of ASCII letters only.
    ['grün', 'GRüN', true],
    ['grün', 'GRÜN', false],
    ['Ärger', 'ÄRGER', false],
    ['n\\t', 'N\\T', true],
    ['/dev', '/DEV/tty', true],
    ['(x', 'f(x)', true],
    ['/', 'a/b', true],
    ['//', 'http://x', true],
  ];
  for (const [term, line, fits] of table) assert.equal(compile(term).test(line), fits, `${term} in ${line}`);
});

test('expressions', () => {
  const table = [
    ['/^a.*z$/', 'abcz', true],
    ['/ERR|WARN/', 'a WARN', true],
    ['/err/', 'ERR', false],
    ['/(?i)err/', 'ERR', true],
    ['/(?P<n>\\d+)/', 'a1', true],
    ['/[(?=]/', 'a=', true],
    ['/a\\/b/', 'a/b', true],
  ];
  for (const [term, line, fits] of table) {
    assert.equal(compile(term).error, null, term);
    assert.equal(compile(term).test(line), fits, `${term} in ${line}`);
  }
  const twice = compile('/x/');
  assert.ok(twice.test('x') && twice.test('x'), 'a second look finds the same');
});

test('ranges of all hits', () => {
  assert.deepEqual(compile('ab').ranges('ab AB xab'), [[0, 2], [3, 5], [7, 9]]);
  assert.deepEqual(compile('/x*/').ranges('axxb'), [[1, 3]]);
  assert.deepEqual(compile('/x/').ranges('y'), []);
  assert.equal(compile('a').ranges('a'.repeat(5000)).length, 200);
});

test('what the board does not know is said', () => {
  const table = [
    ['/a(?=b)/', /`\(\?=`: the board's search knows no looking around/],
    ['/a(?<!b)/', /looking around/],
    ['/(a)\\1/', /`\\1`.*going back to a group/],
    ['/\\k<n>/', /going back/],
    ['/\\p{L}/', /Unicode/],
    ['/(/', /^`\/\(\/`: /],
    ['/[/', /^`\/\[\/`: /],
  ];
  for (const [term, sentence] of table) {
    const compiled = compile(term);
    assert.match(compiled.error, sentence);
    assert.equal(compiled.test('ab'), false);
    assert.deepEqual(compiled.ranges('ab'), []);
  }
});

test('a list of terms', () => {
  assert.deepEqual(terms(['timeout', '-cron', '/a|b/', '-/x/', '', '-']), {
    match: ['timeout', '/a|b/', '-'],
    not: ['cron', '/x/'],
    error: null,
  });
  assert.match(terms(['ok', '-/(/', '/(?=a)/']).error, /^`\/\(\/`/);
});
