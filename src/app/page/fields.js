// Numbers in lines: which rule reads them, what they are called, and their values. A rule holds for
// a stream, not a line.

import { delimited, delimitedIn } from './delimited.js';
import { named } from './level.js';
import { stamp } from './stamp.js';
import { Times } from './time.js';
import { isGap, kernelUnit, quantity, split, unitOf } from './units.js';

/** So many lines decide. */
const SAMPLE = 50;
/** This part of them has to agree. */
const AGREE = 0.8;
/** Series of one stream, at most. */
const MAX_SERIES = 64;
/** Objects in objects are followed so deep. */
const DEPTH = 4;
/** Names that come one a line, at most. */
const ALTERNATING = 16;
/** From so many rows on an integer that only grows is a counter. */
const COUNTER = 10;

/** Numbers that name something. */
const NO_READING = /(?:^|[._])(?:id|uid|gid|pid|tid|ppid|port|line|lineno|seq|code|status|version)$/i;
const TIME_KEY = /^(?:@?time(?:stamp)?|ts|@?t|datetime|date)$/;
const NAME = /^>?([A-Za-z_°µ][\w.\-/%°()[\]]*)[=:](.+)$/;
const GROUP = /^([A-Za-z_][\w.\-/]*?)(?:\[\d+\])?:$/;

/** A line without its time: what stands before, and behind without what separates. */
function cut(line) {
  const time = stamp(line);
  if (time === null) return ['', line.trim()];
  const rest = line
    .slice(time.end)
    .replace(/^(?:["\])]|\s|[,;:|]|->|- )+/, '')
    .trim();
  // A large number alone is a reading, whatever year it may look like.
  return rest === '' && time.kind === 'epoch' ? ['', line.trim()] : [line.slice(0, time.start), rest];
}

const row = (names, values, units, free = 0) => (names.length > 0 ? { names, values, units, free } : null);

function bare(line) {
  const [before, rest] = cut(line);
  const found = /^\W*$/.test(before) ? quantity(rest, { anyUnit: true }) : null;
  return found && row(['value'], [found.value], [found.unit]);
}

/** `2026-11-25T20:26:01.123Z 21.5`: what Tailcast makes of a file with one reading. */
const sample = (line) => (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) \S+$/.test(line) ? bare(line) : null);

function json(line) {
  const start = line.slice(0, 128).indexOf('{');
  if (start < 0 || (start > 0 && cut(line)[1] !== line.slice(start).trim())) return null;
  let object;
  try {
    object = JSON.parse(line.slice(start).replace(/([:[,]\s*)(?:NaN|-?Infinity)\b/g, '$1null'));
  } catch {
    return null;
  }
  const [names, values, units] = [[], [], []];
  const walk = (inner, path, depth) => {
    for (const [key, value] of Object.entries(inner)) {
      if (names.length === MAX_SERIES) return;
      if (value !== null && typeof value === 'object') {
        if (depth < DEPTH) walk(value, `${path}${key}.`, depth + 1);
        continue;
      }
      const gap = value === null || (typeof value === 'string' && isGap(value));
      if (!gap && typeof value !== 'number') continue;
      if (!gap && value >= 1.4e9 && TIME_KEY.test(key)) continue;
      names.push(path + key);
      values.push(gap ? NaN : value);
      units.push('');
    }
  };
  walk(object, '', 1);
  return row(names, values, units);
}

/** `>name:ms:value§unit|flags`; of several values the last. */
function teleplot(line) {
  const found = /^(>?)\s*([^:|§\s][^:|§]*):([^§|]*)(?:§([^|]*))?(?:\|(\w*))?$/.exec(line);
  if (!found || /xy|t/.test(found[5] ?? '')) return null;
  const [, mark, name, points, unit = ''] = found;
  const parts = points.split(';').at(-1).split(':');
  const value = quantity(parts.at(-1));
  if (
    !value ||
    parts.length > 2 ||
    (parts.length === 2 && !/^\d+(?:\.\d+)?$/.test(parts[0])) ||
    (mark === '' && parts.length < 2)
  )
    return null;
  const ms = parts.length === 2 ? Number(parts[0]) : NaN;
  return {
    ...row([name], [value.value], [unit.trim() || value.unit]),
    ms: ms > 1.4e12 && ms < 2e12 ? ms : null,
  };
}

/** `name=value`, `name:value`, `name: value`, and words that end in `:` as the group of what
 * follows. */
function pairs(line) {
  const [before, rest] = cut(line);
  const words = `${before} ${rest}`.split(/[\s,;]+/).filter((word) => word !== '');
  const [names, values, units] = [[], [], []];
  let group = '';
  let free = 0;
  const add = (name, { value, unit }) => {
    if (names.length === MAX_SERIES) return;
    names.push(group + name);
    values.push(value);
    units.push(unit);
  };
  for (let i = 0; i < words.length; i += 1) {
    const pair = NAME.exec(words[i]);
    const value = pair && quantity(pair[2]);
    const head = pair ? null : GROUP.exec(words[i]);
    if (value) {
      add(pair[1], value);
      const unit = unitOf(words[i + 1] ?? '');
      if (unit && value.unit === '') {
        units[units.length - 1] = unit;
        i += 1;
      }
    } else if (head) {
      const next = quantity(words[i + 1] ?? 'x');
      if (next) {
        add(head[1], next);
        i += 1;
        const unit = next.unit === '' && unitOf(words[i + 1] ?? '');
        if (unit) {
          units[units.length - 1] = unit;
          i += 1;
        }
      } else group = named(head[1]) ? '' : `${head[1]}.`;
    } else if (!pair) free += 1;
  }
  return row(names, values, units, free);
}

const RULES = { sample, bare, json, teleplot, pairs };

/** Names that most rows share; else those that take turns, one a line. */
function shared(rows, least) {
  const counts = new Map();
  for (const { names } of rows)
    for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const common = [...counts.keys()].filter((name) => counts.get(name) >= least);
  if (common.length > 0) return { names: common, sparse: false };
  const turns = rows.every(({ names, free }) => names.length === 1 && free === 0);
  const again = [...counts.values()].every((count) => count > 1);
  return { names: turns && again && counts.size <= ALTERNATING ? [...counts.keys()] : [], sparse: true };
}

const isCounter = (values) =>
  values.length >= COUNTER &&
  values.every((value, i) => Number.isInteger(value) && (i === 0 || value > values[i - 1]));

/** Names, units and defaults of the columns `[{ key, header, values, unit }]`. */
function describe(rule, columns, path) {
  const alone = rule === 'sample' || rule === 'bare';
  const series = columns.map(({ key, header, values, unit }) => {
    const { name, unit: written } = split(header);
    const kernel = alone ? kernelUnit(path, values) : null;
    const said = kernel?.unit ?? (unit || written || (alone ? split(path).unit : ''));
    // A temperature may rise for a while.
    const off = !alone && (NO_READING.test(header) || (said === '' && isCounter(values)));
    return { key, name: alone ? nameOf(path) : name, unit: said, scale: kernel?.scale ?? 1, off };
  });
  // Who has nothing but counters wants to see them.
  if (series.every(({ off }) => off)) for (const one of series) one.off = false;
  return series;
}

const nameOf = (path) => split(path.split('/').filter(Boolean).at(-1) ?? '').name || 'value';

/**
 * The rule that reads numbers from most of `lines` (the newest 50 decide), or `null`. `path` is the
 * stream's name.
 *
 * - `rule`: `sample`, `bare`, `json`, `teleplot`, `pairs` or `delimited`;
 * - `series`: `[{ key, name, unit, scale, off }]`: `scale` is applied by the reader, `off` is not
 *   shown until asked for;
 * - `timeOf`: `line`, the number of a column, or `null`: lines have no time, it is when they
 *   arrive;
 * - `sparse`: names take turns, one a line: a NaN is then no gap;
 * - `sure`: lines are made of numbers, not of text with a number in it.
 *
 * It is plain data: what a person chose and renamed can be kept as JSON.
 */
export function detect(lines, { path = '' } = {}) {
  const filled = lines.filter((line) => line.trim() !== '');
  const newest = filled.slice(-SAMPLE);
  if (newest.length === 0) return null;
  const least = Math.ceil(newest.length * AGREE);
  const timed = newest.filter((line) => stamp(line) !== null && cut(line)[1] !== line.trim()).length >= least;
  for (const [rule, read] of Object.entries(RULES)) {
    const rows = newest.map(read).filter((found) => found !== null);
    if (rows.length < least) continue;
    const { names, sparse } = shared(rows, least);
    const columns = names.map((key) => {
      const places = rows.map((found) => [found, found.names.indexOf(key)]).filter(([, i]) => i >= 0);
      const unit = places.map(([found, i]) => found.units[i]).find((written) => written !== '') ?? '';
      return { key, header: key, values: places.map(([found, i]) => found.values[i]), unit };
    });
    const numeric = columns.filter(({ values }) => values.some(Number.isFinite));
    if (numeric.length === 0) continue;
    const free = rows.reduce((sum, found) => sum + found.free, 0);
    const data = rows.reduce((sum, found) => sum + found.names.length, 0);
    const own = timed || rows.some(({ ms }) => ms);
    return {
      rule,
      series: describe(rule, numeric, path),
      timeOf: own ? 'line' : null,
      sparse,
      sure: free <= 2 * data,
    };
  }
  const found = delimitedIn(filled, newest, least);
  if (!found) return null;
  const { columns, ...rest } = found;
  return { rule: 'delimited', series: describe('delimited', columns, path), sparse: false, ...rest };
}

/**
 * A function of a line: `{ ms, values }` with `values` in the order of `detected.series` (NaN: a
 * gap) and `ms` `null` where the line has no time, or `null` for a row that does not fit, counted
 * in its property `wrong`.
 */
export function reader(detected, times = new Times()) {
  const { rule, series, timeOf } = detected;
  const places = new Map(series.map(({ key }, i) => [key, i]));
  const cells = rule === 'delimited' ? delimited(detected) : null;
  const read = (line) => {
    if (line.trim() === '') return null;
    const values = new Float64Array(series.length).fill(NaN);
    let ms = null;
    let fits = false;
    if (cells) {
      const found = cells(line, values);
      if (found === 'header') return null;
      fits = found !== null;
      if (fits && timeOf !== null) ms = times.parse(timeOf === 'line' ? line : found)?.ms ?? null;
    } else {
      const found = RULES[rule](line);
      found?.names.forEach((name, i) => {
        const place = places.get(name);
        if (place === undefined) return;
        fits = true;
        values[place] = Number.isFinite(found.values[i]) ? found.values[i] : NaN;
      });
      if (fits) ms = found.ms ?? (timeOf === null ? null : (times.parse(line)?.ms ?? null));
    }
    if (!fits) {
      read.wrong += 1;
      return null;
    }
    series.forEach(({ scale }, i) => scale !== 1 && (values[i] *= scale));
    return { ms, values };
  };
  read.wrong = 0;
  return read;
}
