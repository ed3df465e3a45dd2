// What a screen reader is told: the state at once, news in a few words now and then. The rows
// themselves are silent, since rows that come and go under the reader would be read again and
// again.

/** News are read out no more often, in ms. */
const EVERY = 5_000;
/** So many new lines are read out as they are. */
const ALOUD = 3;

export class Announcer {
  #word;
  #news;
  #lines = 0;
  #errors = 0;
  #texts = [];
  #timer = 0;
  #next = 0;
  on = true;

  /** `word` is the element with the state, `news` the one for everything else. */
  constructor(word, news) {
    this.#word = word;
    this.#news = news;
  }

  state(words) {
    // Set only when it changes: it is read aloud.
    if (this.#word.textContent !== words) this.#word.textContent = words;
  }

  /** A sentence that is an answer to what the reader did, or a mark. */
  say(sentence) {
    this.#news.textContent = sentence;
    this.#next = Date.now() + EVERY;
  }

  /** So many new lines; the texts of the newest, if they are known. */
  lines(count, texts, errors) {
    if (!this.on || document.hidden) return;
    this.#lines += count;
    this.#errors += errors;
    this.#texts = this.#lines <= ALOUD ? [...this.#texts, ...texts].slice(-ALOUD) : [];
    this.#timer ||= setTimeout(() => this.#tell(), Math.max(EVERY / 10, this.#next - Date.now()));
  }

  #tell() {
    this.#timer = 0;
    this.#next = Date.now() + EVERY;
    const errors = this.#errors > 0 ? `, ${this.#errors} ${this.#errors === 1 ? 'error' : 'errors'}` : '';
    const few = this.#lines <= ALOUD && this.#texts.length === this.#lines;
    this.#news.textContent = few ? this.#texts.join('\n') : `${this.#lines.toLocaleString('en')} new lines${errors}`;
    this.#lines = this.#errors = 0;
    this.#texts = [];
  }
}
