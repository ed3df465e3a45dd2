// The page's address: it follows the view, so that a reload or a copied address shows the same.

import { format } from './view.js';

/** Between two changes, in ms: Safari refuses more than 100 in 30 s, Chromium more than 200 in 10. */
const PACE = 500;

let timer = null;
let changed = -PACE;
/** The newest view, and the address that it is to replace. */
let waiting = null;

/** Puts the view into the address, a moment later where it has just been changed; `step`: as one that the browser's
 * "back" leaves. */
export function address(view, step = false) {
  if (step) {
    flush();
    history.pushState(null, '', format(view));
    return;
  }
  waiting = { fragment: format(view), instead: waiting?.instead ?? location.hash };
  timer ??= setTimeout(flush, Math.max(0, changed + PACE - performance.now()));
}

/** Whatever waits is put there now. */
export function flush() {
  clearTimeout(timer);
  timer = null;
  const { fragment, instead } = waiting ?? {};
  waiting = null;
  // Who has gone elsewhere meanwhile is not brought back.
  if (fragment === undefined || instead !== location.hash || fragment === instead) return;
  changed = performance.now();
  history.replaceState(null, '', fragment);
}

for (const leaving of ['pagehide', 'hashchange', 'popstate']) addEventListener(leaving, flush);
