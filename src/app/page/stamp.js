// Where a line says when it was written, and in which words: scanners on characters, one for each
// shape. What the words mean as an instant needs more than the line (time.js). `Date.parse` is not
// used: browsers differ in what it takes.

/** So far into a line a time is looked for, in UTF-16 units. */
const LOOKED_AT = 4_096;
/** Epochs read as such, in ms: 2014 to 2033. A number outside is a reading. */
const EPOCH = [1.4e12, 2.0e12];

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const DAYS = 'MonTueWedThuFriSatSun';
/** Names of zones that logs print, in minutes east of UTC. */
const ZONES = {
  UTC: 0, GMT: 0, WET: 0, WEST: 60, BST: 60, CET: 60, CEST: 120, EET: 120, EEST: 180, MSK: 180,
  JST: 540, AEST: 600, AEDT: 660, EST: -300, EDT: -240, CST: -360, CDT: -300, MST: -420, MDT: -360,
  PST: -480, PDT: -420,
};
const JSON_KEYS = ['"time"', '"timestamp"', '"@timestamp"', '"ts"', '"@t"', '"t"', '"datetime"', '"date"'];
const LOGFMT_KEYS = ['time=', 'timestamp=', 'ts=', 't='];

/** What is scanned, and how far. */
let text = '';
let at = 0;
/** The line last asked for and its answer: several modules ask the same of a line. */
let asked = null;
let answer = null;

const code = (i = at) => text.charCodeAt(i);
const isDigit = (i = at) => code(i) >= 48 && code(i) <= 57;
const isLetter = (i = at) => (code(i) | 32) >= 97 && (code(i) | 32) <= 122;
const eat = (character) => text[at] === character && (at += 1) > 0;

function digits() {
  let end = at;
  while (isDigit(end)) end += 1;
  return end - at;
}

/** A number of `least` to `most` digits, not one more; -1 if there is none. */
function number(least, most = least) {
  const length = digits();
  if (length < least || length > most) return -1;
  at += length;
  return Number(text.slice(at - length, at));
}

/** A fraction behind `.` or `,`, in ms; 0 without one. Behind a comma may as well be the next
 * column. */
function fraction() {
  const before = at;
  if (!(eat('.') || eat(',')) || !isDigit()) {
    at = before;
    return 0;
  }
  const length = digits();
  const next = text[at + length];
  if (
    text[before] === ',' &&
    (length % 3 !== 0 || next === undefined || next === ',' || next === '.' || next === ';')
  ) {
    at = before;
    return 0;
  }
  const ms = Number(text.slice(at, at + Math.min(length, 9))) / 10 ** (Math.min(length, 9) - 3);
  at += length;
  return ms;
}

/** A time of day in ms; -1 if there is none. Where seconds are missing it has to be sure that it is
 * one. */
function clock(sure) {
  let hours = number(1, 2);
  if (hours < 0 || !eat(':')) return -1;
  const minutes = number(2);
  let seconds = 0;
  let ms = 0;
  if (minutes >= 0 && eat(':')) {
    seconds = number(2);
    ms = fraction();
  } else if (!sure) return -1;
  const half = /^ ?([AaPp])\.?[Mm]\b\.?/.exec(text.slice(at, at + 6));
  if (half && hours >= 1 && hours <= 12) {
    at += half[0].length;
    hours = (hours % 12) + (half[1] === 'p' || half[1] === 'P' ? 12 : 0);
  }
  if (hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) return -1;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/** A zone in minutes east of UTC; `null` without one. */
function zone() {
  const before = at;
  const spaced = eat(' ');
  const sign = text[at];
  if ((sign === 'Z' || sign === 'z') && !isLetter(at + 1)) {
    at += 1;
    return 0;
  }
  if (sign === '+' || sign === '-') {
    at += 1;
    const length = digits();
    const parts =
      length === 4 ? [Number(text.slice(at, at + 2)), Number(text.slice(at + 2, at + 4))] : [number(2), 0];
    if (length === 4) at += 4;
    else if (eat(':')) parts[1] = number(2);
    else if (spaced) parts[0] = -1;
    if (
      parts[0] >= 0 &&
      parts[0] <= 14 &&
      parts[1] >= 0 &&
      parts[1] % 15 === 0 &&
      !(text[at] === '.' && isDigit(at + 1))
    ) {
      return (sign === '-' ? -1 : 1) * (parts[0] * 60 + parts[1]);
    }
  } else {
    let end = at;
    while (end - at < 5 && isLetter(end)) end += 1;
    const name = text.slice(at, end);
    if (Object.hasOwn(ZONES, name)) {
      at = end;
      return ZONES[name];
    }
  }
  at = before;
  return null;
}

const DAY_OF = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isDay = (month, day) => month >= 1 && month <= 12 && day >= 1 && day <= DAY_OF[month - 1];

/** A time with what was read of its day; `null` if that was none. */
function found(start, kind, fields, clockMs) {
  if (clockMs < 0 || (fields.month !== undefined && !isDay(fields.month, fields.day))) return null;
  const minutes = fields.zone === undefined ? zone() : fields.zone;
  return { start, kind, ...fields, clock: clockMs, zone: minutes, end: at };
}

/** Seconds, ms, µs or ns since 1970, told by their size. */
function epoch() {
  const start = at;
  const length = digits();
  if (length !== 10 && length !== 13 && length !== 16 && length !== 19) return null;
  at += length;
  let ms = Number(text.slice(start, at)) * 10 ** (13 - length);
  if (length === 10 && text[at] === '.') ms += fraction();
  if (ms < EPOCH[0] || ms > EPOCH[1] || isLetter() || text[at] === '_') return null;
  return { start, end: at, kind: 'epoch', epoch: ms };
}

/** Steps over an escape sequence for colours, up to its last character. */
function colour() {
  if (text[at] !== '\x1b' || text[at + 1] !== '[') return false;
  let end = at + 2;
  while (isDigit(end) || text[end] === ';') end += 1;
  if (text[end] !== 'm') return false;
  at = end;
  return true;
}

/** A time that begins with a digit. */
function numeric() {
  const start = at;
  const length = digits();
  const separator = text[at + length];
  if (length === 4 && (separator === '-' || separator === '/' || separator === '.')) {
    const year = number(4);
    eat(separator);
    const month = number(1, 2);
    if (!eat(separator)) return null;
    const day = number(1, 2);
    if (!/[Tt _:,;\t]/.test(text[at] ?? '')) return null;
    at += 1;
    eat(' ');
    return found(start, 'iso', { year, month, day }, clock(true));
  }
  if (length >= 10) return epoch();
  if (length !== 1 && length !== 2) return null;
  if (separator === ':') return found(start, 'clock', {}, clock(false));
  const first = number(1, 2);
  if (!eat(separator)) return null;
  const month = named(MONTHS);
  if (month > 0) {
    // `25 Nov 20:26:01`, `25 Nov 2026 20:26:01`, `25-Nov-2026 20:26:01`.
    at += 3;
    if (!eat(separator)) return null;
    const year = digits() === 4 ? number(4) : undefined;
    if (year) at += 1;
    return found(start, 'month', { year, month, day: first }, clock(false));
  }
  const second = number(1, 2);
  if (separator === '-' && length === 2 && eat(' '))
    return found(start, 'logcat', { month: first, day: second }, clock(false));
  if ((separator === '.' || separator === '/') && eat(separator)) {
    const year = number(4);
    const apart = at;
    while (text[at] === ' ' || text[at] === ',' || text[at] === ';' || text[at] === '\t') at += 1;
    if (year < 0 || at === apart) return null;
    // Which of the two is the day, only many lines can tell.
    return found(start, 'two', { year, pair: [first, second] }, clock(true));
  }
  return null;
}

const named = (names) => {
  const i = names.indexOf(text.slice(at, at + 3));
  return i >= 0 && i % 3 === 0 ? i / 3 + 1 : 0;
};

/** `Dec  2 01:00:00`, `Thu Mar 17 10:22:57 2022`, and a weekday before any other. */
function worded() {
  const start = at;
  const weekday = named(DAYS) > 0 && !isLetter(at + 3);
  if (weekday) {
    at += 3;
    eat(',');
    if (!eat(' ')) return null;
    if (isDigit()) return numeric();
  }
  const month = named(MONTHS);
  if (month === 0 || text[at + 3] !== ' ') return null;
  at += 4;
  eat(' ');
  const day = number(1, 2);
  if (!eat(' ')) return null;
  const ms = clock(false);
  if (ms < 0) return null;
  const before = at;
  const minutes = zone();
  const year = weekday && eat(' ') ? number(4) : -1;
  if (year < 0) at = before;
  return found(start, 'month', year < 0 ? { month, day } : { year, month, day, zone: minutes }, ms);
}

/** `29/Jan/2024:13:45:19 +0000` in brackets, anywhere. */
function common() {
  for (let open = text.indexOf('['); open >= 0; open = text.indexOf('[', open + 1)) {
    at = open + 1;
    const day = number(2);
    if (day < 0 || !eat('/')) continue;
    const month = named(MONTHS);
    at += 3;
    if (month === 0 || !eat('/')) continue;
    const year = number(4);
    if (year < 0 || !eat(':')) continue;
    const time = found(open + 1, 'common', { year, month, day }, clock(false));
    if (time) return time;
  }
  return null;
}

/** Seconds since a start that the line does not name: `12.345678`. */
function since() {
  const start = at;
  const length = digits();
  if (length < 1 || length > 9 || text[at + length] !== '.') return null;
  at += length;
  return {
    start,
    kind: 'since',
    since: Number(text.slice(start, start + length)) * 1000 + fraction(),
    end: at,
  };
}

/** The value of the first of these keys that is a time. */
function keyed(keys, begins) {
  for (const key of keys) {
    const place = text.indexOf(key);
    if (place < 0 || !begins(place)) continue;
    at = place + key.length;
    while (text[at] === ' ' || text[at] === ':' || text[at] === '"') at += 1;
    const time = isDigit() ? numeric() : worded();
    if (time) return time;
  }
  return null;
}

/** klippy.log: a session's head has both clocks, what follows only its own. */
function printer() {
  if (text.startsWith('Stats ')) {
    at = 6;
    const time = since();
    return time && text[at] === ':' ? time : null;
  }
  if (!text.startsWith('Start printer at ')) return null;
  at = text.indexOf('(') + 1;
  const head = at > 0 && epoch();
  if (!head || !eat(' ')) return null;
  const own = since();
  return (
    own && { start: 17, end: head.start - 2, kind: 'epoch', epoch: head.epoch, base: head.epoch - own.since }
  );
}

function bare() {
  if (isDigit()) return numeric();
  if (!isLetter()) return null;
  const start = at;
  const time = worded() ?? printer();
  if (time) return time;
  at = start;
  // klog: the level's letter stands at the date.
  if ('IWEFD'.includes(text[at]) && isDigit(at + 1)) {
    at += 1;
    const date = number(4);
    return date < 0 || !eat(' ')
      ? null
      : found(start + 1, 'klog', { month: Math.floor(date / 100), day: date % 100 }, clock(false));
  }
  // A level before the time.
  while (isLetter()) at += 1;
  if (at - start > 9) return null;
  while (text[at] === ' ' || text[at] === ':' || text[at] === '[' || text[at] === '\t') at += 1;
  return isDigit() && at > start + 2 ? numeric() : null;
}

/**
 * The time in a line, as it is written: `{ start, end, kind, … }` with either `epoch` (ms since
 * 1970), `since` (ms since a start; `base`, where a line has both) or `clock` (ms of the day) and
 * what is known of `year`, `month`, `day` (or `pair`, day and month in unknown order) and `zone`
 * (minutes; `null`: the board's). `null` without a time.
 */
export function stamp(line) {
  if (line !== asked) {
    answer = scan(line);
    asked = line;
  }
  return answer;
}

function scan(line) {
  text = line.length > LOOKED_AT ? line.slice(0, LOOKED_AT) : line;
  at = 0;
  // Some loggers print times in colour.
  while (text[at] === ' ' || text[at] === '\t' || colour()) at += 1;
  if (text[at] === '{') return keyed(JSON_KEYS, () => true);
  if (eat('<')) {
    if (number(1, 3) < 0 || !eat('>')) return null;
    if (isDigit() && text[at + 1] === ' ') at += 2;
  }
  const opened = eat('[') || eat('(') || eat('"');
  if (opened) {
    while (text[at] === ' ') at += 1;
    const start = at;
    const time = since();
    if (time && (text[at] === ']' || text[at] === ')')) return time;
    at = start;
  }
  const time = bare();
  if (time) return time;
  const audit = text.slice(0, 80).indexOf('audit(');
  if (audit >= 0) {
    at = audit + 6;
    const written = epoch();
    if (written) return written;
  }
  return keyed(LOGFMT_KEYS, (place) => place === 0 || text[place - 1] === ' ') ?? common();
}
