// When a line was written, as an instant: what a line leaves out (year, day, zone, the start of its
// clock) is taken from when lines arrive and from the lines around it.

import { stamp } from './stamp.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Zones differ by quarters of an hour. */
const QUARTER = 15 * MINUTE;
/** A line arrives so soon after it was written, or it tells nothing of the zone. */
const FRESH = 2 * MINUTE;
/** A clock may be ahead of ours by so much before "no year" means last year's. */
const AHEAD = DAY;
/** Years without a 29 February in a row, at most: where a year is looked for. */
const YEARS = 9;

/** The browser's own offset from UTC at an instant, in ms. */
const local = (ms) => -new Date(ms).getTimezoneOffset() * MINUTE;

export class Times {
  #now;
  /** The board's offset from UTC at an instant, in ms. */
  #offset;
  /** `true`: of two numbers the first is the day; `null`: such dates are not read. */
  #dayFirst = null;
  /** When a clock began that counts from a start, in ms. */
  #base = null;
  /** The instant last read: the day and the hour that a line leaves open are those nearest to
   * it. */
  #last = null;
  /** The zone's offset in one quarter of an hour, kept: lines come in crowds. */
  #quarter = NaN;
  #there = 0;
  /** Whether the lines that were learnt from begin with a time. */
  winner = false;

  /** `zoneOffsetMinutes`: the board's offset from UTC now, until `learn` knows better; `now()`: the
   * time, in ms. */
  constructor({ zoneOffsetMinutes = 0, now = Date.now } = {}) {
    this.#now = typeof now === 'function' ? now : () => now;
    this.#settle(zoneOffsetMinutes * MINUTE, this.#now());
  }

  /** A board with the browser's offset stands in the browser's zone, summer time and all; of
   * another, no more is known. */
  #settle(offset, at) {
    this.#offset = offset === local(at) ? local : () => offset;
    this.#quarter = NaN;
  }

  /**
   * A sample of up to 100 lines, oldest first. `arrivalMs`: when the newest of them arrived, where
   * that is known (the time of the last write to the file, or the present for a line that was just
   * received).
   */
  learn(lines, arrivalMs = null) {
    const stamps = lines.filter((line) => line.trim() !== '').map(stamp);
    const read = stamps.filter((time) => time !== null);
    this.winner = read.length * 2 > stamps.length;
    const pairs = read.filter((time) => time.pair).map((time) => time.pair);
    if (pairs.length > 0 && pairs.length === stamps.length) {
      const first = pairs.some(([a]) => a > 12);
      const second = pairs.some(([, b]) => b > 12);
      this.#dayFirst = first === second ? null : first;
    }
    const newest = read.at(-1);
    if (arrivalMs === null || !newest) return;
    if (newest.since !== undefined) this.#base = arrivalMs - newest.since;
    else if (newest.zone === null) {
      const written = this.#written(newest, arrivalMs + AHEAD, arrivalMs, (naive) => naive);
      // A time of day alone may be yesterday's.
      const offset = Math.round((written - arrivalMs) / QUARTER) * QUARTER;
      const fits =
        Math.abs(written - arrivalMs - offset) <= FRESH && offset >= -12 * HOUR && offset <= 14 * HOUR;
      if (fits) this.#settle(offset, arrivalMs);
    }
  }

  /** When the line was written: `{ ms, start, end }`, ms since 1970 (with a fraction) and where in
   * the line that stands; else `null`. */
  parse(line) {
    const time = stamp(line);
    if (time === null) return null;
    if (time.base !== undefined) this.#base = time.base;
    const ms =
      time.epoch ??
      (time.since === undefined
        ? this.#written(time, this.#now() + AHEAD, this.#last ?? this.#now(), (naive) => this.#zoned(naive))
        : this.#base === null
          ? NaN
          : this.#base + time.since);
    if (Number.isNaN(ms)) return null;
    this.#last = ms;
    return { ms, start: time.start, end: time.end };
  }

  /** The instant of a date and a time of day, not after `latest`; without a date, the nearest to
   * `near`. */
  #written({ year, month, day, pair, clock, zone }, latest, near, zoned) {
    const instant = (naive) => (zone === null ? zoned(naive) : naive - zone * MINUTE);
    if (pair) {
      if (this.#dayFirst === null) return NaN;
      [day, month] = this.#dayFirst ? pair : [pair[1], pair[0]];
    }
    if (month === undefined) {
      near = Math.min(near, latest);
      const midnight = Math.floor((near + this.#offset(near)) / DAY) * DAY;
      const days = [-1, 0, 1].map((d) => instant(midnight + d * DAY + clock)).filter((ms) => ms <= latest);
      return days.reduce(
        (best, ms) => (Math.abs(ms - near) < Math.abs(best - near) ? ms : best),
        days[0] ?? NaN,
      );
    }
    if (month > 12) return NaN;
    const last = year ?? new Date(latest).getUTCFullYear() + 1;
    for (let y = last; y > last - YEARS; y -= 1) {
      const naive = Date.UTC(y, month - 1, day) + clock;
      // 30 February is 2 March to a Date.
      if (day > 28 && new Date(naive).getUTCDate() !== day) continue;
      if (year !== undefined) return instant(naive);
      const ms = naive > latest + DAY ? naive : instant(naive);
      if (ms <= latest) return ms;
    }
    return NaN;
  }

  /** The instant at which the board's clocks show this. An hour that comes twice is the one nearer
   * to the last line. */
  #zoned(naive) {
    const quarter = Math.floor(naive / QUARTER);
    if (quarter === this.#quarter) return naive - this.#there;
    const [before, after] = [this.#offset(naive - DAY), this.#offset(naive + DAY)];
    const fits = [before, after].filter((offset) => this.#offset(naive - offset) === offset);
    if (before === after || fits.length < 2) {
      // An hour that is left out is read by the clock that was not put forward.
      [this.#quarter, this.#there] = [quarter, fits[0] ?? before];
      return naive - this.#there;
    }
    const last = this.#last ?? naive - before;
    // Lines go on more often than back.
    const far = (ms) => (ms < last ? 2 * (last - ms) : ms - last);
    return far(naive - after) < far(naive - before) ? naive - after : naive - before;
  }
}

const two = (n) => String(n).padStart(2, '0');

/** An instant in the reader's zone: `20:26:01`, or all of it: `2026-11-25 20:26:01.123 +01:00`. */
export function shown(ms, short) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '';
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (short) return time;
  const east = -date.getTimezoneOffset();
  const zone = `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')} ${zone}`;
}

/** How long ago, in words. */
export function age(ms) {
  if (ms === null) return 'never';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 48 * 3600 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86_400)} days ago`;
}
