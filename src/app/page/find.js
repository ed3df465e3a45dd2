// Find, filter and highlight: the box, the terms that are in force, and the way from hit to hit.

import { Around } from './around.js';
import { Hits } from './hits.js';
import { Matcher, TooSlow } from './matcher.js';
import { COLOURS, Paint } from './paint.js';
import { terms } from './pattern.js';
import { shown } from './time.js';

/** Typing is over after so long, in ms. */
const TYPED = 200;
/** Lines around each hit, to choose from. */
const AROUND = [0, 3, 10];

const at = (id) => document.getElementById(id);
const node = (name, text, look = '') => Object.assign(document.createElement(name), { textContent: text, className: look });

export class Find {
  matcher = new Matcher();
  /** What the window shows instead of the whole log. */
  filtered = null;
  /** The same with what stands around each. */
  #around = null;
  #page;
  #win;
  #announcer;
  /** What is typed, and what of it is looked for already. */
  #term = '';
  #looked = '';
  #hits = null;
  #errors = null;
  #timer;
  #paint;
  #walk = null;

  /** `page`: `log()`, `whole()`, `view()`, `times()`, `text(entry, most)`, `changed(view, step)`,
   * `go(place, px)`, `current()`. */
  constructor(page, win, announcer) {
    this.#page = page;
    this.#win = win;
    this.#announcer = announcer;
    this.#paint = new Paint(win, this.matcher, () => this.#coloured(), (error) => this.#complain(error));
    if (at('box').value) this.typed();
  }

  /** Something else stands in the box. */
  typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(at('box').value), TYPED);
    this.#paint.forget();
    this.#term = at('box').value;
    this.paint();
  }

  /** What stands in the box is to be found, or to be a filter. */
  submit() {
    if (at('search').dataset.mode === 'filter') {
      this.add('filters', at('box').value);
      return;
    }
    this.#look(at('box').value);
    if (this.#hits) this.step(false);
  }

  /** Another stream: nothing is looked for. */
  reset() {
    this.#walk?.abort();
    for (const hits of [this.#hits, this.#errors, this.filtered]) hits?.close();
    this.#hits = this.#errors = this.filtered = null;
    this.apply();
    this.#looked = '';
    if (this.#term) this.#look(this.#term);
  }

  /** Nothing is looked for any more. */
  stop() {
    this.#walk?.abort();
    this.#look('');
  }

  /** Lines came. */
  push(run, start, bytes) {
    this.filtered?.push(run, start, bytes);
    // What stands behind a hit may have come.
    if (this.#around && this.#win.source === this.#around) this.#win.grew();
    this.#hits?.push(run, start, bytes);
    this.#errors?.push(run, start, bytes);
  }

  /** Somebody needs every line. */
  get needsAll() {
    return this.filtered !== null;
  }

  /** Makes the window show what the view says. */
  apply() {
    const { filters, highlights, level, around } = this.#page.view();
    const { log, text, times } = this.#page;
    const { error } = terms([...filters, ...highlights]);
    const asked = filters.length > 0 || level;
    this.filtered?.close();
    this.filtered = this.#around = null;
    this.#paint.forget();
    if (asked && !error) {
      const hits = new Hits(log().pieces, log().lines, this.matcher, { filters, level }, () => {
        this.#say();
        if (this.filtered === hits && [hits, this.#around].includes(this.#win.source)) this.#win.grew();
      });
      this.filtered = hits;
      // Where lines are only left out, what is around them would be those.
      if (level || terms(filters).match.length > 0) this.#around = new Around(hits, log().lines, text, () => times().winner, around);
      this.#win.open(this.#around ?? hits);
    } else if (this.#win.source !== this.#page.whole()) {
      this.#win.open(this.#page.whole());
    }
    at('levels').ariaPressed = String(Boolean(level));
    this.#chips(error);
    this.#say();
    this.paint();
  }

  /** A line that only stands around a hit is quieter, and a stroke stands where lines are left out. */
  dress(entry, row) {
    const around = this.#around;
    if (!around || this.#win.source !== around || !entry.run) return;
    row.classList.toggle('around', !around.isHit(entry));
    row.classList.toggle('apart', this.#page.view().around > 0 && around.isApart(entry));
  }

  /** From a line of the filtered ones to its place in the log, at the same px. */
  async reveal(item) {
    const top = item.node.getBoundingClientRect().top;
    const { run, start } = item.entry;
    const view = { ...this.#page.view(), filters: [], level: null, at: { inode: run.inode, offset: start } };
    this.#page.changed(view, true);
    this.filtered?.close();
    this.filtered = this.#around = null;
    this.#chips(null);
    at('levels').ariaPressed = 'false';
    this.#win.show(this.#page.log().lines);
    // The bar of terms is gone; the line stays where it is on the screen.
    await this.#page.go({ run, start }, top - at('view').getBoundingClientRect().top);
  }

  /** The next hit, or the one before; `errors`: the next error. */
  async step(down, errors = false) {
    const hits = errors ? (this.#errors ??= this.#session({ filters: [], level: 'error' })) : this.#hits;
    if (!hits) return;
    this.#walk?.abort();
    const walk = (this.#walk = new AbortController());
    const from = this.#from(down);
    if (!from) return;
    const progress = () => {
      at('hits').textContent = 'searching… Esc stops';
    };
    try {
      let hit = null;
      if (hits.covers(from)) {
        hit = hits.list[hits.index(from) - (down ? 0 : 1)] ?? null;
        if (!hit && !down && hits.end !== 'start') hit = await hits.nearestAbove(from, walk.signal, progress);
        if (!hit && hits.end === 'start') hit = hits.list.at(down ? 0 : -1) ?? null;
      } else if (down) {
        hit = await hits.nearestBelow(from, walk.signal, progress);
      } else {
        hit = await hits.nearestAbove(from, walk.signal, progress);
      }
      if (walk.signal.aborted) return;
      if (hit) await this.#page.go(hit);
      else this.#announcer.say(errors ? 'no error there' : 'no hit there');
      this.#say();
    } catch (error) {
      if (!walk.signal.aborted) this.#complain(error);
    }
  }

  /** Where to go on from: behind the current line, or from the edge of what is in sight. */
  #from(down) {
    const place = this.#page.current();
    const current = place && this.#win.items.find(({ entry }) => entry.run === place.run && entry.start === place.start);
    if (current && this.#win.inSight(current)) return { run: current.entry.run, start: down ? current.entry.end : current.entry.start };
    const lines = this.#win.items.filter((item) => item.entry.run && this.#win.inSight(item));
    const edge = lines.at(down ? 0 : -1)?.entry;
    return edge ? { run: edge.run, start: down ? edge.start : edge.end } : null;
  }

  #session(spec) {
    const { log } = this.#page;
    return new Hits(log().pieces, log().lines, this.matcher, spec, () => this.#say());
  }

  #look(text) {
    clearTimeout(this.#timer);
    if (text === this.#looked) return;
    this.#term = this.#looked = text;
    this.#hits?.close();
    this.#hits = null;
    const { error } = terms([text.replace(/^-/, '')]);
    if (text && !error) {
      const { filters, level } = this.#page.view();
      this.#hits = this.#session({ filters: [...filters, text.startsWith('-') ? `/${RegExp.escape?.(text) ?? text.replace(/[^\w\s]/g, '\\$&')}/` : text], level });
      this.#hits.more();
    }
    at('hits').textContent = error ?? '';
    this.#say();
    this.paint();
  }

  /** What stands in the box becomes a filter or a highlight. */
  add(list, text) {
    if (text === '' || text === '-') return;
    const view = this.#page.view();
    this.#page.changed({ ...view, [list]: [...view[list].filter((one) => one !== text), text], at: list === 'filters' ? null : view.at }, true);
    at('box').value = '';
    this.#look('');
    this.apply();
    at('view').focus();
  }

  #remove(list, text) {
    const view = this.#page.view();
    this.#page.changed({ ...view, [list]: view[list].filter((one) => one !== text) }, true);
    this.apply();
    at('view').focus();
  }

  /** Back to the whole log. `false`: it is shown already. */
  clear() {
    const view = this.#page.view();
    if (view.filters.length === 0 && !view.level) return false;
    const anchor = this.#win.following ? null : this.#win.anchor;
    if (anchor) {
      this.reveal(anchor);
    } else {
      this.#page.changed({ ...view, filters: [], level: null }, true);
      this.apply();
    }
    return true;
  }

  /** The terms in force, each with its way out. */
  #chips(error) {
    const { filters, highlights, level, around } = this.#page.view();
    const chip = (list, text, look, words) => {
      const button = node('button', words, `term ${look}`);
      button.type = 'button';
      button.title = 'Remove';
      button.addEventListener('click', () => this.#remove(list, text));
      return button;
    };
    const chips = filters.map((text) => chip('filters', text, '', text.startsWith('-') && text.length > 1 ? `without ${text.slice(1)}` : `only ${text}`));
    if (level) {
      const button = node('button', `${level} and worse`, 'term');
      button.type = 'button';
      button.addEventListener('click', () => {
        this.#page.changed({ ...this.#page.view(), level: null }, true);
        this.apply();
      });
      chips.push(button);
    }
    chips.push(...highlights.map((text, i) => chip('highlights', text, `colour-${i % COLOURS}`, text)));
    const count = node('span', error ?? '');
    count.id = 'count';
    const lines = this.#around && node('button', around > 0 ? `± ${around} lines` : 'with lines around');
    if (lines) {
      lines.id = 'around';
      lines.type = 'button';
      lines.addEventListener('click', () => this.#widen());
    }
    at('terms').replaceChildren(...chips, ...(lines ? [lines] : []), count);
    at('terms').hidden = chips.length === 0;
  }

  /** More lines around each hit, or none again. */
  #widen() {
    const view = this.#page.view();
    const around = AROUND.find((count) => count > view.around) ?? 0;
    this.#page.changed({ ...view, around }, false);
    const anchor = this.#win.following ? null : this.#win.anchor;
    this.apply();
    if (anchor) this.#win.to(() => anchor.entry, anchor.px);
    at('around')?.focus();
  }

  /** How many there are, as far as anybody has looked. */
  #say() {
    const words = (hits, one, many) => {
      if (hits.error) return hits.error;
      const n = hits.list.length;
      const count = `${n.toLocaleString('en')}${hits.end === 'start' ? '' : '+'} ${n === 1 && hits.end === 'start' ? one : many}`;
      if (hits.searching) return n > 0 ? `${count}…` : 'searching…';
      if (hits.end === 'start') return n === 0 ? `no ${one}` : count;
      const oldest = hits.list[0];
      const time = oldest && this.#timeOf(oldest);
      return time ? `${count} back to ${time}` : count;
    };
    if (this.filtered && at('count')) at('count').textContent = words(this.filtered, 'line', 'lines');
    if (this.#hits) {
      const current = this.#page.current();
      const place = current && this.#hits.end === 'start' ? this.#hits.index(current) + 1 : 0;
      at('hits').textContent = (place > 0 ? `${place} of ` : '') + words(this.#hits, 'hit', 'hits');
    }
  }

  #timeOf(hit) {
    const { pieces, lines } = this.#page.log();
    const line = lines.line(hit.run, hit.start);
    const bytes = line && pieces.bytes(line.run, line.start, Math.min(line.end, line.start + 200));
    const time = bytes && this.#page.times().parse(new TextDecoder().decode(bytes));
    return time ? shown(time.ms, true) : null;
  }

  #complain(error) {
    const words = error instanceof TooSlow ? 'pattern too slow' : error.message;
    at('hits').textContent = words;
    this.#announcer.say(words);
  }

  /** What is to be coloured: what is found, and what is kept coloured. */
  #coloured() {
    const { filters, highlights } = this.#page.view();
    return [[this.#term, ...terms(filters).match], highlights];
  }

  paint() {
    this.#paint.again();
  }
}
