// The list of streams: which there are, when each was last written to, and how fast. One chain of
// requests asks for it, whatever happens.

/** How often it is asked for while somebody looks at the list, and while the list is closed, in
 * ms. */
const [OPEN, CLOSED] = [3_000, 60_000];
/** The first wait after a failure or an empty list, in ms; it doubles up to `CLOSED`. */
const AGAIN = 2_000;
/** Points of a sparkline. */
export const POINTS = 30;
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

const at = (id) => document.getElementById(id);

/** What the server names, and the field where one is chosen. */
export class Sources {
  /** In the server's order. */
  list = [];
  #offered = '';

  async ask() {
    const answer = await fetch('sources', { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    this.list = await answer.json();
    return this.list;
  }

  of(name) {
    return this.list.find((source) => source.name === name);
  }

  address(name) {
    return this.of(name)?.url ?? `stream/${encodeURIComponent(name)}`;
  }

  /** The stream that was written last; of several, the one that the server names first. */
  get newest() {
    // A board without a clock writes in 1970.
    const written = ({ modified }) => (modified === null ? -Infinity : Date.parse(modified));
    const latest = Math.max(...this.list.map(written));
    return this.list.find((source) => written(source) >= latest - LIVE) ?? this.list[0];
  }

  /** Offers them, `shown` among them. */
  offer(shown) {
    const served = this.list.map(({ name }) => name);
    const names = shown === null || served.includes(shown) ? served : [...served, shown];
    const choice = at('choice');
    // Left alone where nothing changed: it may be open.
    const offer = JSON.stringify([names, served]);
    if (offer !== this.#offered) {
      const option = (name) => new Option(served.includes(name) ? name : `${name} (not served here)`, name);
      choice.replaceChildren(...names.map(option));
      this.#offered = offer;
    }
    choice.value = shown;
    choice.hidden = names.length < 2;
    at('name').classList.toggle('unseen', names.length > 1);
    at('polled').hidden = this.of(shown)?.watch !== 'polling';
    this.#sayEngine(this.of(shown)?.engine);
  }

  /** Where the stream stands at the engine that it is handed to, or comes from. */
  #sayEngine(engine) {
    const line = at('engine');
    line.hidden = !engine || engine.state === 'receiving';
    if (!engine) return;
    const { url, state, since, behind, cause } = engine;
    const words = {
      connecting: 'engine: connecting',
      publishing: 'publishing',
      away: `engine away since ${new Date(since).toLocaleTimeString()}`,
      refused: 'not published',
    };
    const left = behind > 0 ? `, ${behind.toLocaleString('en')} bytes behind` : '';
    line.textContent = (words[state] ?? state) + left;
    line.title = [line.textContent, url, cause].filter(Boolean).join(': ');
    line.dataset.state = state;
  }
}
