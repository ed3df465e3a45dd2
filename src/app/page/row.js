// The element of a line or of a mark. A row's text is the line's own text: what is only shown
// besides (a shorter time, the word on a button) comes from the style sheet, so that whoever reads
// or copies the row gets the line.

import { overwritten, plain, spans } from './ansi.js';
import { record } from './json.js';
import { level } from './level.js';
import { continues } from './lines.js';
import { shown } from './time.js';

/** Characters of a line shown at first ... */
const SHOWN = 4_000;
/** ... and so many more, in bytes, each time that more is asked for. */
const STEP = 64 * 1024;
/** Lines of a stack trace that are followed up to its head. */
const TRACE = 30;

const element = (name, look, ...content) => {
  const made = document.createElement(name);
  if (look) made.className = look;
  made.append(...content);
  return made;
};

export class Rows {
  #pieces;
  #lines;
  #times;
  #local;
  /** The line that was found or linked to, `{ run, start }`. */
  current = null;
  /** How many bytes of a long line are shown, by key. */
  #opened = new Map();

  /** `local`: times are shown in the reader's zone. */
  constructor(pieces, lines, times, local) {
    this.#pieces = pieces;
    this.#lines = lines;
    this.#times = times;
    this.#local = local;
  }

  /** The text of a line, or of its first `most` bytes; no line end. `undefined` where it is not
   * here. */
  text({ run, start, end, open }, most = Infinity) {
    const bytes = this.#pieces.bytes(run, start, Math.min(end, start + most));
    if (bytes === undefined) return undefined;
    // A character that is cut in half waits for its other half.
    const cut = open || end - start > most;
    const wide = wideness(run, start, bytes);
    if (wide) return wideText(wide, start, bytes);
    return new TextDecoder().decode(bytes, { stream: cut }).replace(/\r?\n$/, '');
  }

  isCurrent({ run, start }) {
    return this.current !== null && run === this.current.run && start === this.current.start;
  }

  draw(entry) {
    return entry.mark ? this.#mark(entry) : this.#line(entry);
  }

  #mark({ mark, key }) {
    const row = element('div', `mark ${mark.kind}`);
    row.id = `at-${key}`;
    const sentence = element('span', '', mark.sentence);
    if (mark.href) {
      const link = element('a', '', mark.link);
      link.href = mark.href;
      sentence.append(' ', link);
    }
    if (mark.at) {
      const time = element('time', '', shown(mark.at, true));
      time.dateTime = new Date(mark.at).toISOString();
      time.title = shown(mark.at);
      sentence.prepend(time, ' ');
    }
    row.append(sentence);
    return row;
  }

  #line(entry) {
    const row = element('div', 'row');
    row.id = `at-${entry.key}`;
    if (this.isCurrent(entry)) row.classList.add('current');
    const most = this.#opened.get(entry.key) ?? SHOWN * 4;
    let text = this.text(entry, most) ?? '';
    let left = Math.max(0, entry.end - entry.start - most);
    if (!this.#opened.has(entry.key) && text.length > SHOWN) {
      left += text.length - SHOWN;
      text = text.slice(0, SHOWN);
    }
    const said = record(text);
    if (said?.message != null) this.#json(row, said);
    else this.#text(row, text);
    const is = said?.level ?? this.#level(entry, plain(text));
    if (is) {
      row.dataset.level = is;
      row.title = is;
    }
    if (said) row.append(this.#tree(row, text));
    if (left > 0) row.append(this.#more(entry, left));
    return row;
  }

  /** A stack trace is as bad as the line that it belongs to. */
  #level(entry, text) {
    for (let up = 0; up < TRACE && continues(text, this.#times.winner); up += 1) {
      entry = this.#lines.before(entry);
      if (!entry || entry.mark) return null;
      text = plain(this.text(entry, SHOWN) ?? '');
    }
    return level(text);
  }

  #text(row, text) {
    paint(row, text, (line) => this.#times.parse(line), (span, { ms }) => this.#time(span, ms));
  }

  /** Beside a time as it stands there: a narrow page shows `data-short` of it. */
  #time(span, ms) {
    span.dataset.short = shown(ms, true);
    span.title = shown(ms);
    // A number of seconds says nothing to a person.
    if (this.#local() || /^[[(]?\d{9,}/.test(span.textContent)) {
      span.classList.add('local');
      span.dataset.local = this.#local() ? shown(ms).slice(0, 23) : shown(ms).slice(0, 19);
    }
  }

  /** Message first, what else there is dim behind it. */
  #json(row, { time, level: is, logger, message, rest }) {
    if (time !== null) {
      const at = this.#times.parse(String(time));
      const span = element('span', 'time', String(time));
      if (at) this.#time(span, at.ms);
      row.append(span, ' ');
    }
    if (is) row.append(element('span', 'level', is), ' ');
    if (logger !== null) row.append(element('span', 'logger', `${logger}:`), ' ');
    row.append(plain(message));
    for (const [key, value] of rest) {
      row.append(' ', element('span', 'key', `${key}=`), element('span', 'value', plain(typeof value === 'string' ? value : JSON.stringify(value))));
    }
  }

  /** The record as it is, folded. */
  #tree(row, text) {
    const button = element('button', 'tree');
    button.type = 'button';
    button.ariaLabel = 'Whole record';
    button.ariaExpanded = 'false';
    button.tabIndex = -1;
    button.addEventListener('click', () => {
      const open = row.querySelector('pre');
      button.ariaExpanded = String(!open);
      if (open) {
        open.remove();
        return;
      }
      const start = text.indexOf('{');
      row.append(element('pre', '', JSON.stringify(JSON.parse(text.slice(start)), null, 2)));
    });
    return button;
  }

  #more(entry, left) {
    const button = element('button', 'more');
    button.type = 'button';
    button.tabIndex = -1;
    button.ariaLabel = `show ${left.toLocaleString('en')} more`;
    button.addEventListener('click', async () => {
      this.#opened.set(entry.key, (this.#opened.get(entry.key) ?? SHOWN * 4) + STEP);
      while (this.text(entry, this.#opened.get(entry.key)) === undefined) if (!(await this.#pieces.load())) return;
      const row = button.closest('.row');
      row.dispatchEvent(new CustomEvent('more', { bubbles: true, detail: entry.key }));
    });
    return button;
  }
}

/** Puts a line's text into a row, in its colours; `time` is told of the element of the time that `parse` finds in it. */
export function paint(row, text, parse, time) {
  let pieces = spans(overwritten(text));
  const at = parse(pieces.map((piece) => piece.text).join(''));
  if (at) pieces = cut(pieces, at.start, at.end);
  for (const piece of pieces) {
    if (!piece.time && piece.classes.length === 0 && !piece.color && !piece.background) {
      row.append(piece.text);
      continue;
    }
    const span = element('span', piece.time ? 'time' : '', piece.text);
    span.classList.add(...piece.classes);
    if (piece.time) time(span, at);
    if (piece.color) span.style.color = piece.color;
    if (piece.background) span.style.background = piece.background;
    row.append(span);
  }
}

/** The pieces with those from `start` to `end` on their own, marked `time`. */
function cut(pieces, start, end) {
  const out = [];
  let at = 0;
  for (const piece of pieces) {
    const edges = [0, start - at, end - at, piece.text.length].filter((edge) => edge >= 0 && edge <= piece.text.length);
    for (let i = 1; i < edges.length; i += 1) {
      const text = piece.text.slice(edges[i - 1], edges[i]);
      if (text) out.push({ ...piece, text, time: at + edges[i - 1] >= start && at + edges[i] <= end });
    }
    at += piece.text.length;
  }
  return out;
}

/** Whether a generation is UTF-16, by its mark, or, where its start was never seen, by the zeros beside its letters:
 * text of one byte a letter has none. Remembered with the run. */
function wideness(run, start, bytes) {
  if (run.wide !== undefined) return run.wide;
  if (start === 0 && bytes.length > 1) {
    const mark = (bytes[0] << 8) | bytes[1];
    run.wide = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : null;
    return run.wide;
  }
  const zeros = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === 0) zeros[(start + at) % 2] += 1;
  const [even, odd] = zeros.map((count) => count * 3 > bytes.length / 2);
  if (even !== odd) run.wide = odd ? 'utf-16le' : 'utf-16be';
  return run.wide ?? null;
}

/** A row was cut behind a byte of 10, which is half of a newline or less: whole pairs are read, from an even offset on. */
function wideText(wide, start, bytes) {
  const skipped = start % 2;
  const whole = (bytes.length - skipped) & ~1;
  const text = new TextDecoder(wide).decode(bytes.subarray(skipped, skipped + whole));
  return text.replace(/[\r\n\0]+$/, '');
}
