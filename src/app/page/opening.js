// What the page needs first is asked for at once, while most of its modules are still on their way:
// which streams there are, and the stream that will be shown.

import { Stream } from './stream.js';
import { Sources } from './streams.js';
import { parse } from './view.js';

export const sources = new Sources();

/** The list, until somebody has taken it. */
let listing = sources.ask();
/** The stream, until somebody listens. */
let stream = null;

function begin(name) {
  if (name) stream = new Stream(sources.address(name));
}

const { name } = parse(location.hash);
if (name) begin(name);
listing.then(
  () => !name && begin(sources.newest?.name),
  // Who takes the list is told, and asks again.
  () => {},
);

/** The list of streams; the first answer is on its way. */
export function ask() {
  const asked = listing ?? sources.ask();
  listing = null;
  return asked;
}

/** The stream at this address: the one that is on its way, or a new one. */
export function open(address, listener) {
  const first = stream;
  stream = null;
  if (first?.address === address) {
    first.listen(listener);
    return first;
  }
  first?.close();
  return new Stream(address, listener);
}
