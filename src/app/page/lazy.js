// What a reader may never need is fetched when it is asked for: a phone on the edge of the Wi-Fi
// shows the log first.

/** How soon what did not come is asked for again, at first and at most, in ms. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/** A module of the page, asked for until it comes: the page may be leaving, or its Wi-Fi away for a moment. */
export async function imported(name) {
  const url = new URL(name, import.meta.url);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await import(url);
    } catch (error) {
      // Each browser has its own words; what came and is wrong comes no better.
      if (!(error instanceof TypeError && /import/i.test(error.message))) throw error;
    }
    await new Promise((over) => setTimeout(over, Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)));
    // Firefox remembers for good that an address had no module.
    url.search = attempt;
  }
}

/** `make(module)` once, when it is first asked for; `ready` is what it made, or `null` before that. */
export function lazily(name, make) {
  let coming = null;
  const ask = () => {
    coming ??= imported(name)
      .then(make)
      .then((made) => (ask.ready = made));
    return coming;
  };
  ask.ready = null;
  return ask;
}

/** Fetches a style sheet, once; it is there, or it can't be had now. */
export function style(name) {
  const there = document.querySelector(`link[href="${name}"]`);
  if (there) return there.came;
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: name });
  link.came = new Promise((done) => (link.onload = link.onerror = done));
  document.head.append(link);
  return link.came;
}
