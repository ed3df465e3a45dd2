// Reads a stream's numbers: what is there from the newest line back, and what comes. Times are as in the lines.

import { detect, reader } from './fields.js';
import { Times } from './time.js';

/** Read at once, in bytes: a request that a weak Wi-Fi still answers in a second. */
const PIECE = 256 * 1024;
/** The newest are there sooner, and tell what lines hold. */
const NEWEST = 64 * 1024;
/** The beginning of a file, where a table's header stands, in bytes. */
const HEAD = 4096;
/** A line longer than this holds no readings. */
const LONGEST = 64 * 1024;
/** How often the page is told, in ms. */
const EVERY = 100;
/** Before this instant no clock was set: September 2001. */
const UNSET = 1e12;
/** Where lines have no time, those from before are put so far apart, in ms. */
const APART = 1000;
/** How long to wait after a connection was refused, in ms. */
const AGAIN = 5_000;
/** From so many lines on it is known what they hold. */
const KNOWN = 50;

const [NEWLINE, RETURN] = [10, 13];

const decoder = new TextDecoder();
let address, path, detected, past, live, source;
let [wanted, oldest, early, told] = [Infinity, Infinity, 0, 0];
let wake = () => {};
/** What ends a line. */
let ends = NEWLINE;
/** The place behind what came last, and the turn that follows it. */
let following = [];
/** Lines from which it is told what they hold, as long as there are few. */
let sample = [];
/** Raised by each beginning; what an older one still fetches is not used. */
let turn = 0;

onmessage = ({ data }) => {
  if (data.address) {
    ({ address, path } = data);
    begin();
  }
  // A connection may have died while the phone slept, and nobody told it.
  if (data.awake && following[1] === turn) follow(...following);
  wanted = Math.min(wanted, data.wanted ?? Infinity);
  wake();
};

const say = (message, buffers = []) => postMessage({ wrong: (past?.wrong ?? 0) + (live?.wrong ?? 0), early, ...message }, buffers);

async function get(query) {
  const answer = await fetch(`${address}?${query}`, { cache: 'no-store' });
  if (answer.status === 404 || answer.status === 204) return null;
  if (!answer.ok) throw new Error(`${query}: ${answer.status}`);
  return answer;
}

async function read({ inode }, from, to) {
  const answer = to > from ? await get(`from=${inode}-${from.toString(16)}&max=${to - from}`) : null;
  return new Uint8Array(answer ? await answer.arrayBuffer() : 0);
}

const linesOf = (bytes) => decoder.decode(bytes).split(ends === RETURN ? '\r' : /\r?\n/).filter((line) => line !== '');

async function begin() {
  const mine = (turn += 1);
  source?.close();
  detected = undefined;
  try {
    const files = await (await get('generations'))?.json() ?? [];
    await backfill(files, mine);
  } catch {
    if (mine === turn) setTimeout(begin, AGAIN);
  }
}

async function backfill(files, mine) {
  let rest;
  if (files.length === 0) follow('start', mine);
  for (const [i, file] of files.entries()) {
    const start = file.start ?? 0;
    const before = (end) => {
      const piece = read(file, Math.max(start, end - (detected ? PIECE : NEWEST)), end);
      // Told when it is awaited, which may be much later.
      piece.catch(() => {});
      return piece;
    };
    let end = file.size;
    let next = before(end);
    // The first of them may be growing: its last line is not yet one.
    if (i === 0) {
      const newest = await next;
      // Instruments that end their lines with a carriage return end none with a newline.
      ends = newest.includes(RETURN) && !newest.includes(NEWLINE) ? RETURN : NEWLINE;
      const whole = newest.lastIndexOf(ends) + 1;
      end += whole - newest.length;
      next = newest.subarray(0, whole);
      if (mine !== turn) return;
      const head = end - whole > 0 ? linesOf(await read(file, 0, HEAD)).slice(0, 1) : [];
      // A reading alone, without an end: it comes as a line in a second, and what it is is known by then.
      const lines = linesOf(whole > 0 ? next : newest);
      learn([...head, ...lines], file.modified ? Date.parse(file.modified) : Date.now());
      follow(`${file.inode}-${end.toString(16)}`, mine);
      if (!detected) break;
    }
    rest = new Uint8Array(0);
    while (end > start) {
      const piece = await next;
      if (piece.length === 0) break;
      end -= piece.length;
      next = before(end);
      const bytes = new Uint8Array(piece.length + rest.length);
      bytes.set(piece);
      bytes.set(rest, piece.length);
      // What stands at the start of a ring may be the rest of a line.
      const cut = end > 0 ? bytes.indexOf(ends) + 1 : 0;
      rest = bytes.subarray(0, cut).slice(-LONGEST);
      if (mine !== turn) return;
      take(linesOf(bytes.subarray(cut)), past, false);
      if (performance.now() - told > EVERY) tell(false);
      while (oldest < wanted - APART && end > start) {
        // What is wanted is told by who knows how old the newest are.
        tell(false);
        await new Promise((done) => (wake = done));
      }
    }
  }
  tell(false);
  say({ done: true });
}

function learn(lines, arrival) {
  const found = detect(lines, { path });
  // In a log that holds no numbers, one line that does is no reason to read it all again.
  sample = found === null ? lines.slice(-KNOWN / 2) : lines.length < KNOWN ? lines : [];
  const keys = (one) => JSON.stringify(one?.series.map(({ key }) => key));
  if (keys(found) === keys(detected)) return;
  detected = found;
  [oldest, early] = [found?.timeOf === null ? arrival : Infinity, 0];
  [past, live] = [1, 2].map(() => {
    const times = new Times({ zoneOffsetMinutes: -new Date().getTimezoneOffset() });
    times.learn(lines.slice(-100), arrival);
    return found && reader(found, times);
  });
  for (const coming of [false, true]) batches.set(coming, found?.series.map(() => []) ?? []);
  say({ detected });
}

/** Readings not yet told: from the past, and coming. */
const batches = new Map();

/** Reads lines, oldest first. */
function take(lines, reads, coming) {
  const rows = lines.map(reads).filter((row) => row !== null);
  const { timeOf, sparse } = detected;
  const batch = batches.get(coming);
  rows.forEach((row, i) => {
    const assumed = coming ? Date.now() : timeOf === null ? oldest - (rows.length - i) * APART : NaN;
    const ms = row.ms ?? assumed;
    if (ms < UNSET) early += 1;
    else if (ms >= UNSET) row.values.forEach((value, k) => (sparse && Number.isNaN(value)) || batch[k].push(ms, value));
  });
  if (timeOf === null && !coming) oldest -= rows.length * APART;
  else for (const { ms } of rows) if (ms !== null && ms > UNSET && ms < oldest) oldest = ms;
}

function tell(coming) {
  told = performance.now();
  const readings = (batches.get(coming) ?? []).map((one) => Float64Array.from(one.splice(0)));
  if (readings.some(({ length }) => length > 0)) say({ readings, live: coming }, readings.map(({ buffer }) => buffer));
}

/** What is written from this place on. The browser finds its way back by the ids of events. */
function follow(place, mine) {
  source?.close();
  const own = (source = new EventSource(`${address}?from=${place}`));
  following = [place, mine];
  let waiting = 0;
  own.onmessage = ({ data, lastEventId }) => {
    following[0] = lastEventId;
    if (sample.length > 0 || !detected) {
      // Few lines do not tell all: with twice as many it is looked at again.
      sample.push(data);
      const count = sample.length;
      if ((count & (count - 1)) === 0 || count === KNOWN) {
        const before = detected;
        learn(sample, Date.now());
        if (detected && detected !== before) return void begin();
      }
    }
    if (!detected) return;
    take([data], live, true);
    waiting ||= setTimeout(() => {
      waiting = 0;
      tell(true);
    }, EVERY);
  };
  own.onerror = () => {
    if (own.readyState === EventSource.CLOSED) setTimeout(() => own === source && mine === turn && follow(...following), AGAIN);
  };
}
