// What the page says of the stream: its state in words, how fast lines come, how many were missed.

import { age } from './time.js';

const WORDS = { connecting: 'connecting', live: 'live', waiting: 'waiting for the file', reconnecting: 'reconnecting' };
const WAITING = { sample: 'waiting for a reading', pipe: 'waiting for more' };
/** The number of new lines is told again after so long, in ms. */
const SAID = 50;

const digits = new Intl.NumberFormat('en');
const number = (n, one, many) => (n === 1 ? `1 ${one}` : `${digits.format(n)} ${many}`);
const at = (id) => document.getElementById(id);

export class Status {
  #announcer;
  #word = 'connecting';
  #missed = 0;
  #timer = 0;
  #second = { count: 0, at: 0 };
  following = true;
  /** The kind of the source. */
  kind = 'file';

  constructor(announcer) {
    this.#announcer = announcer;
  }

  get live() {
    return this.#word === 'live';
  }

  /** Another stream. */
  reset() {
    this.#missed = 0;
    this.#second = { count: 0, at: Date.now() };
  }

  /** The state of the connection, as stream.js tells it. */
  state(word, seconds) {
    this.#word = word;
    at('state').dataset.state = word;
    at('countdown').textContent = word === 'reconnecting' ? ` in ${seconds} s` : '';
    this.#say();
  }

  follow(following) {
    this.following = following;
    this.#missed = 0;
    this.#say();
    this.#count();
  }

  /** So many lines came. */
  came(lines) {
    if (this.following) return;
    this.#missed += lines;
    this.#timer ||= setTimeout(() => this.#count(), SAID);
  }

  /** Called once a second: how fast lines come, and when the last one did. */
  pace(log) {
    if (document.hidden || !log) return;
    const now = Date.now();
    const rate = Math.round(((log.count - this.#second.count) * 1000) / Math.max(1, now - this.#second.at));
    this.#second = { count: log.count, at: now };
    const last = log.lastAt > 0 ? `last line ${age(now - log.lastAt)}` : '';
    at('pace').textContent = rate > 0 ? number(rate, 'line/s', 'lines/s') : last;
    at('pace').hidden = at('pace').textContent === '';
  }

  #say() {
    const word = (this.#word === 'waiting' && WAITING[this.kind]) || WORDS[this.#word];
    const paused = this.live && !this.following;
    at('state').toggleAttribute('data-paused', paused);
    this.#announcer.state(paused ? `${word}, paused` : word);
  }

  #count() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    at('jump').hidden = this.following;
    at('jump').textContent = this.#missed > 0 ? `↓ ${number(this.#missed, 'new line', 'new lines')}` : '↓ to the end';
    at('pause').textContent = this.following ? 'Pause' : 'Resume';
  }
}

/** News are read out no more often, in ms. */
const EVERY = 5_000;
/** So many new lines are read out as they are. */
const ALOUD = 3;

/** What a screen reader is told: the state at once, news in a few words now and then. The rows
 * themselves are silent, since rows that come and go under the reader would be read again and again. */
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
