// Looks for terms beside the page: a pattern that takes for ever stops this worker, and nothing
// else.

import { plain } from './ansi.js';
import { LEVELS, level } from './level.js';
import { compile, terms } from './pattern.js';

const NEWLINE = 10;
const decoder = new TextDecoder();
const compiled = new Map();

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

const jobs = {
  /** The wanted lines of whole lines: `[start, start, ...]` within the bytes. */
  lines({ bytes, spec }) {
    const fits = wanted(spec);
    const found = [];
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      if (fits(plain(decoder.decode(bytes.subarray(start, end))))) found.push(start);
      start = end + 1;
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

onmessage = ({ data }) => {
  // The time that it takes counts from here.
  postMessage({ id: data.id, begun: true });
  postMessage({ id: data.id, found: jobs[data.job](data) });
};
