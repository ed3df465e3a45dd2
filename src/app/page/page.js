// The page: which stream is shown, and who tells whom.

import { listen } from './keys.js';
import { fetched, lazily, style } from './lazy.js';
import { level } from './level.js';
import { Log } from './log.js';
import { Beginning } from './numbers.js';
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
let charts = null;
/** Several streams as one log, while they are shown so. */
let merged = null;
/** What came first, until it is known whether these are numbers. */
let beginning = null;
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
    if (win.following) charts?.pause(false);
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
  log: () => log,
  whole: () => merged ?? log.lines,
  times: () => times,
  text: (entry, most) => rows.text(entry, most),
  view: () => view,
  name: () => shown,
  current: () => rows.current,
  go,
  reveal,
  selection: () => selection(),
  changed(next, step) {
    view = next;
    address(view, step);
  },
};

const find = lazily('find.js', ({ Find }) => new Find(page, win, announcer));
const selection = lazily(
  'select.js',
  ({ Selection }) => new Selection(at('rows'), win, (entry) => drawer().text(entry), announcer),
);
const acts = lazily('act.js', ({ Acts }) => new Acts({ ...page, view: () => format(view) }, win, announcer));
const watching = lazily(
  'watching.js',
  ({ Watching }) =>
    new Watching({
      show: (place) => (place.ms ? acts().then((ready) => ready.to(place)) : reveal(place)),
      charted: () => charts !== null,
      recent: () => log.pieces.recent(),
    }),
);
const awake = lazily('awake.js', ({ Awake }) => new Awake());
const panels = lazily('panels.js', async (module) => {
  await Promise.all([watching(), selection(), acts(), find()]);
  watch();
  module.panels(choices);
  module.drawStreams(streams.list, shown, view.with, choices);
  return module;
});

const told = {
  came(run, start, bytes) {
    if (beginning !== null) begin(bytes);
    find.ready?.push(run, start, bytes);
    if (log.isNews && (watching.ready ? watching.ready.on : alerted)) watching().then((ready) => ready.push(run, start, bytes));
  },
  grew(lines, bytes) {
    status.came(lines);
    if (lines > 0 && log.isNews) {
      const texts = bytes.length < ALOUD ? new TextDecoder().decode(bytes).split('\n').filter(Boolean) : [];
      announcer.lines(lines, texts, texts.filter((text) => ['error', 'fatal'].includes(level(text))).length);
    }
    win.grew();
  },
  marked(mark) {
    announcer.say(mark.sentence);
    win.grew();
  },
  reworded: (mark) => win.redrawMark(mark),
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
    if (!document.hidden || find.ready?.needsAll || watching.ready?.on || charts) return;
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
    panels.ready?.drawStreams(list, shown, view.with, choices);
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
  if (alerted || watching.ready) watching().then(watch);
  apply();
  merge();
  chart(view.chart);
  // A link that says what to show is followed to the letter.
  const plain = view.chart === null && !view.at && view.filters.length === 0 && (kept(name).chart ?? true);
  beginning = plain ? new Beginning({ path: name, kind: sources.of(name)?.kind }) : null;
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
  style('streams.css');
  const { Merged } = await fetched('merged.js');
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
  choose(win.items.find(({ entry }) => rows.isCurrent(entry)));
}

/** When the line of this row was written, in ms; `null` where that is not known. */
const moment = (item) => (item && !item.entry.mark && times.parse(drawer().text(item.entry) ?? '')?.ms) || null;

/** The charts show this line's moment. */
function choose(item) {
  const ms = moment(item);
  if (ms !== null) charts?.point(ms, true);
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

/** A stream of numbers opens as a chart. */
async function begin(bytes) {
  const asked = beginning;
  const found = await asked.push(bytes);
  if (beginning !== asked || found === null) return;
  beginning = null;
  if (!found || view.chart !== null) return;
  await chart('');
  address(view);
}

/** Shows the chart as `text` says, or puts it away where that is `null`. */
async function chart(text) {
  charts?.close();
  charts = null;
  view.chart = text;
  at('chart').ariaPressed = String(text !== null);
  at('chart-panel').hidden = text === null;
  if (text === null) return;
  const name = shown;
  const [{ open }] = await Promise.all([fetched('chart.js'), watching().then(watch)]);
  if (name !== shown || view.chart === null) return;
  charts = await open(at('chart-panel'), {
    name,
    address: sources.address(name),
    view: text,
    keep(next) {
      view.chart = next;
      address(view);
    },
    others: sources.list.filter((other) => other.name !== name).map(({ name: other, url }) => ({ name: other, url })),
    alerts: watching.ready.alerts,
    keepAlerts: (rules) => keep(name, { alerts: rules }),
    moment: (ms) => acts().then((ready) => ready.to({ ms })),
  });
  choose(win.items.find(({ entry }) => rows.isCurrent(entry)));
}

/** At once, or the first letters typed would go elsewhere. `filters`: what is typed is to be a
 * filter. */
function openBox(filters = false) {
  at('search').dataset.mode = filters ? 'filter' : 'find';
  at('box').placeholder = filters ? 'Show only lines with…' : 'Find text or /expression/';
  at('search').hidden = false;
  at('find').ariaExpanded = 'true';
  at('box').focus();
  at('box').select();
  find();
}

/** `false`: it was closed. */
function closeBox() {
  if (at('search').hidden) return false;
  at('search').hidden = true;
  at('find').ariaExpanded = 'false';
  at('box').value = '';
  find.ready?.stop();
  at('view').focus();
  return true;
}

function openGoto() {
  at('goto-said').textContent = '';
  at('goto-panel').showPopover();
  at('goto').focus();
  at('goto').select();
  acts();
}

function back() {
  if (selection.ready?.any) selection.ready.clear();
  else if (!closeBox() && !find.ready?.clear() && view.chart !== null) toggleChart();
}

function toggleChart() {
  beginning = null;
  // Who puts a chart away does not want it again.
  keep(shown, { chart: view.chart === null });
  chart(view.chart === null ? '' : null);
  address(view);
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
const togglePause = () => {
  if (!win.following) return win.toEnd();
  charts?.pause(true);
  win.stop();
};
const copy = () => acts().then((ready) => ready.copy());
const link = () => acts().then((ready) => ready.copyLink());
const step = (down, errors) => find().then((ready) => ready.step(down, errors));
const open = (button) => {
  // All at once, not one after the other.
  for (const ask of [watching, selection, acts, find]) ask();
  panels().then((ready) => ready.toggle(button));
};

/** What the panels ask and do. */
const choices = {
  opened() {},
  merge(name, also) {
    page.changed({ ...view, with: [...view.with.filter((one) => one !== name), ...(also ? [name] : [])], at: null }, true);
    merge();
    panels.ready.drawStreams(streams.list, shown, view.with, choices);
  },
  openGoto,
  copy,
  link,
  address: () => sources.address(shown),
  name: () => shown.split('/').at(-1),
  canSave: (what) => (what === 'selection' ? selection.ready.any : find.ready.filtered !== null),
  save: (what) => acts.ready.save(what),
  level: () => view.level,
  setLevel(least) {
    page.changed({ ...view, level: least, at: null }, true);
    find.ready.apply();
  },
  local: () => Boolean(kept(shown).local),
  setLocal: setTimes,
  theme: () => kept('').theme ?? '',
  setTheme: (theme) => (keep('', { theme }), look()),
  size: () => kept('').size ?? '',
  setSize: (size) => (keep('', { size: Number(size) || null }), look()),
  awake: () => Boolean(kept('').awake),
  setAwake: (on) => (keep('', { awake: on }), wake()),
  series: () => charts?.shown.map(({ name }) => name) ?? [],
  aloud: () => announcer.on,
  setAloud: (on) => (keep('', { aloud: on }), (announcer.on = on)),
  alerts: () => watching.ready.alerts,
  keepAlerts: (rules) => keep(shown, { alerts: rules }),
};

listen(at('view'), {
  pause: togglePause,
  find: () => openBox(),
  filter: () => openBox(true),
  next: () => step(true),
  previous: () => step(false),
  nextError: () => step(true, true),
  previousError: () => step(false, true),
  start: () => win.toStart(),
  end: () => win.toEnd(),
  goto: openGoto,
  wrap: toggleWrap,
  times: () => setTimes(!kept(shown).local),
  markBefore: () => acts().then((ready) => ready.toMark(true)),
  markAfter: () => acts().then((ready) => ready.toMark(false)),
  copy,
  link,
  help: () => open('help'),
  back,
  reveal: () => find.ready?.filtered && win.anchor && find.ready.reveal(win.anchor),
  scroll: (px) => win.by(px),
  selectAll: () => selection().then((ready) => ready.all()),
});

const on = (id, event, act) => at(id).addEventListener(event, act);
on('pause', 'click', () => {
  togglePause();
  at('view').focus();
});
on('find', 'click', () => closeBox() || openBox());
for (const id of ['levels', 'more', 'help']) on(id, 'click', () => open(id));
on('chart', 'click', toggleChart);
on('wrap', 'click', toggleWrap);
on('jump', 'click', () => {
  win.toEnd();
  at('view').focus();
});
on('box', 'input', () => find().then((ready) => ready.typed()));
on('box', 'keydown', (event) => event.key === 'Escape' && closeBox());
on('find-form', 'submit', (event) => {
  event.preventDefault();
  at('view').focus();
  find().then((ready) => {
    ready.submit();
    if (at('search').dataset.mode === 'filter') closeBox();
  });
});
on('previous', 'click', () => step(false));
on('next', 'click', () => step(true));
on('close', 'click', closeBox);
on('filter', 'click', () => find().then((ready) => ready.add('filters', at('box').value)));
on('exclude', 'click', () => find().then((ready) => ready.add('filters', `-${at('box').value}`)));
on('highlight', 'click', () => find().then((ready) => ready.add('highlights', at('box').value)));
on('goto-form', 'submit', async (event) => {
  event.preventDefault();
  const wrong = await (await acts()).typed(at('goto').value);
  at('goto-said').textContent = wrong ?? '';
  if (wrong) return;
  at('goto-panel').hidePopover();
  at('view').focus();
});
on('rows', 'click', (event) => {
  const item = win.itemOf(event.target);
  if (!item || item.entry.mark || event.target.closest('a, button') || !getSelection().isCollapsed) return;
  if (find.ready?.filtered) find.ready.reveal(item);
  else item.node.classList.toggle('whole');
  choose(item);
});
on('rows', 'pointerover', ({ target }) => charts?.point(moment(win.itemOf(target))));
on('rows', 'pointerleave', () => charts?.point(null));
on('rows', 'more', ({ detail }) => win.redrawKey(detail));
// Who is about to choose sees what has come since.
on('choice', 'focus', () => streams.ask());
on('choice', 'change', ({ target: { value } }) => {
  location.hash = encodeURIComponent(value);
});

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
  if (before.chart !== view.chart) chart(view.chart);
  wanted = view.at;
  if (log) toPlace();
}
addEventListener('hashchange', addressed);
addEventListener('popstate', addressed);
addEventListener('online', () => stream?.wake());
addEventListener('pageshow', () => stream?.wake());
document.addEventListener('selectionchange', () => {
  if (!selection.ready && !getSelection().isCollapsed && at('rows').contains(getSelection().anchorNode)) selection();
});
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

/** The screen is to stay on while one follows. */
const isAwake = () => Boolean(kept('').awake) && win.following && !document.hidden;
const wake = () => awake().then((ready) => ready.want(isAwake()));
if (kept('').awake) wake();

/** A narrow page has room for five buttons; the others stand in the panel "More". */
const narrow = matchMedia('(max-width: 600px)');
function arrange() {
  for (const one of document.querySelectorAll('.rare')) {
    one.dataset.moved = narrow.matches ? 'yes' : '';
    if (narrow.matches) at('more-panel').append(one);
    else at('bar').insertBefore(one, at('more'));
  }
}
narrow.addEventListener('change', arrange);
arrange();

announcer.on = kept('').aloud ?? true;
look();
// So that the keys scroll it from the start.
at('view').focus({ focusVisible: false });
streams.open = true;
