// The charts of a stream: one for each unit, with the numbers of what is seen. Fetched when a chart is first shown.

import { draw, LEFT, MARKERS, RIGHT, trace } from './draw.js';
import { gestures } from './gesture.js';
import { imported, style } from './lazy.js';
import { sentence } from './said.js';
import { exact } from './scale.js';
import { Series } from './series.js';
import { kept } from './settings.js';

const [MINUTE, HOUR, DAY] = [6e4, 36e5, 864e5];
const RANGES = { '10 min': 10 * MINUTE, '1 h': HOUR, '24 h': DAY, all: Infinity };
/** A chart shows no less, in ms; one that begins no less than this. */
const [LEAST, FIRST] = [50, 30_000];
/** Series shown that nobody chose, and of one stream, at most. */
const [MOST, ALL] = [8, 64];
/** How often a chart that is followed moves at least, in ms. */
const BEAT = 1000;
/** A reading so near to the pointer is meant, in px. */
const NEAR = 40;

export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Words that are there already stay: a moving finger draws sixty times a second. */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

const button = (textContent, onclick) => make('button', { type: 'button', textContent, onclick });

/**
 * Shows the charts of a stream in `host`.
 *
 * - `name`, `address` (`stream/NAME`), and `path` by which units may be known;
 * - `view`: what `keep(text)` was given last, to be kept in the address, or '';
 * - `others`: `[{ name, url }]`, streams that can be laid over;
 * - `alerts`: an `Alerts`: its thresholds are drawn and set (`keepAlerts(rules)`), and it is told of what comes;
 * - `moment(ms)`: the reader asks for the log at this instant.
 *
 * It gives `{ close(), pause(on), point(ms, chosen) }`: where an instant of the log lies, which is pointed at or chosen there.
 */
export async function open(host, options) {
  // Colours are read from it.
  await style('chart.css');
  return new Charts(host, { path: options.name, address: `stream/${encodeURIComponent(options.name)}`, others: [], view: '', ...options });
}

class Charts {
  feeds = [];
  /** What is seen, in ms. */
  to = Date.now();
  from = this.to - FIRST;
  /** What is followed, up to the newest; `live`: it is. */
  #range = '24 h';
  #live = true;
  #paused = false;
  #charts = [];
  /** Instants that the reader points at: one that moves, one that is held. */
  #points = [];
  #frame = 0;
  #keeping = 0;
  #beat = setInterval(() => this.#live && !document.hidden && this.dirty(), BEAT);
  #sizes = new ResizeObserver(() => this.dirty());
  #dark = matchMedia('(prefers-color-scheme: dark)');
  #theme = new MutationObserver(() => this.#dark.onchange());
  #look = null;
  #awake = () => {
    if (!document.hidden) for (const { worker } of this.feeds) worker.postMessage({ awake: true });
  };
  /** What is open below: drawn again with the charts, and when there are other series. */
  #table = null;
  #choice = null;

  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.#build();
    this.#sizes.observe(host);
    this.#dark.onchange = () => {
      this.#look = null;
      this.dirty();
    };
    this.#theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    document.addEventListener('visibilitychange', this.#awake);
    const [range = '', keys, over] = options.view.split('~');
    const [from, to] = range.split('-').map(Number);
    if (RANGES[range.replace('-', ' ')]) this.#range = range.replace('-', ' ');
    else if (to > from) [this.#live, this.from, this.to] = [false, from, to];
    this.feed(options, keys ? keys.split(',').map(decodeURIComponent) : null);
    const other = over && options.others.find(({ name }) => name === decodeURIComponent(over));
    if (other) this.feed({ ...other, address: other.url }, null);
  }

  close() {
    clearInterval(this.#beat);
    clearTimeout(this.#keeping);
    cancelAnimationFrame(this.#frame);
    this.#sizes.disconnect();
    this.#theme.disconnect();
    this.#dark.onchange = null;
    document.removeEventListener('visibilitychange', this.#awake);
    for (const { worker } of this.feeds) worker.terminate();
    this.host.replaceChildren();
  }

  /** The log points at this instant, at none where it is `null`. One that is `chosen` stays, and comes into sight. */
  point(ms, chosen = false) {
    const held = chosen ? [ms] : this.#points.slice(1);
    this.#points = ms === null ? held : [ms, ...held];
    const half = (this.to - this.from) / 2;
    if (chosen && (ms < this.from || ms > this.to)) this.see(ms - half, ms + half);
    this.dirty();
  }

  /** The page is paused, or goes on; so does what was followed. What comes is kept meanwhile. */
  pause(on) {
    if (!on && this.#paused) this.#follow(this.#range);
    if (!on || !this.#live) return;
    this.#paused = true;
    this.see(this.from, this.to);
  }

  #build() {
    const ranges = Object.keys(RANGES).map((range) => button(range, () => this.#follow(range)));
    const live = button('Live', () => (this.#live ? this.see(this.from, this.to) : this.#follow(this.#range)));
    live.className = 'chart-live';
    const said = make('p');
    const log = button('Show in log', () => this.options.moment(this.#points[0]));
    const charts = make('div', { className: 'chart-grid' });
    const save = (kind) => button(kind.toUpperCase(), async () => (await imported('export.js')).save(this, kind));
    const panel = (summary, show) => {
      const inside = make('div');
      const details = make('details', {}, make('summary', { textContent: summary }), inside);
      details.ontoggle = async () => show(details.open ? await imported('chart-panels.js') : null, inside);
      return details;
    };
    this.parts = { ranges, live, said, log, charts };
    this.host.classList.add('chart');
    this.host.replaceChildren(
      make('div', { className: 'chart-bar' }, live, make('div', { className: 'chart-ranges', role: 'group', ariaLabel: 'Range' }, ...ranges)),
      make('div', { className: 'chart-said' }, said, log),
      charts,
      panel('Series', (panels, inside) => {
        this.#choice = panels && (() => panels.choose(this, inside));
        this.#choice?.();
      }),
      panel('Table', (panels, inside) => {
        this.#table = panels && (() => panels.table(this, inside));
        this.dirty();
      }),
      make('div', { className: 'chart-bar' }, save('csv'), save('png')),
    );
  }

  /** Begins to read a stream; `chosen`: the keys of its series, `null` for what is shown by itself. */
  feed({ name, path = name, address }, chosen) {
    const worker = new Worker(new URL('backfill-worker.js', import.meta.url), { type: 'module' });
    const feed = { name, series: [], chosen, worker };
    worker.onmessage = ({ data }) => this.#hear(feed, data);
    feed.read = () => worker.postMessage({ address: new URL(address, document.baseURI).href, path });
    feed.read();
    this.feeds.push(feed);
    this.keep();
  }

  #hear(feed, { detected, readings, live, done, wrong, early }) {
    Object.assign(feed, { wrong, early, done: done || feed.done });
    if (detected !== undefined) {
      feed.timeless = detected?.timeOf === null;
      const known = kept(feed.name).series ?? {};
      feed.series = (detected?.series ?? []).slice(0, ALL).map(({ key, name, unit, off }) => {
        const on = feed.chosen ? feed.chosen.includes(key) : (known[key]?.on ?? !off);
        return { feed, key, name: known[key]?.name ?? name, unit, on, data: new Series() };
      });
      if (!feed.chosen) for (const one of feed.series.filter(({ on }) => on).slice(MOST)) one.on = false;
      this.arrange();
      this.#choice?.();
    }
    readings?.forEach((one, i) => {
      const series = feed.series[i];
      if (!series?.on || one.length === 0) return;
      series.data.add(one);
      if (!live) return;
      feed.ahead = one.at(-2) - Date.now();
      for (let k = 0; k < one.length; k += 2) this.options.alerts?.value(series.name, one[k + 1], { ms: one[k] });
    });
    this.dirty();
  }

  get shown() {
    return this.feeds.flatMap(({ series }) => series.filter(({ on }) => on));
  }

  title = ({ feed, name, unit = '' }) => `${this.feeds.length > 1 ? `${feed.name}: ` : ''}${name}${unit && ` (${unit})`}`;

  /** One chart for each unit; what has none stands alone. */
  arrange() {
    const groups = new Map();
    this.shown.forEach((series, i) => {
      series.index = i % MARKERS.length;
      const key = series.unit || ` ${series.key}`;
      groups.set(key, [...(groups.get(key) ?? []), series]);
    });
    this.#charts = [...groups.values()].map((series) => this.#chart(series));
    this.parts.charts.replaceChildren(...this.#charts.map(({ figure }) => figure));
    this.dirty();
  }

  #chart(series) {
    const ariaLabel = `Chart of ${series.map(this.title).join(', ')}. Arrow keys point, plus and minus zoom; the table has the numbers.`;
    const canvas = make('canvas', { tabIndex: 0, role: 'img', ariaLabel });
    const chart = { canvas, series };
    const instant = (x) => chart.from + (x - LEFT) * chart.per;
    gestures(canvas, {
      pan: (px) => this.see(this.from - px * chart.per, this.to - px * chart.per),
      zoom: (factor, x) => {
        const ms = instant(x);
        if ((this.to - this.from) * factor > LEAST) this.see(ms - (ms - this.from) * factor, ms + (this.to - ms) * factor);
      },
      point: (x) => {
        const held = this.#points.slice(1);
        this.#points = x === null ? held : [instant(x), ...held];
        this.dirty();
      },
      // The first tap points, the second holds that and points anew, the third lets go.
      tap: (x) => {
        const points = this.#points;
        this.#points = points.length === 1 ? [instant(x), points[0]] : points.length === 0 ? [instant(x)] : [];
        this.dirty();
      },
    });
    const legend = series.map((one) => {
      one.value = make('strong');
      one.numbers = make('small');
      const marker = make('span', { className: `c${one.index}`, textContent: MARKERS[one.index], ariaHidden: 'true' });
      return make('li', {}, marker, make('span', { textContent: this.title({ ...one, unit: '' }) }), one.value, one.numbers);
    });
    chart.figure = make('figure', {}, make('ul', {}, ...legend), canvas);
    return chart;
  }

  #follow(range) {
    [this.#range, this.#live, this.#paused] = [range, true, false];
    this.keep();
  }

  see(from, to) {
    [this.from, this.to, this.#live] = [from, to, false];
    this.keep();
  }

  /** Keeps in the address what is seen; a moving finger changes it often. */
  keep() {
    this.dirty();
    clearTimeout(this.#keeping);
    this.#keeping = setTimeout(() => {
      const [{ chosen }, over] = this.feeds;
      const range = this.#live ? this.#range.replace(' ', '-') : `${Math.round(this.from)}-${Math.round(this.to)}`;
      const parts = [range, chosen?.map(encodeURIComponent).join(',') ?? '', over ? encodeURIComponent(over.name) : ''];
      // What is shown by itself needs no words.
      this.options.keep?.(parts.join('~').replace(/~+$/, '').replace(/^24-h$/, ''));
    }, 300);
  }

  dirty() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Colours as they are in this theme: a canvas knows no variables. */
  get look() {
    if (this.#look) return this.#look;
    const probe = this.host.appendChild(make('i'));
    const names = ['paper', 'ink', 'quiet', 'line', 'bad', ...MARKERS.map((_, i) => `c${i}`)];
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.#look = { ...Object.fromEntries(names.map((name) => [name, colour(name)])), font: `11px ${getComputedStyle(probe).fontFamily}` };
    probe.remove();
    return this.#look;
  }

  /** Where a chart that is followed begins and ends. */
  #move() {
    const all = this.shown.map(({ data }) => data).filter(({ raw }) => raw.length > 0);
    if (all.length === 0) return;
    const newest = Math.max(...all.map(({ raw }) => raw.at(raw.length - 1)));
    // The board's clock may differ from ours; a file that does not grow stands still.
    const ahead = Math.max(...this.feeds.map((feed) => feed.ahead ?? -Infinity));
    this.to = Math.max(newest, Date.now() + ahead);
    const oldest = Math.min(...all.map(({ first }) => first).filter((ms) => !Number.isNaN(ms)));
    this.from = Math.min(this.to - FIRST, Math.max(this.to - RANGES[this.#range], oldest));
  }

  #draw() {
    if (this.#live) this.#move();
    const wanted = this.#live ? this.to - RANGES[this.#range] : this.from;
    for (const { worker } of this.feeds) worker.postMessage({ wanted });
    // All sizes before the first number is written: each one after that would lay out the page anew.
    const sizes = this.#charts.map(({ canvas }) => [canvas.clientWidth, canvas.clientHeight]);
    this.#charts.forEach((chart, i) => this.#drawOne(chart, sizes[i], this.look));
    const { live, ranges, said, log } = this.parts;
    live.ariaPressed = String(this.#live);
    for (const one of ranges) one.ariaPressed = String(this.#live && one.textContent === this.#range);
    const words = sentence(this, this.#points);
    write(said, words);
    // Where lines have no times, none of them is to be found by one.
    log.hidden = !this.options.moment || this.#points.length === 0 || this.feeds[0].timeless;
    this.#table?.();
  }

  #drawOne(chart, size, look) {
    const { canvas, series } = chart;
    const ratio = devicePixelRatio;
    const [width, height] = size.map((px) => Math.round(px * ratio));
    if (width === 0) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const columns = Math.max(1, Math.floor(width - (LEFT + RIGHT) * ratio));
    // A column is a length of absolute time: a chart that moves does not shimmer.
    const per = (this.to - this.from) / Math.max(1, columns - 1);
    const from = Math.floor(this.from / per) * per;
    Object.assign(chart, { from, per: per * ratio });
    const traces = series.map(({ data, index }) => ({ ...trace(data.drawn(from, per, columns), from, per, columns), colour: look[`c${index}`], marker: MARKERS[index] }));
    const near = (data, ms) => {
      const found = ms === undefined ? null : data.near(ms);
      return found && Math.abs(found.ms - ms) < chart.per * NEAR && Number.isFinite(found.value) ? found : null;
    };
    const marks = this.#points.map((ms) => ({ ms, points: series.map(({ data }, i) => ({ ...near(data, ms), colour: traces[i].colour })) }));
    const rules = (this.options.alerts?.rules ?? []).filter((rule) => series.some(({ name }) => name === rule.series));
    draw(canvas, { traces, from, per, marks, limits: rules.map((rule) => rule.above ?? rule.below), look });
    series.forEach(({ data, unit, value, numbers }, i) => {
      const [point, held = point] = this.#points.map((ms) => near(data, ms));
      const { min, max, sum, n } = traces[i];
      const shown = this.#points.length > 0 ? (point?.value ?? NaN) : data.raw.data[data.raw.length * 2 - 1];
      write(value, `${exact(shown ?? NaN)}${unit && ` ${unit}`}`);
      const digits = max > min ? Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(max - min)))) : 12;
      write(
        numbers,
        point && held && point !== held
          ? `${point.value < held.value ? '' : '+'}${exact(point.value - held.value)} from ${exact(held.value)}`
          : n > 0
            ? `min ${exact(min)} · mean ${exact(Number((sum / n).toFixed(digits)))} · max ${exact(max)}`
            : 'nothing here',
      );
    });
  }

  /** `[{ canvas, title }]` as they are drawn. */
  get pictures() {
    return this.#charts.map(({ canvas, series }) => ({ canvas, title: series.map(this.title).join(', ') }));
  }
}
