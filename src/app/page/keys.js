// Keys of the log, those of less and vim. Only while the log has the focus: a single letter must
// not do anything in a field, nor for whom a dictation types.

/** What each key does, for the list that `?` shows. */
export const KEYS = [
  ['p', 'pause and resume'],
  ['g  G', 'start; end, and follow'],
  ['j k  d u  space b', 'line, half a page, a page'],
  ['/  n  N', 'find; next, previous hit'],
  ['&', 'show only lines that hold a text'],
  ['e  E', 'next, previous error'],
  ['[  ]', 'previous, next mark'],
  ['%', 'go to 50%, 14:30, -2h'],
  ['w  t', 'wrap; times as here or as written'],
  ['c  y', 'copy lines; copy the link to this view'],
  ['Esc', 'back'],
];

/** `act[name]()` for each key pressed in `view`. */
export function listen(view, act) {
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
