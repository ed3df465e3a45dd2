// The alerts of the stream that is shown: its lines are looked at beside the page, as find does.

import { Alerts } from './alerts.js';
import { Matcher } from './matcher.js';
import { kept } from './settings.js';

/** Alerts of one batch told one by one; more are one event. */
const MOST = 20;
/** Of a line that does not end so much is waited for, in bytes. */
const LONGEST = 64 * 1024;
const NEWLINE = 10;

export class Watching {
  alerts;
  #matcher = new Matcher();
  #held = null;
  #name = '';
  #charted;
  #recent;

  /** `show(place)` goes to a line; `charted()`: a chart looks at the readings already; `recent()`: the newest bytes,
   * to learn the form of readings from. */
  constructor({ show, charted, recent }) {
    this.#charted = charted;
    this.#recent = recent;
    this.alerts = new Alerts({ banner: document.getElementById('banner'), show });
  }

  get on() {
    return this.alerts.rules.length > 0;
  }

  /** Another stream, with its own rules. */
  reset(name, rules) {
    this.#name = name;
    this.alerts.seen();
    this.alerts.title = `${name} · Tailcast`;
    this.alerts.set(rules);
  }

  /** Bytes came; lines are looked at when they have ended. */
  push(run, start, bytes) {
    const held = this.#held?.run === run ? this.#held : { run, start, bytes: new Uint8Array(0) };
    const all = new Uint8Array(held.bytes.length + bytes.length);
    all.set(held.bytes);
    all.set(bytes, held.bytes.length);
    const end = all.lastIndexOf(NEWLINE) + 1;
    // A line without an end is not held for ever.
    this.#held = all.length - end > LONGEST ? null : { run, start: held.start + end, bytes: all.slice(end) };
    if (end > 0) this.#look(run, held.start, all.slice(0, end));
  }

  async #look(run, start, bytes) {
    for (const rule of this.alerts.rules.filter(({ pattern }) => pattern)) {
      const found = await this.#matcher.ask({ job: 'lines', bytes, spec: { filters: [rule.pattern], level: null } }).catch(() => []);
      for (const place of found.slice(0, MOST)) {
        const end = bytes.indexOf(NEWLINE, place);
        const text = new TextDecoder().decode(bytes.subarray(place, end < 0 ? bytes.length : end));
        this.alerts.raise(rule, text, { run, start: start + place });
      }
    }
    if (this.alerts.rules.some(({ series }) => series) && !this.#charted()) this.#read(run, start, bytes);
  }

  /** Thresholds are looked at whether or not a chart is shown. */
  async #read(run, start, bytes) {
    const name = this.#name;
    const found = await this.#matcher.ask({ job: 'readings', bytes, recent: this.#recent(), path: name }).catch(() => []);
    if (name !== this.#name) return;
    const known = kept(name).series ?? {};
    for (const { key, name: series, value, at } of found) {
      this.alerts.value(known[key]?.name ?? series, value, { run, start: start + at });
    }
  }
}
