import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { timeTicks, valueScale, written, lasting } = await page('scale.js');
const { RAW, SIZES, Series, MIN, MAX, LAST, LAST_AT, SUM, COUNT } = await page('series.js');
const { trace } = await page('draw.js');
const { csv } = await page('export.js');

const [SECOND, MINUTE, HOUR, DAY] = [1e3, 6e4, 36e5, 864e5];

/** In a zone, whatever that of the machine. */
function within(zone, act) {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    act();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

const ticks = (from, to, count) => timeTicks(Date.parse(from), Date.parse(to), count).map(({ text, strong }) => (strong ? `*${text}` : text));

test('ticks that a person would choose', () => {
  within('Europe/Berlin', () => {
    for (const [from, to, count, expected] of [
      ['2026-11-26T10:00:00.2Z', '2026-11-26T10:00:01Z', 4, ['11:00:00.200', '11:00:00.400', '11:00:00.600', '11:00:00.800', '11:00:01.000']],
      ['2026-11-26T10:00:01Z', '2026-11-26T10:00:59Z', 6, ['11:00:10', '11:00:20', '11:00:30', '11:00:40', '11:00:50']],
      ['2026-11-26T10:03:00Z', '2026-11-26T11:01:00Z', 4, ['11:15', '11:30', '11:45', '12:00']],
      ['2026-11-25T18:00:00Z', '2026-11-26T06:00:00Z', 4, ['21:00', '*26 Nov', '03:00', '06:00']],
      ['2026-11-23T12:00:00Z', '2026-11-26T12:00:00Z', 3, ['24 Nov', '25 Nov', '26 Nov']],
      // Weeks begin on Mondays.
      ['2026-11-01T00:00:00Z', '2026-11-30T12:00:00Z', 5, ['2 Nov', '9 Nov', '16 Nov', '23 Nov', '30 Nov']],
      ['2026-08-10T00:00:00Z', '2027-02-10T00:00:00Z', 7, ['Sep', 'Oct', 'Nov', 'Dec', '*2027', 'Feb']],
      ['2019-05-01T00:00:00Z', '2026-05-01T00:00:00Z', 8, ['*2020', '*2021', '*2022', '*2023', '*2024', '*2025', '*2026']],
    ]) assert.deepEqual(ticks(from, to, count), expected, from);
  });
});

test('ticks over the change of the clock: an hour is left out, an hour comes twice, a day is a day', () => {
  within('Europe/Berlin', () => {
    for (const [from, to, count, expected] of [
      ['2026-03-28T23:00:00Z', '2026-03-29T04:00:00Z', 5, ['*29 Mar', '01:00', '03:00', '04:00', '05:00', '06:00']],
      ['2026-10-24T22:00:00Z', '2026-10-25T03:00:00Z', 5, ['*25 Oct', '01:00', '02:00', '02:00', '03:00', '04:00']],
      ['2026-03-28T22:00:00Z', '2026-03-29T22:00:00Z', 4, ['*29 Mar', '06:00', '12:00', '18:00', '*30 Mar']],
      ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 5, ['*25 Oct', '06:00', '12:00', '18:00', '*26 Oct']],
      ['2026-03-27T22:30:00Z', '2026-03-31T22:30:00Z', 4, ['28 Mar', '29 Mar', '30 Mar', '31 Mar', '1 Apr']],
    ]) assert.deepEqual(ticks(from, to, count), expected, from);
  });
  within('Australia/Lord_Howe', () => {
    // Half an hour: at 02:00 it is 01:30 again.
    assert.deepEqual(ticks('2026-04-04T14:30:00Z', '2026-04-04T16:30:00Z', 4), ['01:30', '01:30', '02:00', '02:30', '03:00']);
  });
  within('Asia/Kathmandu', () => {
    assert.deepEqual(ticks('2026-04-04T14:00:00Z', '2026-04-04T16:30:00Z', 3), ['20:00', '21:00', '22:00']);
  });
});

test('ticks over New Year', () => {
  within('Europe/Berlin', () => {
    assert.deepEqual(ticks('2026-12-31T20:00:00Z', '2027-01-01T02:00:00Z', 6), ['21:00', '22:00', '23:00', '*1 Jan 2027', '01:00', '02:00', '03:00']);
    assert.deepEqual(ticks('2026-12-30T20:00:00Z', '2027-01-02T02:00:00Z', 4), ['31 Dec', '*1 Jan 2027', '2 Jan']);
  });
});

test('no more ticks than there is room for, whatever the span', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Chatham']) {
    within(zone, () => {
      for (let span = 5; span < 40 * 365 * DAY; span *= 1.37) {
        const from = Date.UTC(2026, 2, 28, 13, 7) - span / 3;
        const found = timeTicks(from, from + span, 8);
        assert.ok(found.length <= 10, `${zone} ${span}: ${found.length}`);
        for (const [i, { ms }] of found.entries()) {
          assert.ok(ms >= from && ms <= from + span && (i === 0 || ms > found[i - 1].ms), `${zone} ${span}`);
        }
      }
    });
  }
});

test('steps of values are 1, 2 or 5, and hold all', () => {
  for (const [min, max, low, high, texts] of [
    [20.3, 23.9, 20, 24, ['20', '21', '22', '23', '24']],
    [0.0501, 0.0599, 0.05, 0.06, ['0.050', '0.052', '0.054', '0.056', '0.058', '0.060']],
    [-3, 4, -4, 4, ['−4', '−2', '0', '2', '4']],
    [0, 4.1e9, 0, 5e9, ['0', '1B', '2B', '3B', '4B', '5B']],
    [21.5, 21.5, 21.2, 21.8, ['21.2', '21.3', '21.4', '21.5', '21.6', '21.7', '21.8']],
  ]) {
    const scale = valueScale(min, max, 5);
    assert.ok(Math.abs(scale.low - low) < 1e-9 && Math.abs(scale.high - high) < 1e-9, `${min}: ${scale.low} ${scale.high}`);
    assert.deepEqual(scale.ticks.map((tick) => written(tick, scale.decimals)), texts);
  }
  const sure = valueScale(Infinity, -Infinity, 4);
  assert.ok(sure.ticks.length < 20);
  assert.equal(lasting(3250), '3.25 s');
  assert.equal(lasting(HOUR + 5 * MINUTE), '1 h 5 min');
  assert.equal(lasting(DAY), '1 d');
});

/** A day of readings at one a second, with one great and one small one that are seen only once. */
function day() {
  const readings = new Float64Array(86_400 * 2);
  for (let i = 0; i < 86_400; i += 1) {
    readings[2 * i] = Date.UTC(2026, 10, 25) + i * SECOND + ((i * 7919) % 400);
    readings[2 * i + 1] = 20 + 3 * Math.sin(i / 9000) + ((i * 104729) % 997) / 2000;
  }
  readings[2 * 50_001 + 1] = 99;
  readings[2 * 61_003 + 1] = -40;
  return readings;
}

/** As the worker gives them: newest first, in pieces. */
function stored(readings, piece = 15_000) {
  const series = new Series();
  for (let end = readings.length; end > 0; end -= piece) series.add(readings.slice(Math.max(0, end - piece), end));
  return series;
}

/** Least and greatest of each column of pixels, read off the points of the lines. */
function extremes(lines) {
  const columns = new Map();
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      const found = columns.get(Math.floor(line[i])) ?? [Infinity, -Infinity];
      columns.set(Math.floor(line[i]), [Math.min(found[0], line[i + 1]), Math.max(found[1], line[i + 1])]);
    }
  }
  return columns;
}

for (const way of ['source', 'drawn']) test(`a day: each column of pixels keeps first, least, greatest and last (${way})`, () => {
  const readings = day();
  const series = stored(readings);
  const from = readings[0];
  const [width, per] = [1000, (readings.at(-2) - from + 1) / 1000];
  const source = series[way](from, per, width);
  assert.equal(source.rows, way === 'drawn' ? series.levels[1] : series.raw);
  const found = trace(source, from, per, width);
  assert.equal(found.n, 86_400);
  const sum = readings.reduce((sum, value, i) => sum + (i % 2 ? value : 0), 0);
  assert.ok(Math.abs(found.sum - sum) < 1e-6);
  assert.deepEqual([found.min, found.max], [-40, 99]);
  const expected = new Map();
  for (let i = 0; i < readings.length; i += 2) {
    const column = Math.floor((readings[i] - from) / per);
    const value = readings[i + 1];
    const [first, min, max] = expected.get(column) ?? [value, value, value];
    expected.set(column, [first, Math.min(min, value), Math.max(max, value), value]);
  }
  assert.equal(found.lines.length, 1);
  const [line] = found.lines;
  const drawn = new Map();
  for (let i = 0; i < line.length; i += 2) drawn.set(Math.floor(line[i]), [...(drawn.get(Math.floor(line[i])) ?? []), line[i + 1]]);
  assert.equal(drawn.size, width);
  for (const [column, values] of drawn) {
    assert.ok(values.length <= 4);
    assert.deepEqual([values[0], Math.min(...values), Math.max(...values), values.at(-1)], expected.get(column), `column ${column}`);
  }
});

test('what is drawn is of buckets only where a column has two of them, and many readings', () => {
  const series = stored(day());
  const start = Date.UTC(2026, 10, 25);
  const rows = (span, columns) => series.drawn(start, span / columns, columns).rows;
  assert.equal(rows(DAY, 1000), series.levels[1]);
  assert.equal(rows(DAY, 500), series.levels[2]);
  assert.equal(rows(HOUR, 1000), series.raw, 'fewer than four to a column');
  assert.equal(rows(DAY, 20_000), series.raw, 'no buckets so small reach back so far');
  // Where no more is kept, as it is.
  const weeks = new Series();
  for (let i = 0; i < 40; i += 1) weeks.add(Float64Array.from({ length: 40_000 }, (_, k) => (k % 2 ? k : start + (i * 20_000 + k / 2) * SECOND)));
  assert.ok(weeks.raw.lost > start);
  assert.deepEqual(weeks.drawn(start, (9 * DAY) / 100, 100), weeks.source(start));
  const week = weeks.drawn(start + 3 * DAY, (6 * DAY) / 100, 100);
  assert.equal(week.rows, weeks.levels[3]);
  assert.equal(week.finer, weeks.levels[2]);
});

test('a picture that moves by whole columns is the same picture', () => {
  const series = stored(day());
  const per = 86_400;
  const from = Math.ceil((Date.UTC(2026, 10, 25) + 7 * HOUR) / per) * per;
  const one = extremes(trace(series.source(from), from, per, 500).lines);
  const two = extremes(trace(series.source(from), from + 3 * per, per, 500).lines);
  // At the edges a neighbour is drawn that is not seen.
  for (let column = 1; column < 490; column += 1) assert.deepEqual(two.get(column), one.get(column + 3), `column ${column}`);
});

test('buckets are of absolute time, whatever order their readings come in', () => {
  const readings = day();
  const mixed = new Series();
  const pieces = Array.from({ length: 24 }, (_, i) => readings.slice(i * 7200, (i + 1) * 7200));
  // Far from each other, and turned about.
  for (let i = 0; i < 24; i += 1) {
    const piece = pieces[(i * 7) % 24];
    mixed.add(i % 2 ? piece : Float64Array.from(Array.from({ length: 3600 }, (_, k) => [piece[7198 - 2 * k], piece[7199 - 2 * k]]).flat()));
  }
  const ordered = stored(readings);
  assert.deepEqual(mixed.raw.data.subarray(0, 172_800), readings);
  for (const [i, size] of SIZES.entries()) {
    const [a, b] = [mixed, ordered].map((series) => series.levels[i]);
    assert.equal(a.length, b.length);
    for (let k = 0; k < a.length; k += 1) {
      const [x, y] = [a, b].map(({ data }) => [...data.subarray(k * 8, k * 8 + 8)]);
      assert.ok(Math.abs(x[SUM] - y[SUM]) < 1e-6);
      x[SUM] = y[SUM];
      assert.deepEqual(x, y);
      assert.equal(Math.floor(x[0] / size), Math.floor(x[LAST_AT] / size));
    }
  }
  const minutes = ordered.levels[2];
  const at = minutes.find(readings[0]);
  const row = minutes.data.subarray(at * 8, at * 8 + 8);
  const values = Array.from({ length: 60 }, (_, i) => readings[2 * i + 1]);
  assert.deepEqual([row[MIN], row[MAX], row[LAST], row[COUNT]], [Math.min(...values), Math.max(...values), values.at(-1), 60]);
});

test('weeks: memory stays, the newest are exact, the oldest keep their extremes', () => {
  const series = new Series();
  const start = Date.UTC(2026, 0, 1);
  const piece = new Float64Array(20_000);
  let sizes;
  for (let week = 0; week < 3; week += 1) {
    for (let k = 0; k < 60; k += 1) {
      for (let i = 0; i < 10_000; i += 1) {
        const n = week * 600_000 + k * 10_000 + i;
        piece[2 * i] = start + n * SECOND;
        piece[2 * i + 1] = n === 77 ? 1e6 : n % 1000;
      }
      series.add(piece);
    }
    // The last of them are full after ten weeks.
    const now = [series.raw, ...series.levels.slice(0, 3)].map(({ data }) => data.length);
    if (week > 0) assert.deepEqual(now, sizes);
    sizes = now;
  }
  assert.ok(series.raw.length >= RAW && series.raw.length <= RAW * 1.1);
  assert.ok(sizes.reduce((sum, n) => sum + n * 8, 0) < 8 * 1024 * 1024);
  const { rows } = series.source(start);
  assert.equal(rows, series.levels[3]);
  assert.equal(rows.data[MAX], 1e6);
  const newest = start + 1_799_999 * SECOND;
  assert.equal(series.source(newest - DAY).rows, series.raw);
  assert.deepEqual(series.near(newest + 5), { ms: newest, value: 999 });
  // What was given up does not come back.
  series.add(Float64Array.of(start + 5, 7));
  assert.ok(series.raw.at(0) > start + 5);
});

test('a gap is no line: by time, by a value that is none', () => {
  const series = new Series();
  const at = (s, value = s) => [s * SECOND, value];
  series.add(Float64Array.from([...Array(10).keys()].flatMap((s) => at(s))));
  series.add(Float64Array.from([at(13), at(14), at(15, NaN), at(16), at(20), at(21)].flat()));
  const { lines, n } = trace(series.source(0), 0, 10, 3000);
  assert.deepEqual(lines.map((line) => line.filter((_, i) => i % 2)), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [13, 14], [16], [20, 21]]);
  assert.equal(n, 15);
});

test('a single reading is seen, and none is no error', () => {
  const series = new Series();
  assert.deepEqual(trace(series.source(0), 0, 10, 100).lines, []);
  assert.equal(series.near(5), null);
  series.add(Float64Array.of(500, 21.5));
  const { lines, n, min } = trace(series.source(0), 0, 10, 100);
  assert.deepEqual([lines, n, min], [[[50, 21.5]], 1, 21.5]);
});

test('the file’s own values as CSV, and buckets where no more is kept', () => {
  const [a, b] = [new Series(), new Series()];
  a.add(Float64Array.of(0, 21.5, 1000, NaN, 2000, 0.1 + 0.2));
  b.add(Float64Array.of(1000, -7));
  const series = [
    { title: 'in, "old" (°C)', rows: a.source(-1).rows },
    { title: 'out', rows: b.source(-1).rows },
  ];
  assert.equal(
    csv(series, 0, 2000),
    'time,"in, ""old"" (°C)",out\n1970-01-01T00:00:00.000Z,21.5,\n1970-01-01T00:00:01.000Z,,-7\n1970-01-01T00:00:02.000Z,0.30000000000000004,\n',
  );
  assert.match(csv([{ title: 'x', rows: a.levels[2] }], 0, 2000), /^time,x min,x mean,x max\n1970-01-01T00:00:00.000Z,0.30000000000000004,10.9,21.5\n$/);
});
