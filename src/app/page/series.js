// The readings of one series: the newest as they are, older ones in buckets of absolute time. Memory is flat for weeks.

/** Readings kept as they are: more than a day at one a second. */
export const RAW = 100_000;
/** The sizes of buckets, in ms, and how many of each are kept: four hours, a day, a week, ten weeks. */
export const SIZES = [1_000, 10_000, 60_000, 600_000];
const KEPT = [14_400, 8_640, 10_080, 10_080];
/** A longer way than so many usual steps is a gap. */
const GAP = 3;
/** So many steps tell which is usual. */
const STEPS = 999;

/** What stands in a row of a bucket, in this order: when and what came first, least, most, when and what came last, sum, count. */
export const [FIRST_AT, FIRST, MIN, MAX, LAST_AT, LAST, SUM, COUNT] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Rows of numbers in the order of their first one, which is a time in ms. */
export class Rows {
  data;
  length = 0;
  /** The newest time that was given up; everything after it is here. */
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
  add(rows, join = null) {
    const { width } = this;
    const count = rows.length / width;
    if (count === 0) return;
    const place = this.find(rows[0]);
    // What stands behind the first of them is put aside and comes back one by one.
    const behind = this.data.slice(place * width, this.length * width);
    this.#room(count);
    this.length = place;
    let [a, b] = [0, 0];
    while (a < rows.length || b < behind.length) {
      const older = b >= behind.length || (a < rows.length && rows[a] < behind[b]);
      const source = older ? rows : behind;
      const i = older ? a : b;
      if (older) a += width;
      else b += width;
      const row = source.subarray(i, i + width);
      if (join && this.length > 0 && join(this.data, (this.length - 1) * width, row)) continue;
      this.data.set(row, this.length * width);
      this.length += 1;
    }
    // A little more than is kept, so that not each new one moves all.
    if (this.length > this.kept * 1.1) {
      const gone = this.length - this.kept;
      this.lost = Math.max(this.lost, this.at(gone - 1));
      this.data.copyWithin(0, gone * width, this.length * width);
      this.length = this.kept;
    }
  }

  #room(count) {
    const needed = (this.length + count) * this.width;
    if (needed <= this.data.length) return;
    const data = new Float64Array(2 ** Math.ceil(Math.log2(needed)));
    data.set(this.data.subarray(0, this.length * this.width));
    this.data = data;
  }
}

/** Takes a bucket into an older one of the same time. */
const joinIn = (size) => (data, at, row) => {
  if (Math.floor(data[at] / size) !== Math.floor(row[0] / size)) return false;
  if (row[FIRST_AT] < data[at + FIRST_AT]) [data[at + FIRST_AT], data[at + FIRST]] = row;
  if (row[LAST_AT] >= data[at + LAST_AT]) [data[at + LAST_AT], data[at + LAST]] = [row[LAST_AT], row[LAST]];
  data[at + MIN] = Math.min(data[at + MIN], row[MIN]);
  data[at + MAX] = Math.max(data[at + MAX], row[MAX]);
  data[at + SUM] += row[SUM];
  data[at + COUNT] += row[COUNT];
  return true;
};

/** Readings `ms, value, ms, value ...`, in order, as buckets of this size. */
function bucketed(readings, size) {
  const rows = [];
  const join = joinIn(size);
  for (let i = 0; i < readings.length; i += 2) {
    const [ms, value] = [readings[i], readings[i + 1]];
    if (Number.isNaN(value)) continue;
    const row = [ms, value, value, value, ms, value, value, 1];
    if (rows.length === 0 || !join(rows, rows.length - 8, row)) rows.push(...row);
  }
  return Float64Array.from(rows);
}

export class Series {
  raw = new Rows(2, RAW);
  levels = SIZES.map((_, i) => new Rows(8, KEPT[i]));
  /** The usual way from one reading to the next, in ms; 0: not known. */
  step = 0;
  #measured = 0;

  /** Readings `ms, value, ms, value ...` in any order; what is not a number is a gap. */
  add(readings) {
    let sorted = true;
    for (let i = 2; i < readings.length && sorted; i += 2) sorted = readings[i - 2] <= readings[i];
    if (!sorted) {
      const order = Array.from({ length: readings.length / 2 }, (_, i) => i).sort((a, b) => readings[2 * a] - readings[2 * b]);
      readings = Float64Array.from(order.flatMap((i) => [readings[2 * i], readings[2 * i + 1]]));
    }
    this.raw.add(fresh(this.raw, readings));
    SIZES.forEach((size, i) => this.levels[i].add(fresh(this.levels[i], bucketed(readings, size)), joinIn(size)));
    // Grows by a tenth before it is measured again.
    if (this.raw.length > this.#measured * 1.1 || this.#measured < 10) this.#measure();
  }

  #measure() {
    this.#measured = this.raw.length;
    const from = Math.max(1, this.raw.length - STEPS);
    const steps = Array.from({ length: this.raw.length - from }, (_, i) => this.raw.at(from + i) - this.raw.at(from + i - 1));
    this.step = steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  }

  /** The finest rows that reach back to `from`: `{ rows, gap }`, `gap` in ms. */
  source(from) {
    const all = [this.raw, ...this.levels];
    const rows = all.find(({ lost }) => lost < from) ?? all.at(-1);
    return { rows, gap: GAP * Math.max(this.step, rows === this.raw ? 0 : SIZES[all.indexOf(rows) - 1]) };
  }

  get first() {
    return this.levels.at(-1).length > 0 ? this.levels.at(-1).at(0) : NaN;
  }

  get newest() {
    const { raw } = this;
    return raw.length > 0 ? { ms: raw.at(raw.length - 1), value: raw.data[raw.length * 2 - 1] } : null;
  }

  /** `{ min, max, mean, n }` of what lies from `from` to `to`. */
  summary(from, to) {
    const { rows } = this.source(from);
    const found = { min: Infinity, max: -Infinity, mean: NaN, n: 0 };
    let sum = 0;
    for (let i = rows.find(from); i < rows.length && rows.at(i) <= to; i += 1) {
      const [min, max, all, n] = rows === this.raw ? [1, 1, 1, 0] : [MIN, MAX, SUM, COUNT];
      const value = (column) => rows.data[i * rows.width + column];
      if (Number.isNaN(value(min))) continue;
      found.min = Math.min(found.min, value(min));
      found.max = Math.max(found.max, value(max));
      sum += value(all);
      found.n += n === 0 ? 1 : value(n);
    }
    found.mean = sum / found.n;
    return found;
  }

  /** The reading nearest to `ms`, `{ ms, value }`; `null` where there is none. */
  near(ms) {
    const { rows } = this.source(ms);
    const after = rows.find(ms);
    const places = [after - 1, after].filter((i) => i >= 0 && i < rows.length);
    if (places.length === 0) return null;
    const i = places.reduce((a, b) => (ms - rows.at(a) <= rows.at(b) - ms ? a : b));
    return { ms: rows.at(i), value: rows.data[i * rows.width + 1] };
  }
}

/** Of rows what may be kept: what was given up does not come back. */
const fresh = (rows, data) => {
  let i = 0;
  while (i < data.length && data[i] <= rows.lost) i += rows.width;
  return i === 0 ? data : data.subarray(i);
};
