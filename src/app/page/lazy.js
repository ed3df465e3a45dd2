// What a reader may never need is fetched when it is asked for: a phone on the edge of the Wi-Fi
// shows the log first.

/** `make(module)` once, when it is first asked for; `ready` is what it made, or `null` before that.
 * */
export function lazily(load, make) {
  let coming = null;
  const ask = () => {
    coming ??= load().then((module) => (ask.ready = make(module)));
    return coming;
  };
  ask.ready = null;
  return ask;
}

/** Fetches a style sheet, once. */
export function style(name) {
  if (document.querySelector(`link[href="${name}"]`)) return;
  document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: name }));
}
