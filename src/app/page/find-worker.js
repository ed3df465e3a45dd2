// Looks for terms beside the page: a pattern that takes for ever stops this worker, and nothing
// else.

import { plain } from './ansi.js';
import { LEVELS, level } from './level.js';
import { compile, terms } from './pattern.js';

const NEWLINE = 10;
const decoder = new TextDecoder();
const compiled = new Map();
/** How readings are written, by stream: `null` where that is not known. */
const forms = new Map();

function ready(term) {
  if (!compiled.has(term)) {
    if (compiled.size > 50) compiled.clear();
    compiled.set(term, compile(term));
  }
  return compiled.get(term);
}

/** What a line must be: every term but the excluded ones, and of this level at least. */
function wanted({ filters, level: least }) {
  const { match, not } = terms(filters);
  const [all, none] = [match.map(ready), not.map(ready)];
  return (line) =>
    all.every((term) => term.test(line)) &&
    !none.some((term) => term.test(line)) &&
    (!least || LEVELS.indexOf(level(line) ?? 'trace') <= LEVELS.indexOf(least) && level(line) !== null);
}

/** Each whole line with its start within the bytes. */
function* split(bytes) {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    yield [start, plain(decoder.decode(bytes.subarray(start, end)))];
    start = end + 1;
  }
}

const jobs = {
  /** The wanted lines of whole lines: `[start, start, ...]` within the bytes. */
  lines({ bytes, spec }) {
    const fits = wanted(spec);
    const found = [];
    for (const [start, line] of split(bytes)) if (fits(line)) found.push(start);
    return found;
  },
  /** The readings in whole lines: `[{ key, name, value, at }, ...]`, `at` within the bytes. Their form is learnt once,
   * from `recent`, which ends with them and may begin within a line. */
  async readings({ bytes, recent, path }) {
    const { detect, reader } = await import('./fields.js');
    if (!forms.get(path)) {
      const whole = recent.subarray(0, recent.lastIndexOf(NEWLINE) + 1);
      const detected = detect([...split(whole)].map(([, line]) => line).slice(1), { path });
      forms.set(path, detected && { ...detected, read: reader(detected) });
    }
    const { series, read } = forms.get(path) ?? {};
    const found = [];
    for (const [at, line] of read ? split(bytes) : []) {
      const row = read(line);
      row?.values.forEach((value, i) => Number.isNaN(value) || found.push({ key: series[i].key, name: series[i].name, value, at }));
    }
    return found;
  },
  /** Whether each text is wanted. */
  texts({ texts, spec }) {
    return texts.map(wanted(spec));
  },
  /** Where each of the terms stands in each text: `[[text, term, start, end], ...]`. */
  ranges({ texts, list }) {
    const found = [];
    texts.forEach((text, i) => {
      list.forEach((term, n) => {
        for (const [start, end] of ready(term).ranges(text)) found.push([i, n, start, end]);
      });
    });
    return found;
  },
};

onmessage = async ({ data }) => {
  // The time that it takes counts from here.
  postMessage({ id: data.id, begun: true });
  postMessage({ id: data.id, found: await jobs[data.job](data) });
};
