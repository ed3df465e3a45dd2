// What one looks for: plain text (all lower case: any case), or /a regular expression/; a leading
// `-` excludes.

/** Ranges told of one line: more marks than that help nobody. */
const MAX_RANGES = 200;

/** What a browser's expressions know and the board's, which take linear time, do not. */
const UNKNOWN = [
  [/^\((?:\?[=!]|\?<[=!])/, 'looking around'],
  [/^\\[1-9]/, 'going back to a group'],
  [/^\\k</, 'going back to a group'],
  [/^\\[pP]\{/, 'classes of Unicode'],
  [/^\\c[A-Za-z]/, 'control letters'],
  [/^\[\^?\]/, 'empty classes'],
];

/** What the board's search can't do with this expression, in words; `null` where it can. */
function unknown(source) {
  for (let i = 0, inClass = false; i < source.length; i += source[i] === '\\' ? 2 : 1) {
    const rest = source.slice(i, i + 6);
    const found = UNKNOWN.find(([shape]) => shape.test(rest));
    if (found && (!inClass || source[i] === '\\'))
      return `\`${found[0].exec(rest)[0]}\`: the board's search knows no ${found[1]}`;
    if (source[i] === '[') inClass = true;
    else if (source[i] === ']') inClass = false;
  }
  return null;
}

/** Plain text as an expression. Case is that of ASCII letters, as on the board: the same lines fit
 * here and there. */
function literal(term) {
  const escaped = term.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return /\p{Lu}/u.test(term)
    ? escaped
    : escaped.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/** The expression in `/…/`, or `null` where the term is plain text. */
const inner = (term) =>
  term.length > 2 && term.startsWith('/') && term.endsWith('/') ? term.slice(1, -1) : null;

/**
 * A term, ready to be looked for: `test(line)`, and `ranges(line)`, `[[start, end]]` in UTF-16
 * units. `error` is a sentence where it is no expression, or none that the board knows too, else
 * `null`; it then fits nothing.
 */
export function compile(term) {
  const source = inner(term);
  let expression = null;
  let error = source === null ? null : unknown(source);
  if (!error) {
    try {
      // Rust writes flags and names of groups so.
      const flags = source?.startsWith('(?i)') ? 'gi' : 'g';
      expression = new RegExp(
        source === null ? literal(term) : source.slice(flags === 'gi' ? 4 : 0).replaceAll('(?P<', '(?<'),
        flags,
      );
    } catch (cause) {
      const why = String(cause.message).replace(/^.*\/gi?: /s, '');
      error = `\`${term}\`: ${why.toLowerCase()}`;
    }
  }
  return {
    error,
    test(line) {
      if (!expression) return false;
      expression.lastIndex = 0;
      return expression.test(line);
    },
    ranges(line) {
      const found = [];
      if (!expression) return found;
      for (const { index, 0: text } of line.matchAll(expression)) {
        if (text !== '') found.push([index, index + text.length]);
        if (found.length === MAX_RANGES) break;
      }
      return found;
    },
  };
}

/** What a person typed, one term an entry, as the board is asked: `match` and `not`, and what is
 * wrong with the first bad one. */
export function terms(list) {
  const asked = { match: [], not: [], error: null };
  for (const entry of list) {
    const excludes = entry.length > 1 && entry.startsWith('-');
    const term = excludes ? entry.slice(1) : entry;
    if (term === '') continue;
    asked.error ??= compile(term).error;
    asked[excludes ? 'not' : 'match'].push(term);
  }
  return asked;
}
