// What the page says of the stream: its state in words, how fast lines come, how many were missed.

import { age } from './age.js';

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
