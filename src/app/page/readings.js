// Tells a file that holds one reading, written anew each time, from a log that is rotated or cut
// now and then.

/** A reading is one line at most, of so many bytes at most ... */
const LONGEST = 4096;
/** ... and the next one comes within so many ms. A log that is cut begins to grow again. */
const LIFE = 60_000;
/** So many in a row are no chance. */
const ENOUGH = 2;

const NEWLINE = 10;

export class Readings {
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
