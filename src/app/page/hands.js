// The reader's hands: keys, buttons and fields, and what each of them does.

import { style } from './lazy.js';
import { keep, kept } from './settings.js';

const at = (id) => document.getElementById(id);
const on = (id, event, act) => at(id).addEventListener(event, act);

export class Hands {
  #page;
  #win;

  /** `page`: as page.js has it. */
  constructor(page) {
    this.#page = page;
    this.#win = page.win;
    this.#keys();
    this.#buttons();
    this.#findBox();
    this.#rows();
    this.#arrange(matchMedia('(max-width: 600px)'));
  }

  copy = () => this.#page.acts().then((ready) => ready.copy());
  link = () => this.#page.acts().then((ready) => ready.copyLink());

  openGoto = () => {
    style('panels.css');
    at('goto-said').textContent = '';
    at('goto-panel').showPopover();
    at('goto').focus();
    at('goto').select();
    this.#page.acts();
  };

  setTimes = (local) => {
    keep(this.#page.name(), { local });
    this.#win.redraw();
  };

  #keys() {
    const { acts, find, selection } = this.#page;
    const win = this.#win;
    listen(at('view'), {
      pause: () => this.#pause(),
      find: () => this.#openBox(),
      filter: () => this.#openBox(true),
      next: () => this.#step(true),
      previous: () => this.#step(false),
      nextError: () => this.#step(true, true),
      previousError: () => this.#step(false, true),
      start: () => win.toStart(),
      end: () => win.toEnd(),
      goto: this.openGoto,
      wrap: () => this.#wrap(),
      times: () => this.setTimes(!kept(this.#page.name()).local),
      markBefore: () => acts().then((ready) => ready.toMark(true)),
      markAfter: () => acts().then((ready) => ready.toMark(false)),
      copy: this.copy,
      link: this.link,
      help: () => this.#open('help'),
      back: () => this.#back(),
      reveal: () => find.ready?.filtered && win.anchor && find.ready.reveal(win.anchor),
      scroll: (px) => win.by(px),
      selectAll: () => selection().then((ready) => ready.all()),
    });
  }

  #buttons() {
    const { page, win } = { page: this.#page, win: this.#win };
    on('pause', 'click', () => {
      this.#pause();
      at('view').focus();
    });
    on('find', 'click', () => this.#closeBox() || this.#openBox());
    for (const id of ['levels', 'more', 'help']) on(id, 'click', () => this.#open(id));
    on('chart', 'click', () => page.charting.toggle());
    on('wrap', 'click', () => this.#wrap());
    on('jump', 'click', () => {
      win.toEnd();
      at('view').focus();
    });
    on('goto-form', 'submit', async (event) => {
      event.preventDefault();
      const wrong = await (await page.acts()).typed(at('goto').value);
      at('goto-said').textContent = wrong ?? '';
      if (wrong) return;
      at('goto-panel').hidePopover();
      at('view').focus();
    });
    // Who is about to choose sees what has come since.
    on('choice', 'focus', page.askStreams);
    on('choice', 'change', ({ target: { value } }) => {
      location.hash = encodeURIComponent(value);
    });
  }

  #findBox() {
    const { find } = this.#page;
    const add = (list, before = '') => () => find().then((ready) => ready.add(list, before + at('box').value));
    on('box', 'input', () => find().then((ready) => ready.typed()));
    on('box', 'keydown', (event) => event.key === 'Escape' && this.#closeBox());
    on('find-form', 'submit', (event) => {
      event.preventDefault();
      at('view').focus();
      find().then((ready) => {
        ready.submit();
        if (at('search').dataset.mode === 'filter') this.#closeBox();
      });
    });
    on('previous', 'click', () => this.#step(false));
    on('next', 'click', () => this.#step(true));
    on('close', 'click', () => this.#closeBox());
    on('filter', 'click', add('filters'));
    on('exclude', 'click', add('filters', '-'));
    on('highlight', 'click', add('highlights'));
  }

  #rows() {
    const { find, selection, choose, point } = this.#page;
    const win = this.#win;
    on('rows', 'click', (event) => {
      const item = win.itemOf(event.target);
      if (!item || item.entry.mark || event.target.closest('a, button') || !getSelection().isCollapsed) return;
      if (find.ready?.filtered) find.ready.reveal(item);
      else item.node.classList.toggle('whole');
      choose(item);
    });
    on('rows', 'pointerover', ({ target }) => point(win.itemOf(target)));
    on('rows', 'pointerleave', () => point(null));
    on('rows', 'more', ({ detail }) => win.redraw(({ key }) => key === detail));
    document.addEventListener('selectionchange', () => {
      if (!selection.ready && !getSelection().isCollapsed && at('rows').contains(getSelection().anchorNode)) selection();
    });
  }

  /** A narrow page has room for five buttons; the others stand in the panel "More". */
  #arrange(narrow) {
    const arrange = () => {
      for (const one of document.querySelectorAll('.rare')) {
        one.dataset.moved = narrow.matches ? 'yes' : '';
        if (narrow.matches) at('more-panel').append(one);
        else at('bar').insertBefore(one, at('more'));
      }
    };
    narrow.addEventListener('change', arrange);
    arrange();
  }

  /** At once, or the first letters typed would go elsewhere. `filters`: what is typed is to be a
   * filter. */
  #openBox(filters = false) {
    at('search').dataset.mode = filters ? 'filter' : 'find';
    at('box').placeholder = filters ? 'Show only lines with…' : 'Find text or /expression/';
    at('search').hidden = false;
    at('find').ariaExpanded = 'true';
    at('box').focus();
    at('box').select();
    this.#page.find();
  }

  /** `false`: it was closed. */
  #closeBox() {
    if (at('search').hidden) return false;
    at('search').hidden = true;
    at('find').ariaExpanded = 'false';
    at('box').value = '';
    this.#page.find.ready?.stop();
    at('view').focus();
    return true;
  }

  #back() {
    const { selection, find, view, charting } = this.#page;
    if (selection.ready?.any) selection.ready.clear();
    else if (!this.#closeBox() && !find.ready?.clear() && view().chart !== null) charting.toggle();
  }

  #wrap() {
    const on = !at('view').classList.contains('wrapped');
    this.#page.wrap(on);
    keep(this.#page.name(), { wrap: on });
  }

  #pause() {
    if (!this.#win.following) return this.#win.toEnd();
    this.#page.charting.pause(true);
    this.#win.stop();
  }

  #step(down, errors) {
    return this.#page.find().then((ready) => ready.step(down, errors));
  }

  #open(button) {
    const { watching, selection, acts, find, panels } = this.#page;
    // All at once, not one after the other.
    for (const ask of [watching, selection, acts, find]) ask();
    panels().then((ready) => ready.toggle(button));
  }
}

/** `act[name]()` for each key pressed in `view`, as in less and vim. Only while the log has the focus: a single letter must
 * not do anything in a field, nor for whom a dictation types. */
function listen(view, act) {
  const row = () => Number.parseFloat(getComputedStyle(view).lineHeight);
  const page = () => view.clientHeight - row();
  const keys = {
    p: act.pause,
    '/': act.find,
    '&': act.filter,
    n: act.next,
    N: act.previous,
    e: act.nextError,
    E: act.previousError,
    g: act.start,
    Home: act.start,
    G: act.end,
    End: act.end,
    '%': act.goto,
    w: act.wrap,
    t: act.times,
    '[': act.markBefore,
    ']': act.markAfter,
    c: act.copy,
    y: act.link,
    '?': act.help,
    Escape: act.back,
    Enter: act.reveal,
    j: () => act.scroll(row()),
    k: () => act.scroll(-row()),
    d: () => act.scroll(page() / 2),
    u: () => act.scroll(-page() / 2),
    ' ': () => act.scroll(page()),
    b: () => act.scroll(-page()),
    PageDown: () => act.scroll(page()),
    PageUp: () => act.scroll(-page()),
    ArrowDown: () => act.scroll(row()),
    ArrowUp: () => act.scroll(-row()),
  };
  view.addEventListener('keydown', (event) => {
    if (event.target !== view || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== 'a') return;
      event.preventDefault();
      act.selectAll();
      return;
    }
    const key = event.key === ' ' && event.shiftKey ? 'b' : event.key;
    if (!Object.hasOwn(keys, key)) return;
    event.preventDefault();
    keys[key]();
  });
}
