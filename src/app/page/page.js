// The page: which stream is shown, and who tells whom.

import { Alerts } from './alerts.js';
import { Announcer } from './announce.js';
import { Find } from './find.js';
import { Clock, target } from './goto.js';
import { listen } from './keys.js';
import { level } from './level.js';
import { Log } from './log.js';
import { areNumbers } from './numbers.js';
import { drawStreams, panels } from './panels.js';
import { Rows } from './row.js';
import { Selection, toClipboard } from './select.js';
import { keep, kept } from './settings.js';
import { Stream } from './stream.js';
import { Streams, age } from './streams.js';
import { Times } from './time.js';
import { format, parse } from './view.js';
import { Window } from './window.js';

/** A hidden tab reads no further than this, in bytes: it would cost a phone its battery. */
const UNREAD = 8 * 1024 * 1024;
/** Streams written to within this time are as new as each other, in ms. */
const LIVE = 60_000;
/** The number of new lines is told again after so long, in ms. */
const SAID = 50;
/** The first of a stream, in characters, tell whether it is one of numbers. */
const BEGINNING = 8_000;
/** The newest lines looked at for a screen reader, in bytes. */
const ALOUD = 2_000;

const at = (id) => document.getElementById(id);
const digits = new Intl.NumberFormat('en');
const number = (n, one, many) => (n === 1 ? `1 ${one}` : `${digits.format(n)} ${many}`);

const WORDS = { connecting: 'connecting', live: 'live', waiting: 'waiting for the file', reconnecting: 'reconnecting' };
const WAITING = { sample: 'waiting for a reading', pipe: 'waiting for more' };

/** As the server has them, in its order. */
let sources = [];
let view = parse(location.hash);
let shown = null;
let log = null;
let rows = null;
let times = null;
let stream = null;
let charts = null;
/** What came first, until it is known whether these are numbers; then `null`. */
let beginning = null;
let state = 'connecting';
let listIsOld = false;
/** The names in the list, as JSON. */
let offered = '';
/** New lines since the reader left the end. */
let missed = 0;
/** Bytes since the tab was hidden. */
let unread = 0;
/** A place that the address names and that is not shown yet. */
let wanted = null;
let saying = 0;
let second = { count: 0, at: 0 };

const source = () => sources.find(({ name }) => name === shown);
const address = () => source()?.url ?? `stream/${encodeURIComponent(shown)}`;

const announcer = new Announcer(at('word'), at('news'));
const alerts = new Alerts({ banner: at('banner'), show: (place) => reveal(place) });

const win = new Window(at('view'), at('canvas'), at('rows'), (entry) => rows.draw(entry), {
  followed() {
    missed = 0;
    sayFollowing();
    sayState();
  },
  drawn() {
    sayEmpty();
    selection.drawn();
    find.paint();
  },
  rested() {
    const anchor = win.following ? null : win.anchor?.entry;
    view.at = anchor && !anchor.mark ? { inode: anchor.run.inode, offset: anchor.start } : null;
    if (shown !== null && format(view) !== location.hash) history.replaceState(null, '', format(view));
  },
});

const find = new Find(
  {
    log: () => log,
    view: () => view,
    times: () => times,
    changed(next, step) {
      view = next;
      if (step) history.pushState(null, '', format(view));
      else history.replaceState(null, '', format(view));
    },
  },
  win,
  announcer,
);
const selection = new Selection(at('rows'), win, (entry) => rows.text(entry), announcer);

const told = {
  came(run, start, bytes) {
    find.push(run, start, bytes);
    if (beginning !== null) begin(bytes);
  },
  grew(lines, bytes) {
    if (!win.following) {
      missed += lines;
      saying ||= setTimeout(sayFollowing, SAID);
    }
    if (lines > 0 && log.isNews) {
      const texts = bytes.length < ALOUD ? new TextDecoder().decode(bytes).split('\n').filter(Boolean) : [];
      announcer.lines(lines, texts, texts.filter((text) => ['error', 'fatal'].includes(level(text))).length);
    }
    if (alerts.rules.length > 0 && log.isNews) alert(bytes);
    win.grew();
  },
  marked(mark) {
    announcer.say(mark.sentence);
    win.grew();
  },
  reworded: (mark) => win.redrawMark(mark),
  async began() {
    win.grew();
    if (!wanted) return;
    const { inode, offset } = wanted;
    wanted = null;
    const run = await log.pieces.reach(inode, offset).catch(() => null);
    if (run) await find.go({ run, start: offset }, 0);
    else announcer.say('the place in the address is gone');
  },
};

const listener = {
  begin: (place, size) => log.begin(place, size),
  mark: (event) => log.mark(event),
  reconnected: (ms) => log.reconnected(ms),
  joined: (left, place) => log.joined(left, place),
  beat(ms) {
    at('state').title = `the board answers within ${ms} ms`;
  },
  bytes(bytes) {
    log.write(bytes, win.following);
    if (!document.hidden || find.needsAll || alerts.rules.length > 0 || charts) return;
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
    else if (word === 'live' && listIsOld) {
      listIsOld = false;
      streams.ask();
    }
    sayEmpty();
  },
};

function sayState() {
  const word = (state === 'waiting' && WAITING[source()?.kind]) || WORDS[state];
  const paused = state === 'live' && !win.following;
  at('state').toggleAttribute('data-paused', paused);
  announcer.state(paused ? `${word}, paused` : word);
}

function sayFollowing() {
  clearTimeout(saying);
  saying = 0;
  at('jump').hidden = win.following;
  at('jump').textContent = missed > 0 ? `↓ ${number(missed, 'new line', 'new lines')}` : '↓ to the end';
  at('pause').textContent = win.following ? 'Pause' : 'Resume';
}

function sayEmpty() {
  at('empty').hidden = win.items.length > 0 || state !== 'live' || win.source !== log?.lines;
}

/** How fast lines come, and when the last one did. */
function sayPace() {
  if (document.hidden || !log) return;
  const now = Date.now();
  const rate = Math.round(((log.count - second.count) * 1000) / Math.max(1, now - second.at));
  second = { count: log.count, at: now };
  const last = log.lastAt > 0 ? `last line ${age(now - log.lastAt)}` : '';
  at('pace').textContent = [rate > 0 ? number(rate, 'line/s', 'lines/s') : '', rate > 0 ? '' : last].filter(Boolean).join(' · ');
  at('pace').hidden = at('pace').textContent === '';
}

/** The stream that was written last; of several, the one that the server names first. */
function newest() {
  const latest = Math.max(...sources.map(({ modified }) => Date.parse(modified ?? 0)));
  return sources.find(({ modified }) => Date.parse(modified ?? 0) >= latest - LIVE) ?? sources[0];
}

function show() {
  const name = view.name || newest()?.name;
  if (name === undefined) return;
  if (name === shown) return;
  shown = view.name = name;
  stream?.close();
  log?.close();
  missed = unread = 0;
  second = { count: 0, at: Date.now() };
  times = new Times();
  log = new Log(address(), () => source()?.kind ?? 'file', times, told);
  rows = new Rows(log.pieces, log.lines, times, () => Boolean(kept(shown).local));
  alerts.seen();
  alerts.title = `${name} · Tailcast`;
  alerts.set(kept(name).alerts ?? []);
  at('name').textContent = name;
  wrap(kept(name).wrap ?? true);
  wanted = view.at;
  win.open(log.lines);
  if (wanted) win.stop();
  find.reset();
  chart(view.chart);
  // A link that says what to show is followed to the letter.
  const plain = view.chart === null && !view.at && view.filters.length === 0 && (kept(name).chart ?? true);
  beginning = plain ? '' : null;
  stream = new Stream(address(), listener);
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

const streams = new Streams({
  async ask() {
    const answer = await fetch('sources', { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    sources = await answer.json();
    return sources;
  },
  changed(list) {
    show();
    offer();
    drawStreams(list, shown);
  },
  appeared(fresh) {
    if (fresh.name !== shown) log?.appeared(fresh.name);
  },
});

function wrap(on) {
  win.keep(() => at('view').classList.toggle('wrapped', on));
  at('wrap').ariaPressed = String(on);
}

function look() {
  const { theme = '', size } = kept('');
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  win.keep(() => {
    const { style } = document.documentElement;
    if (size) {
      style.setProperty('--size', `${size}px`);
      style.setProperty('--row', `${Math.round(size * 1.6)}px`);
    } else {
      style.removeProperty('--size');
      style.removeProperty('--row');
    }
  });
}

/** A stream of numbers opens as a chart. */
async function begin(bytes) {
  const name = shown;
  beginning += new TextDecoder().decode(bytes.subarray(0, BEGINNING));
  const lines = beginning.split('\n').slice(0, -1);
  const long = beginning.length >= BEGINNING;
  const found = await areNumbers(lines, { path: name, kind: source()?.kind });
  if (beginning === null || name !== shown || (found === null && !long)) return;
  beginning = null;
  if (found && view.chart === null) chart('');
}

/** Shows the chart, as `text` says, or puts it away where that is `null`. */
async function chart(text) {
  charts?.close();
  charts = null;
  view.chart = text;
  at('chart').ariaPressed = String(text !== null);
  at('chart-panel').hidden = text === null;
  if (text === null) return;
  const name = shown;
  const { open } = await import('./chart.js');
  if (name !== shown || view.chart === null) return;
  charts = await open(at('chart-panel'), {
    name,
    address: address(),
    view: text,
    keep(next) {
      view.chart = next;
      history.replaceState(null, '', format(view));
    },
    others: sources.filter((other) => other.name !== name).map(({ name: other, url }) => ({ name: other, url })),
    alerts,
    keepAlerts: (rules) => keep(name, { alerts: rules }),
    moment: (ms) => toTime({ ms }),
  });
}

async function toTime({ ms, part }) {
  if (part !== undefined) return (await win.to((from) => from.at(part))) ? null : 'there is nothing yet';
  const place = await new Clock(log.pieces, log.lines, times).find(ms);
  if (!place) return 'no times are known in these lines';
  await reveal(place);
  return null;
}

/** Shows a line among its neighbours. */
async function reveal(place) {
  if (win.source !== log.lines) find.clear();
  await find.go(place);
}

async function alert(bytes) {
  const run = log.pieces.live;
  const start = run.at - bytes.length;
  for (const rule of alerts.rules.filter(({ pattern }) => pattern)) {
    const spec = { filters: [rule.pattern], level: null };
    const copy = bytes.slice();
    const found = await find.matcher.ask({ job: 'lines', bytes: copy, spec }).catch(() => []);
    for (const place of found.slice(0, 20)) {
      const end = copy.indexOf(10, place);
      alerts.raise(rule, new TextDecoder().decode(copy.subarray(place, end < 0 ? copy.length : end)), { run, start: start + place });
    }
  }
}

async function save(what) {
  const text =
    what === 'selection'
      ? await selection.text()
      : await selection.between(await whole((from) => from.after(null)), await whole((from) => from.before(null)));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text, '\n'], { type: 'text/plain' }));
  link.download = `${shown.replaceAll('/', '-')}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What the source answers once all of it is here. */
async function whole(question) {
  let entry;
  while ((entry = question(win.source)) === undefined) if (!(await win.source.load())) return null;
  return entry;
}

async function copyLines() {
  const drawn = win.items.filter((one) => !one.entry.mark && win.inSight(one));
  const current = at('rows').querySelector('.current');
  const one = current ? win.itemOf(current) : null;
  const text = selection.any
    ? await selection.text()
    : drawn.length === 0
      ? ''
      : await selection.between((one ?? drawn[0]).entry, (one ?? drawn.at(-1)).entry);
  announcer.say((await toClipboard(text)) ? 'copied' : 'the browser does not let this page copy');
}

async function copyLink() {
  const done = await toClipboard(new URL(format(view), location.href).href);
  announcer.say(done ? 'link copied' : 'the browser does not let this page copy; the link is in the address bar');
}

/** The mark before or behind what is in sight. */
async function toMark(back) {
  const lines = win.items.filter((one) => win.inSight(one));
  const entry = (back ? lines[0] : lines.at(-1))?.entry;
  if (!entry || win.source !== log.lines) return;
  let piece = entry.mark ?? entry.run;
  for (;;) {
    const next = back ? piece.prev : piece.next;
    if (!next && back && log.pieces.wantsOlder && (await log.pieces.load()) && piece.prev) continue;
    if (!next) return announcer.say('no mark there');
    piece = next;
    if (piece.kind) return win.to(() => ({ mark: piece, key: `m${piece.id}` }), at('view').clientHeight / 3);
  }
}

function back() {
  if (selection.any) selection.clear();
  else if (!find.close() && !find.clear() && view.chart !== null) chart(null);
}

const setTimes = (local) => {
  keep(shown, { local });
  win.redraw();
};
const toggleWrap = () => {
  const on = !at('view').classList.contains('wrapped');
  wrap(on);
  keep(shown, { wrap: on });
};
const togglePause = () => (win.following ? win.stop() : win.toEnd());

listen(at('view'), {
  pause: togglePause,
  find: () => find.open(),
  filter: () => find.open(true),
  next: () => find.step(true),
  previous: () => find.step(false),
  nextError: () => find.step(true, true),
  previousError: () => find.step(false, true),
  start: () => win.toStart(),
  end: () => win.toEnd(),
  goto: () => at('goto-panel').showPopover(),
  wrap: toggleWrap,
  times: () => setTimes(!kept(shown).local),
  markBefore: () => toMark(true),
  markAfter: () => toMark(false),
  copy: copyLines,
  link: copyLink,
  help: () => at('help-panel').showPopover(),
  back,
  reveal: () => find.filtered && win.anchor && find.reveal(win.anchor),
  scroll: (px) => win.by(px),
  selectAll: () => selection.all(),
});

panels({
  opened(id, open) {
    if (id === 'more-panel') streams.open = open || !document.hidden;
  },
  level: () => view.level,
  setLevel(least) {
    view = { ...view, level: least, at: null };
    history.pushState(null, '', format(view));
    find.apply();
  },
  copy: copyLines,
  link: copyLink,
  goto: async (text) => {
    const where = target(text, await new Clock(log.pieces, log.lines, times).newest());
    return where ? toTime(where) : 'write 50%, 14:30, 2026-11-25 14:30 or -2h';
  },
  address,
  name: () => shown.split('/').at(-1),
  canSave: (what) => (what === 'selection' ? selection.any : find.filtered !== null),
  save,
  local: () => Boolean(kept(shown).local),
  setLocal: setTimes,
  theme: () => kept('').theme ?? '',
  setTheme: (theme) => (keep('', { theme }), look()),
  size: () => kept('').size ?? '',
  setSize: (size) => (keep('', { size: Number(size) || null }), look()),
  aloud: () => announcer.on,
  setAloud: (on) => (keep('', { aloud: on }), (announcer.on = on)),
  alerts,
  series: () => [],
  keepAlerts: (rules) => keep(shown, { alerts: rules }),
});

at('pause').addEventListener('click', () => {
  togglePause();
  at('view').focus();
});
at('wrap').addEventListener('click', toggleWrap);
at('chart').addEventListener('click', () => {
  beginning = null;
  chart(view.chart === null ? '' : null);
  // Who puts a chart away does not want it again.
  keep(shown, { chart: view.chart === null ? false : undefined });
  history.replaceState(null, '', format(view));
});
at('jump').addEventListener('click', () => {
  win.toEnd();
  at('view').focus();
});
at('rows').addEventListener('click', (event) => {
  const item = win.itemOf(event.target);
  if (!item || item.entry.mark || event.target.closest('a, button') || !getSelection().isCollapsed) return;
  if (find.filtered) find.reveal(item);
  else item.node.classList.toggle('whole');
});
at('rows').addEventListener('more', ({ detail }) => win.redrawKey(detail));

// Who is about to choose sees what has come since.
at('choice').addEventListener('focus', () => streams.ask());
at('choice').addEventListener('change', ({ target: { value } }) => {
  location.hash = encodeURIComponent(value);
});
function addressed() {
  const before = view;
  view = parse(location.hash);
  if (view.name && view.name !== shown) {
    show();
    offer();
    return;
  }
  view.name = shown;
  if (JSON.stringify([before.filters, before.highlights, before.level]) !== JSON.stringify([view.filters, view.highlights, view.level])) find.apply();
  if (before.chart !== view.chart) chart(view.chart);
  if (view.at && log) {
    wanted = view.at;
    told.began();
  }
}
addEventListener('hashchange', addressed);
addEventListener('popstate', addressed);

addEventListener('online', () => stream?.wake());
addEventListener('pageshow', () => stream?.wake());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  stream?.wake();
  streams.ask();
  win.grew();
});
setInterval(sayPace, 1000);

announcer.on = kept('').aloud ?? true;
look();
// So that the keys scroll it from the start.
at('view').focus({ focusVisible: false });
streams.open = true;
