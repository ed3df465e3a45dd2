// The sentence above the charts: what is seen, and what is not as one might think.

import { clock, day, lasting } from './scale.js';

const MINUTE = 60_000;

const counted = (n, one, more) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

/** Why nothing is seen. */
function nothing({ feeds, shown }) {
  if (!feeds.every(({ done }) => done)) return 'Reading …';
  if (shown.length > 0) return 'No readings yet.';
  return feeds.some(({ series }) => series.length > 0) ? 'Nothing is chosen: see Series.' : 'No numbers in these lines yet.';
}

/** From when to when, or how far it is from the instant that is held to the one that is pointed at. */
function span({ from, to }, [point, held = point]) {
  if (held !== point) return `${lasting(Math.abs(point - held))} between two points`;
  const [begin, end] = [from, to].map((ms) => new Date(ms));
  const time = (date) => clock(date, to - from < 10 * MINUTE ? 1000 : MINUTE);
  const last = day(begin) === day(end) ? time(end) : `${day(end)} ${time(end)}`;
  return `${day(begin)} ${time(begin)} – ${last} (${lasting(to - from)})`;
}

export function sentence(charts, points) {
  if (charts.shown.every(({ data }) => data.raw.length === 0)) return nothing(charts);
  const said = [span(charts, points)];
  for (const { wrong, early, timeless } of charts.feeds) {
    if (wrong > 0) said.push(counted(wrong, 'line does not fit', 'lines do not fit'));
    if (early > 0) said.push(`${early.toLocaleString('en')} from before the clock was set left out`);
    if (timeless) said.push('lines have no time: those from before are drawn a second apart');
  }
  return said.join(' · ');
}
