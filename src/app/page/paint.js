// What is looked for, coloured in the rows that are drawn: by ranges, with no element for each hit.

import { terms } from './pattern.js';

/** Rows are coloured no more often, in ms: in a flood they are gone before that. */
const PACE = 60;
/** Colours of highlights; page.css has as many. */
export const COLOURS = 4;

export class Paint {
  #win;
  #matcher;
  #wanted;
  #complain;
  #timer = 0;
  #due = false;
  /** Terms that took too long: not asked again until something else is looked for. */
  #slow = new Set();

  /** `wanted()`: `[found, highlights]`, two lists of terms; `complain(error)`. */
  constructor(win, matcher, wanted, complain) {
    this.#win = win;
    this.#matcher = matcher;
    this.#wanted = wanted;
    this.#complain = complain;
  }

  /** Something else is looked for. */
  forget() {
    this.#slow.clear();
  }

  /** Rows or terms have changed. */
  again() {
    if (this.#timer) {
      this.#due = true;
      return;
    }
    this.#timer = setTimeout(async () => {
      await this.#paint().catch((error) => this.#complain(error));
      this.#timer = 0;
      if (this.#due) this.again();
      this.#due = false;
    }, PACE);
  }

  async #paint() {
    if (!globalThis.Highlight) return;
    const [found, highlights] = this.#wanted().map((list) => list.filter((term) => term && !terms([term]).error && !this.#slow.has(term)));
    const list = [...found, ...highlights];
    CSS.highlights.clear();
    if (list.length === 0) return;
    const rows = this.#win.items.filter(({ entry }) => !entry.mark).map(({ node: row }) => row);
    const texts = rows.map((row) => row.textContent);
    let ranges;
    try {
      ranges = await this.#matcher.ask({ job: 'ranges', texts, list });
    } catch (error) {
      for (const term of list) this.#slow.add(term);
      throw error;
    }
    const groups = new Map();
    for (const [i, n, start, end] of ranges) {
      if (!rows[i].isConnected) continue;
      const name = n < found.length ? 'found' : `mark-${(n - found.length) % COLOURS}`;
      if (!groups.has(name)) groups.set(name, new Highlight());
      const range = rangeOf(rows[i], start, end);
      if (range) groups.get(name).add(range);
    }
    CSS.highlights.clear();
    for (const [name, group] of groups) CSS.highlights.set(name, group);
  }
}

/** The characters `start` to `end` of a row's text. */
function rangeOf(row, start, end) {
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let at = 0;
  let begun = false;
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const length = text.data.length;
    if (!begun && start < at + length) {
      range.setStart(text, start - at);
      begun = true;
    }
    if (begun && end <= at + length) {
      range.setEnd(text, end - at);
      return range;
    }
    at += length;
  }
  return null;
}
