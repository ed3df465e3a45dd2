// One stream over WebSocket, for as long as somebody looks at it: it finds its way back after every
// break and goes on at the byte where it stood, so that whoever listens gets the file's bytes as if
// the line had never been cut.

import { Cursor } from './cursor.js';

/** The history asked for at first: enough to scroll back through, little enough for a slow link. */
const HISTORY = '-1000';
/** How often the server is asked for a sign of life, in ms. */
const HEARTBEAT = 30_000;
/** A server not heard for so long is gone, in ms. What remains after a heartbeat is the time it has
 * to answer. */
const SILENCE = 35_000;
/** The first wait before connecting again, in ms; it doubles each time ... */
const FIRST_WAIT = 500;
/** ... up to this: a board that boots is found soon, one that is off is not pestered. */
const LONGEST_WAIT = 30_000;

/**
 * What a listener is told:
 * - `state(word, seconds)`: `connecting`, `live`, `waiting` for the file, or `reconnecting` in so
 *   many seconds;
 * - `begin(place, size)`: the next byte stands there, and not behind the last one; up to `size` it
 *   is no news;
 * - `bytes(bytes)`: the next bytes of the file, cut anywhere;
 * - `mark(event)`: `rotated`, `truncated`, `skipped`, `lost`, `missing` or `found`, as on the wire;
 * - `reconnected(ms)`: it goes on where it stood, after so long;
 * - `joined(left, place)`: it was left at one place and is joined at another, at the reader's own
 *   wish;
 * - `beat(ms)`: an answer took so long.
 *
 */
export class Stream {
  /** Relative to the page. */
  address;
  #listener = null;
  /** What is to be told once somebody listens. */
  #untold = [];
  #socket = null;
  #timer;
  #from = HISTORY;
  #cursor = null;
  /** The server put us elsewhere than we asked and has not yet said why. */
  #gap = null;
  #missing = false;
  /** There is a file again: a `rotated` that follows at once may mean the same one. */
  #found = false;
  #attempts = 0;
  #retryAt = 0;
  #heard = 0;
  #asked = 0;
  /** Left on purpose, at this place. */
  #parked = null;
  #brokeAt = 0;

  /** Without a `listener` all is kept for the one that comes (`listen`). */
  constructor(address, listener = null) {
    this.address = address;
    this.#listener = listener;
    this.#connect();
  }

  /** Who listens from now on; it is told first what came before. */
  listen(listener) {
    this.#listener = listener;
    for (const [what, ...said] of this.#untold.splice(0)) listener[what](...said);
  }

  #tell(...told) {
    const [what, ...said] = told;
    if (this.#listener) this.#listener[what](...said);
    else this.#untold.push(told);
  }

  close() {
    clearTimeout(this.#timer);
    this.#leave();
  }

  /** Leaves the stream for as long as nobody looks: what comes meanwhile is read by its place.
   * `wake` joins it again. */
  park() {
    if (this.#cursor === null || this.#cursor.nowhere) return;
    clearTimeout(this.#timer);
    this.#parked = this.#cursor;
    this.#cursor = null;
    this.#from = HISTORY;
    this.#leave();
  }

  /** The page is looked at again or the network is back: no reason to wait any longer. */
  wake() {
    if (this.#socket === null) {
      this.#connect();
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#heard = Math.min(this.#heard, Date.now() - HEARTBEAT);
      this.#asked = 0;
      this.#watch();
    }
  }

  #connect() {
    clearTimeout(this.#timer);
    const url = new URL(this.address, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('from', this.#cursor ?? this.#from);
    const socket = new WebSocket(url, 'tailcast.v1');
    socket.binaryType = 'arraybuffer';
    // A socket given up may still speak: what it says comes again over the next one.
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(data);
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#retry();
      if (!opened) askForKey();
    };
    this.#socket = socket;
    this.#heard = this.#asked = Date.now();
    this.#tell('state', 'connecting');
    this.#watch();
  }

  #hear(data) {
    this.#heard = Date.now();
    if (typeof data === 'string') {
      this.#obey(JSON.parse(data));
      return;
    }
    if (this.#gap) {
      this.#tell('mark', this.#gap);
      this.#begin();
    }
    this.#gap = null;
    this.#missing = false;
    const bytes = new Uint8Array(data);
    this.#cursor.push(bytes);
    this.#tell('bytes', bytes);
  }

  /** The cursor itself moves on before it is told. */
  #begin(size) {
    const { inode, offset } = this.#cursor;
    this.#tell('begin', { inode, offset }, size);
  }

  #obey(event) {
    switch (event.event) {
      case 'open':
        this.#attempts = 0;
        this.#open(new Cursor(event.cursor), event.size);
        break;
      case 'rotated':
      case 'truncated':
      case 'skipped':
      case 'lost': {
        const place = new Cursor(event.cursor);
        // The same file has its name again, or a sensor is back: it goes on where it was.
        const same = this.#found && event.event === 'rotated' && this.#cursor?.samePlace(place);
        this.#found = false;
        this.#gap = null;
        this.#missing = false;
        this.#cursor = place;
        if (same) break;
        this.#tell('mark', event);
        this.#begin();
        break;
      }
      case 'missing':
        // Said again after each reconnect; news only once.
        if (!this.#missing) this.#tell('mark', event);
        this.#missing = true;
        this.#tell('state', 'waiting');
        break;
      case 'found':
        this.#missing = false;
        this.#found = true;
        this.#tell('mark', event);
        this.#tell('state', 'live');
        break;
      case 'pong':
        this.#tell('beat', this.#heard - this.#asked);
        break;
    }
  }

  #open(place, size) {
    this.#tell('state', place.nowhere ? 'waiting' : 'live');
    if (place.nowhere) {
      // All that a file will hold which is not there yet is news. A place in an older one stays
      // good to ask for.
      this.#from = 'start';
    } else if (this.#parked) {
      this.#tell('joined', this.#parked, place);
      this.#cursor = place;
    } else if (this.#cursor === null) {
      this.#cursor = place;
      this.#begin(size);
    } else if (!this.#cursor.samePlace(place)) {
      const skipped = place.offset - this.#cursor.offset;
      const known = this.#cursor.sameFile(place) && skipped > 0;
      this.#gap = { event: 'lost', bytes: known ? skipped : null };
      this.#cursor = place;
    } else if (this.#brokeAt > 0) {
      this.#tell('reconnected', Date.now() - this.#brokeAt);
    }
    this.#brokeAt = 0;
    this.#parked = null;
  }

  /** One timer, set to whatever is due next: a heartbeat, or giving up. */
  #watch() {
    clearTimeout(this.#timer);
    const now = Date.now();
    // Silence counts only where an answer was due: in a hidden tab the heartbeat itself may come
    // late.
    const patience = () => Math.max(this.#heard + SILENCE, this.#asked + SILENCE - HEARTBEAT);
    if (this.#asked > this.#heard && now >= patience()) {
      this.#leave();
      this.#retry();
      return;
    }
    if (now >= this.#asked + HEARTBEAT) {
      // Bytes still buffered, or a handshake still under way, are a question asked already.
      if (this.#socket.bufferedAmount === 0 && this.#socket.readyState === WebSocket.OPEN) this.#socket.send('ping');
      this.#asked = now;
    }
    const due = Math.min(this.#asked + HEARTBEAT, patience());
    this.#timer = setTimeout(() => this.#watch(), due - now);
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    // A browser reports it as an error when a socket is closed that still connects.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket?.close();
  }

  #retry() {
    clearTimeout(this.#timer);
    this.#socket = null;
    this.#brokeAt ||= Date.now();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#attempts);
    this.#attempts += 1;
    // Half of it by chance, so that all viewers of a restarted server don't knock at the same
    // moment.
    this.#retryAt = Date.now() + wait * (0.5 + Math.random() / 2);
    this.#countDown();
  }

  #countDown() {
    const left = this.#retryAt - Date.now();
    if (left <= 0) {
      this.#connect();
      return;
    }
    const seconds = Math.ceil(left / 1000);
    this.#tell('state', 'reconnecting', seconds);
    this.#timer = setTimeout(() => this.#countDown(), left - (seconds - 1) * 1000);
  }
}

/** A WebSocket does not tell a key that has changed from a network that is gone; a request does.
 * The page then asks for it. */
async function askForKey() {
  const answer = await fetch('health', { cache: 'no-store' }).catch(() => null);
  if (answer?.status === 401) location.reload();
}
