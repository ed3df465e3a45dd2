// The lines that are wanted, as a source of rows for the window: older ones from the board, page
// after page, newer ones as they come.

import { TooSlow } from './matcher.js';
import { downwards, placeOf, upwards, upwardsHere } from './search.js';

/** Hits kept: the scrollbar of more helps nobody. */
const MOST = 100_000;
/** Live bytes in one batch for the worker, and those that may wait for it. */
const [BATCH, WAITING] = [256 * 1024, 8 * 1024 * 1024];
/** Bytes of a line that its row needs. */
const DRAWN = 16_000;
const NEWLINE = 10;

export class Hits {
  /** Oldest first. */
  list = [];
  /** Where older ones are looked for: `start` is the end of it. */
  end = null;
  /** A sentence where something is wrong. */
  error = null;
  /** The board has looked at all from here on. */
  scanned = null;
  searching = false;
  #pieces;
  #lines;
  #matcher;
  #spec;
  #told;
  #stop = new AbortController();
  #wanted = null;
  #page = null;
  /** Live bytes not yet looked at: where they start, and the pieces. */
  #from = null;
  #queue = [];
  #queued = 0;
  #busy = false;

  /** `spec`: `{ filters, level }`; `told()` whenever something has changed. */
  constructor(pieces, lines, matcher, spec, told) {
    this.#pieces = pieces;
    this.#lines = lines;
    this.#matcher = matcher;
    this.#spec = spec;
    this.#told = told;
    this.#begin();
  }

  close() {
    this.#stop.abort();
  }

  /** Lines that begin before this are the board's, others are looked at here. */
  #begin() {
    const last = this.#lines.before(null);
    const run = this.#pieces.live;
    if (!run) return;
    const start = last?.run === run ? (last.open ? last.start : last.end) : run.to;
    this.#from = { run, start };
    this.scanned = `${run.inode}-${start.toString(16)}`;
    if (last?.open && last.run === run) {
      const bytes = this.#pieces.bytes(run, last.start, last.end);
      if (bytes) this.#take(run, start, bytes.slice());
    }
  }

  /** Live bytes of `run` from `start` on. */
  push(run, start, bytes) {
    if (this.#from) this.#take(run, start, bytes.slice());
    else this.#begin();
  }

  #take(run, start, bytes) {
    const last = this.#queue.at(-1);
    if (this.#queued + bytes.length > WAITING) {
      // Behind by too much: the board is asked for all of it.
      this.#queue = [];
      this.#queued = 0;
      this.list = [];
      this.end = null;
      this.#from = null;
      this.#begin();
      this.#told();
      return;
    }
    if (last?.run === run) last.pieces.push(bytes);
    else this.#queue.push({ run, start, pieces: [bytes] });
    this.#queued += bytes.length;
    this.#look();
  }

  async #look() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
        const part = this.#queue[0];
        const { run, start, pieces } = part;
        // No more is put together than is sent: in a flood much may wait.
        let [size, ended, count] = [0, false, 0];
        while (count < pieces.length && !(ended && size >= BATCH)) {
          size += pieces[count].length;
          ended ||= pieces[count].includes(NEWLINE);
          count += 1;
        }
        const all = joined(pieces.splice(0, count));
        // Another file follows: what is here is all of this one.
        const whole = this.#queue.length > 1 && pieces.length === 0;
        let cut = all.subarray(0, BATCH).lastIndexOf(NEWLINE) + 1;
        if (cut === 0) cut = whole ? all.length : all.indexOf(NEWLINE) + 1;
        if (cut < all.length) pieces.unshift(all.subarray(cut));
        else if (whole) this.#queue.shift();
        if (cut === 0 && whole) continue;
        if (cut === 0) break;
        part.start += cut;
        this.#queued -= cut;
        const found = await this.#matcher.ask({ job: 'lines', bytes: all.slice(0, cut), spec: this.#spec });
        if (this.#stop.signal.aborted) return;
        for (const at of found) this.list.push(this.#hit(run, start + at));
        if (this.list.length > MOST) this.list.splice(0, this.list.length - MOST);
        if (found.length > 0) this.#told();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  #hit(run, start) {
    return { run, start };
  }

  #fail(error) {
    if (this.#stop.signal.aborted) return;
    this.error = error instanceof TooSlow ? 'pattern too slow' : error.message;
    this.end = 'error';
    this.#told();
  }

  /** Only levels are asked for: the board can't tell those. */
  get #isHere() {
    return this.#spec.filters.length === 0;
  }

  #pages(before, signal, limit) {
    if (this.#isHere) return upwardsHere(this.#pieces, this.#matcher, this.#spec, before, signal, limit);
    return upwards(this.#pieces, this.#spec, before, signal, limit);
  }

  /** One more page of older hits. `false`: there is none. */
  more() {
    if (this.end === 'start' || this.end === 'error' || this.#stop.signal.aborted) return Promise.resolve(false);
    this.#page ??= this.#older().finally(() => (this.#page = null));
    return this.#page;
  }

  async #older() {
    if (!this.#from) this.#begin();
    if (!this.#from) return false;
    this.searching = true;
    let batch = [];
    const put = async () => {
      const hits = await this.#fitting(batch);
      batch = [];
      this.list.unshift(...hits.reverse());
      this.#told();
    };
    try {
      const pages = this.#pages(this.scanned, this.#stop.signal);
      for (;;) {
        const { done, value } = await pages.next();
        if (done) {
          await put();
          this.scanned = value.scanned ?? this.scanned;
          this.end = value.end === 'start' || this.list.length >= MOST ? 'start' : value.end;
          break;
        }
        if (value.scanned) {
          await put();
          this.scanned = value.scanned;
        } else {
          batch.push(this.#hit(value.run, value.start));
          if (batch.length === 20) await put();
        }
      }
      this.searching = false;
      this.#told();
      return true;
    } catch (error) {
      this.searching = false;
      this.#fail(error);
      return false;
    }
  }

  /** The nearest hit before a place, however far from the end that is; `null`: there is none.
   * `told(scanned)` on the way. */
  async nearestAbove(place, signal, told) {
    let before = placeOf(place);
    for (;;) {
      const pages = this.#pages(before, signal, this.#spec.level ? 20 : 1);
      for (;;) {
        const { done, value } = await pages.next();
        if (done) {
          if (value.end === 'start') return null;
          before = value.scanned;
          break;
        }
        if (value.scanned) {
          told(value.scanned);
        } else {
          const [fits] = await this.#fitting([this.#hit(value.run, value.start)]);
          if (fits) return fits;
        }
      }
    }
  }

  /** The nearest hit from a place on, which the board has not looked at. */
  async nearestBelow(place, signal, told) {
    let from = place;
    for (;;) {
      const found = await downwards(this.#pieces, this.#matcher, this.#spec, from.run, from.start, signal);
      if (!found?.more) return found && this.#hit(found.run, found.start);
      from = found.more;
      told(placeOf(from));
    }
  }

  /** All lines from this place on have been looked at. */
  covers({ run, start }) {
    if (this.end === 'start') return true;
    if (!this.scanned) return false;
    const [inode, offset] = this.scanned.split('-');
    const looked = this.#pieces.find(inode, Number.parseInt(offset, 16));
    return looked !== null && (looked.order < run.order || (looked === run && start >= Number.parseInt(offset, 16)));
  }

  /** The board can't tell levels: of its lines those that are meant. */
  async #fitting(hits) {
    if (!this.#spec.level || this.#isHere) return hits;
    const fitting = [];
    for (const hit of hits) {
      if (this.#stop.signal.aborted) return [];
      let line;
      while ((line = this.#whole(hit)) === undefined) if (!(await this.#pieces.load())) break;
      const bytes = line && this.#pieces.bytes(hit.run, line.start, Math.min(line.end, line.start + DRAWN));
      const found = bytes ? await this.#matcher.ask({ job: 'lines', bytes: bytes.slice(), spec: { filters: [], level: this.#spec.level } }) : [];
      if (found[0] === 0) fitting.push(hit);
    }
    return fitting;
  }

  /** A hit as an entry to draw. */
  #whole(hit) {
    if (hit.start < hit.run.from) return null;
    const line = this.#lines.line(hit.run, hit.start);
    if (!line) return line;
    return this.#pieces.bytes(hit.run, line.start, Math.min(line.end, line.start + DRAWN)) && line;
  }

  /** The place in the list of an entry, or where it would be. */
  index({ run, start }) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const hit = this.list[middle];
      if (hit.run.order < run.order || (hit.run === run && hit.start < start)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // What the window asks for.

  async load() {
    const wanted = this.#wanted;
    this.#wanted = null;
    return wanted === 'page' ? this.more() : this.#pieces.load();
  }

  #entry(index, step) {
    for (let i = index; i >= 0 && i < this.list.length; i += step) {
      const line = this.#whole(this.list[i]);
      if (line !== null) return line;
    }
    if (step < 0 && this.end !== 'start' && this.end !== 'error') {
      this.#wanted = 'page';
      return undefined;
    }
    return null;
  }

  after(entry) {
    if (entry === null) return this.end === 'start' || this.end === 'error' ? this.#entry(0, 1) : this.#first();
    return this.#entry(this.index({ run: entry.run, start: entry.start + 1 }), 1);
  }

  #first() {
    this.#wanted = 'page';
    return undefined;
  }

  before(entry) {
    return this.#entry((entry === null ? this.list.length : this.index(entry)) - 1, -1);
  }

  refreshed(entry) {
    return this.#lines.refreshed(entry);
  }

  at(part) {
    if (this.list.length === 0) return this.before(null);
    return this.#entry(Math.min(this.list.length - 1, Math.floor(part * this.list.length)), 1);
  }

  /** Hits count as much as a line's bytes usually do. */
  above(entry) {
    return this.index(entry) * 100;
  }

  below(entry) {
    return Math.max(0, this.list.length - 1 - this.index(entry)) * 100;
  }
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
