// The address is the view:
// `#NAME&with=NAME&f=TEXT&f=-TEXT&hl=TEXT&level=warn&around=3&at=INODE-OFFSET&chart`. Whoever opens it
// elsewhere sees the same.

const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
/** `&`, `%` and `#` mean something here; other characters are left for people to read, as browsers
 * show them. */
const encode = (text) => encodeURIComponent(text);

/**
 * `{ name, with, filters, highlights, level, around, at, chart }`; `name` is '' where the address
 * has none, `around` counts lines on each side of those that are wanted, `with` names streams that are merged with it, `at` `{ inode, offset }`, `chart` `null` or how it
 * is to be shown.
 */
export function parse(fragment) {
  const [name, ...rest] = fragment.replace(/^#/, '').split('&');
  const view = { name: decode(name), with: [], filters: [], highlights: [], level: null, around: 0, at: null, chart: null };
  for (const part of rest) {
    const [key, value] = [part.split('=', 1)[0], decode(part.slice(part.indexOf('=') + 1))];
    if (key === 'with' && value) view.with.push(value);
    else if (key === 'f' && value) view.filters.push(value);
    else if (key === 'hl' && value) view.highlights.push(value);
    else if (key === 'level') view.level = value;
    else if (key === 'around' && /^\d\d?$/.test(value)) view.around = Number(value);
    else if (key === 'at' && /^[\da-f]+-[\da-f]{1,13}(-|$)/.test(value)) {
      const [inode, offset] = value.split('-');
      view.at = { inode, offset: Number.parseInt(offset, 16) };
    } else if (key === 'chart') view.chart = part.includes('=') ? value : '';
  }
  return view;
}

export function format({ name, with: others, filters, highlights, level, around, at, chart }) {
  const parts = [encode(name), ...others.map((other) => `with=${encode(other)}`)];
  parts.push(...filters.map((text) => `f=${encode(text)}`), ...highlights.map((text) => `hl=${encode(text)}`));
  if (level) parts.push(`level=${level}`);
  if (around > 0) parts.push(`around=${around}`);
  if (at) parts.push(`at=${at.inode}-${at.offset.toString(16)}`);
  if (chart !== null) parts.push(chart ? `chart=${encode(chart)}` : 'chart');
  return `#${parts.join('&')}`;
}

// The address follows the view, so that a reload or a copied address shows the same.

/** Between two changes, in ms: Safari refuses more than 100 in 30 s, Chromium more than 200 in 10. */
const PACE = 500;

let timer = null;
let changed = -PACE;
/** The newest view, and the address as we know it: another one is the reader's doing. */
let waiting = null;
let known = location.hash;

/** Puts the view into the address, a moment later where it has just been changed; `step`: as one that the browser's
 * "back" leaves. */
export function address(view, step = false) {
  if (step) {
    flush();
    history.pushState(null, '', format(view));
    known = location.hash;
    return;
  }
  waiting = format(view);
  timer ??= setTimeout(flush, Math.max(0, changed + PACE - performance.now()));
}

/** Whatever waits is put there now. */
function flush() {
  clearTimeout(timer);
  timer = null;
  const fragment = waiting ?? known;
  waiting = null;
  // Who has gone elsewhere meanwhile is not brought back, though nobody has told us yet.
  if (known !== location.hash || fragment === known) return;
  changed = performance.now();
  history.replaceState(null, '', fragment);
  known = location.hash;
}

for (const leaving of ['pagehide', 'hashchange', 'popstate']) {
  addEventListener(leaving, () => {
    flush();
    known = location.hash;
  });
}
