// The page: which stream is shown, and who tells whom.

import { Charting } from './charting.js';
import { Hands } from './hands.js';
import { imported, lazily, style } from './lazy.js';
import { level } from './level.js';
import { Log } from './log.js';
import { ask, open as openStream, sources } from './opening.js';
import { Rows } from './row.js';
import { keep, kept } from './settings.js';
import { Announcer, Status } from './status.js';
import { Streams } from './streams.js';
import { Times } from './time.js';
import { address, format, parse } from './view.js';
import { Window } from './window.js';

/** A hidden tab reads no further than this, in bytes: it would cost a phone its battery. */
const UNREAD = 8 * 1024 * 1024;
/** So few new bytes are read out to a screen reader as they are. */
const ALOUD = 2_000;

const at = (id) => document.getElementById(id);

let view = parse(location.hash);
let shown = null;
let log = null;
let rows = null;
let times = null;
let stream = null;
/** Several streams as one log, while they are shown so. */
let merged = null;
let listIsOld = false;
/** This stream has alerts, whether or not what looks for them is here yet. */
let alerted = false;
/** Bytes since the tab was hidden. */
let unread = 0;
/** A place that the address names and that is not shown yet. */
let wanted = null;

const announcer = new Announcer(at('word'), at('news'));
const status = new Status(announcer);

const win = new Window(at('view'), at('canvas'), at('rows'), draw, {
  followed() {
    status.follow(win.following);
    if (win.following) charting.pause(false);
    awake.ready?.want(isAwake());
  },
  drawn() {
    sayEmpty();
    selection.ready?.drawn();
    find.ready?.paint();
  },
  rested() {
    const anchor = win.following ? null : win.anchor?.entry;
    view.at = anchor?.run && !anchor.mark ? { inode: anchor.run.inode, offset: anchor.start } : null;
    if (shown !== null) address(view);
  },
});

const page = {
  win,
  announcer,
  sources,
  log: () => log,
  whole: () => merged ?? log.lines,
  times: () => times,
  text: (entry, most) => rows.text(entry, most),
  view: () => view,
  name: () => shown,
  current: () => rows.current,
  go,
  reveal,
  merge,
  wrap,
  look,
  wake,
  choose,
  point: (item) => charting.point(moment(item)),
  addressed: () => address(view),
  watched: () => watching().then(watch),
  askStreams: () => streams.ask(),
  changed(next, step) {
    view = next;
    address(view, step);
  },
};

const charting = new Charting(page);
const find = lazily('find.js', ({ Find }) => new Find(page, win, announcer));
const selection = lazily(
  'select.js',
  ({ Selection }) => new Selection(at('rows'), win, (entry) => drawer().text(entry), announcer),
);
const acts = lazily('act.js', ({ Acts }) => new Acts({ ...page, view: () => format(view) }, win, announcer));
const watching = lazily('watching.js', ({ Watching }) => {
  style('panels.css');
  return new Watching({
    show: (place) => (place.ms ? acts().then((ready) => ready.to(place)) : reveal(place)),
    charted: () => charting.isOpen,
    recent: () => log.pieces.recent(),
  });
});
const awake = lazily('awake.js', ({ Awake }) => new Awake());
const panels = lazily('panels.js', async ({ Panels }) => {
  await Promise.all([style('panels.css'), watching(), selection(), acts(), find()]);
  watch();
  const made = new Panels(page, hands);
  made.drawStreams(streams.list);
  return made;
});
Object.assign(page, { charting, find, selection, acts, watching, panels });

const told = {
  came(run, start, bytes) {
    charting.came(bytes);
    find.ready?.push(run, start, bytes);
    if (log.isNews && (watching.ready ? watching.ready.on : alerted)) watching().then((ready) => ready.push(run, start, bytes));
  },
  grew(lines, bytes) {
    status.came(lines);
    if (lines > 0 && log.isNews) {
      const texts = bytes.length < ALOUD ? new TextDecoder().decode(bytes).split('\n').filter(Boolean) : [];
      announcer.lines(lines, texts, texts.filter((text) => ['error', 'fatal'].includes(level(text))).length);
    }
    win.grew(true);
  },
  marked(mark) {
    announcer.say(mark.sentence);
    win.grew();
  },
  reworded: (mark) => win.redraw((entry) => entry.mark === mark),
  began() {
    win.grew();
    toPlace();
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
    if (!document.hidden || find.ready?.needsAll || watching.ready?.on || charting.isOpen) return;
    unread += bytes.length;
    if (unread > UNREAD && sources.of(shown)?.kind === 'file') stream.park();
  },
  state(word, seconds) {
    status.state(word, seconds);
    if (word === 'reconnecting') listIsOld = true;
    // A server that was restarted may follow other files.
    else if (word === 'live' && listIsOld) {
      listIsOld = false;
      streams.ask();
    }
    sayEmpty();
  },
};

const streams = new Streams({
  ask,
  changed(list) {
    show();
    sources.offer(shown);
    panels.ready?.drawStreams(list);
  },
  appeared: ({ name }) => name !== shown && log?.appeared(name),
});

const drawer = () => (merged && win.source === merged ? merged : rows);
function draw(entry) {
  const row = drawer().draw(entry);
  find.ready?.dress(entry, row);
  return row;
}

function sayEmpty() {
  at('empty').hidden = win.items.length > 0 || !status.live || win.source !== log?.lines;
}

function show() {
  const name = view.name || sources.newest?.name;
  if (name === undefined) return;
  status.kind = sources.of(name)?.kind ?? 'file';
  if (name === shown) return;
  shown = view.name = name;
  stream?.close();
  log?.close();
  unread = 0;
  status.reset();
  times = new Times();
  log = new Log(sources.address(name), () => sources.of(name)?.kind ?? 'file', times, told);
  rows = new Rows(log.pieces, log.lines, times, () => Boolean(kept(name).local));
  document.title = `${name} · Tailcast`;
  at('name').textContent = name;
  wrap(kept(name).wrap ?? true);
  wanted = view.at;
  win.open(log.lines);
  if (wanted) win.stop();
  alerted = kept(name).alerts?.length > 0;
  if (alerted || watching.ready) page.watched();
  apply();
  merge();
  charting.begin(name, sources.of(name)?.kind);
  stream = openStream(sources.address(name), listener);
}

/** Streams that the view wants merged with this one, ordered by time. */
async function merge() {
  merged?.close();
  merged = null;
  const names = [shown, ...view.with];
  if (names.length === 1) {
    if (win.source !== log.lines && !find.ready?.filtered) win.open(log.lines);
    return;
  }
  style('panels.css');
  const { Merged } = await imported('merged.js');
  if (names.join('\n') !== [shown, ...view.with].join('\n')) return;
  const parts = names.map((name) => ({ name, address: sources.address(name) }));
  merged?.close();
  merged = new Merged(parts, { grew: () => win.grew(), moved: () => win.again(), state() {} });
  if (!find.ready?.filtered) win.open(merged);
}

/** Filters and highlights as the view has them. */
function apply() {
  const { filters, highlights, level: least } = view;
  if (find.ready) find.ready.reset();
  else if (filters.length > 0 || highlights.length > 0 || least) find().then((ready) => ready.reset());
}

/** The alerts of this stream. */
function watch() {
  watching.ready.reset(shown, kept(shown).alerts ?? []);
  return watching.ready.alerts;
}

/** Goes to the place that the address names, once its run is there. */
async function toPlace() {
  if (!wanted) return;
  const { inode, offset } = wanted;
  wanted = null;
  const run = await log.pieces.reach(inode, offset).catch(() => null);
  if (run) await go({ run, start: offset }, 0);
  else announcer.say('the place in the address is gone');
}

/** Shows the line at a place, marked, so many px below the top. */
async function go({ run, start }, px = at('view').clientHeight / 3) {
  const { lines } = log;
  rows.current = { run, start };
  for (const { node, entry } of win.items) node.classList.toggle('current', rows.isCurrent(entry));
  await win.to((source) => (source === lines ? lines.around(run, start) : source.after({ run, start: start - 1 })), px);
  choose();
}

/** When the line of this row was written, in ms; `null` where that is not known. */
const moment = (item) => (item && !item.entry.mark && times.parse(drawer().text(item.entry) ?? '')?.ms) || null;

/** The charts show the moment of this line, by itself of the current one. */
function choose(item = win.items.find(({ entry }) => rows.isCurrent(entry))) {
  const ms = moment(item);
  if (ms !== null) charting.point(ms, true);
}

/** Shows a line among its neighbours. */
async function reveal(place) {
  if (win.source !== log.lines) find.ready.clear();
  await go(place);
}

function wrap(on) {
  win.keep(() => at('view').classList.toggle('wrapped', on));
  at('wrap').ariaPressed = String(on);
}

function look() {
  const { theme = '', size } = kept('');
  const root = document.documentElement;
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  win.keep(() => {
    for (const [name, px] of [['--size', size], ['--row', Math.round(size * 1.6)]]) {
      if (size) root.style.setProperty(name, `${px}px`);
      else root.style.removeProperty(name);
    }
  });
}

/** The screen is to stay on while one follows. */
function isAwake() {
  return Boolean(kept('').awake) && win.following && !document.hidden;
}

function wake() {
  return awake().then((ready) => ready.want(isAwake()));
}

/** The address was changed by hand, by a link, or by going back. */
function addressed() {
  const before = view;
  view = parse(location.hash);
  view.name ||= sources.newest?.name ?? '';
  if (view.name !== shown) {
    show();
    sources.offer(shown);
    return;
  }
  const terms = ({ filters, highlights, level: least }) => JSON.stringify([filters, highlights, least]);
  if (terms(before) !== terms(view)) find().then((ready) => ready.apply());
  if (before.with.join('\n') !== view.with.join('\n')) merge();
  if (before.chart !== view.chart) charting.show(view.chart);
  wanted = view.at;
  if (log) toPlace();
}
addEventListener('hashchange', addressed);
addEventListener('popstate', addressed);
addEventListener('online', () => stream?.wake());
addEventListener('pageshow', () => stream?.wake());
document.addEventListener('visibilitychange', () => {
  awake.ready?.want(isAwake());
  if (document.hidden) return;
  unread = 0;
  stream?.wake();
  merged?.wake();
  streams.ask();
  win.grew();
});
setInterval(() => status.pace(log), 1000);

if (kept('').awake) wake();
const hands = new Hands(page);
announcer.on = kept('').aloud ?? true;
look();
// So that the keys scroll it from the start.
at('view').focus({ focusVisible: false });
streams.open = true;
