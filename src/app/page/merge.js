// Several streams in one list, ordered by time: a line that comes late is put in its place, and the
// lines of one stream stay in the order in which they came.

/** Lines kept: more than anybody scrolls back through here; each stream has its own log. */
const MAX_LINES = 5_000;
/** Marks of the streams, as classes `source0` to `source7`. */
const COLOURS = 8;

export class Merge {
  /** `{ source, ms, line }`, oldest first. */
  lines = [];
  /** How many older lines were let go. */
  dropped = 0;
  #sources = new Map();

  /** The class of a stream's lines. */
  colour(source) {
    if (!this.#sources.has(source)) {
      const taken = new Set([...this.#sources.values()].map(({ place }) => place));
      let place = 0;
      while (taken.has(place)) place += 1;
      this.#sources.set(source, { place, last: null });
    }
    return `source${this.#sources.get(source).place % COLOURS}`;
  }

  /**
   * Puts a line in its place: `{ index, dropped }`, where in `lines` it now stands and how many
   * were let go at the front before that (itself, where the index is -1). `ms`: its own time, or
   * `null`: then it goes behind the line before it of its stream. `arrival`: when it came, in ms.
   */
  put(source, line, ms, arrival) {
    this.colour(source);
    const own = this.#sources.get(source);
    // A stack trace has the time of its first line; a stream without times goes by arrival.
    const at = ms ?? own.last ?? arrival;
    own.last = ms ?? own.last;
    let index = this.lines.length;
    while (index > 0 && this.lines[index - 1].ms > at && this.lines[index - 1].source !== source) index -= 1;
    this.lines.splice(index, 0, { source, ms: at, line });
    const dropped = Math.max(0, this.lines.length - MAX_LINES);
    this.lines.splice(0, dropped);
    this.dropped += dropped;
    return { index: index - dropped, dropped };
  }

  /** Lets go of a stream and its lines. */
  remove(source) {
    this.lines = this.lines.filter((line) => line.source !== source);
    this.#sources.delete(source);
  }
}
