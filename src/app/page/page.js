// The page: which stream is shown, and who tells whom.

import { Follow } from './follow.js';
import { Log } from './log.js';
import { Readings } from './readings.js';
import { Stream } from './stream.js';

/** How often the list of streams is read again while somebody looks, in ms. */
const LIST_EVERY = 60_000;
/** How long to wait before asking again for a list that did not come, in ms. */
const LIST_AGAIN = 2_000;

const at = (id) => document.getElementById(id);
const view = at('view');
const number = (n, one, many) => (n === 1 ? `1 ${one}` : `${n.toLocaleString('en')} ${many}`);

const WORDS = { connecting: 'connecting', live: 'live', waiting: 'waiting for the file', reconnecting: 'reconnecting' };

const SENTENCES = {
  rotated: () => 'rotated: a new file begins here',
  truncated: ({ lost }) =>
    `truncated: the file begins again here, ${lost ? number(lost, 'byte', 'bytes') : 'nothing'} of the old content was lost`,
  lost: ({ bytes }) => `lost: ${bytes === null ? 'an unknown number of bytes is' : number(bytes, 'byte is', 'bytes are')} not shown here`,
  missing: () => 'missing: there is no such file now',
  found: () => 'found: the file is there',
};

/** What a sensor or a pipe would be called a file for. */
const SAYINGS = {
  sample: { waiting: 'waiting for a reading', missing: 'missing: it can’t be read now', found: 'found: it is read again' },
  pipe: { waiting: 'waiting for more', missing: 'ended: nothing more comes from here now', found: 'found: it goes on' },
};
const READINGS = 'from here on each line is a new reading: the file is written anew each time';

const follow = new Follow(view, at('rows'), at('jump'));
const log = new Log(at('rows'), ({ rows, dropped }) => {
  at('dropped').hidden = dropped === 0;
  at('count').textContent = `${number(dropped, 'older line is', 'older lines are')} not shown any more`;
  follow.grew(rows);
});

const readings = new Readings();

let sources = [];
let shown = null;
let stream = null;
let listIsOld = true;
/** The names in the list, as JSON. */
let offered = '';

const source = () => sources.find(({ name }) => name === shown);
const saying = (word) => SAYINGS[source()?.kind]?.[word];

const listener = {
  bytes(bytes) {
    readings.write(bytes);
    log.write(bytes);
  },
  mark(event) {
    const anew = event.event === 'rotated' || (event.event === 'truncated' && event.lost === 0);
    if (anew && readings.turn()) {
      log.end();
      const mark = readings.takeMark();
      if (mark) log.reword(mark, 'readings', READINGS);
      return;
    }
    readings.mark = log.mark(event.event, saying(event.event) ?? SENTENCES[event.event](event));
    if (!anew) readings.reset();
  },
  state(word, seconds) {
    at('state').dataset.state = word;
    const words = saying(word) ?? WORDS[word];
    // Set only when it changes: it is read aloud. The count-down is not.
    if (at('word').textContent !== words) at('word').textContent = words;
    at('countdown').textContent = word === 'reconnecting' ? ` in ${seconds} s` : '';
    if (word === 'reconnecting') listIsOld = true;
    // A server that was restarted may follow other files.
    else if (word === 'live' && listIsOld) refresh();
  },
};

/** The name in the address, kept over a reload and in a bookmark. */
function wanted() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

function show() {
  const name = wanted() || sources[0]?.name;
  if (name === undefined || name === shown) return;
  shown = name;
  const address = sources.find((source) => source.name === name)?.url ?? `stream/${encodeURIComponent(name)}`;
  stream?.close();
  log.clear();
  readings.reset();
  at('dropped').hidden = true;
  follow.toEnd();
  document.title = `${name} · Tailcast`;
  at('name').textContent = name;
  at('whole').href = address;
  stream = new Stream(address, listener);
}

function offer() {
  const served = sources.map((source) => source.name);
  const names = shown === null || served.includes(shown) ? served : [...served, shown];
  const choice = at('choice');
  // Left alone where nothing changed: it may be open.
  const offer = JSON.stringify([names, served]);
  if (offer !== offered) {
    const option = (name) => new Option(served.includes(name) ? name : `${name} (not served here)`, name);
    choice.replaceChildren(...names.map(option));
    offered = offer;
  }
  choice.value = shown;
  choice.hidden = names.length < 2;
  at('name').classList.toggle('unseen', names.length > 1);
  at('polled').hidden = source()?.watch !== 'polling';
}

async function refresh() {
  listIsOld = false;
  try {
    const answer = await fetch('sources', { cache: 'no-store' });
    if (answer.ok) sources = await answer.json();
  } catch {
    // The server is away; the state says so already.
  }
  if (sources.length === 0) setTimeout(refresh, LIST_AGAIN);
  show();
  offer();
}

// Who is about to choose sees what has come since.
at('choice').addEventListener('focus', () => refresh());
at('choice').addEventListener('change', ({ target }) => {
  location.hash = encodeURIComponent(target.value);
});
addEventListener('hashchange', () => {
  show();
  offer();
});

addEventListener('online', () => stream?.wake());
addEventListener('pageshow', () => stream?.wake());
document.addEventListener('visibilitychange', () => document.hidden || stream?.wake());
setInterval(() => document.hidden || refresh(), LIST_EVERY);

/** A browser that keeps no data for us forgets the choice, no more. */
const memory = (use) => {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
};

function wrap(on) {
  view.classList.toggle('wrapped', on);
  at('wrap').ariaPressed = String(on);
}

wrap(memory((store) => store.getItem('wrap')) !== 'off');
at('wrap').addEventListener('click', () => {
  const on = !view.classList.contains('wrapped');
  wrap(on);
  memory((store) => store.setItem('wrap', on ? 'on' : 'off'));
});

// So that the keys scroll it from the start.
view.focus({ focusVisible: false });
refresh();
