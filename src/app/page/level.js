// How bad a line is. The surest shape decides: first what a format says, then a word in the place
// of a level, at last a word in capitals. Two levels in one shape are none: "from INFO to ERROR" is
// no error.

/** From bad to harmless. */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

const NAMES = {
  fatal: 'fatal|critical|crit|panic|emergency|emerg|alert',
  error: 'error|err|severe|eror',
  warn: 'warning|warn|wrn',
  info: 'information|info|inf|notice',
  debug: 'debug|dbg|debg|fine',
  trace: 'trace|trc|verbose|finest|finer|silly',
};
const LETTERS = {
  F: 'fatal',
  E: 'error',
  W: 'warn',
  I: 'info',
  N: 'info',
  D: 'debug',
  T: 'trace',
  V: 'trace',
};
/** RFC 5424, 6.2.1: 0 to 7. */
const SEVERITIES = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

const BY_NAME = new Map(LEVELS.flatMap((level) => NAMES[level].split('|').map((name) => [name, level])));
const WORD = Object.values(NAMES).join('|');
const CAPITALS = WORD.toUpperCase();

/** The level of that name: a word in any case, a letter, a syslog severity (0 to 7), or pino's
 * numbers (10 to 60). */
export function named(name) {
  const word = String(name).trim();
  const number = Number(word);
  if (word !== '' && Number.isInteger(number)) {
    if (number >= 0 && number < 8) return SEVERITIES[number];
    return number >= 10 && number <= 60 && number % 10 === 0 ? LEVELS[6 - number / 10] : null;
  }
  return (
    BY_NAME.get(word.toLowerCase()) ?? (word.length === 1 ? (LETTERS[word.toUpperCase()] ?? null) : null)
  );
}

/** A time before the level; not a word of it is a letter but `T` and `Z`. */
const TIME = /^\s*[[(]?\d[\d\-/:.,TZ+ ]*[\])]?[\s:|-]*/;
const KEY = String.raw`"(?:level|severity|log\.level|@l|lvl|log_?level|level_?name|PRIORITY)"\s*:\s*"?`;

/** Formats that have a place for it, told by their shape: what they are, where it stands, what it
 * means. */
const PLACES = [
  [/^<\d{1,3}>/, /^<(\d{1,3})>/, (priority) => SEVERITIES[priority % 8]],
  // klog and glog: E1125 20:26:01.
  [/^[IWEFD]\d{4} \d\d:/, /^(\w)/, named],
  // logcat: 11-25 20:26:01.123  1234  1250 I Tag: text; and its short form I/Tag( 1234): text.
  [/^\d\d-\d\d \d\d:\d\d:\d\d\.\d+ +\d+ +\d+ [VDIWEF] /, /^\S+ \S+ +\d+ +\d+ (\w)/, named],
  [/^[VDIWEF]\/[\w.-]+ *(?:\( *\d+\))?:/, /^(\w)/, named],
  // A web server's access log says how it answered.
  [
    / HTTP\/\d(?:\.\d)?" \d{3} /,
    /" (\d{3}) /,
    (status) => (status >= 500 ? 'error' : status >= 400 ? 'warn' : null),
  ],
];

/** A line without any of these has no level: most lines are looked at no further. */
const SOME = new RegExp(
  `(?<![a-z])(?:${WORD}|level|lvl|severity|loglevel|levelname|priority|@l)(?![a-z])|` +
    `[[<(](?:[\\w-]+:)?\\s*[FEWIDTV]\\s*[\\])>]`,
  'i',
);

/** Formats that give it a name: JSON (a number only beside a message, since a tank has a level,
 * too), logfmt, and facility.severity, as logread prints it. */
const NAMED = [
  [/^[^{"]{0,64}\{/, new RegExp(`${KEY}([a-z]+)`, 'i')],
  [/^[^{"]{0,64}\{.*"(?:msg|message|short_message)"\s*:/i, new RegExp(`${KEY}(\\d+)(?![\\d.])`, 'i')],
  [/=/, /\b(?:level|lvl|severity)="?(\w+)/],
  [
    /\./,
    /\b(?:kern|user|mail|daemon|auth|authpriv|syslog|lpr|news|uucp|cron|ftp|local[0-7])\.([a-z]{3,7})\b/,
  ],
];

/** Words in the place of a level, the surest first; the first is looked for behind the time. */
const TIERS = [
  [new RegExp(`^(${WORD})(?![\\w.-])`, 'gi'), TIME],
  [new RegExp(`[[<(](?:[\\w-]+:)?\\s*(${WORD}|[FEWIDTV])\\s*[\\])>]`, 'gi')],
  [new RegExp(`(?<![\\w.])\\w+:(${WORD})[\\s:]`, 'gi')],
  [new RegExp(`"(${CAPITALS})"`, 'g')],
  [new RegExp(`(?<=\\s)(${WORD})(?:[/|:]|\\s?-)(?=\\s|$|[^\\w/])`, 'gi')],
  [new RegExp(`(?<=\\s|^)(${CAPITALS})(?=\\s|$)`, 'g')],
];
/** So much of a line is looked at: levels stand at the front, and a row shows no more. */
const LOOKED_AT = 4_000;

/** `fatal`, `error`, `warn`, `info`, `debug` or `trace`; `null` where the line does not say, or
 * says two. */
export function level(line) {
  if (line.length > LOOKED_AT) line = line.slice(0, LOOKED_AT);
  for (const [is, where, meaning] of PLACES) if (is.test(line)) return meaning(where.exec(line)[1]);
  if (!SOME.test(line)) return null;
  for (const [is, where] of NAMED) {
    const found = is.test(line) && where.exec(line);
    if (found && named(found[1])) return named(found[1]);
  }
  for (const [words, before] of TIERS) {
    const found = new Set();
    for (const [, word] of (before ? line.replace(before, '') : line).matchAll(words)) found.add(named(word));
    if (found.size > 0) return found.size === 1 ? [...found][0] : null;
  }
  return null;
}
