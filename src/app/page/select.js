// Selecting and copying lines, also where most of them are not drawn: the two ends of a selection
// are places in the log, and the text comes from there.

import { overwritten, plain } from './ansi.js';
import { isBefore } from './lines.js';

/** Lines copied at once: no clipboard takes much more. */
const MOST = 500_000;
/** Lines between two breaths. */
const BREATH = 2_000;

/** Puts text on the clipboard, on plain HTTP too. `false`: the browser does not let us. */
export async function toClipboard(text) {
  const put = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData.setData('text/plain', text);
  };
  addEventListener('copy', put, { capture: true, once: true });
  const done = document.execCommand('copy');
  removeEventListener('copy', put, { capture: true });
  if (done) return true;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Why it was not copied, and what helps: a browser lets a page copy only in the seconds behind a
 * key or a click, and what had to be fetched first is here the next time. */
export const refusal = () =>
  `the browser does not let this page copy${navigator.userActivation?.isActive ? '' : ' so late; copy again'}`;

export class Selection {
  #rows;
  /** What stands for the rows that are not drawn: an end of the browser's selection must be
   * somewhere. */
  #above;
  #below;
  #win;
  #text;
  #announcer;
  /** The two ends, `{ entry, offset }`, `offset` in characters of the row's text; `null`: nothing
   * is selected. */
  #ends = null;

  /** `text(entry)`: a line's own text, `undefined` where it is not here. */
  constructor(rows, win, text, announcer) {
    this.#rows = rows;
    this.#above = rows.previousElementSibling;
    this.#below = rows.nextElementSibling;
    this.#win = win;
    this.#text = text;
    this.#announcer = announcer;
    document.addEventListener('selectionchange', () => this.#changed());
    document.addEventListener('copy', (event) => this.#copy(event));
  }

  get any() {
    return this.#ends !== null;
  }

  clear() {
    this.#ends = null;
    getSelection().removeAllRanges();
  }

  /** From the first line to the last. */
  async all() {
    const source = this.#win.source;
    const ends = [];
    for (const question of [() => source.after(null), () => source.before(null)]) {
      let entry;
      while ((entry = question()) === undefined) if (!(await source.load())) return;
      if (!entry) return;
      ends.push(entry);
    }
    this.#ends = [{ entry: ends[0], offset: 0 }, { entry: ends[1], offset: Infinity }];
    this.drawn();
  }

  /** Rows have come and gone: the browser's selection is made that of the places again. */
  drawn() {
    if (!this.#ends) return;
    const selection = getSelection();
    const points = this.#ends.map((end) => this.#point(end));
    const [[a, i], [b, j]] = points;
    if (selection.anchorNode === a && selection.anchorOffset === i && selection.focusNode === b && selection.focusOffset === j) return;
    selection.setBaseAndExtent(a, i, b, j);
  }

  #point({ entry, offset }) {
    const item = this.#win.items.find((one) => one.entry.key === entry.key);
    if (!item) return [(this.#isAbove(entry) ? this.#above : this.#below).firstChild, 0];
    const walker = document.createTreeWalker(item.node, NodeFilter.SHOW_TEXT);
    let rest = offset;
    let last = null;
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (rest <= text.data.length) return [text, rest];
      rest -= text.data.length;
      last = text;
    }
    return last ? [last, last.data.length] : [item.node, 0];
  }

  #isAbove(entry) {
    const first = this.#win.items[0]?.entry;
    return Boolean(first) && isBefore(entry, first);
  }

  #changed() {
    const selection = getSelection();
    const { anchorNode, focusNode, isCollapsed } = selection;
    const inside = (node) => node && this.#rows.parentNode.contains(node);
    const isGap = (node) => this.#above.contains(node) || this.#below.contains(node);
    // Rows that are taken away take the browser's selection with them, not ours.
    if (anchorNode === this.#rows || focusNode === this.#rows || (isCollapsed && isGap(anchorNode))) return;
    if (isCollapsed || !inside(anchorNode) || !inside(focusNode)) {
      this.#ends = null;
      return;
    }
    const ends = [
      [selection.anchorNode, selection.anchorOffset],
      [selection.focusNode, selection.focusOffset],
    ].map(([node, offset], i) => this.#placed(node, offset) ?? this.#ends?.[i]);
    this.#ends = ends.every(Boolean) ? ends : null;
  }

  #placed(node, offset) {
    const item = this.#win.itemOf(node);
    if (!item) return null;
    const range = document.createRange();
    range.selectNodeContents(item.node);
    range.setEnd(node, offset);
    return { entry: item.entry, offset: range.toString().length };
  }

  #copy(event) {
    if (!this.#ends || event.target.closest?.('input, textarea')) return;
    event.preventDefault();
    const gathered = this.#gather();
    let step = gathered.next();
    // What is here is copied at once; what is not is fetched, and copied then.
    while (!step.done && step.value === 'breath') step = gathered.next();
    if (step.done) event.clipboardData.setData('text/plain', step.value);
    else this.#later(gathered, step);
  }

  async #later(gathered, step) {
    const text = await this.#rest(gathered, step);
    if (!(await toClipboard(text))) this.#announcer.say(refusal());
  }

  async #rest(gathered, step = gathered.next()) {
    for (; !step.done; step = gathered.next()) {
      if (step.value === 'load') {
        if (!(await this.#win.source.load())) return '';
      } else {
        await new Promise((done) => setTimeout(done));
      }
    }
    return step.value;
  }

  /** The selected text. */
  text() {
    return this.#rest(this.#gather());
  }

  /** The text of all lines from one entry to another. */
  between(first, last) {
    return this.#rest(this.#gather([{ entry: first, offset: 0 }, { entry: last, offset: Infinity }]));
  }

  /** Yields `load` where something is not here yet, `breath` now and then; returns the text. */
  *#gather(ends = this.#ends) {
    const source = this.#win.source;
    let [first, last] = ends;
    if (isBefore(last.entry, first.entry) || (first.entry.key === last.entry.key && last.offset < first.offset)) [first, last] = [last, first];
    const lines = [];
    let entry = first.entry;
    for (let count = 1; entry && count < MOST; count += 1) {
      if (!entry.mark) {
        let text;
        while ((text = this.#text(entry)) === undefined) yield 'load';
        text = plain(overwritten(text));
        const shown = this.#win.items.find((item) => item.entry.key === entry.key)?.node.textContent;
        // Of a row that looks different from its line there is all or nothing.
        const exact = shown === undefined || text.startsWith(shown);
        const [from, to] = [entry.key === first.entry.key && exact ? first.offset : 0, entry.key === last.entry.key && exact && last.offset < (shown?.length ?? 0) ? last.offset : Infinity];
        lines.push(text.slice(from, to));
      }
      if (entry.key === last.entry.key) break;
      let next;
      while ((next = source.after(entry)) === undefined) yield 'load';
      entry = next;
      if (count % BREATH === 0) yield 'breath';
    }
    return lines.join('\n');
  }
}
