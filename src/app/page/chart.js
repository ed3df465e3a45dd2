// The charts of a stream: one for each unit, with the numbers of what is seen. The log's page fetches this when a chart is
// first shown.

import { draw, LEFT, MARKERS, RIGHT, trace } from './draw.js';
import { gestures } from './gesture.js';
import { clock, day, exact, lasting, timeTicks } from './scale.js';
import { Series } from './series.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const RANGES = { '10 min': 10 * MINUTE, '1 h': HOUR, '24 h': DAY, all: Infinity };
/** A chart shows no less, in ms; a followed one, no less at first. */
const [LEAST, FIRST] = [50, 30_000];
/** Series shown unless they are chosen, at most. */
const MOST = 8;
/** How often a followed chart moves at least, in ms. */
const BEAT = 1000;
/** Rows of the table, about. */
const ROWS = 12;

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const button = (textContent, onclick) => make('button', { type: 'button', textContent, onclick });
const store = (use) => {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
};

/**
 * Shows the charts of a stream in `host`.
 *
 * - `name`, and `path` from which units may be told;
 * - `address`: `stream/NAME`;
 * - `view`: what `keep` was given last, or '' (a range and the series chosen);
 * - `keep(text)`: to be kept in the address;
 * - `others`: `[{ name, url }]`, streams that can be laid over;
 * - `alerts`: an `Alerts`, whose thresholds are drawn and whose `value` is told of each reading that comes;
 * - `moment(ms)`: the reader asks for the log at this instant.
 *
 * It gives `{ close(), point(ms), blank }`: `point` shows where an instant of the log lies.
 */
export async function open(host, options) {
  if (!document.querySelector('link[href$="chart.css"]')) {
    const style = make('link', { rel: 'stylesheet', href: new URL('chart.css', import.meta.url).href });
    // Colours are read from it.
    await new Promise((done) => {
      style.onload = style.onerror = done;
      document.head.append(style);
    });
  }
  return new Charts(host, options);
}

class Charts {
  #host;
  #options;
  #feeds = [];
  #charts = [];
  /** What is followed: a length of time up to the newest; else `#from` and `#to` are what is seen. */
  #range = '24 h';
  #live = true;
  #from = 0;
  #to = 1;
  /** Instants that the reader points at: the first is under the pointer, the second held. */
  #points = [];
  #frame = 0;
  #closing = new AbortController();
  #parts = {};

  constructor(host, options) {
    this.#host = host;
    this.#options = { path: options.name, address: `stream/${encodeURIComponent(options.name)}`, others: [], view: '', ...options };
    this.#build();
    const [range = '', keys = '', over = ''] = this.#options.view.split('~');
    const chosen = keys && keys.split(',').map(decodeURIComponent);
    const [from, to] = range.split('-').map(Number);
    if (RANGES[range.replace('-', ' ')]) this.#range = range.replace('-', ' ');
    else if (to > from) [this.#live, this.#from, this.#to] = [false, from, to];
    const { name, path, address } = this.#options;
    this.#feed({ name, path, address }, chosen || null);
    const other = over && this.#options.others.find((one) => one.name === decodeURIComponent(over));
    if (other) this.#over(other);
    new ResizeObserver(() => this.#dirty()).observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#dirty(), { signal: this.#closing.signal });
    this.beat = setInterval(() => this.#live && !document.hidden && this.#dirty(), BEAT);
  }

  close() {
    clearInterval(this.beat);
    cancelAnimationFrame(this.#frame);
    this.#closing.abort();
    for (const { worker } of this.#feeds) worker.terminate();
    this.#host.replaceChildren();
  }

  /** Shows where this instant lies. */
  point(ms) {
    this.#points = [ms];
    const span = this.#to - this.#from;
    if (ms < this.#from || ms > this.#to) this.#see(ms - span / 2, ms + span / 2);
    this.#dirty();
  }

  #build() {
    const parts = this.#parts;
    parts.ranges = Object.keys(RANGES).map((range) => button(range, () => this.#follow(range)));
    parts.live = button('Live', () => (this.#live ? this.#see(this.#from, this.#to) : this.#follow(this.#range)));
    parts.live.className = 'chart-live';
    parts.said = make('p', { className: 'chart-said' });
    parts.log = button('Show in log', () => this.#options.moment?.(this.#points[0]));
    parts.choice = make('div', { className: 'chart-choice' });
    parts.table = make('table');
    const table = make('details', {}, make('summary', { textContent: 'Table' }), parts.table);
    table.addEventListener('toggle', () => this.#dirty());
    parts.charts = make('div');
    const save = async (kind) => {
      const { csv, png, save: give } = await import('./export.js');
      const shown = this.#shown();
      const series = shown.map((one) => ({ title: this.#title(one), source: one.data.source(this.#from) }));
      const drawn = this.#charts.map(({ canvas, unit, series: all }) => ({ canvas, title: `${all.map(({ name }) => name).join(', ')} ${unit}` }));
      const blob = kind === 'png' ? await png(drawn, this.#look()) : new Blob([csv(series, this.#from, this.#to)], { type: 'text/csv' });
      give(blob, `${this.#options.name.replaceAll('/', '-')}.${kind}`);
    };
    this.#host.classList.add('chart');
    this.#host.replaceChildren(
      make(
        'div',
        { className: 'chart-bar' },
        parts.live,
        make('div', { className: 'chart-ranges', role: 'group', ariaLabel: 'Range' }, ...parts.ranges),
        button('CSV', () => save('csv')),
        button('PNG', () => save('png')),
      ),
      make('div', { className: 'chart-where' }, parts.said, parts.log),
      parts.charts,
      make('details', {}, make('summary', { textContent: 'Series' }), parts.choice),
      table,
    );
  }

  /** Begins to read a stream. */
  #feed({ name, path, address }, chosen) {
    const feed = { name, series: [], chosen, kept: store((kept) => JSON.parse(kept.getItem(`chart ${name}`))) ?? {}, wrong: 0, early: 0 };
    feed.worker = new Worker(new URL('backfill-worker.js', import.meta.url), { type: 'module' });
    feed.worker.onmessage = ({ data }) => this.#hear(feed, data);
    feed.worker.postMessage({ address: new URL(address, document.baseURI).href, path });
    this.#feeds.push(feed);
    this.#dirty();
    return feed;
  }

  #over(other) {
    this.#feed({ name: other.name, path: other.path ?? other.name, address: other.url }, null);
    this.#keep();
  }

  #hear(feed, { detected, readings, live, done, wrong, early }) {
    Object.assign(feed, { wrong, early });
    if (done) feed.done = true;
    if (detected !== undefined) {
      feed.timeless = detected?.timeOf === null;
      feed.series = (detected?.series ?? []).map(({ key, name, unit, off }, i) => {
        const on = feed.chosen ? feed.chosen.includes(key) : (feed.kept[key]?.on ?? !off);
        return { feed, key, name: feed.kept[key]?.name ?? name, unit, on: on && i < 64, data: new Series() };
      });
      if (!feed.chosen) feed.series.filter(({ on }) => on).slice(MOST).forEach((one) => (one.on = false));
      this.#arrange();
    }
    readings?.forEach((one, i) => {
      const series = feed.series[i];
      series.data.add(one);
      if (live) for (let k = 1; k < one.length; k += 2) this.#options.alerts?.value(series.name, one[k], { ms: one[k - 1] });
      if (live && one.length > 0) feed.skew = one.at(-2) - Date.now();
    });
    this.#dirty();
  }

  #shown = () => this.#feeds.flatMap(({ series }) => series.filter(({ on }) => on));
  #title = ({ feed, name, unit }) => `${this.#feeds.length > 1 ? `${feed.name}: ` : ''}${name}${unit && ` (${unit})`}`;

  /** One chart for each unit; without a unit, one for each series of a stream. */
  #arrange() {
    const groups = new Map();
    this.#shown().forEach((series, i) => {
      series.index = i % MARKERS.length;
      const key = series.unit || ` ${series.key}`;
      groups.set(key, [...(groups.get(key) ?? []), series]);
    });
    this.#charts = [...groups].map(([key, series]) => {
      const unit = key.startsWith(' ') ? '' : key;
      const canvas = make('canvas', { tabIndex: 0 });
      canvas.setAttribute('role', 'img');
      canvas.ariaLabel = `${series.map(this.#title).join(', ')}: arrow keys point, plus and minus zoom; the table below has the numbers`;
      const legend = make('ul', {}, ...series.map((one) => this.#legend(one)));
      const chart = { canvas, series, unit };
      gestures(canvas, {
        pan: (px) => this.#see(this.#from - px * chart.per, this.#to - px * chart.per),
        zoom: (factor, x) => {
          const ms = chart.from + (x - LEFT) * chart.per;
          if ((this.#to - this.#from) * factor > LEAST) this.#see(ms - (ms - this.#from) * factor, ms + (this.#to - ms) * factor);
        },
        point: (x) => {
          const held = this.#points.slice(1);
          this.#points = x === null ? [] : [chart.from + (x - LEFT) * chart.per, ...held];
          if (x === null && held.length > 0) this.#points = [held[0]];
          this.#dirty();
        },
        tap: (x) => {
          const ms = chart.from + (x - LEFT) * chart.per;
          this.#points = this.#points.length > 1 ? [ms] : [ms, this.#points[0] ?? ms];
          this.#dirty();
        },
      });
      chart.figure = make('figure', {}, legend, canvas);
      return chart;
    });
    this.#parts.charts.replaceChildren(...this.#charts.map(({ figure }) => figure));
    this.#choose();
    this.#dirty();
  }

  #legend(series) {
    const parts = { value: make('strong'), numbers: make('span', { className: 'chart-numbers' }) };
    series.parts = parts;
    const marker = make('span', { className: `chart-marker c${series.index}`, textContent: MARKERS[series.index], ariaHidden: 'true' });
    const name = `${this.#feeds.length > 1 ? `${series.feed.name}: ` : ''}${series.name}`;
    return make('li', {}, marker, make('span', { className: 'chart-name', textContent: name }), parts.value, parts.numbers);
  }

  /** What can be chosen, renamed, watched and laid over. */
  #choose() {
    const { alerts, others } = this.#options;
    const rows = this.#feeds.flatMap(({ series }) => series).map((series) => {
      const { feed, key } = series;
      const keep = (change) => {
        feed.kept[key] = { ...feed.kept[key], ...change };
        store((kept) => kept.setItem(`chart ${feed.name}`, JSON.stringify(feed.kept)));
        this.#arrange();
        this.#keep();
      };
      const on = make('input', { type: 'checkbox', checked: series.on, ariaLabel: `Show ${series.name}` });
      on.onchange = () => keep({ on: (series.on = on.checked) });
      const name = make('input', { value: series.name, ariaLabel: `Name of ${key}` });
      name.onchange = () => keep({ name: (series.name = name.value.trim() || key) });
      const limits = ['above', 'below'].map((side) => {
        const rule = alerts?.rules.find((one) => one.series === series.name && side in one);
        const limit = make('input', { type: 'number', step: 'any', placeholder: side, value: rule?.[side] ?? '', ariaLabel: `Alert when ${series.name} is ${side}` });
        limit.onchange = () => {
          const rest = alerts.rules.filter((one) => one !== rule);
          alerts.set(limit.value === '' ? rest : [...rest, { series: series.name, [side]: limit.valueAsNumber }]);
          this.#choose();
          this.#dirty();
        };
        return limit;
      });
      return make('div', {}, on, name, make('span', { textContent: series.unit }), ...(alerts ? limits : []));
    });
    const left = others.filter(({ name }) => !this.#feeds.some((feed) => feed.name === name));
    if (left.length > 0) {
      const choice = make('select', { ariaLabel: 'Lay another stream over' }, new Option('lay over …', ''), ...left.map(({ name }) => new Option(name)));
      choice.onchange = () => this.#over(left.find(({ name }) => name === choice.value));
      rows.push(choice);
    }
    this.#parts.choice.replaceChildren(...rows);
  }

  #follow(range) {
    [this.#range, this.#live] = [range, true];
    this.#keep();
    this.#dirty();
  }

  #see(from, to) {
    [this.#from, this.#to, this.#live] = [from, to, false];
    this.#keep();
    this.#dirty();
  }

  #keep() {
    clearTimeout(this.kept);
    this.kept = setTimeout(() => {
      const range = this.#live ? this.#range.replace(' ', '-') : `${Math.round(this.#from)}-${Math.round(this.#to)}`;
      const keys = this.#feeds[0].series.filter(({ on }) => on).map(({ key }) => encodeURIComponent(key));
      const over = this.#feeds[1] ? `~${encodeURIComponent(this.#feeds[1].name)}` : '';
      this.#options.keep?.(`${range}~${keys.join(',')}${over}`);
    }, 300);
  }

  #dirty() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #look() {
    const style = getComputedStyle(this.#host);
    const look = Object.fromEntries(['paper', 'ink', 'quiet', 'line', 'bad', ...MARKERS.map((_, i) => `c${i}`)].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    return { ...look, font: `11px ${style.fontFamily}` };
  }

  /** Where a followed chart ends and begins. */
  #move() {
    const all = this.#feeds.flatMap(({ series }) => series.map(({ data }) => data)).filter(({ newest }) => newest !== null);
    if (all.length === 0) return;
    const newest = Math.max(...all.map((data) => data.newest.ms));
    // Who reads at other times than ours has another clock.
    const skews = this.#feeds.map(({ skew }) => skew).filter((skew) => skew !== undefined);
    this.#to = skews.length > 0 ? Math.max(newest, Date.now() + Math.max(...skews)) : newest;
    const oldest = Math.min(...all.map(({ first }) => first).filter((ms) => !Number.isNaN(ms)));
    this.#from = Math.min(this.#to - FIRST, Math.max(this.#to - RANGES[this.#range], oldest));
  }

  #draw() {
    const parts = this.#parts;
    if (this.#live) this.#move();
    for (const { worker } of this.#feeds) worker.postMessage({ wanted: this.#live ? this.#to - RANGES[this.#range] : this.#from });
    const look = this.#look();
    const [hover, held] = this.#points;
    for (const chart of this.#charts) this.#drawOne(chart, look);
    parts.live.ariaPressed = String(this.#live);
    parts.ranges.forEach((one) => (one.ariaPressed = String(this.#live && one.textContent === this.#range)));
    const span = this.#to - this.#from;
    const at = (ms) => `${day(new Date(ms))} ${clock(new Date(ms), span < 10 * MINUTE ? 1000 : MINUTE)}`;
    const none = this.#feeds.every(({ series }) => series.length === 0);
    const notes = this.#feeds.flatMap(({ wrong, early, timeless }) => [
      wrong > 0 && `${wrong.toLocaleString('en')} lines do not fit`,
      early > 0 && `${early.toLocaleString('en')} readings from before the clock was set are left out`,
      timeless && 'the lines have no time: those from before are drawn a second apart',
    ]);
    const where = held === undefined ? `${at(this.#from)} – ${at(this.#to)} (${lasting(span)})` : `${lasting(Math.abs(hover - held))} between two points`;
    const said = none ? (this.#feeds[0].done ? 'No numbers in these lines yet.' : 'reading …') : [where, ...notes.filter(Boolean)].join(' · ');
    if (parts.said.textContent !== said) parts.said.textContent = said;
    parts.log.hidden = !this.#options.moment || hover === undefined;
    if (parts.table.parentNode.open) this.#fill();
  }

  #drawOne(chart, look) {
    const { canvas, series } = chart;
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((px) => Math.round(px * ratio));
    if (width === 0) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const columns = Math.max(1, Math.floor(width - (LEFT + RIGHT) * ratio));
    const per = (this.#to - this.#from) / columns;
    // Columns are lengths of absolute time: a chart that moves does not shimmer.
    const from = Math.ceil(this.#from / per) * per;
    Object.assign(chart, { from, per: per * ratio });
    const [hover, held] = this.#points;
    const traces = series.map((one) => {
      const found = trace(one.data.source(from), from, per, columns);
      return { ...found, colour: look[`c${one.index}`], marker: MARKERS[one.index] };
    });
    const marks = this.#points.map((ms) => {
      const near = series.map(({ data }, i) => ({ ...data.near(ms), colour: traces[i].colour })).filter(({ value }) => Number.isFinite(value));
      return { ms, points: near.filter((one) => Math.abs(one.ms - ms) < per * ratio * 40) };
    });
    const limits = (this.#options.alerts?.rules ?? []).filter((rule) => series.some(({ name }) => name === rule.series)).map((rule) => rule.above ?? rule.below);
    draw(canvas, { traces, from, per, marks, limits, look });
    series.forEach((one, i) => {
      const { parts, data, unit } = one;
      const pointed = hover === undefined ? null : data.near(hover);
      const shown = pointed ?? data.newest;
      parts.value.textContent = shown ? `${exact(shown.value)}${unit && ` ${unit}`}` : '…';
      const { min, max, sum, n } = traces[i];
      const digits = Math.max(0, 3 - Math.floor(Math.log10(max - min || 1)));
      const mean = Number((sum / n).toFixed(Math.min(digits, 12)));
      const before = held === undefined ? null : data.near(held);
      const change = before && pointed ? `${pointed.value >= before.value ? '+' : ''}${exact(pointed.value - before.value)} from ${exact(before.value)}` : '';
      parts.numbers.textContent = change || (n > 0 ? `min ${exact(min)} · mean ${exact(mean)} · max ${exact(max)}` : 'nothing here');
    });
  }

  /** The same in words, for those who do not see it. */
  #fill() {
    const series = this.#shown();
    const row = (tag, texts) => make('tr', {}, ...texts.map((textContent, i) => make(i === 0 ? 'th' : tag, { textContent, scope: i === 0 || tag === 'th' ? (tag === 'th' ? 'col' : 'row') : '' })));
    const times = timeTicks(this.#from, this.#to, ROWS).map(({ ms }) => ms);
    const text = (data, ms) => {
      const near = data.near(ms);
      return near && Math.abs(near.ms - ms) < (this.#to - this.#from) / ROWS ? exact(near.value) : '–';
    };
    const head = row('th', ['Time', ...series.map(this.#title)]);
    const rows = times.map((ms) => row('td', [`${day(new Date(ms))} ${clock(new Date(ms), 1000)}`, ...series.map(({ data }) => text(data, ms))]));
    this.#parts.table.replaceChildren(make('thead', {}, head), make('tbody', {}, ...rows));
  }
}
