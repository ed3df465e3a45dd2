// Whether a stream is one of numbers: then it opens as a chart.

/** So much of text is letters, of what numbers are written with not. */
const LETTERS = 0.6;
/** So many lines tell; of a sensor's file, one. */
const ENOUGH = 3;

/**
 * `true`: these lines are readings, `false`: they are text, `null`: too few to tell. What finds the numbers is fetched
 * only for lines that may hold some.
 */
export async function areNumbers(lines, { path, kind }) {
  const filled = lines.filter((line) => line.trim() !== '');
  if (filled.length < (kind === 'sample' ? 1 : ENOUGH)) return null;
  const text = filled.join('').replace(/\s/g, '');
  if (!/\d/.test(text) || text.match(/[a-z]/gi)?.length > text.length * LETTERS) return false;
  const { detect } = await import('./fields.js');
  return detect(filled, { path })?.sure === true;
}
