// The list of streams, drawn: each with its link, its age and a line of its rates.

import { POINTS } from './streams.js';
import { age } from './time.js';

/** The address of a stream's view. */
export function link(name, text = name) {
  const a = document.createElement('a');
  a.href = `#${encodeURIComponent(name)}`;
  a.textContent = text;
  return a;
}

/** Rates as a line, 60×16 px; the highest touches the top. */
export function sparkline(rates) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 60 16');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(svg.namespaceURI, 'polyline');
  line.setAttribute('points', points(rates));
  svg.append(line);
  return svg;
}

/** The points of that line, the newest at the right. */
export function points(rates) {
  const top = Math.max(...rates, Number.MIN_VALUE);
  const x = (i) => 60 - (rates.length - 1 - i) * (60 / (POINTS - 1));
  return rates.map((value, i) => `${x(i).toFixed(1)},${(15 - 14 * (value / top)).toFixed(1)}`).join(' ');
}

/** One stream of the list, as an item with its link, age and sparkline. */
export function item(source, shown) {
  const li = document.createElement('li');
  const a = link(source.name);
  if (source.name === shown) a.ariaCurrent = 'page';
  const old = document.createElement('span');
  old.className = 'age';
  old.textContent = source.missing ? `missing: ${source.missing}` : age(source.age);
  a.append(sparkline(source.rates), old);
  li.append(a);
  return li;
}
