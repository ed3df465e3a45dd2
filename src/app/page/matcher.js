// The page's side of the worker that looks for terms: one question at a time, each with a deadline.

/** A batch may take so long, in ms: more, and the pattern is one of those that take for ever. */
const DEADLINE = 200;

/** The worker was stopped: the pattern is too slow. */
export class TooSlow extends Error {}

export class Matcher {
  #worker = null;
  #serial = 0;
  #queue = [];
  #asked = null;

  /** The answer to `{ job, ... }` of find-worker.js. */
  ask(question) {
    return new Promise((resolve, reject) => {
      this.#queue.push({ question, resolve, reject, id: (this.#serial += 1) });
      this.#next();
    });
  }

  close() {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #next() {
    if (this.#asked || this.#queue.length === 0) return;
    const asked = (this.#asked = this.#queue.shift());
    this.#worker ??= this.#start();
    this.#worker.postMessage({ ...asked.question, id: asked.id });
  }

  #start() {
    const worker = new Worker(new URL('find-worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => worker === this.#worker && this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(new Error(event.message || 'the worker did not start'));
    };
    return worker;
  }

  #hear({ id, begun, found }) {
    const asked = this.#asked;
    if (asked?.id !== id) return;
    if (begun) {
      // Plain text and levels take their time, and no more.
      if (![...(asked.question.list ?? []), ...(asked.question.spec?.filters ?? [])].some((term) => /^-?\//.test(term))) return;
      // What it says meanwhile is heard before the second timer is due, however busy the page was.
      asked.timer = setTimeout(() => (asked.timer = setTimeout(() => this.#end(new TooSlow('pattern too slow')))), DEADLINE);
      return;
    }
    clearTimeout(asked.timer);
    this.#asked = null;
    asked.resolve(found);
    this.#next();
  }

  #end(error) {
    this.close();
    const asked = this.#asked;
    this.#asked = null;
    asked?.reject(error);
    this.#next();
  }
}
