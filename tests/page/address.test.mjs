import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { page } from './page.mjs';

/** A browser of which the address is all that counts: each change of it is in `changes`. */
const changes = [];
const listeners = {};
globalThis.location = { hash: '' };
const change = (how) => (state, title, fragment) => {
  changes.push(`${how} ${fragment}`);
  location.hash = fragment;
};
globalThis.history = { replaceState: change('replace'), pushState: change('push') };
globalThis.addEventListener = (event, action) => {
  listeners[event] = action;
};
let now = 0;
let timer = null;
globalThis.setTimeout = (action, wait) => (timer = { action, at: now + wait });
globalThis.clearTimeout = () => (timer = null);
Object.defineProperty(globalThis, 'performance', { value: { now: () => now } });

const { address } = await page('view.js');
const view = (name) => ({ name, with: [], filters: [], highlights: [], level: null, around: 0, at: null, chart: null });

/** Lets so many ms go by. */
function pass(ms) {
  now += ms;
  if (timer && timer.at <= now) timer.action();
}

beforeEach(() => {
  pass(10_000);
  location.hash = '';
  listeners.hashchange();
  changes.length = 0;
});

test('a view that changes a thousand times in ten seconds is few changes of the address, and the last one', () => {
  for (let number = 0; number <= 1000; number++) {
    address(view(`n${number}`));
    pass(10);
  }
  pass(500);
  assert.ok(changes.length > 10 && changes.length <= 22, changes.join());
  assert.equal(location.hash, '#n1000');
});

test('the first change is there at once', () => {
  address(view('a'));
  pass(0);
  assert.deepEqual(changes, ['replace #a']);
});

test('who leaves takes the newest view along, and "back" keeps its steps', () => {
  for (const name of ['a', 'b']) address(view(name));
  listeners.pagehide();
  assert.deepEqual(changes, ['replace #b']);
  address(view('c'));
  address(view('d'), true);
  assert.deepEqual(changes, ['replace #b', 'replace #c', 'push #d']);
});

test('who has just gone elsewhere is not brought back by a view of before', () => {
  location.hash = '#elsewhere';
  // The browser tells of it later, and the log has come to rest meanwhile.
  address(view('a'));
  pass(0);
  address(view('a'));
  listeners.hashchange();
  pass(1000);
  assert.deepEqual([changes, location.hash], [[], '#elsewhere']);
  address(view('elsewhere-again'));
  pass(0);
  assert.deepEqual(changes, ['replace #elsewhere-again']);
});

test('who has gone elsewhere by hand is not brought back', () => {
  address(view('a'));
  location.hash = '#elsewhere';
  listeners.hashchange();
  pass(1000);
  assert.deepEqual(changes, []);
});
