// Going to a part of the file or to a time in it, with no index: bytes are halved until the time is
// found.

/** Read at once to find a line with a time, in bytes. */
const PROBE = 8 * 1024;
/** So near, in bytes, lines are looked at one after another. */
const NEAR = 32 * 1024;
/** Probes at most: 2^40 bytes need no more. */
const PROBES = 40;

const UNITS = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };

/** `{ part }` for `50%`, `{ ms }` for `14:30`, `-2h`, `2026-11-25 14:30`; `null` for anything else.
 * `newest`: the time of the last line, in ms. */
export function target(text, newest, now = Date.now()) {
  text = text.trim();
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
  if (percent) return { part: Math.min(1, Number(percent[1]) / 100) };
  const ago = /^-\s*(\d+(?:\.\d+)?)\s*([smhd])$/.exec(text);
  if (ago) return { ms: now - Number(ago[1]) * UNITS[ago[2]] };
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text);
  if (clock) {
    const latest = newest ?? now;
    const date = new Date(latest);
    date.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
    // Of yesterday, where today has not come so far.
    if (date.getTime() > latest) date.setDate(date.getDate() - 1);
    return { ms: date.getTime() };
  }
  const day = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (day) {
    const [, year, month, date, hour = 0, minute = 0, second = 0] = day.map(Number);
    return { ms: new Date(year, month - 1, date, hour || 0, minute || 0, second || 0).getTime() };
  }
  return null;
}

export class Clock {
  #pieces;
  #lines;
  #times;

  constructor(pieces, lines, times) {
    this.#pieces = pieces;
    this.#lines = lines;
    this.#times = times;
  }

  /** The time of the first line with one in `length` bytes from an offset on, in ms; `null`: there
   * is none. */
  async #timeAt(run, offset, length = PROBE) {
    const to = Math.min(run.to, offset + length);
    let bytes = this.#pieces.bytes(run, offset, to);
    if (bytes === undefined) {
      const answer = await this.#pieces.fetch(run.inode, offset, to - offset);
      if (!answer.ok) return null;
      bytes = new Uint8Array(await answer.arrayBuffer());
    }
    const lines = new TextDecoder().decode(bytes).split('\n');
    // The first one begins before.
    for (const line of offset > run.from ? lines.slice(1) : lines) {
      const time = this.#times.parse(line);
      if (time) return time.ms;
    }
    return null;
  }

  /** The time of the newest line with one. */
  async newest() {
    const run = this.#pieces.live;
    if (!run || run.to === run.from) return null;
    const offset = Math.max(run.from, run.to - PROBE);
    const answer = await this.#pieces.fetch(run.inode, offset, run.to - offset).catch(() => null);
    if (!answer?.ok) return null;
    for (const line of (await answer.text()).split('\n').reverse()) {
      const time = this.#times.parse(line);
      if (time) return time.ms;
    }
    return null;
  }

  /** The place of the first line that is not before `ms`, `{ run, start }`; `null` where lines have
   * no times. */
  async find(ms) {
    let run = this.#pieces.live;
    let seen = false;
    for (let piece = run; piece; ) {
      if (!piece.kind && piece.to > piece.from) {
        const first = await this.#timeAt(piece, piece.from);
        if (first !== null) {
          seen = true;
          run = piece;
          if (first <= ms) break;
        }
      }
      if (!piece.prev && this.#pieces.wantsOlder) await this.#pieces.load();
      piece = piece.prev;
    }
    if (!seen) return null;
    let [low, high] = [run.from, run.to];
    for (let probes = 0; high - low > NEAR && probes < PROBES; probes += 1) {
      const middle = Math.floor((low + high) / 2);
      const time = await this.#timeAt(run, middle);
      if (time !== null && time < ms) low = middle;
      else high = middle;
    }
    let line;
    const step = async (question) => {
      while ((line = question()) === undefined) if (!(await this.#pieces.load())) return null;
      return line;
    };
    let entry = await step(() => this.#lines.around(run, low));
    while (entry && !entry.mark) {
      const bytes = this.#pieces.bytes(entry.run, entry.start, Math.min(entry.end, entry.start + 400));
      const time = bytes && this.#times.parse(new TextDecoder().decode(bytes));
      if (time && time.ms >= ms) return { run: entry.run, start: entry.start };
      const next = await step(() => this.#lines.after(entry));
      if (!next || next.mark) break;
      entry = next;
    }
    return entry && !entry.mark ? { run: entry.run, start: entry.start } : null;
  }
}
