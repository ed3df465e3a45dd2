// Records of several lines: a stack trace belongs to the line before it, for find, filter and copy.

import { stamp } from './stamp.js';

/** How a line begins that goes on: white space, or what stack traces write at the margin. */
const GOES_ON = new RegExp(
  [
    String.raw`^(?:[ \t]|\}|\)|at |Caused by:|Suppressed:|\.\.\. \d+ |-{3,}$|goroutine \d+ \[`,
    String.raw`Traceback|During handling of|The above exception`,
    String.raw`[\w.]+(?:Error|Exception|Interrupt|Exit)(?::|$))`,
  ].join('|'),
);

/**
 * Whether `line` belongs to the one before. `hasTimes`: the lines of this stream begin with a time
 * (`Times.winner`), so that one without is no line of its own.
 */
export function continues(line, hasTimes) {
  if (line === '') return hasTimes;
  if (hasTimes) return stamp(line) === null;
  return GOES_ON.test(line);
}
