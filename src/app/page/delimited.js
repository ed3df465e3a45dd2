// Rows of columns: CSV with and without a header, and what instruments print.

import { stamp } from './stamp.js';
import { isGap, quantity } from './units.js';

/** The surest first. Two spaces make columns, one only where numbers come first: else it is
 * text. */
const DELIMITERS = ['\t', ';', ',', '  ', ' '];
/** Cells of a row, at most. */
const MAX_CELLS = 64;

/** The cells of a row; quotes may hold the delimiter. */
function cellsOf(line, delimiter) {
  if (delimiter === ' ') return line.trim().split(/\s+/, MAX_CELLS + 1);
  if (delimiter === '  ') return line.trim().split(/\s{2,}/, MAX_CELLS + 1);
  if (!line.includes('"')) return line.split(delimiter, MAX_CELLS + 1).map((cell) => cell.trim());
  const cells = [''];
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) {
      if (cells.push('') > MAX_CELLS) break;
    } else cells[cells.length - 1] += character;
  }
  return cells.map((cell) => cell.trim());
}

/** The cells behind a time at the front, which is one cell whatever it holds; `null` in its
 * place. */
function rowOf(line, delimiter) {
  const time = stamp(line);
  if (time === null || !/^[\s"[(>]*$/.test(line.slice(0, time.start))) return cellsOf(line, delimiter);
  const rest = line.slice(time.end).replace(/^["\])]*/, '');
  const behind = delimiter.trim() === '' ? rest.trim() : rest.replace(/^\s*[,;:]?\s*/, '');
  return behind === '' ? cellsOf(line, delimiter) : [null, ...cellsOf(behind, delimiter)];
}

const isTime = (cell) => {
  const time = stamp(cell);
  return time !== null && time.start <= 1 && time.end >= cell.length - 1;
};

/** The names in the first row without a number, if it has as many cells. */
function headerIn(lines, delimiter, count) {
  for (const line of lines) {
    const cells = cellsOf(line.replace(/^#\s*/, ''), delimiter);
    // A day and a time of day are two columns there, and one time here.
    if (cells.length === count + 1) cells.shift();
    if (isHeader(cells, count)) return cells;
  }
  return null;
}

const isHeader = (cells, count) =>
  cells.length === count &&
  cells.every((cell) => cell && !isGap(cell) && quantity(cell) === null && stamp(cell) === null);

/** How the rows are cut, and their columns of numbers; `null` where they have none. */
export function delimitedIn(lines, newest, least) {
  for (const delimiter of DELIMITERS) {
    if (newest.filter((line) => line.trim().includes(delimiter)).length < least) continue;
    const rows = newest.map((line) => rowOf(line, delimiter));
    const counts = new Map();
    for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
    const [count, often] = [...counts].sort((a, b) => b[1] - a[1])[0];
    if (count < 2 || count > MAX_CELLS) continue;
    const comma = delimiter === ';' || delimiter === '\t';
    const header = headerIn(lines, delimiter, count);
    const even = rows.filter((cells) => cells.length === count && !(header && isHeader(cells, count)));
    const headers = often - even.length;
    if (even.length === 0 || even.length + headers < least) continue;
    const most = Math.ceil(even.length * 0.8);
    const columns = [];
    let timeOf = null;
    for (let i = 0; i < count; i += 1) {
      const cells = even.map((row) => row[i]);
      if (cells.filter((cell) => cell === null).length >= most) {
        timeOf = 'line';
        continue;
      }
      if (timeOf === null && cells.filter((cell) => cell !== null && isTime(cell)).length >= most) {
        timeOf = i;
        continue;
      }
      const found = cells.map((cell) => (cell === null ? null : quantity(cell, { comma })));
      const values = found.map((one) => one?.value ?? NaN);
      if (found.filter((one) => one !== null).length < most || !values.some(Number.isFinite)) continue;
      const name = header?.[i] ?? `column ${i + 1}`;
      const unit = found.find((one) => one?.unit)?.unit ?? '';
      columns.push({ key: header?.[i] ?? String(i), header: name, values, unit, place: i });
    }
    const data = columns.length + (timeOf === null ? 0 : 1);
    const places = columns.map(({ place }) => place);
    if (
      columns.length === 0 ||
      (delimiter === ' ' && (data * 2 < count || places[0] !== Number(timeOf === 'line')))
    )
      continue;
    return {
      columns,
      timeOf,
      delimiter,
      comma,
      count,
      places,
      header: header !== null,
      sure: data * 2 >= count,
    };
  }
  return null;
}

/**
 * A function of a line that writes its numbers to an array: it gives the text of the cell that is
 * the time ('' without), `header` for a row of names, or `null` for a row that does not fit.
 */
export function delimited({ delimiter, comma, count, places, header, series, timeOf }) {
  // After a rotation the same columns may come in another order.
  let where = places;
  return (line, values) => {
    const cells = rowOf(line, delimiter);
    if (header && cells[0] !== null) {
      const names = headerIn([line], delimiter, count);
      if (names) {
        const found = series.map(({ key }) => names.indexOf(key));
        if (found.every((place) => place >= 0)) where = found;
        return 'header';
      }
    }
    if (cells.length !== count) return null;
    const found = where.map((place) => (cells[place] === null ? null : quantity(cells[place], { comma })));
    if (found.every((one) => one === null)) return null;
    found.forEach((one, i) => (values[i] = one?.value ?? NaN));
    return typeof timeOf === 'number' ? (cells[timeOf] ?? '') : '';
  };
}
