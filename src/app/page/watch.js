// What a person wants to be told of: lines that fit a pattern, readings beyond a threshold. No more
// than the looking: it runs where all lines pass, be it a worker.

import { compile } from './pattern.js';

/** What is wrong with a rule, as a sentence; `null` where nothing is. */
export function wrong({ pattern, series, above, below }) {
  if (pattern !== undefined)
    return pattern.trim() === '' ? 'an alert needs a text to look for' : compile(pattern).error;
  if (!series) return 'an alert needs a pattern or a series';
  return Number.isFinite(above) || Number.isFinite(below) ? null : `an alert on \`${series}\` needs a number`;
}

/** A rule in words. */
export const worded = ({ pattern, series, above, below }) =>
  pattern ?? `${series} ${above === undefined ? `< ${below}` : `> ${above}`}`;

export class Watch {
  #rules;

  /** `rules`: `{ pattern }` as in pattern.js, or `{ series, above }` or `{ series, below }`. */
  constructor(rules) {
    this.#rules = rules
      .filter((rule) => wrong(rule) === null)
      .map((rule) => ({
        rule,
        term: rule.pattern === undefined ? null : compile(rule.pattern),
        beyond: false,
      }));
  }

  /** The rules that this line fits. */
  line(text) {
    return this.#rules.filter(({ term }) => term?.test(text)).map(({ rule }) => rule);
  }

  /** The rules whose threshold this reading has just crossed; it has to come back before it can
   * cross again. */
  value(series, value) {
    const crossed = [];
    if (Number.isNaN(value)) return crossed;
    for (const one of this.#rules) {
      const { above, below } = one.rule;
      if (one.rule.series !== series) continue;
      const beyond = value > (above ?? Infinity) || value < (below ?? -Infinity);
      if (beyond && !one.beyond) crossed.push(one.rule);
      one.beyond = beyond;
    }
    return crossed;
  }
}
