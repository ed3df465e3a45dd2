// The readings of one series: the newest as they are, older ones in buckets of absolute time. Memory is flat for weeks.

/** Readings kept as they are: more than a day at one a second. */
export const RAW = 100_000;
/** The sizes of buckets, in ms, and how many of each are kept: four hours, 28 (as long as RAW reaches back at one a second), a week, ten weeks. */
export const SIZES = [1_000, 10_000, 60_000, 600_000];
const KEPT = [14_400, 10_080, 10_080, 10_080];
/** A longer way than so many usual steps is a gap; the newest of them tell which is usual. */
const [GAP, STEPS] = [3, 999];
/** Of more readings to a column buckets are drawn. */
const MANY = 4;
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

  /** Puts in rows that are in order, of which none can be joined; `join` as `joinIn` gives it, where these rows have one. */
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
    // In runs of one of the two: what is read of the past is all before what is there.
    for (let b = 0; a < rows.length || b < behind.length; ) {
      if (b >= behind.length || rows[a] < behind[b]) a = this.#append(rows, a, behind[b] ?? Infinity, join);
      else b = this.#append(behind, b, rows[a] ?? Infinity, join, true);
    }
    // A little more than is kept, so that not each new one moves all.
    const gone = this.length - this.kept;
    if (gone < this.kept / 10) return;
    this.lost = this.at(gone - 1);
    this.data.copyWithin(0, gone * width, this.length * width);
    this.length = this.kept;
  }

  /** Appends the `rows` from `at` on that are before `end`, or at it where `also`; gives where that ends. */
  #append(rows, at, end, join, also = false) {
    const { width } = this;
    let to = at;
    while (to < rows.length && (rows[to] < end || (also && rows[to] === end))) to += width;
    while (at < to && this.length > 0 && join?.(this.data, (this.length - 1) * width, rows, at)) at += width;
    this.data.set(rows.subarray(at, to), this.length * width);
    this.length += (to - at) / width;
    return to;
  }
}

/** Takes the bucket at `from` of `rows` into an older one of the same time, at `at` of `data`; `false`: its time is another. */
const joinIn = (size) => (data, at, rows, from) => {
  if (Math.floor(data[at] / size) !== Math.floor(rows[from] / size)) return false;
  if (rows[from + LAST_AT] >= data[at + LAST_AT]) {
    data[at + LAST_AT] = rows[from + LAST_AT];
    data[at + LAST] = rows[from + LAST];
  }
  if (rows[from + MIN] < data[at + MIN]) data[at + MIN] = rows[from + MIN];
  if (rows[from + MAX] > data[at + MAX]) data[at + MAX] = rows[from + MAX];
  data[at + SUM] += rows[from + SUM];
  data[at + COUNT] += rows[from + COUNT];
  return true;
};

/** Buckets in order, those of the same time in one. */
function joined(rows, join) {
  let end = 0;
  for (let at = 0; at < rows.length; at += 8) {
    if (end > 0 && join(rows, end - 8, rows, at)) continue;
    if (end < at) rows.copyWithin(end, at, at + 8);
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
      rows[end] = rows[end + LAST_AT] = ms;
      rows[end + 1] = rows[end + MIN] = rows[end + MAX] = rows[end + LAST] = rows[end + SUM] = value;
      rows[end + COUNT] = 1;
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

  /**
   * What to draw from `from` on with `per` ms to each of the columns: as `source`, and where that is much the largest buckets of
   * which a column has two, with `finer`, which has the rows of one that lies in two columns.
   */
  drawn(from, per, columns) {
    const source = this.source(from);
    const { rows } = source;
    const many = rows.find(from + per * columns) - rows.find(from) > MANY * columns;
    const i = many ? SIZES.findLastIndex((size, k) => 2 * size <= per && this.levels[k].lost < from) : -1;
    // Those that `source` gives may be no finer.
    if (i < 0 || this.levels[i] === rows || this.levels.indexOf(rows) > i) return source;
    return { rows: this.levels[i], gap: Math.max(source.gap, GAP * SIZES[i]), finer: rows };
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
