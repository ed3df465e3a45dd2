// Where ticks stand, and what they are called.

const [SECOND, MINUTE, HOUR, DAY] = [1e3, 6e4, 36e5, 864e5];
/** Steps of a clock, in ms; it is put forward by an hour, which is a whole number of each. */
const CLOCK = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, HOUR];
/** Steps of a calendar: about how long, and in months, days, hours. */
const CALENDAR = [
  ...[2, 3, 6, 12].map((n) => [n * HOUR, 0, 0, n]),
  ...[1, 2, 7, 14].map((n) => [n * DAY, 0, n, 0]),
  ...[1, 3, 6, 12, 24, 60, 120].map((n) => [n * 30.4 * DAY, n, 0, 0]),
];

/** A scale for values: `{ low, high, decimals, ticks }` in about `count` steps of 1, 2 or 5. */
export function valueScale(min, max, count) {
  if (!(max > min)) {
    const around = Math.abs(min) * 0.01 || 1;
    [min, max] = [min - around, max + around];
  }
  const least = (max - min) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * [1, 2, 5, 10].find((n) => n * power >= least * (1 - 1e-9));
  const [first, last] = [Math.floor(min / step + 1e-9), Math.ceil(max / step - 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: first * step, high: last * step, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), ticks };
}

/** A value at a tick: `1,013.2`, `21.5M`. */
export function written(value, decimals) {
  const digits = Math.min(decimals, 12);
  const style = Math.abs(value) < 1e6 ? { minimumFractionDigits: digits, maximumFractionDigits: digits } : { notation: 'compact', maximumSignificantDigits: 4 };
  return value.toLocaleString('en', { ...style, signDisplay: 'negative' }).replace('-', '−');
}

/** A reading with all that it says. */
export const exact = (value) =>
  Number.isFinite(value) ? Number(value.toPrecision(12)).toLocaleString('en', { maximumFractionDigits: 12 }).replace('-', '−') : '–';

const two = (n) => String(n).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEK = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `14:30:05.250`, as fine as the step, in ms. */
export function clock(date, step) {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (step >= MINUTE) return time;
  return `${time}:${two(date.getSeconds())}${step < SECOND ? `.${String(date.getMilliseconds()).padStart(3, '0')}` : ''}`;
}

/** `Thu 26 Nov`, with the year where that is not the present one. */
export function day(date) {
  const year = date.getFullYear();
  return `${WEEK[date.getDay()]} ${date.getDate()} ${MONTHS[date.getMonth()]}${year === new Date().getFullYear() ? '' : ` ${year}`}`;
}

/**
 * Ticks of time in the reader's zone: `[{ ms, text, strong }]`, at most about `count`. `strong`: a day or a year begins.
 */
export function timeTicks(from, to, count) {
  const least = (to - from) / Math.max(1, count);
  const step = CLOCK.find((one) => one >= least);
  const row = step ? null : (CALENDAR.find(([length]) => length >= least) ?? CALENDAR.at(-1));
  let year;
  return (step ? byClock(from, to, step) : byCalendar(from, to, row)).map((ms) => {
    const date = new Date(ms);
    const before = year;
    year = date.getFullYear();
    const news = before !== undefined && before !== year;
    const midnight = date.getHours() + date.getMinutes() + date.getSeconds() + date.getMilliseconds() === 0;
    const month = row?.[1] > 0;
    const text = month ? MONTHS[date.getMonth()] : midnight || row?.[2] ? `${date.getDate()} ${MONTHS[date.getMonth()]}` : clock(date, step ?? HOUR);
    const january = month && date.getMonth() === 0;
    return { ms, text: january ? String(year) : news ? `${text} ${year}` : text, strong: january || news || (midnight && !row?.[1] && !row?.[2]) };
  });
}

function byClock(from, to, step) {
  const ticks = [];
  for (let ms = from; ; ms += step) {
    // Some zones stand at half an hour, and some go to it in summer.
    const east = -new Date(ms).getTimezoneOffset() * MINUTE;
    ms = Math.ceil((ms + east) / step) * step - east;
    if (ms > to) return ticks;
    ticks.push(ms);
  }
}

/** Counted on the calendar, so that a day with 23 hours is one. */
function byCalendar(from, to, [, months, days, hours]) {
  const date = new Date(from);
  let [year, month, first] = [date.getFullYear(), date.getMonth(), date.getDate()];
  // Weeks begin on Mondays: 5 January 1970 was one.
  if (days) first -= (Math.round(Date.UTC(year, month, first) / DAY) - 4) % days;
  if (months) [month, first] = [month - ((year * 12 + month) % months), 1];
  const ticks = [];
  for (let i = 0; ; i += 1) {
    const ms = new Date(year, month + i * months, first + i * days, i * hours).getTime();
    if (ms > to) return ticks;
    if (ms >= from) ticks.push(ms);
  }
}

/** A length of time: `2 d 3 h`, `1 h 5 min`, `3.25 s`. */
export function lasting(ms) {
  const units = [[DAY, 'd'], [HOUR, 'h'], [MINUTE, 'min'], [SECOND, 's']];
  const i = units.findIndex(([size]) => ms >= size && size > SECOND);
  if (i < 0) return `${Number((ms / SECOND).toPrecision(3))} s`;
  const [[size, name], [small, smaller]] = units.slice(i);
  const rest = Math.floor((ms % size) / small);
  return `${Math.floor(ms / size)} ${name}${rest > 0 ? ` ${rest} ${smaller}` : ''}`;
}
