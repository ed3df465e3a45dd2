// A window on the log: rows for about three screens, followed to the end or held where the reader is, and more of them
// wherever one scrolls.

import { asked, gather, screen } from './lines.js';
import { MOST, NEAR, Sheet } from './sheet.js';

/** Rows drawn in one go before the browser is let in between, at most. */
const GO = 60;
/** At rest is who has not scrolled for so long, in ms. Moved before that, a phone's momentum would
 * break off. */
const REST = 150;
/** In a flood rows are drawn this often, in ms. */
const FLOOD = 80;
/** It is over when nothing was drawn for so long, in ms: longer than from one drawing to the next. */
const CALM = 3 * FLOOD;
/** Behind by more, in bytes, the rows in between are not drawn at all. */
const BEHIND = 64 * 1024;

export class Window extends Sheet {
  following = true;
  #told;
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

  /** As a sheet; `told.followed()` when following began or ended, `told.drawn(rows)` when rows have changed,
   * `told.rested()`. */
  constructor(view, canvas, rows, draw, told) {
    super(view, canvas, rows, draw);
    this.#told = told;
    view.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    view.addEventListener('scrollend', () => this.#scrolling && this.#rest());
    const sizes = new ResizeObserver(() => this.#resized());
    sizes.observe(view);
    sizes.observe(rows);
  }

  /** Another source from now on; its rows are drawn by the next `to`. */
  show(source) {
    this.source = source;
    this.#turn += 1;
  }

  /** Shows another source, at its end. */
  open(source) {
    this.show(source);
    this.empty();
    this.#held = null;
    this.toEnd();
  }

  /** Something came at the end, or what is drawn has changed; `lines`: lines came, and the first are drawn at once. */
  grew(lines = false) {
    if (document.hidden) return;
    if (lines && this.items.length === 0 && this.#follows()) return void this.#tail();
    if (this.#frame) return;
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
    this.top = this.view.scrollTop;
    this.#follow(true);
    this.#tail();
  }

  stop() {
    this.#follow(false);
  }

  toStart() {
    return this.to((source) => source.after(null));
  }

  /** Scrolls by px. */
  by(px) {
    this.view.scrollTop += px;
    this.#scrolled();
  }

  /** Rows have come between others: what is in sight is looked for again. */
  again() {
    const anchor = this.#follows() ? null : this.anchor;
    if (anchor) this.to(() => anchor.entry, anchor.px);
    else this.to((source) => source.before(null), null);
  }

  /** Draws these rows again. */
  redraw(which = () => true) {
    this.keep(() => {
      for (const item of this.items.filter(({ entry }) => which(entry))) this.renew(item);
    });
    this.#told.drawn(this.items.length);
  }

  /** Does what changes heights; what the reader looks at stays at its px. */
  keep(change) {
    if (!this.source) {
      change();
      return;
    }
    this.#follows();
    const { node, px } = this.anchor ?? {};
    const item = this.items.find((one) => one.node === node);
    change();
    if (this.following) this.#settle();
    else if (item) this.place(item.node, px);
    this.#fill();
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

  /** While following: the end stays in sight. */
  #settle() {
    this.rebase();
    this.scrollToEnd();
    this.#hold();
  }

  #hold() {
    this.#held = this.following ? null : this.anchor;
  }

  #resized() {
    if (!this.source) return;
    if (this.#follows()) this.#settle();
    else if (this.#held?.node.isConnected) this.place(this.#held.node, this.#held.px);
    if (!this.#flooded) this.#fill();
  }

  #scrolled() {
    const top = this.view.scrollTop;
    if (Math.abs(top - this.top) < 1) return;
    const up = top < this.top;
    this.top = top;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), REST);
    this.#scrolling = true;
    const height = this.view.clientHeight;
    // A canvas that has become shorter moves to its end by itself: that is no wish of the reader's.
    if (up && this.view.scrollHeight - top - height > NEAR) this.#follow(false);
    if (top + height < this.y - 2 * height || top > this.y + this.height + 2 * height) {
      const part = top / Math.max(1, this.view.scrollHeight - height);
      this.to((source) => source.at(part), 0, false);
    } else {
      if (!up && this.atEnd) this.#follow(true);
      this.#fill();
    }
    this.#hold();
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
      this.rebase();
      // At the very top the rows may have moved: there they stay, though their sizes are told later.
      this.#hold();
    }
    this.#told.rested();
  }

  /** The newest rows, while following: at once where all is here, as it is while they come. */
  #tail() {
    const source = this.source;
    if (!source) return;
    const last = this.items.at(-1);
    this.#flooded = Boolean(last) && source.below(last.entry) > BEHIND;
    if (!last || this.#flooded) {
      this.to((from) => from.before(null), null);
      return;
    }
    this.refresh();
    const fresh = [];
    let entry = source.after(last.entry);
    for (; entry && fresh.length < MOST; entry = source.after(entry)) fresh.push(entry);
    if (entry) {
      this.to((from) => from.before(null), null);
      return;
    }
    this.append(fresh);
    this.trim(this.following);
    this.#settle();
    this.#fill();
    if (entry === undefined) this.#fill();
    this.#told.drawn(fresh.length);
  }

  /** Shows the entry that `find(source)` finds, loading until it does: `px` below the top, or as the end where `px` is
   * `null`. Not `steady`: the scrollbar has been moved there. */
  async to(find, px = 0, steady = true) {
    const source = this.source;
    const turn = (this.#turn += 1);
    const isOld = () => turn !== this.#turn;
    const atEnd = px === null;
    const followed = this.following;
    if (!atEnd && steady) this.#follow(false);
    const found = find(source) ?? (await asked(source, find, isOld));
    if (isOld() || !found) return false;
    // A screen of them is looked for before anything is taken away.
    const enough = Math.min(MOST, Math.ceil(this.view.clientHeight / this.rowHeight) + 3);
    const entries = [found];
    while (!screen(source, entries, atEnd, enough)) {
      if (!(await source.load())) break;
      if (isOld()) return false;
    }
    if (atEnd && followed && !this.#follows()) return false;
    this.clear();
    this.append(entries);
    if (atEnd) {
      this.#settle();
    } else if (steady) {
      this.move(0);
      this.rebase();
      this.scrollTo(this.y - px);
    } else {
      this.move(this.view.scrollTop);
      this.reach();
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
    if (isOld()) return true;
    if (!steady && this.atEnd) {
      this.#follow(true);
      this.#tail();
    }
    if (!atEnd && steady) {
      const item = this.items.find(({ entry }) => entry.key === found.key);
      if (item) {
        this.rebase();
        this.scrollTo(this.y + item.node.offsetTop - px);
        this.#hold();
      }
      this.#told.rested();
    }
    return true;
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
    if (this.source) this.#scrolled();
    const [source, turn] = [this.source, this.#turn];
    if (!source || this.items.length === 0) {
      if (source && this.following) {
        const last = source.before(null);
        if (last === undefined) return source.load().then((more) => more && turn === this.#turn);
        if (last) this.to((from) => from.before(null), null);
      }
      return false;
    }
    const height = this.view.clientHeight;
    const top = this.view.scrollTop - this.y;
    const under = this.height - top - height;
    const row = this.rowHeight;
    let missing = false;
    if (top < height) {
      const found = gather((entry) => source.before(entry), this.items[0].entry, Math.min(GO, (height - top) / row));
      if (found.entries.length > 0) {
        this.prepend(found.entries.reverse());
        if (this.following) this.#settle();
        this.trim(this.following);
        this.#hold();
        return true;
      }
      missing = found.missing;
    }
    if (!missing && under < height && !this.following) {
      this.refresh();
      const found = gather((entry) => source.after(entry), this.items.at(-1).entry, Math.min(GO, (height - under) / row));
      if (found.entries.length > 0) {
        this.append(found.entries);
        this.trim(this.following);
        this.reach();
        return true;
      }
      missing = found.missing;
    }
    if (!missing) return false;
    const loaded = await source.load();
    return loaded && turn === this.#turn && source === this.source;
  }
}
