// Two or more streams as one log: a source of rows for the window, ordered by the time that each
// line says. Of each stream the newest lines and what comes; all of a stream is in its own log.

import { plain } from './ansi.js';
import { level } from './level.js';
import { Merge } from './merge.js';
import { paint } from './row.js';
import { stamp } from './stamp.js';
import { Stream } from './stream.js';
import { Times, shown } from './time.js';

/** How often rows are moved for late lines, in ms. */
const EVERY = 250;
/** A longer line is shown up to here, in UTF-16 units. */
const SHOWN = 4_000;
/** ... and goes on in a further one from here on: one without an end can't grow for ever. */
const LONGEST = 64 * 1024;
/** Lines that the shape of times is learnt from. */
const SAMPLE = 100;
/** History has come within this time, in ms; a line after that has just been written and tells the
 * zone. */
const HISTORY = 3_000;

/** One stream: its bytes, cut anywhere, become lines with their times. */
class Part {
  #decoder = new TextDecoder();
  #rest = '';
  #sample = [];
  #times = new Times();
  #began = performance.now();
  #zoned = false;

  constructor({ name, address }, open, put, state) {
    const mark = (event) => put(name, { mark: event.event }, null);
    this.stream = open(address, {
      begin: () => this.#end(name, put),
      bytes: (bytes) => this.#write(name, bytes, put),
      mark,
      reconnected() {},
      joined: () => this.#end(name, put),
      beat() {},
      state: (word) => state(name, word),
    });
  }

  #write(name, bytes, put) {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    this.#rest = lines.pop();
    if (this.#rest.length > LONGEST) {
      lines.push(this.#rest);
      this.#rest = '';
    }
    if (lines.length > 0) this.#learn(lines);
    for (const line of lines) put(name, { line }, this.#times.parse(plain(line))?.ms ?? null);
  }

  /** A line that was cut off is one. */
  #end(name, put) {
    if (this.#rest !== '') put(name, { line: this.#rest }, this.#times.parse(plain(this.#rest))?.ms ?? null);
    this.#rest = '';
    this.#decoder = new TextDecoder();
  }

  #learn(lines) {
    const fresh = !this.#zoned && performance.now() - this.#began > HISTORY;
    if (!fresh && this.#sample.length >= SAMPLE) return;
    this.#zoned ||= fresh;
    this.#sample = [...this.#sample, ...lines].slice(-SAMPLE);
    this.#times.learn(this.#sample.map(plain), fresh ? Date.now() : null);
  }
}

export class Merged {
  #merge = new Merge();
  #parts;
  #told;
  #key = 0;
  #timer = null;
  /** Where the last entry asked for stands: the next one is beside it. */
  #near = 0;

  /**
   * `sources`: `[{ name, address }]`. `told.grew()` when lines came at the end; `told.moved()` when
   * some were put between others: what is drawn is then to be sought anew, since the window asks
   * only for what is behind its last row. `told.state(name, word)` as a stream's listener is told.
   *
   */
  constructor(sources, told, open = (address, listener) => new Stream(address, listener)) {
    this.#told = told;
    const put = (name, entry, ms) => this.#put(name, entry, ms);
    this.#parts = sources.map((source) => new Part(source, open, put, told.state));
  }

  close() {
    clearTimeout(this.#timer);
    for (const { stream } of this.#parts) stream.close();
  }

  wake() {
    for (const { stream } of this.#parts) stream.wake();
  }

  #put(name, entry, ms) {
    entry.key = `x${(this.#key += 1)}`;
    const { index } = this.#merge.put(name, entry, ms, Date.now());
    if (index === this.#merge.lines.length - 1) this.#told.grew();
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#told.moved();
      }, EVERY);
  }

  /** The entry at this place; `null` beyond the ends. */
  #at(index) {
    this.#near = index;
    return this.#merge.lines[index]?.line ?? null;
  }

  #index(entry) {
    const { lines } = this.#merge;
    for (const i of [this.#near, this.#near - 1, this.#near + 1]) if (lines[i]?.line === entry) return i;
    return lines.findLastIndex(({ line }) => line === entry);
  }

  /** As lines.js: the entry behind this one; behind `null`, the first. */
  after(entry) {
    return this.#at(entry === null ? 0 : this.#index(entry) + 1);
  }

  before(entry) {
    return this.#at((entry === null ? this.#merge.lines.length : this.#index(entry)) - 1);
  }

  /** What is there is all. */
  load = async () => false;

  at(part) {
    return this.#at(Math.min(this.#merge.lines.length - 1, Math.floor(part * this.#merge.lines.length)));
  }

  /** What stands above and below an entry, in bytes for the scrollbar: lines of a hundred. */
  above(entry) {
    return Math.max(0, this.#index(entry)) * 100;
  }

  below(entry) {
    return (this.#merge.lines.length - 1 - Math.max(0, this.#index(entry))) * 100;
  }

  refreshed = () => null;

  /** The line's own text. */
  text = (entry) => entry.line ?? '';

  draw(entry) {
    const { source, ms } = this.#merge.lines[this.#index(entry)] ?? { source: '', ms: 0 };
    const row = document.createElement('div');
    row.id = `at-${entry.key}`;
    const name = document.createElement('span');
    // A colour alone tells nothing to who can't see it.
    name.className = 'source-name';
    name.textContent = `${source} `;
    row.append(name);
    if (entry.mark) {
      row.className = `mark ${entry.mark}`;
      row.append(entry.mark);
      return row;
    }
    row.className = `row ${this.#merge.colour(source)}`;
    paint(row, entry.line.slice(0, SHOWN), stamp, (span) => (span.dataset.short = shown(ms, true)));
    const is = level(plain(entry.line));
    if (is) row.dataset.level = row.title = is;
    return row;
  }
}
