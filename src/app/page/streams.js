// The list of streams: which there are, when each was last written to, and how fast. One chain of
// requests asks for it, whatever happens.

import { age } from './time.js';

export { age };

/** How often it is asked for while somebody looks at the list, and while the list is closed, in
 * ms. */
const [OPEN, CLOSED] = [3_000, 60_000];
/** The first wait after a failure or an empty list, in ms; it doubles up to `CLOSED`. */
const AGAIN = 2_000;
/** Points of a sparkline. */
const POINTS = 30;
/** Streams written to within this time are as new as each other, in ms: else the list would not
 * keep still. */
const LIVE = 60_000;

async function askServer() {
  const answer = await fetch('sources', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}

export class Streams {
  /** As `/sources` has them, with `age` (ms since the last write, `null`: never) and `rates` (bytes
   * a second, or readings of a sample, oldest first), the newest first. */
  list = [];
  #seen = new Map();
  #options;
  #timer = null;
  #asking = null;
  #open = false;
  #failures = 0;
  #closed = false;

  /** `changed(list)` after each answer; `appeared(source)` for each stream that was not in an
   * earlier one. */
  constructor({
    changed = () => {},
    appeared = () => {},
    ask = askServer,
    now = Date.now,
    asleep = () => document.hidden,
  }) {
    this.#options = { changed, appeared, ask, now, asleep };
  }

  /** Whether somebody looks at the list. */
  set open(open) {
    this.#open = open;
    if (open) this.ask();
    else this.#wait();
  }

  /** Asks now; while it is asked already, that answer is the one. */
  ask() {
    if (this.#closed) return Promise.resolve();
    this.#asking ??= this.#once().finally(() => {
      this.#asking = null;
      this.#wait();
    });
    return this.#asking;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#closed || this.#asking) return;
    const usual = this.#open ? OPEN : CLOSED;
    const due = this.#failures > 0 ? Math.min(CLOSED, AGAIN * 2 ** (this.#failures - 1)) : usual;
    // Nobody sees a hidden tab; it asks when it is looked at again (`ask`).
    this.#timer = setTimeout(() => (this.#options.asleep() ? this.#wait() : this.ask()), due);
  }

  async #once() {
    try {
      const sources = await this.#options.ask();
      this.#failures = sources.length === 0 ? this.#failures + 1 : 0;
      this.#learn(sources);
    } catch {
      // The server is away; the state of the stream says so already.
      this.#failures += 1;
    }
  }

  #learn(sources) {
    const { changed, appeared, now } = this.#options;
    const at = now();
    const first = this.#seen.size === 0;
    const known = this.#seen;
    this.#seen = new Map();
    const fresh = [];
    this.list = sources.map((source) => {
      const before = known.get(source.name);
      if (!before && !first) fresh.push(source);
      const written = source.modified ? Date.parse(source.modified) : null;
      const moved = before !== undefined && (before.size !== source.size || before.written !== written);
      const rates = before ? [...before.rates, rate(source, before, moved, at)].slice(-POINTS) : [];
      // The board's clock may be wrong: what was seen to change is no older than that.
      const movedAt = moved ? at : (before?.movedAt ?? -Infinity);
      this.#seen.set(source.name, { size: source.size, written, at, rates, movedAt });
      const age = written === null ? null : Math.max(0, at - Math.max(movedAt, Math.min(written, at)));
      return { ...source, age, rates };
    });
    const rank = ({ age }) => (age === null ? Infinity : Math.max(age, LIVE));
    this.list.sort((a, b) => Math.sign(rank(a) - rank(b)) || a.name.localeCompare(b.name));
    changed(this.list);
    fresh.forEach(appeared);
  }
}

/** Bytes a second since the last look; of a sample, whose size says nothing, readings. */
function rate({ kind, size }, before, moved, at) {
  const seconds = Math.max(0.001, (at - before.at) / 1000);
  if (kind === 'sample') return (moved ? 1 : 0) / seconds;
  // A smaller file is a new one.
  return (size >= before.size ? size - before.size : size) / seconds;
}

/** The address of a stream's view. */
export function link(name, text = name) {
  const a = document.createElement('a');
  a.href = `#${encodeURIComponent(name)}`;
  a.textContent = text;
  return a;
}

/** Rates as a line, 60×16 px; the highest touches the top. */
export function sparkline(rates) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 60 16');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(svg.namespaceURI, 'polyline');
  line.setAttribute('points', points(rates));
  svg.append(line);
  return svg;
}

/** The points of that line, the newest at the right. */
export function points(rates) {
  const top = Math.max(...rates, Number.MIN_VALUE);
  const x = (i) => 60 - (rates.length - 1 - i) * (60 / (POINTS - 1));
  return rates.map((value, i) => `${x(i).toFixed(1)},${(15 - 14 * (value / top)).toFixed(1)}`).join(' ');
}

/** One stream of the list, as an item with its link, age and sparkline. */
export function item(source, shown) {
  const li = document.createElement('li');
  const a = link(source.name);
  if (source.name === shown) a.ariaCurrent = 'page';
  const old = document.createElement('span');
  old.className = 'age';
  old.textContent = source.missing ? `missing: ${source.missing}` : age(source.age);
  a.append(sparkline(source.rates), old);
  li.append(a);
  return li;
}
