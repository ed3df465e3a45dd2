// A line that is a JSON record, read as a log line: time, level, logger, message, and the rest.

import { named } from './level.js';
import { stamp } from './stamp.js';

/** A longer one is left as text, in UTF-16 units. */
const LONGEST = 64 * 1024;
/** What may stand before it: a time in brackets or none, and what containers write behind that. */
const AROUND = /^[\s[(]*[\])]?[\s:]*(?:std(?:out|err) [FP] )?$/;

/** Keys by what they mean, the surest first; a point leads into an object. */
const KEYS = {
  time: ['time', 'timestamp', '@timestamp', 'ts', '@t', 't', 'datetime', 'date', '__REALTIME_TIMESTAMP'],
  level: [
    'level',
    'severity',
    'log.level',
    '@l',
    'lvl',
    'log_level',
    'loglevel',
    'levelname',
    'level_name',
    'PRIORITY',
  ],
  logger: [
    'logger',
    'logger_name',
    'log.logger',
    'name',
    'component',
    'module',
    'target',
    'tag',
    'SYSLOG_IDENTIFIER',
  ],
  message: [
    'message',
    'msg',
    '@m',
    '@mt',
    'MESSAGE',
    'log',
    'event',
    'text',
    'short_message',
    'fields.message',
  ],
};

const isText = (value) => typeof value === 'string';
/** A reading called `t` is a temperature; a time is text with a number in it, or seconds since 1970
 * or less of them. */
const isTime = (value) => (isText(value) ? /\d/.test(value) : typeof value === 'number' && value > 1.4e9);
const FITS = { time: isTime, level: isLevel, logger: isText, message: isText };

/** A number is a level only beside a message: a tank has one, too. */
function isLevel(value, object) {
  const said = () => KEYS.message.some((key) => isText(object[key]));
  return (isText(value) || (typeof value === 'number' && said())) && named(value) !== null;
}

/** Takes the first fitting key out of `object`. */
function take(object, meaning) {
  for (const key of KEYS[meaning]) {
    const dot = key.indexOf('.');
    const [outer, name] =
      dot > 0 && !Object.hasOwn(object, key)
        ? [object[key.slice(0, dot)], key.slice(dot + 1)]
        : [object, key];
    if (outer === null || typeof outer !== 'object' || !Object.hasOwn(outer, name)) continue;
    const value = outer[name];
    if (!FITS[meaning](value, object)) continue;
    delete outer[name];
    if (outer !== object && Object.keys(outer).length === 0) delete object[key.slice(0, dot)];
    return value;
  }
  return null;
}

/**
 * `{ time, level, logger, message, rest }`, or `null` where the line is no JSON object. `time` is
 * as it is written (text or number), `level` one of level.js, `rest` `[[key, value]]` in the
 * record's order; what is absent is `null`.
 */
export function record(line) {
  const start = line.slice(0, 128).indexOf('{');
  if (start < 0 || line.length > LONGEST) return null;
  const front = line.slice(0, start);
  const before = stamp(front);
  if (!AROUND.test(before ? front.slice(0, before.start) + front.slice(before.end) : front)) return null;
  let object;
  try {
    object = JSON.parse(line.slice(start));
  } catch {
    return null;
  }
  const time = take(object, 'time') ?? (before && front.slice(before.start, before.end));
  const level = take(object, 'level');
  const message = take(object, 'message');
  return {
    time,
    level: level === null ? null : named(level),
    logger: take(object, 'logger'),
    // Docker's own files keep the newline.
    message: message?.replace(/\r?\n$/, '') ?? null,
    rest: Object.entries(object),
  };
}
