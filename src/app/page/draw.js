// Lines on a canvas. Of each column of pixels the first, least, greatest and last value are drawn: no extreme is lost.

import { clock, day, timeTicks, valueScale, written } from './scale.js';
import { COUNT, LAST, LAST_AT, MAX, MIN, SUM } from './series.js';

/** By more than colour. */
export const MARKERS = ['●', '■', '▲', '◆', '✚', '✖'];
/** What stands around the lines, in CSS px. */
export const [LEFT, RIGHT, TOP, BOTTOM] = [58, 14, 10, 24];
/** Of more points to a column, lines touch each other: a band. */
const DENSE = 3;
/** From a marker to the next, in CSS px. */
const MARKED = 110;

/**
 * What to draw of the rows from `from` on, `per` ms to a column: `{ lines, min, max, sum, n }`, each line
 * `[x, value, x, value ...]` without a gap, x in columns. `n` counts what lies within. `finer` has what is in a row that
 * lies in two columns, where there is that.
 */
export function trace({ rows, gap, finer }, from, per, columns) {
  const to = from + per * columns;
  const end = Math.min(rows.length, rows.find(to) + 1);
  const begin = Math.max(0, rows.find(from) - 1);
  const few = end - begin < columns;
  const found = { lines: [], min: Infinity, max: -Infinity, sum: 0, n: 0 };
  let line = null;
  let [column, first, min, max, last, before] = [NaN, 0, 0, 0, 0, NaN];
  const flush = () => {
    if (Number.isNaN(column)) return;
    const x = column + 0.5;
    line.push(x, first);
    if (min < first || min < last) line.push(x, min);
    if (max > first || max > last) line.push(x, max);
    line.push(x, last);
    column = NaN;
  };
  const take = ({ data, width }, at) => {
    const ms = data[at];
    const value = data[at + 1];
    if (value !== value) {
      flush();
      line = null;
      return;
    }
    const wide = width > 2;
    const low = wide ? data[at + MIN] : value;
    const high = wide ? data[at + MAX] : value;
    const lastAt = wide ? data[at + LAST_AT] : ms;
    const close = wide ? data[at + LAST] : value;
    if (line === null || ms - before > gap) {
      flush();
      found.lines.push((line = []));
    }
    before = lastAt;
    if (ms >= from && ms <= to) {
      if (low < found.min) found.min = low;
      if (high > found.max) found.max = high;
      found.sum += wide ? data[at + SUM] : value;
      found.n += wide ? data[at + COUNT] : 1;
    }
    const x = (ms - from) / per;
    if (few) {
      line.push(x, value);
      if (wide) line.push(x, low, x, high, (lastAt - from) / per, close);
      return;
    }
    const here = Math.floor(x);
    if (here !== column) {
      flush();
      [column, first, min, max] = [here, value, low, high];
    } else {
      if (low < min) min = low;
      if (high > max) max = high;
    }
    last = close;
  };
  const columnOf = (ms) => Math.floor((ms - from) / per);
  for (let i = begin; i < end; i += 1) {
    const at = i * rows.width;
    const lastAt = rows.data[at + LAST_AT];
    if (!finer || columnOf(rows.data[at]) === columnOf(lastAt)) {
      take(rows, at);
      continue;
    }
    // The bucket lies in two columns.
    for (let k = finer.find(rows.data[at]); k < finer.length && finer.at(k) <= lastAt; k += 1) take(finer, k * finer.width);
  }
  flush();
  return found;
}

/** `act(x, least, greatest)` with what stands at each x of a line, and the last value before it. */
function spans(line, act) {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < line.length; i += 2) {
    const value = line[i + 1];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    if (line[i] === line[i + 2]) continue;
    act(line[i], least, greatest);
    least = greatest = value;
  }
}

/** A crisp line. */
const half = (x) => Math.round(x) + 0.5;

/**
 * One chart: `traces` as above with `colour` and `marker`, `from` and `per` as there, `marks` (`[{ ms, text }]`) where the
 * reader points, `limits` the values of thresholds.
 */
export function draw(canvas, { traces, from, per, marks, limits, look }) {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.width / ratio, canvas.height / ratio];
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  const pen = canvas.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = look.paper;
  pen.fillRect(0, 0, width, height);
  pen.font = look.font;
  pen.lineWidth = 1;
  const stroke = (x1, y1, x2, y2) => {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  };
  const seen = traces.filter(({ n }) => n > 0);
  const values = seen.flatMap(({ min, max }) => [min, max]);
  const scale = valueScale(Math.min(...values), Math.max(...values), (bottom - TOP) / 44);
  const span = scale.high - scale.low;
  const y = (value) => bottom - ((value - scale.low) / span) * (bottom - TOP);
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  pen.strokeStyle = look.line;
  pen.fillStyle = look.quiet;
  if (seen.length > 0) {
    for (const tick of scale.ticks) {
      stroke(LEFT, half(y(tick)), right, half(y(tick)));
      pen.fillText(written(tick, scale.decimals), LEFT - 8, y(tick));
    }
  }
  const to = from + per * (right - LEFT) * ratio;
  const x = (ms) => LEFT + (ms - from) / per / ratio;
  pen.textAlign = 'center';
  pen.textBaseline = 'alphabetic';
  for (const { ms, text, strong } of timeTicks(from, to, (right - LEFT) / 68)) {
    pen.strokeStyle = strong ? look.quiet : look.line;
    stroke(half(x(ms)), bottom, half(x(ms)), bottom + 4);
    pen.fillStyle = strong ? look.ink : look.quiet;
    const wide = pen.measureText(text).width / 2;
    if (x(ms) - wide > 0 && x(ms) + wide < width) pen.fillText(text, x(ms), height - 5);
  }
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, right - LEFT + RIGHT, bottom + 1);
  pen.clip();
  pen.strokeStyle = look.bad;
  pen.setLineDash([5, 4]);
  for (const limit of limits) stroke(LEFT, half(y(limit)), right, half(y(limit)));
  pen.setLineDash([]);
  pen.lineJoin = 'round';
  for (const { lines, colour, marker } of traces) {
    pen.strokeStyle = pen.fillStyle = colour;
    const place = (column) => LEFT + column / ratio;
    for (const line of lines) {
      // A stroke up and down in each column takes far longer than a bar, and in a band nobody sees it.
      const band = line.length / 2 > DENSE * (line.at(-2) - line[0] + 1);
      if (band) {
        const left = Math.round(LEFT * ratio);
        spans(line, (column, least, greatest) => {
          const [above, below] = [Math.floor(y(greatest) * ratio), Math.ceil(y(least) * ratio)];
          pen.fillRect((left + Math.floor(column)) / ratio, above / ratio, 1 / ratio, (below - above || 1) / ratio);
        });
      } else {
        pen.lineWidth = 1.5;
        pen.beginPath();
        for (let i = 0; i < line.length; i += 2) pen.lineTo(place(line[i]), y(line[i + 1]));
        // A reading alone is a dot.
        if (line.length <= 2) {
          pen.arc(place(line[0]), y(line[1]), 3, 0, 7);
          pen.fill();
          continue;
        }
        pen.stroke();
      }
      if (traces.length < 2) {
        if (band) {
          pen.beginPath();
          spans(line, (column, least) => pen.lineTo(place(column), y(least)));
        }
        pen.globalAlpha = 0.1;
        pen.lineTo(place(line.at(-2)), bottom);
        pen.lineTo(place(line[0]), bottom);
        pen.fill();
        pen.globalAlpha = 1;
        continue;
      }
      // They stand at instants, and so move with the line.
      let next = -Infinity;
      for (let i = 0; i < line.length; i += 2) {
        const number = Math.floor((from + line[i] * per) / (per * MARKED * ratio));
        if (number > next && next !== -Infinity) pen.fillText(marker, place(line[i]), y(line[i + 1]) + 4);
        next = number;
      }
    }
  }
  pen.restore();
  marks.forEach(({ ms, points }, i) => {
    if (ms < from || ms > to) return;
    pen.strokeStyle = look.quiet;
    pen.setLineDash(i > 0 ? [2, 3] : []);
    pen.lineWidth = 1;
    stroke(half(x(ms)), TOP, half(x(ms)), bottom);
    pen.setLineDash([]);
    for (const { value, colour } of points.filter((point) => 'value' in point)) {
      pen.beginPath();
      pen.arc(x(ms), y(value), 3.5, 0, 7);
      pen.fillStyle = colour;
      pen.fill();
      pen.strokeStyle = look.paper;
      pen.stroke();
    }
    const date = new Date(ms);
    const text = `${day(date)} ${clock(date, per * ratio * 10 < 1000 ? 1 : 1000)}`;
    const wide = pen.measureText(text).width / 2 + 6;
    const middle = Math.min(Math.max(x(ms), wide), width - wide);
    pen.fillStyle = look.ink;
    pen.fillRect(middle - wide, height - BOTTOM + 4, 2 * wide, BOTTOM - 6);
    pen.fillStyle = look.paper;
    pen.fillText(text, middle, height - 7);
  });
}
