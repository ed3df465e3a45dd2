// Lines and marks, one after the other, from any place on and in both directions: what the window
// draws. Line starts are found where they are needed. `undefined` says "not here yet: load and ask
// again", `null` "there is no more".

import { stamp } from './stamp.js';

/** A longer line goes on in a further row, in bytes: a file without any newline can be read, too.
 * */
const LONGEST = 2 * 1024 * 1024;
const NEWLINE = 10;

/**
 * An entry is a line, `{ run, start, end, open }` (the newline is in it; `open`: it has none yet),
 * or a mark, `{ mark }`; both have a `key`.
 *
 */
export class Lines {
  #pieces;

  constructor(pieces) {
    this.#pieces = pieces;
  }

  load() {
    return this.#pieces.load();
  }

  /** The entry behind this one; behind `null`, the first. */
  after(entry) {
    if (entry === null) return this.#enter(this.#pieces.first, false);
    if (entry.mark) return this.#enter(entry.mark.next, false);
    return entry.end < entry.run.to ? this.line(entry.run, entry.end) : this.#enter(entry.run.next, false);
  }

  /** The entry before this one; before `null`, the last. */
  before(entry) {
    if (entry === null) return this.#enter(this.#pieces.last, true);
    if (entry.mark) return this.#enter(entry.mark.prev, true);
    return entry.start > entry.run.from ? this.#ending(entry.run, entry.start) : this.#enter(entry.run.prev, true);
  }

  /** The first entry from this piece on, forwards or backwards. */
  #enter(piece, back) {
    while (piece) {
      if (piece.kind) return { mark: piece, key: `m${piece.id}` };
      if (piece.from < piece.to) return back ? this.#ending(piece, piece.to) : this.line(piece, piece.from);
      piece = back ? piece.prev : piece.next;
    }
    return back && this.#pieces.wantsOlder ? undefined : null;
  }

  /** The line that starts at `start`. */
  line(run, start) {
    const limit = Math.min(run.to, start + LONGEST);
    for (let at = start; at < limit; ) {
      const block = this.#pieces.block(run, at);
      if (!block) return undefined;
      const found = block.bytes.indexOf(NEWLINE, at - block.from);
      if (found >= 0 && block.from + found < limit) return this.#made(run, start, block.from + found + 1, false);
      at = block.to;
    }
    return this.#made(run, start, limit, limit === run.to);
  }

  /** The line that holds the byte at `offset`. */
  around(run, offset) {
    offset = Math.max(run.from, Math.min(offset, run.to));
    const start = this.#start(run, offset);
    return start === undefined ? undefined : this.line(run, start);
  }

  /** The line that ends at `end`. */
  #ending(run, end) {
    const start = this.#start(run, end - 1);
    if (start === undefined) return undefined;
    const last = this.#pieces.block(run, end - 1);
    if (!last) return undefined;
    const ended = last.bytes[end - 1 - last.from] === NEWLINE;
    return this.#made(run, start, end, !ended && end === run.to);
  }

  /** Where the line begins that holds the byte at `offset`, or that goes on there. */
  #start(run, offset) {
    const limit = Math.max(run.from, offset - LONGEST + 1);
    for (let end = offset; end > limit; ) {
      const block = this.#pieces.block(run, end - 1);
      if (!block) return undefined;
      const found = block.bytes.subarray(0, end - block.from).lastIndexOf(NEWLINE);
      if (found >= 0) return Math.max(limit, block.from + found + 1);
      end = block.from;
    }
    return limit;
  }

  #made(run, start, end, open) {
    return { run, start, end, open, key: `${run.id}:${start}` };
  }

  /** An open line as it is now. */
  refreshed(entry) {
    return entry.open && entry.end < entry.run.to ? this.line(entry.run, entry.start) : entry;
  }

  /** The entry at this part of the whole, 0 to 1. */
  at(part) {
    if (part >= 1) return this.before(null);
    let rest = part * this.#size();
    for (let piece = this.#pieces.first; piece; piece = piece.next) {
      if (piece.kind) continue;
      if (rest < piece.to - piece.from) return this.around(piece, piece.from + Math.floor(rest));
      rest -= piece.to - piece.from;
    }
    return this.before(null);
  }

  #size() {
    let size = 0;
    for (let piece = this.#pieces.first; piece; piece = piece.next) if (!piece.kind) size += piece.to - piece.from;
    return size;
  }

  /** How much lies before an entry, in bytes: what the scrollbar stands for. */
  above(entry) {
    let size = entry.mark ? 0 : entry.start - entry.run.from;
    for (let piece = (entry.mark ?? entry.run).prev; piece; piece = piece.prev) if (!piece.kind) size += piece.to - piece.from;
    return size;
  }

  below(entry) {
    let size = entry.mark ? 0 : entry.run.to - entry.end;
    for (let piece = (entry.mark ?? entry.run).next; piece; piece = piece.next) if (!piece.kind) size += piece.to - piece.from;
    return size;
  }
}

/** Whether one entry stands before another. */
export function isBefore(a, b) {
  const [x, y] = [a.mark ?? a.run, b.mark ?? b.run];
  return x === y ? (a.start ?? 0) < (b.start ?? 0) : x.order < y.order;
}

// A record may be of several lines: a stack trace belongs to the line before it, for find, filter
// and copy.

/** How a line begins that goes on: white space, or what stack traces write at the margin. */
const GOES_ON = new RegExp(
  [
    String.raw`^(?:[ \t]|\}|\)|at |Caused by:|Suppressed:|\.\.\. \d+ |-{3,}$|goroutine \d+ \[`,
    String.raw`Traceback|During handling of|The above exception`,
    String.raw`[\w.]+(?:Error|Exception|Interrupt|Exit)(?::|$))`,
  ].join('|'),
);

/**
 * Whether `line` belongs to the one before. `hasTimes`: the lines of this stream begin with a time
 * (`Times.winner`), so that one without is no line of its own.
 */
export function continues(line, hasTimes) {
  if (line === '') return hasTimes;
  if (hasTimes) return stamp(line) === null;
  return GOES_ON.test(line);
}

/** What a source says once it is here; `null` where it can't be had, or is no longer wanted: `isOld()`. */
export async function asked(source, question, isOld) {
  for (;;) {
    const answer = question(source);
    if (answer !== undefined) return answer;
    if (!(await source.load()) || isOld()) return null;
  }
}

/** Adds to `entries` what stands before them (`back`) or behind them, until there are `enough`. `false`: some of them are
 * not here. */
export function screen(source, entries, back, enough) {
  while (entries.length < enough) {
    const next = back ? source.before(entries[0]) : source.after(entries.at(-1));
    if (next === undefined) return false;
    if (next === null) break;
    if (back) entries.unshift(next);
    else entries.push(next);
  }
  return true;
}

/** At most so many entries from this one on; `missing`: the next is not here. */
export function gather(next, entry, most) {
  const entries = [];
  while (entries.length < Math.max(1, most)) {
    entry = next(entry);
    if (!entry) break;
    entries.push(entry);
  }
  return { entries, missing: entry === undefined };
}
