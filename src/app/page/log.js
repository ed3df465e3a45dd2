// The log of one stream: what the socket tells becomes runs of bytes and marks.

import { Cursor } from './cursor.js';
import { Pieces, newlines } from './pieces.js';
import { Lines } from './lines.js';

const NEWLINE = 10;
/** The newest lines that the shape of times is learnt from, in bytes. */
const LEARNT = 16 * 1024;
/** The board's zone is looked for again after so long, in ms: clocks are set, summer ends. */
const LEARN_AGAIN = 60_000;

const number = (n, one, many) => (n === 1 ? `1 ${one}` : `${n.toLocaleString('en')} ${many}`);

const SENTENCES = {
  rotated: () => 'rotated: a new file begins here',
  truncated: ({ lost }) =>
    `truncated: the file begins again here, ${lost ? number(lost, 'byte', 'bytes') : 'nothing'} of the old content was lost`,
  skipped: ({ bytes }) => `skipped: ${number(bytes, 'NUL byte', 'NUL bytes')} of a hole in the file`,
  lost: ({ bytes }) => `lost: ${bytes == null ? 'an unknown number of bytes is' : number(bytes, 'byte is', 'bytes are')} not shown here`,
  missing: ({ cause }) => (cause === 'unreadable' ? 'missing: the file may not be read now' : 'missing: there is no such file now'),
  found: () => 'found: the file is there',
};

/** What a sensor or a pipe would be called a file for. */
const SAYINGS = {
  sample: { missing: 'missing: it can’t be read now', found: 'found: it is read again' },
  pipe: { missing: 'ended: nothing more comes from here now', found: 'found: it goes on' },
};
const READINGS = 'from here on each line is a new reading: the file is written anew each time';

export class Log {
  pieces;
  lines;
  /** Lines that came while somebody looked. */
  count = 0;
  /** When the last of them came, by `Date.now()`; 0: never. */
  lastAt = 0;
  #kind;
  #times;
  #told;
  #readings = new Readings();
  #learnAt = 0;
  #news = 0;
  /** A mark for the next line that begins. */
  #pending = null;
  #ended = true;

  /**
   * `kind` is that of the source, once it is known. `told.came(run, start, bytes)` for live bytes,
   * `told.grew(lines, bytes)` after them, `told.marked(mark)`, `told.reworded(mark)`,
   * `told.began()`.
   *
   */
  constructor(address, kind, times, told) {
    this.pieces = new Pieces(address);
    this.lines = new Lines(this.pieces);
    this.#kind = kind;
    this.#times = times;
    this.#told = told;
  }

  close() {
    this.pieces.close();
  }

  /** What came last was written while somebody looked. */
  get isNews() {
    return (this.pieces.live?.at ?? 0) > this.#news;
  }

  /** The next byte stands at `place`; what is before `size` is no news. */
  begin(place, size = 0) {
    this.#news = size;
    const before = this.pieces.live;
    const file = this.#kind() === 'file';
    const goesOn = before?.inode === place.inode && place.offset > 0;
    const from = file && !goesOn ? 0 : place.offset;
    this.pieces.begin(place.inode, from, place.offset, true);
    this.#ended = true;
    this.#told.began();
    if (!file && before === null) this.#kept(this.pieces.live);
  }

  /** What the board keeps of a sensor or a pipe begins before the newest lines. */
  async #kept(run) {
    const list = await this.pieces.generations().catch(() => []);
    const kept = list.find(({ inode }) => inode === run.inode);
    if (kept?.start < run.from) run.from = kept.start;
  }

  /** The next bytes; `kept`: somebody looks at the end. */
  write(bytes, kept) {
    this.#readings.write(bytes);
    if (this.#pending) {
      const cut = this.#ended ? 0 : bytes.indexOf(NEWLINE) + 1;
      if (this.#ended || (cut > 0 && cut < bytes.length)) {
        if (cut > 0) this.#push(bytes.subarray(0, cut), kept);
        this.#mark(...this.#pending);
        this.#pending = null;
        this.#push(bytes.subarray(cut), kept);
      } else {
        this.#push(bytes, kept);
      }
    } else {
      this.#push(bytes, kept);
    }
    this.#ended = bytes.at(-1) === NEWLINE;
    const lines = newlines(bytes);
    if (this.isNews) {
      this.count += lines;
      this.lastAt = Date.now();
    }
    this.#learn(bytes);
    this.#told.grew(lines, bytes);
  }

  #push(bytes, kept) {
    this.pieces.push(bytes, kept);
    const run = this.pieces.live;
    if (run) this.#told.came(run, run.at - bytes.length, bytes);
  }

  mark(event) {
    this.#pending = null;
    const kind = event.event;
    const anew = kind === 'rotated' || (kind === 'truncated' && event.lost === 0);
    if (kind === 'truncated') this.pieces.cut(new Cursor(event.cursor).inode);
    if (anew && this.#readings.turn()) {
      const mark = this.#readings.takeMark();
      if (mark) {
        mark.kind = 'readings';
        mark.sentence = READINGS;
        this.#told.reworded(mark);
      }
      return;
    }
    this.#readings.mark = this.#mark(kind, SAYINGS[this.#kind()]?.[kind] ?? SENTENCES[kind](event), { at: Date.now() });
    if (!anew) this.#readings.reset();
  }

  /** It goes on where it stood. The mark waits for the next line: it would cut the one that stands
   * there. */
  reconnected(ms) {
    const seconds = Math.max(1, Math.round(ms / 1000));
    this.#pending = ['reconnected', `reconnected after ${seconds} s: nothing is missing`, { at: Date.now() }];
  }

  /** A stream that has appeared: told where one looks. */
  appeared(name) {
    this.#mark('appeared', 'there is a new stream:', { at: Date.now(), href: `#${encodeURIComponent(name)}`, link: name });
  }

  /**
   * Left at one place by the reader's own wish and joined at another: what is between is read when
   * it is looked at. Only what nobody has any more is a loss.
   *
   */
  async joined(left, place) {
    const run = this.pieces.live;
    this.#ended = true;
    if (run?.inode === place.inode && place.offset >= run.from) {
      const same = run.at <= place.offset || place.offset > 0;
      run.to = Math.max(run.to, place.offset);
      run.at = place.offset;
      const answer = same && (await this.pieces.fetchAt(left.toString(), 1).catch(() => null));
      if (answer && answer.status === 404) this.mark({ event: 'lost', bytes: null });
      return;
    }
    // At once, since bytes come now; what lies between the two is put in when it is known.
    const mark = this.pieces.mark('rotated', SENTENCES.rotated(), { at: Date.now() });
    this.begin(place);
    const fresh = this.pieces.live;
    const list = await this.pieces.generations().catch(() => []);
    const [from, to] = [run?.inode, place.inode].map((inode) => list.findIndex((one) => one.inode === inode));
    if (from < 0 || to < 0 || from < to) {
      mark.kind = 'lost';
      mark.sentence = SENTENCES.lost({ bytes: null });
      this.#told.reworded(mark);
      return;
    }
    run.to = Math.max(run.to, list[from].size);
    for (const { inode, start, size } of list.slice(to + 1, from).reverse()) {
      this.pieces.insert(fresh, { kind: 'rotated', sentence: SENTENCES.rotated() });
      this.pieces.insert(fresh, { inode, from: start, to: size, at: size, asked: true });
    }
  }

  #mark(kind, sentence, more) {
    const mark = this.pieces.mark(kind, sentence, more);
    this.#ended = true;
    this.#told.marked(mark);
    return mark;
  }

  /** The shape of times and the board's zone, from the newest lines as they arrive. */
  #learn(bytes) {
    const now = Date.now();
    if (now < this.#learnAt) return;
    const recent = bytes.subarray(-LEARNT);
    if (!recent.includes(NEWLINE)) return;
    this.#learnAt = now + LEARN_AGAIN;
    const lines = new TextDecoder().decode(recent).split('\n').slice(0, -1).slice(-100);
    // When history came says nothing of when it was written.
    this.#times.learn(lines, this.isNews ? now : null);
  }
}

/** A reading is one line at most, of so many bytes at most ... */
const LONGEST = 4096;
/** ... and the next one comes within so many ms. A log that is cut begins to grow again. */
const LIFE = 60_000;
/** So many in a row are no chance. */
const ENOUGH = 2;

/** Tells a file that holds one reading, written anew each time, from a log that is rotated or cut
 * now and then. */
class Readings {
  #count = 0;
  #since = 0;
  #bytes = 0;
  /** A line has ended: more would be a second one. */
  #ended = false;
  #growing = false;
  #mark = null;

  /** What the file holds, in pieces. */
  write(bytes) {
    const newline = bytes.indexOf(NEWLINE);
    if (this.#ended || (newline >= 0 && newline < bytes.length - 1)) this.#growing = true;
    this.#ended ||= newline >= 0;
    this.#bytes += bytes.length;
  }

  /** The file begins anew, and nothing of it was lost. `true`: it is one that holds readings, and
   * this is the next. */
  turn() {
    const now = Date.now();
    const short = !this.#growing && this.#bytes <= LONGEST && now - this.#since <= LIFE;
    this.#count = short ? this.#count + 1 : 0;
    this.#since = now;
    this.#bytes = 0;
    this.#ended = this.#growing = false;
    return this.#count >= ENOUGH;
  }

  /** Another kind of break: whatever comes now, it has to show anew what it is. */
  reset() {
    this.#since = 0;
  }

  /** The last mark before readings were known for that: it has to say that no more will come. */
  set mark(mark) {
    this.#mark = mark;
  }

  /** That mark, the first time; then none. */
  takeMark() {
    const mark = this.#mark;
    this.#mark = null;
    return mark;
  }
}
