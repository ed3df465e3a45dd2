// Where ticks stand, and what they are called.

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
/** Steps that divide a minute, an hour, a day. */
const CLOCK = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
/** A month, about, in ms. */
const MONTH = 30.4 * DAY;

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  const times = [1, 2, 5, 10].find((n) => n * power >= least * (1 - 1e-9));
  return times * power;
}

/** A scale for values: `{ low, high, step, decimals, ticks }`, with about `count` steps from low to high. */
export function valueScale(min, max, count) {
  if (!(max > min)) {
    const around = Math.abs(min) * 0.01 || 1;
    [min, max] = [min - around, max + around];
  }
  const step = niceStep((max - min) / Math.max(1, count));
  const [first, last] = [Math.floor(min / step + 1e-9), Math.ceil(max / step - 1e-9)];
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: first * step, high: last * step, step, decimals, ticks };
}

/** A value as it is written at a tick: `1,013.2`, `21.5 M`. */
export function written(value, decimals) {
  if (!Number.isFinite(value)) return '–';
  const power = Math.abs(value) >= 1e6 ? Math.min(4, Math.floor(Math.log10(Math.abs(value)) / 3)) : 0;
  if (power > 0) return `${Number((value / 1000 ** power).toPrecision(4))} ${' kMGT'[power]}`;
  const places = Math.min(decimals, 12);
  const text = value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
  return text.replace(/^-(?=[0.,]*$)/, '').replace('-', '−');
}

/** A reading with all that it says. */
export const exact = (value) =>
  Number.isFinite(value) ? Number(value.toPrecision(12)).toLocaleString('en', { maximumFractionDigits: 12 }).replace('-', '−') : '–';

const two = (n) => String(n).padStart(2, '0');
const NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEK = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `14:30:05.250`, as fine as the step. */
export function clock(date, step) {
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (step >= MINUTE) return minutes;
  const seconds = `${minutes}:${two(date.getSeconds())}`;
  return step >= SECOND ? seconds : `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `Thu 26 Nov`, with the year where that is not the present one. */
export function day(date, now = new Date()) {
  const year = date.getFullYear() === now.getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${WEEK[date.getDay()]} ${date.getDate()} ${NAMES[date.getMonth()]}${year}`;
}

const offset = (ms) => new Date(ms).getTimezoneOffset() * MINUTE;
const midnight = (date, more = 0) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + more);
/** Days since 1970 on the calendar of this zone. */
const dayNumber = (date) => Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY);

/**
 * Ticks of time in the reader's zone: `[{ ms, text, strong }]`, at most about `count`. `strong`: a day or a year begins.
 */
export function timeTicks(from, to, count) {
  const least = (to - from) / Math.max(1, count);
  const step = CLOCK.find((one) => one >= least);
  if (step !== undefined) return step <= HOUR ? byClock(from, to, step) : byHours(from, to, step);
  const days = DAYS.find((one) => one * DAY >= least);
  return days !== undefined ? byDays(from, to, days) : byMonths(from, to, MONTHS.find((one) => one * MONTH >= least) ?? MONTHS.at(-1));
}

function clockTick(ms, step) {
  const date = new Date(ms);
  const begins = midnight(date).getTime() === ms;
  if (!begins) return { ms, text: clock(date, step), strong: false };
  const year = date.getMonth() === 0 && date.getDate() === 1;
  return { ms, text: year ? String(date.getFullYear()) : `${date.getDate()} ${NAMES[date.getMonth()]}`, strong: true };
}

/** Steps of an hour at most go on through a change of the clock, which is put by such steps. */
function byClock(from, to, step) {
  const ticks = [];
  for (let ms = from; ; ms += step) {
    // Half an hour in some zones.
    const east = -offset(ms);
    ms = Math.ceil((ms + east) / step) * step - east;
    if (ms > to) return ticks;
    if (ticks.at(-1)?.ms !== ms) ticks.push(clockTick(ms, step));
  }
}

function byHours(from, to, step) {
  const ticks = [];
  for (let date = midnight(new Date(from)); date.getTime() <= to; date = midnight(date, 1)) {
    for (let hour = 0; hour < 24; hour += step / HOUR) {
      const ms = new Date(date.getFullYear(), date.getMonth(), date.getDate(), hour).getTime();
      if (ms >= from && ms <= to && ms !== ticks.at(-1)?.ms) ticks.push(clockTick(ms, step));
    }
  }
  return ticks;
}

function byDays(from, to, days) {
  const ticks = [];
  for (let date = midnight(new Date(from)); date.getTime() <= to; date = midnight(date, 1)) {
    const ms = date.getTime();
    // Weeks begin on Mondays: 5 January 1970 was one.
    const stands = (dayNumber(date) - 4) % days === 0;
    if (ms < from || !stands) continue;
    const year = ticks.length > 0 && date.getFullYear() !== new Date(ticks.at(-1).ms).getFullYear();
    ticks.push({ ms, text: `${date.getDate()} ${NAMES[date.getMonth()]}${year ? ` ${date.getFullYear()}` : ''}`, strong: year });
  }
  return ticks;
}

function byMonths(from, to, months) {
  const ticks = [];
  const start = new Date(from);
  const first = Math.floor((start.getFullYear() * 12 + start.getMonth()) / months) * months;
  for (let month = first; ; month += months) {
    const ms = new Date(Math.floor(month / 12), month % 12).getTime();
    if (ms > to) return ticks;
    const january = month % 12 === 0;
    if (ms >= from) ticks.push({ ms, text: january ? String(month / 12) : NAMES[month % 12], strong: january });
  }
}

/** A length of time in words: `2 d 3 h`, `1 h 5 min`, `3.25 s`. */
export function lasting(ms) {
  const parts = [[DAY, 'd'], [HOUR, 'h'], [MINUTE, 'min'], [SECOND, 's']];
  const i = parts.findIndex(([size]) => ms >= size);
  if (i < 0) return `${Math.round(ms)} ms`;
  if (i === 3) return `${Number((ms / SECOND).toFixed(2))} s`;
  const most = Math.floor(ms / parts[i][0]);
  const rest = Math.floor((ms % parts[i][0]) / parts[i + 1][0]);
  return `${most} ${parts[i][1]}${rest > 0 ? ` ${rest} ${parts[i + 1][1]}` : ''}`;
}
