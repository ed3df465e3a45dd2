// Hits with what stands around them, as a source of rows for the window: so many lines on each side, and always the whole
// record of several lines that a hit is a part of.

import { continues, isBefore } from './lines.js';

/** Lines of one record that are shown on each side of a hit. */
const TRACE = 30;
/** Characters of a line that tell whether it begins a record. */
const HEAD = 200;

export class Around {
  #hits;
  #lines;
  #text;
  #hasTimes;
  #count;
  /** What was not here when it was asked for. */
  #wanted;

  /**
   * `text(entry, most)` as `Rows.text`; `hasTimes()`: the lines of this stream begin with a time; `count` lines are shown on
   * each side.
   */
  constructor(hits, lines, text, hasTimes, count) {
    this.#hits = hits;
    this.#lines = lines;
    this.#text = text;
    this.#hasTimes = hasTimes;
    this.#count = count;
    this.#wanted = hits;
  }

  load() {
    return this.#wanted.load();
  }

  /** Whether this line is one that was looked for. */
  isHit(entry) {
    const hit = this.#hits.list[this.#hits.index(entry)];
    return hit?.run === entry.run && hit.start === entry.start;
  }

  /** Whether lines are left out before this one. */
  isApart(entry) {
    const above = this.before(entry);
    return Boolean(above) && (above.run !== entry.run || above.end !== entry.start);
  }

  after(entry) {
    if (entry === null) {
      const first = this.#hit(this.#hits.after(null));
      return first && this.#top(first, null);
    }
    const line = this.#beside(entry, false);
    const trails = line && this.#trails(line);
    if (!line || trails === undefined) return trails && line;
    if (trails) return line;
    const hit = this.#hit(this.#hits.after(line));
    return hit && this.#top(hit, entry);
  }

  before(entry) {
    if (entry === null) {
      const last = this.#hit(this.#hits.before(null));
      return last && this.#bottom(last, null);
    }
    const hit = this.isHit(entry) ? entry : this.#hit(this.#hits.after(entry));
    if (hit === undefined) return undefined;
    const top = hit && this.#top(hit, null);
    if (hit && top === undefined) return undefined;
    if (top && isBefore(top, entry)) return this.#beside(entry, true);
    const above = this.#hit(this.#hits.before(entry));
    return above && this.#bottom(above, entry);
  }

  refreshed(entry) {
    return this.#lines.refreshed(entry);
  }

  at(part) {
    return this.#hit(this.#hits.at(part));
  }

  above(entry) {
    return this.#hits.above(entry);
  }

  below(entry) {
    return this.#hits.below(entry);
  }

  /** A hit that is asked for, or that is to be loaded. */
  #hit(hit) {
    if (hit === undefined) this.#wanted = this.#hits;
    return hit;
  }

  /** The line beside this one; what happened to the file between them is not shown here. */
  #beside(entry, back) {
    do entry = back ? this.#lines.before(entry) : this.#lines.after(entry);
    while (entry?.mark);
    if (entry === undefined) this.#wanted = this.#lines;
    return entry;
  }

  /** Whether it belongs to the line before it. */
  #goesOn(entry) {
    const text = this.#text(entry, HEAD);
    if (text === undefined) this.#wanted = this.#lines;
    return text === undefined ? undefined : continues(text, this.#hasTimes());
  }

  /** Whether a line is a hit, or is shown for one that stands before it. */
  #trails(line) {
    let [cost, record] = [0, 0];
    for (let at = line; ; ) {
      // Lines that go on belong to the hit that they come to, and cost nothing.
      if (this.isHit(at)) return cost <= this.#count && record <= TRACE;
      const goesOn = this.#goesOn(at);
      if (goesOn === undefined) return undefined;
      if (goesOn && record < TRACE) {
        record += 1;
      } else {
        cost += record + 1;
        record = 0;
      }
      if (cost > this.#count) return false;
      at = this.#beside(at, true);
      if (!at) return at === null ? false : undefined;
    }
  }

  /** The first line that is shown for a hit, of those behind `above`. */
  #top(hit, above) {
    let at = hit;
    let record = TRACE;
    for (let left = this.#count; ; ) {
      const goesOn = record > 0 && left === this.#count ? this.#goesOn(at) : false;
      if (goesOn === undefined) return undefined;
      if (goesOn) record -= 1;
      else if (left === 0) return at;
      else [left, record] = [left - 1, 0];
      const line = this.#beside(at, true);
      if (line === undefined) return undefined;
      if (!line || (above && !isBefore(above, line))) return at;
      at = line;
    }
  }

  /** The last line that is shown for a hit, of those before `below`. */
  #bottom(hit, below) {
    let at = hit;
    let record = TRACE;
    for (let left = this.#count; ; ) {
      const line = this.#beside(at, false);
      if (line === undefined) return undefined;
      if (!line || (below && !isBefore(line, below))) return at;
      const goesOn = record > 0 ? this.#goesOn(line) : false;
      if (goesOn === undefined) return undefined;
      if (goesOn) record -= 1;
      else if (left === 0) return at;
      else [left, record] = [left - 1, 0];
      at = line;
    }
  }
}
