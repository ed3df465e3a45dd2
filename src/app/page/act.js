// What a reader does with the lines: goes to a time or a mark, copies, saves.

import { Clock, target } from './goto.js';
import { refusal, toClipboard } from './select.js';

const at = (id) => document.getElementById(id);

export class Acts {
  #page;
  #win;
  #announcer;

  /** `page`: `log()`, `times()`, `view()`, `selection()`, `name()`, `reveal(place)`, `address()`.
   * */
  constructor(page, win, announcer) {
    this.#page = page;
    this.#win = win;
    this.#announcer = announcer;
  }

  /** Goes to what was typed; a sentence where that can't be done. */
  async typed(text) {
    const where = target(text, await this.#clock.newest());
    return where ? this.to(where) : 'write 50%, 14:30, 2026-11-25 14:30 or -2h';
  }

  /** Goes to a part (0 to 1) or an instant. */
  async to({ ms, part }) {
    if (part !== undefined) return (await this.#win.to((source) => source.at(part))) ? null : 'there is nothing yet';
    const place = await this.#clock.find(ms);
    if (!place) return 'no times are known in these lines';
    await this.#page.reveal(place);
    return null;
  }

  get #clock() {
    const { pieces, lines } = this.#page.log();
    return new Clock(pieces, lines, this.#page.times());
  }

  /** The mark before or behind what is in sight. */
  async toMark(back) {
    const { pieces, lines } = this.#page.log();
    const seen = this.#win.items.filter((one) => this.#win.inSight(one));
    const entry = (back ? seen[0] : seen.at(-1))?.entry;
    if (!entry || this.#win.source !== lines) return;
    let piece = entry.mark ?? entry.run;
    for (;;) {
      const next = back ? piece.prev : piece.next;
      if (!next && back && pieces.wantsOlder && (await pieces.load()) && piece.prev) continue;
      if (!next) {
        this.#announcer.say('no mark there');
        return;
      }
      piece = next;
      if (piece.kind) {
        await this.#win.to(() => ({ mark: piece, key: `m${piece.id}` }), at('view').clientHeight / 3);
        return;
      }
    }
  }

  /** The selection; else the line that was found, else what is in sight. */
  async copy() {
    const selection = await this.#page.selection();
    const seen = this.#win.items.filter((one) => !one.entry.mark && this.#win.inSight(one));
    const current = seen.find(({ node }) => node.classList.contains('current'));
    const [first, last] = current ? [current, current] : [seen[0], seen.at(-1)];
    const text = selection.any ? await selection.text() : first ? await selection.between(first.entry, last.entry) : '';
    this.#announcer.say((await toClipboard(text)) ? 'copied' : refusal());
  }

  async copyLink() {
    const done = await toClipboard(new URL(this.#page.view(), location.href).href);
    this.#announcer.say(done ? 'link copied' : 'the browser does not let this page copy; the link is in the address bar');
  }

  /** Saves what is selected, or all that is shown. */
  async save(what) {
    const selection = await this.#page.selection();
    const ends = () => Promise.all([this.#whole((source) => source.after(null)), this.#whole((source) => source.before(null))]);
    const text = what === 'selection' ? await selection.text() : await selection.between(...(await ends()));
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text, '\n'], { type: 'text/plain' }));
    link.download = `${this.#page.name().replaceAll('/', '-')}.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /** What the source answers once all of it is here. */
  async #whole(question) {
    const { source } = this.#win;
    let entry;
    while ((entry = question(source)) === undefined) if (!(await source.load())) return null;
    return entry;
  }
}
