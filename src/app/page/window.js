// A window on the log: rows for about three screens, in the flow of one element that is moved over
// a tall canvas. Inside it a px is a px; outside, height stands for bytes, so that the browser's
// own scrollbar reaches over any file.

/** The canvas is no higher, in px: browsers stop at 17 million. */
const TALLEST = 7e6;
/** Rows in the document at most. */
const MOST = 300;
/** Rows drawn in one go before the browser is let in between, at most. */
const GO = 60;
/** So near the end, in px, counts as at the end: scroll positions are rounded, and a finger is not
 * exact. */
const NEAR = 8;
/** At rest is who has not scrolled for so long, in ms. Moved before that, a phone's momentum would
 * break off. */
const REST = 150;
/** What a byte is taken to need while nothing is drawn, in px. */
const PX = 0.2;
/** In a flood rows are drawn this often, in ms. */
const FLOOD = 80;
/** It is over when nothing was drawn for so long, in ms: longer than from one drawing to the next. */
const CALM = 3 * FLOOD;
/** Behind by more, in bytes, the rows in between are not drawn at all. */
const BEHIND = 64 * 1024;

export class Window {
  following = true;
  #view;
  #canvas;
  #rows;
  #draw;
  #told;
  #source = null;
  #items = [];
  /** Where the rows begin on the canvas, in px. */
  #y = 0;
  /** The scroll position that we know of: another one is the reader's doing. */
  #top = 0;
  #turn = 0;
  #filling = false;
  #again = false;
  #frame = 0;
  #resume = 0;
  #timer;
  #calm;
  #flooded = false;
  /** The reader is scrolling, or was until a moment ago. */
  #scrolling = false;
  /** A row that stays at its px whatever happens around it. */
  #held = null;

  /**
   * `view` scrolls, `canvas` is its content, `rows` the element in it that is moved. `draw(entry)`
   * makes an element; `told.followed()` when following began or ended, `told.drawn(rows)` when rows
   * have changed, `told.rested()`.
   */
  constructor(view, canvas, rows, draw, told) {
    this.#view = view;
    this.#canvas = canvas;
    this.#rows = rows;
    this.#draw = draw;
    this.#told = told;
    view.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    view.addEventListener('scrollend', () => this.#scrolling && this.#rest());
    const sizes = new ResizeObserver(() => this.#resized());
    sizes.observe(view);
    sizes.observe(rows);
  }

  get source() {
    return this.#source;
  }

  /** The entries drawn, oldest first: `[{ entry, node }]`. */
  get items() {
    return this.#items;
  }

  /** The first row in sight, `{ entry, node, px }`; `px`: its top below the view's. */
  get anchor() {
    const top = this.#view.scrollTop - this.#y;
    const item = this.#items.find(({ node }) => node.offsetTop + node.offsetHeight > top + 1);
    return item ? { ...item, px: item.node.offsetTop - top } : null;
  }

  itemOf(node) {
    const row = node?.nodeType === 1 ? node : node?.parentElement;
    const drawn = row?.closest('#rows > *');
    return drawn ? (this.#items.find((item) => item.node === drawn) ?? null) : null;
  }

  inSight({ node }) {
    const top = node.offsetTop + this.#y - this.#view.scrollTop;
    return top + node.offsetHeight > 0 && top < this.#view.clientHeight;
  }

  /** Another source from now on; its rows are drawn by the next `to`. */
  show(source) {
    this.#source = source;
    this.#turn += 1;
  }

  /** Shows another source, at its end. */
  open(source) {
    this.#source = source;
    this.#turn += 1;
    this.#items = [];
    this.#rows.replaceChildren();
    this.#canvas.style.height = '';
    this.#move(0);
    this.#top = this.#view.scrollTop;
    this.#held = null;
    this.toEnd();
  }

  /** Something came at the end, or what is drawn has changed. */
  grew() {
    if (this.#frame || document.hidden) return;
    if (this.#items.length === 0 && this.#follows()) {
      // The first lines are there in the very next frame.
      this.#tail();
      return;
    }
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (now < this.#resume) {
        this.grew();
        return;
      }
      const began = performance.now();
      if (this.#follows()) this.#tail();
      else this.#fill();
      // In a flood most of what is drawn is gone a moment later: the reader's finger comes first.
      const ended = performance.now();
      this.#resume = ended + Math.max(2 * (ended - began), this.#flooded ? FLOOD : 0);
    });
  }

  async toEnd() {
    // Where the reader scrolled to before this wish is no wish against it.
    this.#top = this.#view.scrollTop;
    this.#follow(true);
    this.#tail();
  }

  stop() {
    this.#follow(false);
  }

  /** Shows the first entry there is. */
  toStart() {
    return this.#seek((source) => source.after(null));
  }

  /** Shows the entry that `find(source)` finds, `px` below the top; `undefined` is asked again
   * after a load. */
  to(find, px = 0) {
    return this.#seek(find, px);
  }

  /** Scrolls by px. */
  by(px) {
    this.#view.scrollTop += px;
    this.#scrolled();
  }

  /** Rows have come between others: what is in sight is looked for again. */
  again() {
    const anchor = this.#follows() ? null : this.anchor;
    if (anchor) this.#seek(() => anchor.entry, anchor.px);
    else this.#seek((source) => source.before(null), null);
  }

  /** Draws all rows again. */
  redraw() {
    this.keep(() => {
      for (const item of this.#items) this.#renew(item);
    });
    this.#told.drawn(this.#items.length);
  }

  /** Draws this mark again where it is drawn. */
  redrawMark(mark) {
    const item = this.#items.find(({ entry }) => entry.mark === mark);
    if (item) this.#renew(item);
  }

  /** Draws the row of this key again. */
  redrawKey(key) {
    const item = this.#items.find(({ entry }) => entry.key === key);
    if (item) this.keep(() => this.#renew(item));
  }

  /** Does what changes heights; what the reader looks at stays at its px. */
  keep(change) {
    if (!this.#source) {
      change();
      return;
    }
    this.#follows();
    const { node, px } = this.anchor ?? {};
    const item = this.#items.find((one) => one.node === node);
    change();
    if (this.following) this.#settle();
    else if (item) this.#place(item.node, px);
    this.#fill();
  }

  #renew(item) {
    const node = this.#draw(item.entry);
    item.node.replaceWith(node);
    item.node = node;
  }

  #follow(on) {
    if (this.following === on) return;
    this.following = on;
    this.#told.followed();
  }

  /** The browser tells of a scroll a frame later: whoever would bring the view to the end until then
   * asks here, so that no reader who has just left is brought back. */
  #follows() {
    this.#scrolled();
    return this.following;
  }

  #move(y) {
    this.#y = y;
    this.#rows.style.transform = `translateY(${y}px)`;
  }

  /** By the difference: a place that is set breaks off what a wheel has just begun in Firefox. */
  #scrollTo(top) {
    const by = top - this.#view.scrollTop;
    if (Math.abs(by) >= 0.5) this.#view.scrollBy({ top: by, behavior: 'instant' });
    this.#top = this.#view.scrollTop;
  }

  /** Moves the rows so that `node` is `px` below the view's top. */
  #place(node, px) {
    this.#move(Math.max(0, this.#view.scrollTop + px - node.offsetTop));
    if (this.#y === 0) this.#scrollTo(node.offsetTop - px);
    this.#reach();
  }

  /** The canvas holds all rows. */
  #reach() {
    const need = this.#y + this.#rows.offsetHeight;
    if (this.#canvas.offsetHeight < need) this.#canvas.style.height = `${need}px`;
  }

  /** While following: the end stays in sight. */
  #settle() {
    this.#rebase();
    this.#scrollTo(this.#canvas.offsetHeight);
    this.#hold();
  }

  #hold() {
    this.#held = this.following ? null : this.anchor;
  }

  #resized() {
    if (!this.#source) return;
    if (this.#follows()) this.#settle();
    else if (this.#held?.node.isConnected) this.#place(this.#held.node, this.#held.px);
    if (!this.#flooded) this.#fill();
  }

  #scrolled() {
    const top = this.#view.scrollTop;
    if (Math.abs(top - this.#top) < 1) return;
    const up = top < this.#top;
    this.#top = top;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), REST);
    this.#scrolling = true;
    const height = this.#view.clientHeight;
    // A canvas that has become shorter moves to its end by itself: that is no wish of the reader's.
    if (up && this.#view.scrollHeight - top - height > NEAR) this.#follow(false);
    const rows = this.#rows.offsetHeight;
    if (top + height < this.#y - 2 * height || top > this.#y + rows + 2 * height) {
      const part = top / Math.max(1, this.#view.scrollHeight - height);
      this.#seek((source) => source.at(part), 0, false);
    } else {
      if (!up && this.#atEnd()) this.#follow(true);
      this.#fill();
    }
    this.#hold();
  }

  #atEnd() {
    const view = this.#view;
    if (view.scrollHeight - view.scrollTop - view.clientHeight > NEAR || this.#items.length === 0) return false;
    return this.#source.below(this.#items.at(-1).entry) === 0;
  }

  #rest() {
    clearTimeout(this.#timer);
    if (this.#filling) {
      this.#timer = setTimeout(() => this.#rest(), REST);
      return;
    }
    this.#scrolling = false;
    if (this.#follows()) {
      this.#settle();
    } else {
      this.#rebase();
      // At the very top the rows may have moved: there they stay, though their sizes are told later.
      this.#hold();
    }
    this.#told.rested();
  }

  /** Makes the canvas and the place of the rows on it true again; what is in sight doesn't move. */
  #rebase() {
    if (this.#items.length === 0) return;
    const height = this.#rows.offsetHeight;
    const [first, last] = [this.#items[0].entry, this.#items.at(-1).entry];
    let [above, below] = [this.#source.above(first), this.#source.below(last)];
    const drawn = this.#source.above(last) - above;
    const px = drawn > 0 && this.#items.length > 9 ? height / drawn : PX;
    const scale = Math.min(px, (TALLEST - height) / Math.max(1, above + below));
    // Whole px: what the browser rounds would be seen as a tremble.
    above = Math.round(above * scale);
    below = Math.round(below * scale);
    const offset = this.#view.scrollTop - this.#y;
    this.#move(above);
    this.#canvas.style.height = `${above + height + below}px`;
    this.#scrollTo(above + offset);
  }

  /** The newest rows, while following: at once where all is here, as it is while they come. */
  #tail() {
    const source = this.#source;
    if (!source) return;
    const last = this.#items.at(-1);
    this.#flooded = Boolean(last) && source.below(last.entry) > BEHIND;
    if (!last || this.#flooded) {
      this.#seek((from) => from.before(null), null);
      return;
    }
    this.#refresh();
    const fresh = [];
    let entry = source.after(last.entry);
    for (; entry && fresh.length < MOST; entry = source.after(entry)) fresh.push(entry);
    if (entry) {
      this.#seek((from) => from.before(null), null);
      return;
    }
    this.#append(fresh);
    this.#trim();
    this.#settle();
    this.#fill();
    if (entry === undefined) this.#fill();
    this.#told.drawn(fresh.length);
  }

  /** A line that had no newline yet may have grown. */
  #refresh() {
    const last = this.#items.at(-1);
    const now = last && !last.entry.mark && this.#source.refreshed(last.entry);
    if (!now || now === last.entry) return;
    last.entry = now;
    this.#renew(last);
  }

  #append(entries) {
    const items = entries.map((entry) => ({ entry, node: this.#draw(entry) }));
    this.#rows.append(...items.map(({ node }) => node));
    this.#items.push(...items);
  }

  /** Loads until `find` finds, then draws from there: `px` below the top, or as the end where `px`
   * is `null`. */
  async #seek(find, px = 0, steady = true) {
    const source = this.#source;
    const turn = (this.#turn += 1);
    const ask = async (question) => {
      for (;;) {
        const answer = question(source);
        if (answer !== undefined) return answer;
        if (!(await source.load())) return null;
        if (turn !== this.#turn) return null;
      }
    };
    const atEnd = px === null;
    const followed = this.following;
    if (!atEnd && steady) this.#follow(false);
    const found = find(source) ?? (await ask(find));
    if (turn !== this.#turn || !found) return false;
    // A screen of them is looked for before anything is taken away.
    const height = this.#view.clientHeight;
    const enough = Math.min(MOST, Math.ceil(height / this.#rowHeight()) + 3);
    const entries = [found];
    while (entries.length < enough) {
      const question = (from) => (atEnd ? from.before(entries[0]) : from.after(entries.at(-1)));
      const more = question(source);
      const next = more === undefined ? await ask(question) : more;
      if (turn !== this.#turn) return false;
      if (!next) break;
      if (atEnd) entries.unshift(next);
      else entries.push(next);
    }
    if (atEnd && followed && !this.#follows()) return false;
    this.#items = [];
    this.#rows.replaceChildren();
    this.#append(entries);
    if (atEnd) {
      this.#settle();
    } else if (steady) {
      this.#move(0);
      this.#rebase();
      this.#scrollTo(this.#y - px);
    } else {
      this.#move(this.#view.scrollTop);
      this.#reach();
    }
    this.#told.drawn(entries.length);
    if (atEnd) {
      // What is above comes into sight only when somebody scrolls; in a flood it would be gone by
      // then.
      clearTimeout(this.#calm);
      this.#calm = setTimeout(() => {
        this.#flooded = false;
        this.#fill();
      }, CALM);
      return true;
    }
    await this.#fill();
    if (turn !== this.#turn) return true;
    if (!steady && this.#atEnd()) {
      this.#follow(true);
      this.#tail();
    }
    if (!atEnd && steady) {
      const item = this.#items.find(({ entry }) => entry.key === found.key);
      if (item) {
        this.#rebase();
        this.#scrollTo(this.#y + item.node.offsetTop - px);
        this.#hold();
      }
      this.#told.rested();
    }
    return true;
  }

  #rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#rows).lineHeight) || 20;
  }

  /** Draws what is missing above and below until there is a screen of it on each side. */
  async #fill() {
    if (this.#filling) {
      this.#again = true;
      return;
    }
    this.#filling = true;
    try {
      do {
        this.#again = false;
        while (await this.#step());
      } while (this.#again);
    } finally {
      this.#filling = false;
    }
  }

  /** One go above or below. `false`: nothing was to be done. */
  async #step() {
    if (this.#source) this.#scrolled();
    const [source, turn] = [this.#source, this.#turn];
    if (!source || this.#items.length === 0) {
      if (source && this.following) {
        const last = source.before(null);
        if (last === undefined) return source.load().then((more) => more && turn === this.#turn);
        if (last) this.#seek((from) => from.before(null), null);
      }
      return false;
    }
    const height = this.#view.clientHeight;
    const top = this.#view.scrollTop - this.#y;
    const under = this.#rows.offsetHeight - top - height;
    const row = this.#rowHeight();
    let missing = false;
    if (top < height) {
      const found = this.#gather((entry) => source.before(entry), this.#items[0].entry, (height - top) / row);
      if (found.entries.length > 0) {
        this.#prepend(found.entries.reverse());
        return true;
      }
      missing = found.missing;
    }
    if (!missing && under < height && !this.following) {
      this.#refresh();
      const found = this.#gather((entry) => source.after(entry), this.#items.at(-1).entry, (height - under) / row);
      if (found.entries.length > 0) {
        this.#append(found.entries);
        this.#trim();
        this.#reach();
        return true;
      }
      missing = found.missing;
    }
    if (!missing) return false;
    const loaded = await source.load();
    return loaded && turn === this.#turn && source === this.#source;
  }

  #gather(next, entry, rows) {
    const entries = [];
    const enough = Math.min(GO, Math.max(1, Math.ceil(rows)));
    while (entries.length < enough) {
      entry = next(entry);
      if (!entry) break;
      entries.push(entry);
    }
    return { entries, missing: entry === undefined };
  }

  #prepend(entries) {
    const items = entries.map((entry) => ({ entry, node: this.#draw(entry) }));
    const before = this.#rows.getBoundingClientRect().height;
    this.#rows.prepend(...items.map(({ node }) => node));
    this.#items.unshift(...items);
    const y = this.#y - (this.#rows.getBoundingClientRect().height - before);
    if (this.following) {
      this.#move(Math.max(0, y));
      this.#settle();
    } else if (y >= 0) {
      this.#move(y);
    } else {
      // No room above on the canvas: it is made now, whatever moves.
      const top = this.#view.scrollTop;
      this.#move(0);
      this.#reach();
      this.#scrollTo(top - y);
      this.#rebase();
    }
    this.#trim();
    this.#hold();
  }

  /** Rows out of reach are taken away: they can be drawn again. */
  #trim() {
    const height = this.#view.clientHeight;
    const top = this.#view.scrollTop - this.#y;
    const items = this.#items;
    const spare = items.length - MOST;
    let [first, last] = [0, items.length];
    const end = this.following ? this.#rows.offsetHeight : top + height;
    const start = this.following ? end - height : top;
    const high = ({ node }) => node.offsetTop + node.offsetHeight < start - 1.5 * height;
    while (first < last - 1 && (high(items[first]) || (this.following && first < spare))) first += 1;
    if (!this.following) while (last > first + 1 && items[last - 1].node.offsetTop > end + 1.5 * height) last -= 1;
    if (first === 0 && last === items.length) return;
    const gone = first > 0 ? items[first].node.offsetTop - items[0].node.offsetTop : 0;
    for (const { node } of [...items.slice(0, first), ...items.slice(last)]) node.remove();
    this.#items = items.slice(first, last);
    this.#move(this.#y + gone);
  }
}
