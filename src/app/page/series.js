// The readings of one series: the newest as they are, older ones in buckets of absolute time. Memory is flat for weeks.

/** Readings kept as they are: more than a day at one a second. */
export const RAW = 100_000;
/** The sizes of buckets, in ms, and how many of each are kept: four hours, a day, a week, ten weeks. */
export const SIZES = [1_000, 10_000, 60_000, 600_000];
const KEPT = [14_400, 8_640, 10_080, 10_080];
/** A longer way than so many usual steps is a gap; the newest of them tell which is usual. */
const [GAP, STEPS] = [3, 999];
/** What stands in a bucket after when and what came first: least, most, when and what came last, sum, count. */
export const [MIN, MAX, LAST_AT, LAST, SUM, COUNT] = [2, 3, 4, 5, 6, 7];

/** Rows of numbers in the order of their first one, a time in ms. */
class Rows {
  length = 0;
  /** Everything after this time is here. */
  lost = -Infinity;

  constructor(width, kept) {
    this.width = width;
    this.kept = kept;
    this.data = new Float64Array(width * 256);
  }

  at = (i) => this.data[i * this.width];

  /** The first row that is not before `ms`. */
  find(ms) {
    let [from, to] = [0, this.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.at(middle) < ms) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Puts in rows that are in order; `join(data, at, row)` may take a row into the one at `at` before it. */
  add(rows, join) {
    const { width } = this;
    // What was given up does not come back.
    let a = 0;
    while (a < rows.length && rows[a] <= this.lost) a += width;
    if (a >= rows.length) return;
    const place = this.find(rows[a]);
    // What stands behind the first of them is put aside and comes back in turn.
    const behind = this.data.slice(place * width, this.length * width);
    const needed = this.length * width + rows.length;
    if (needed > this.data.length) {
      const data = new Float64Array(2 ** Math.ceil(Math.log2(needed)));
      data.set(this.data);
      this.data = data;
    }
    this.length = place;
    for (let b = 0; a < rows.length || b < behind.length; ) {
      const next = b >= behind.length || rows[a] < behind[b] ? rows.subarray(a, (a += width)) : behind.subarray(b, (b += width));
      if (this.length > 0 && join?.(this.data, (this.length - 1) * width, next)) continue;
      this.data.set(next, this.length * width);
      this.length += 1;
    }
    // A little more than is kept, so that not each new one moves all.
    const gone = this.length - this.kept;
    if (gone < this.kept / 10) return;
    this.lost = this.at(gone - 1);
    this.data.copyWithin(0, gone * width, this.length * width);
    this.length = this.kept;
  }
}

/** Takes a bucket into an older one of the same time. */
const joinIn = (size) => (data, at, row) => {
  if (Math.floor(data[at] / size) !== Math.floor(row[0] / size)) return false;
  if (row[LAST_AT] >= data[at + LAST_AT]) [data[at + LAST_AT], data[at + LAST]] = [row[LAST_AT], row[LAST]];
  data[at + MIN] = Math.min(data[at + MIN], row[MIN]);
  data[at + MAX] = Math.max(data[at + MAX], row[MAX]);
  data[at + SUM] += row[SUM];
  data[at + COUNT] += row[COUNT];
  return true;
};

/** Buckets in order, those of the same time in one. */
function joined(rows, join) {
  let end = 0;
  for (let at = 0; at < rows.length; at += 8) {
    const row = rows.subarray(at, at + 8);
    if (end > 0 && join(rows, end - 8, row)) continue;
    rows.copyWithin(end, at, at + 8);
    end += 8;
  }
  return rows.subarray(0, end);
}

export class Series {
  raw = new Rows(2, RAW);
  levels = SIZES.map((_, i) => new Rows(8, KEPT[i]));
  /** The usual way from one reading to the next, in ms. */
  step = Infinity;
  #measured = 0;

  /** Readings `ms, value, ms, value ...`; what is not a number is a gap. */
  add(readings) {
    if (readings.some((ms, i) => i % 2 === 0 && ms < readings[i - 2])) {
      const pairs = Array.from({ length: readings.length / 2 }, (_, i) => readings.subarray(2 * i, 2 * i + 2));
      readings = Float64Array.from(pairs.sort((a, b) => a[0] - b[0]).flatMap((pair) => [...pair]));
    }
    this.raw.add(readings);
    let rows = new Float64Array(readings.length * 4);
    let end = 0;
    for (let i = 0; i < readings.length; i += 2) {
      const [ms, value] = [readings[i], readings[i + 1]];
      if (Number.isNaN(value)) continue;
      rows.set([ms, value, value, value, ms, value, value, 1], end);
      end += 8;
    }
    rows = rows.subarray(0, end);
    SIZES.map(joinIn).forEach((join, i) => {
      rows = joined(rows, join);
      this.levels[i].add(rows, join);
    });
    const { length } = this.raw;
    if (length < this.#measured * 1.1 && length > 9) return;
    this.#measured = length;
    const steps = [];
    for (let i = Math.max(1, length - STEPS); i < length; i += 1) steps.push(this.raw.at(i) - this.raw.at(i - 1));
    this.step = steps.sort((a, b) => a - b)[steps.length >> 1] ?? Infinity;
  }

  /** The finest rows that reach back to `from`, and the way that is a gap in them, in ms. */
  source(from) {
    const all = [this.raw, ...this.levels];
    const i = all.findIndex(({ lost }, k) => lost < from || k === SIZES.length);
    return { rows: all[i], gap: GAP * Math.max(this.step, SIZES[i - 1] ?? 0) };
  }

  /** The oldest time; NaN without. */
  get first() {
    const rows = this.levels.at(-1);
    return rows.length > 0 ? rows.at(0) : NaN;
  }

  /** The reading nearest to `ms`, `{ ms, value }`; `null` where there is none. */
  near(ms) {
    const { rows } = this.source(ms);
    const after = rows.find(ms);
    const i = after > 0 && !(rows.at(after) - ms < ms - rows.at(after - 1) && after < rows.length) ? after - 1 : after;
    return i < rows.length ? { ms: rows.at(i), value: rows.data[i * rows.width + 1] } : null;
  }
}
