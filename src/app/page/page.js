// The page: which stream is shown, and who tells whom.

import { Announcer } from './announce.js';
import { Log } from './log.js';
import { Rows } from './row.js';
import { keep, kept } from './settings.js';
import { Stream } from './stream.js';
import { Times } from './time.js';
import { format, parse } from './view.js';
import { Window } from './window.js';

/** How often the list of streams is read again while somebody looks, in ms. */
const LIST_EVERY = 60_000;
/** How long to wait before asking again for a list that did not come, in ms. */
const LIST_AGAIN = 2_000;
/** A hidden tab reads no further than this, in bytes: it would cost a phone its battery. */
const UNREAD = 8 * 1024 * 1024;

const at = (id) => document.getElementById(id);
const number = (n, one, many) => (n === 1 ? `1 ${one}` : `${n.toLocaleString('en')} ${many}`);

const WORDS = { connecting: 'connecting', live: 'live', waiting: 'waiting for the file', reconnecting: 'reconnecting' };
const WAITING = { sample: 'waiting for a reading', pipe: 'waiting for more' };

const announcer = new Announcer(at('word'), at('news'));

let sources = [];
let view = parse(location.hash);
let shown = null;
let log = null;
let rows = null;
let stream = null;
let state = 'connecting';
let listIsOld = true;
/** The names in the list, as JSON. */
let offered = '';
/** New lines since the reader left the end. */
let missed = 0;
/** Bytes since the tab was hidden. */
let unread = 0;

const source = () => sources.find(({ name }) => name === shown);

const win = new Window(at('view'), at('canvas'), at('rows'), (entry) => rows.draw(entry), {
  followed() {
    missed = 0;
    sayFollowing();
    sayState();
  },
  drawn() {
    at('empty').hidden = win.items.length > 0 || state !== 'live';
  },
  rested() {
    const anchor = win.following ? null : win.anchor?.entry;
    view.at = anchor && !anchor.mark ? { inode: anchor.run.inode, offset: anchor.start } : null;
    history.replaceState(null, '', format(view));
  },
});

const told = {
  grew(lines) {
    if (!win.following) {
      missed += lines;
      sayFollowing();
    }
    win.grew();
  },
  marked(mark) {
    announcer.say(mark.sentence);
    win.grew();
  },
  reworded(mark) {
    win.redrawMark(mark);
  },
  began() {
    win.grew();
  },
};

const listener = {
  begin: (place) => log.begin(place),
  mark: (event) => log.mark(event),
  reconnected: (ms) => log.reconnected(ms),
  joined: (left, place) => log.joined(left, place),
  beat(ms) {
    at('state').title = `answers within ${ms} ms`;
  },
  bytes(bytes) {
    log.write(bytes, win.following);
    if (!document.hidden || log.needed) return;
    unread += bytes.length;
    if (unread > UNREAD && source()?.kind === 'file') stream.park();
  },
  state(word, seconds) {
    state = word;
    at('state').dataset.state = word;
    sayState();
    at('countdown').textContent = word === 'reconnecting' ? ` in ${seconds} s` : '';
    if (word === 'reconnecting') listIsOld = true;
    // A server that was restarted may follow other files.
    else if (word === 'live' && listIsOld) refresh();
    at('empty').hidden = win.items.length > 0 || word !== 'live';
  },
};

function sayState() {
  const word = (state === 'waiting' && WAITING[source()?.kind]) || WORDS[state];
  const paused = state === 'live' && !win.following;
  at('state').toggleAttribute('data-paused', paused);
  announcer.state(paused ? `${word}, paused` : word);
}

function sayFollowing() {
  at('jump').hidden = win.following;
  at('jump').textContent = missed > 0 ? `↓ ${number(missed, 'new line', 'new lines')}` : '↓ to the end';
  at('pause').textContent = win.following ? 'Pause' : 'Resume';
}

function show() {
  const name = view.name || sources[0]?.name;
  if (name === undefined || name === shown) return;
  shown = view.name = name;
  const address = source()?.url ?? `stream/${encodeURIComponent(name)}`;
  stream?.close();
  log?.close();
  missed = unread = 0;
  const times = new Times();
  log = new Log(address, () => source()?.kind ?? 'file', times, told);
  rows = new Rows(log.pieces, times, () => Boolean(kept(shown).local));
  document.title = `${name} · Tailcast`;
  at('name').textContent = name;
  wrap(kept(name).wrap ?? true);
  win.open(log.lines);
  stream = new Stream(address, listener);
}

function offer() {
  const served = sources.map(({ name }) => name);
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
  const known = new Set(sources.map(({ name }) => name));
  try {
    const answer = await fetch('sources', { cache: 'no-store' });
    if (answer.ok) sources = await answer.json();
  } catch {
    // The server is away; the state says so already.
  }
  if (sources.length === 0) setTimeout(refresh, LIST_AGAIN);
  show();
  offer();
  if (known.size > 0) for (const { name } of sources) if (!known.has(name) && name !== shown) log?.appeared(name);
}

function wrap(on) {
  win.keep(() => at('view').classList.toggle('wrapped', on));
  at('wrap').ariaPressed = String(on);
}

at('wrap').addEventListener('click', () => {
  const on = !at('view').classList.contains('wrapped');
  wrap(on);
  keep(shown, { wrap: on });
});
at('pause').addEventListener('click', () => (win.following ? win.stop() : win.toEnd()));
at('jump').addEventListener('click', () => {
  win.toEnd();
  at('view').focus();
});

// Who is about to choose sees what has come since.
at('choice').addEventListener('focus', () => refresh());
at('choice').addEventListener('change', ({ target }) => {
  location.hash = encodeURIComponent(target.value);
});
addEventListener('hashchange', () => {
  view = parse(location.hash);
  show();
  offer();
});

addEventListener('online', () => stream?.wake());
addEventListener('pageshow', () => stream?.wake());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  stream?.wake();
  win.grew();
});
setInterval(() => document.hidden || refresh(), LIST_EVERY);

// So that the keys scroll it from the start.
at('view').focus({ focusVisible: false });
refresh();
