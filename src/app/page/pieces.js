// What a stream is made of, oldest first: runs of bytes of one generation each, and our marks
// between them. A place in it is a run and a byte offset; how many lines there are nobody knows,
// and nobody needs to.

import { BLOCK, Blocks } from './blocks.js';

/** Runs and marks kept: a value renamed over once a second makes two a second. */
const MOST = 2_000;
/** What is kept of live bytes while the reader is elsewhere, in bytes; a file still has what is
 * not. */
const AHEAD = 4 * 1024 * 1024;

/** So much tells how lines are written, in bytes. */
const RECENT = 16 * 1024;

const NEWLINE = 10;

/** How many newlines there are in `bytes`. */
export function newlines(bytes) {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

export class Pieces {
  /** Runs and marks are chained by `prev` and `next`, and numbered by `order`. */
  first = null;
  last = null;
  /** `stream/NAME`, relative to the page. */
  #address;
  #blocks = new Blocks((run, end) => {
    // What no file holds any more is gone with its block.
    if (!run.asked) run.from = Math.min(run.to, Math.max(run.from, end));
  });
  #count = 0;
  #serial = 0;
  /** Kept of what came while nobody looked at the end, in bytes. */
  #ahead = 0;
  /** What lies before the first run was asked for. */
  #older = null;
  #listing = null;
  #closed = new AbortController();

  constructor(address) {
    this.#address = address;
  }

  close() {
    this.#closed.abort();
    this.#blocks.clear();
  }

  /** The run that live bytes go to; `null` while there is none. */
  get live() {
    let piece = this.last;
    while (piece?.kind) piece = piece.prev;
    return piece;
  }

  /** The run with this place, `null` where it is none of ours. */
  find(inode, offset) {
    for (let piece = this.last; piece; piece = piece.prev) {
      if (!piece.kind && piece.inode === inode && offset >= piece.from && offset <= piece.to) return piece;
    }
    return null;
  }

  /**
   * Bytes from now on are those of `inode` from `at` on. `from`: the offset of the oldest byte that
   * can be had. `asked`: the server can be asked for what is not here.
   *
   */
  begin(inode, from, at, asked) {
    const run = { id: (this.#serial += 1), inode, from, to: at, at, asked };
    this.#append(run);
    return run;
  }

  /** The next live bytes. `kept`: somebody looks at the end. */
  push(bytes, kept) {
    let run = this.live;
    if (run === null) return;
    // Behind a mark that no new run came with the same file goes on.
    if (this.last !== run) run = this.begin(run.inode, run.at, run.at, run.asked);
    if (kept) this.#ahead = 0;
    else this.#ahead += bytes.length;
    if (kept || !run.asked || this.#ahead < AHEAD) this.#blocks.write(run, run.at, bytes);
    run.at += bytes.length;
    run.to = Math.max(run.to, run.at);
  }

  /** A sentence of ours. */
  mark(kind, sentence, more = {}) {
    const mark = { id: (this.#serial += 1), kind, sentence, ...more };
    this.#append(mark);
    return mark;
  }

  /** The old content of this inode is no more: what is here of it is all there is. */
  cut(inode) {
    for (let piece = this.last; piece; piece = piece.prev) {
      if (piece.inode === inode && piece.asked) this.#lose(piece);
    }
  }

  /** The bytes `from` to `to` of a run; `undefined` where some are not here, and then `load` knows
   * which. */
  bytes(run, from, to) {
    let block = this.block(run, from);
    if (!block) return undefined;
    if (to <= block.to) return block.bytes.subarray(from - block.from, to - block.from);
    const all = new Uint8Array(to - from);
    for (let at = from; at < to; ) {
      block = this.block(run, at);
      if (!block) return undefined;
      const end = Math.min(block.to, to);
      all.set(block.bytes.subarray(at - block.from, end - block.from), at - from);
      at = end;
    }
    return all;
  }

  /** The newest bytes, as many as are here of the last block. */
  recent() {
    const run = this.live;
    return (run && this.#blocks.at(run, run.at - 1)?.bytes.slice(-RECENT)) ?? new Uint8Array(0);
  }

  /** The block with this byte, or `null`, and then `load` fetches it. */
  block(run, offset) {
    const block = this.#blocks.at(run, offset);
    if (!block) this.#wanted = { run, offset };
    return block;
  }

  #wanted = null;

  /** The run with this place, after as many older generations as it takes; `null` where it is gone.
   * */
  async reach(inode, offset) {
    for (;;) {
      const run = this.find(inode, offset);
      if (run) return run;
      if (!this.wantsOlder || !(await this.load())) return null;
    }
  }

  /** Nothing is known of what lies before the first run. `true`: `load` will ask. */
  get wantsOlder() {
    const run = this.#oldest();
    if (!run || run.from > 0 || !run.asked || this.#older === run) return false;
    this.#wanted = { older: run };
    return true;
  }

  /** Fetches what was missed last. `false`: it can't be had now. */
  async load() {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted === null) return false;
    try {
      if (wanted.older) return await this.#loadOlder(wanted.older);
      return await this.#loadBlock(wanted.run, wanted.offset);
    } catch {
      return false;
    }
  }

  /** Asks for the lines that match, newest first: an answer of JSON lines. `query` is a
   * `URLSearchParams`. */
  search(query, signal) {
    // In a URL that is no form a `+` is a plus.
    const asked = String(query).replaceAll('+', '%20');
    return fetch(`${this.#address}?find&${asked}`, { cache: 'no-store', signal: AbortSignal.any([signal, this.#closed.signal]) });
  }

  /** At most `max` bytes of one generation, of no other: 404 where it is gone. */
  async fetch(inode, offset, max) {
    return this.fetchAt(`${inode}-${offset.toString(16)}`, max);
  }

  /** The same from a cursor on, whose check is compared. */
  async fetchAt(cursor, max) {
    return fetch(`${this.#address}?from=${cursor}&max=${max}`, { cache: 'no-store', signal: this.#closed.signal });
  }

  /** `[{ inode, start, size, modified, sealed }]`, newest first. */
  async generations() {
    const answer = await fetch(`${this.#address}?generations`, { cache: 'no-store', signal: this.#closed.signal });
    return answer.ok ? answer.json() : [];
  }

  async #loadBlock(run, offset) {
    if (!run.asked) return this.#lose(run);
    const start = Math.max(run.from, Math.floor(offset / BLOCK) * BLOCK);
    const end = Math.min(run.to, (Math.floor(offset / BLOCK) + 1) * BLOCK);
    if (end <= start) return false;
    const answer = await this.fetch(run.inode, start, end - start);
    if (answer.status === 404 || answer.status === 204) return this.#lose(run);
    if (!answer.ok) return false;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    this.#blocks.write(run, start, bytes);
    return start + bytes.length > offset;
  }

  /** Nobody has what is not here: the run is what stands here without a gap up to its end. `true`:
   * something is left. */
  #lose(run) {
    run.asked = false;
    let from = run.to;
    while (from > run.from) {
      const block = this.#blocks.at(run, from - 1);
      if (!block) break;
      from = block.from;
    }
    run.from = Math.max(run.from, from);
    return true;
  }

  #oldest() {
    let piece = this.first;
    while (piece?.kind) piece = piece.next;
    return piece;
  }

  /** The next older generation is put before the first run. */
  async #loadOlder(run) {
    // Once, however many draw meanwhile.
    this.#listing ??= this.generations().finally(() => (this.#listing = null));
    const list = await this.#listing;
    this.#older = run;
    const older = list[list.findIndex(({ inode }) => inode === run.inode) + 1];
    if (!older || !list.some(({ inode }) => inode === run.inode) || this.#oldest() !== run) return true;
    if (!this.first.kind) {
      const at = older.modified ? Date.parse(older.modified) : undefined;
      this.#prepend({ id: (this.#serial += 1), kind: 'rotated', sentence: 'rotated: a new file begins here', at });
    }
    const before = { id: (this.#serial += 1), inode: older.inode, from: older.start ?? 0, to: older.size, at: older.size, asked: true };
    this.#prepend(before);
    return true;
  }

  #append(piece) {
    piece.order = (this.last?.order ?? 0) + 1;
    piece.prev = this.last;
    piece.next = null;
    if (this.last) this.last.next = piece;
    else this.first = piece;
    this.last = piece;
    this.#count += 1;
    while (this.#count > MOST) {
      this.first = this.first.next;
      this.first.prev = null;
      this.#count -= 1;
    }
  }

  /** Puts a piece before the mark that `run` begins with. */
  insert(run, piece) {
    const next = run.prev;
    const order = ((next.prev?.order ?? next.order - 1) + next.order) / 2;
    Object.assign(piece, { id: (this.#serial += 1), prev: next.prev, next, order });
    if (next.prev) next.prev.next = piece;
    else this.first = piece;
    next.prev = piece;
    this.#count += 1;
  }

  #prepend(piece) {
    piece.order = (this.first?.order ?? 0) - 1;
    piece.next = this.first;
    piece.prev = null;
    if (this.first) this.first.prev = piece;
    else this.last = piece;
    this.first = piece;
    this.#count += 1;
  }
}
