// The rows that are drawn, in the flow of one element that is moved over a tall canvas: where they stand, and what stands
// above and below them as height. Inside a px is a px; outside, height stands for bytes, so that the browser's own
// scrollbar reaches over any file.

/** The canvas is no higher, in px: browsers stop at 17 million. */
const TALLEST = 7e6;
/** Rows in the document at most. */
export const MOST = 300;
/** So near the end, in px, counts as at the end: scroll positions are rounded, and a finger is not
 * exact. */
export const NEAR = 8;
/** What a byte is taken to need while nothing is drawn, in px. */
const PX = 0.2;

export class Sheet {
  /** The entries drawn, oldest first: `[{ entry, node }]`. */
  items = [];
  /** Where the rows begin on the canvas, in px. */
  y = 0;
  /** The scroll position that we know of: another one is the reader's doing. */
  top = 0;
  /** What is drawn: of it come the entries. */
  source = null;
  view;
  #canvas;
  #rows;
  #draw;

  /** `view` scrolls, `canvas` is its content, `rows` the element in it that is moved. `draw(entry)` makes an element. */
  constructor(view, canvas, rows, draw) {
    this.view = view;
    this.#canvas = canvas;
    this.#rows = rows;
    this.#draw = draw;
  }

  /** The first row in sight, `{ entry, node, px }`; `px`: its top below the view's. */
  get anchor() {
    const top = this.view.scrollTop - this.y;
    const item = this.items.find(({ node }) => node.offsetTop + node.offsetHeight > top + 1);
    return item ? { ...item, px: item.node.offsetTop - top } : null;
  }

  get rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#rows).lineHeight) || 20;
  }

  get height() {
    return this.#rows.offsetHeight;
  }

  itemOf(node) {
    const row = node?.nodeType === 1 ? node : node?.parentElement;
    const drawn = row?.closest('#rows > *');
    return drawn ? (this.items.find((item) => item.node === drawn) ?? null) : null;
  }

  inSight({ node }) {
    const top = node.offsetTop + this.y - this.view.scrollTop;
    return top + node.offsetHeight > 0 && top < this.view.clientHeight;
  }

  /** Nothing is drawn. */
  clear() {
    this.items = [];
    this.#rows.replaceChildren();
  }

  /** Nothing is drawn, and nothing stands above or below. */
  empty() {
    this.clear();
    this.#canvas.style.height = '';
    this.move(0);
    this.top = this.view.scrollTop;
  }

  move(y) {
    this.y = y;
    this.#rows.style.transform = `translateY(${y}px)`;
  }

  /** By the difference: a place that is set breaks off what a wheel has just begun in Firefox. */
  scrollTo(top) {
    const by = top - this.view.scrollTop;
    if (Math.abs(by) >= 0.5) this.view.scrollBy({ top: by, behavior: 'instant' });
    this.top = this.view.scrollTop;
  }

  scrollToEnd() {
    this.scrollTo(this.#canvas.offsetHeight);
  }

  /** Moves the rows so that `node` is `px` below the view's top. */
  place(node, px) {
    this.move(Math.max(0, this.view.scrollTop + px - node.offsetTop));
    if (this.y === 0) this.scrollTo(node.offsetTop - px);
    this.reach();
  }

  /** The canvas holds all rows. */
  reach() {
    const need = this.y + this.height;
    if (this.#canvas.offsetHeight < need) this.#canvas.style.height = `${need}px`;
  }

  /** Makes the canvas and the place of the rows on it true again; what is in sight doesn't move. */
  rebase() {
    if (this.items.length === 0) return;
    const { height, source } = this;
    const [first, last] = [this.items[0].entry, this.items.at(-1).entry];
    let [above, below] = [source.above(first), source.below(last)];
    const drawn = source.above(last) - above;
    const px = drawn > 0 && this.items.length > 9 ? height / drawn : PX;
    const scale = Math.min(px, (TALLEST - height) / Math.max(1, above + below));
    // Whole px: what the browser rounds would be seen as a tremble.
    above = Math.round(above * scale);
    below = Math.round(below * scale);
    const offset = this.view.scrollTop - this.y;
    this.move(above);
    this.#canvas.style.height = `${above + height + below}px`;
    this.scrollTo(above + offset);
  }

  /** Draws this row again. */
  renew(item) {
    const node = this.#draw(item.entry);
    item.node.replaceWith(node);
    item.node = node;
  }

  append(entries) {
    const items = this.#made(entries);
    this.#rows.append(...items.map(({ node }) => node));
    this.items.push(...items);
  }

  /** A line that had no newline yet may have grown. */
  refresh() {
    const last = this.items.at(-1);
    const now = last && !last.entry.mark && this.source.refreshed(last.entry);
    if (!now || now === last.entry) return;
    last.entry = now;
    this.renew(last);
  }

  /** The last row is the last there is, and in sight. */
  get atEnd() {
    const { view } = this;
    if (view.scrollHeight - view.scrollTop - view.clientHeight > NEAR || this.items.length === 0) return false;
    return this.source.below(this.items.at(-1).entry) === 0;
  }

  /** Draws entries above the others, which stay where they are. */
  prepend(entries) {
    const items = this.#made(entries);
    const before = this.#rows.getBoundingClientRect().height;
    this.#rows.prepend(...items.map(({ node }) => node));
    this.items.unshift(...items);
    const y = this.y - (this.#rows.getBoundingClientRect().height - before);
    if (y >= 0) {
      this.move(y);
      return;
    }
    // No room above on the canvas: it is made now, whatever moves.
    const top = this.view.scrollTop;
    this.move(0);
    this.reach();
    this.scrollTo(top - y);
    this.rebase();
  }

  #made(entries) {
    return entries.map((entry) => ({ entry, node: this.#draw(entry) }));
  }

  /** Rows out of reach are taken away: they can be drawn again. */
  trim(following) {
    const height = this.view.clientHeight;
    const top = this.view.scrollTop - this.y;
    const { items } = this;
    const spare = items.length - MOST;
    let [first, last] = [0, items.length];
    const end = following ? this.height : top + height;
    const start = following ? end - height : top;
    const high = ({ node }) => node.offsetTop + node.offsetHeight < start - 1.5 * height;
    while (first < last - 1 && (high(items[first]) || (following && first < spare))) first += 1;
    if (!following) while (last > first + 1 && items[last - 1].node.offsetTop > end + 1.5 * height) last -= 1;
    if (first === 0 && last === items.length) return;
    const gone = first > 0 ? items[first].node.offsetTop - items[0].node.offsetTop : 0;
    for (const { node } of [...items.slice(0, first), ...items.slice(last)]) node.remove();
    this.items = items.slice(first, last);
    this.move(this.y + gone);
  }
}
