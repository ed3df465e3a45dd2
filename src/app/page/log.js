// The rows of the log: bytes cut anywhere become lines of text, written to the document once per frame.

/** Rows kept: more than anybody scrolls back through, and still light on a phone. */
const MAX_ROWS = 5_000;
/** Text kept, in UTF-16 units: rows may be long, and memory has to stay flat all the same. */
const MAX_TEXT = 8 * 1024 * 1024;
/** A line longer than this goes on in a further row, so that one without any newline can't grow for ever. */
const MAX_LINE = 64 * 1024;
/** Rows in one block, and text, from which on the next one is begun: blocks are laid out only near the viewport, and
 * dropped as a whole. */
const BLOCK = 100;
const BLOCK_TEXT = 128 * 1024;
/** The time that most logs begin a line with: syslog's, RFC 3339's and its relatives, the time of day alone. */
const TIME = /^\[?(?:[A-Z][a-z]{2} [ \d]\d |\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?(?= |$)/;
/** Drawing is followed by this many times as long without: in a flood most of what is drawn is dropped a moment later. */
const REST = 3;
/** More new rows at once than this are not read aloud. */
const ALOUD = 10;

export class Log {
  #list;
  #drawn;
  #decoder = new TextDecoder();
  /** A carriage return at the end of a message: half a line end, or text? */
  #held = '';
  /** Lines and marks not yet in the document, oldest first. */
  #queue = [];
  #queued = 0;
  /** The line that has no newline yet; it may stand in the document and still grow. */
  #open = null;
  #blocks = [];
  #frame = 0;
  #restUntil = 0;
  #dropped = 0;

  /** `drawn({ rows, dropped })` is called after each frame with what came, and all that is not shown any more. */
  constructor(list, drawn) {
    this.#list = list;
    this.#drawn = drawn;
  }

  write(bytes) {
    this.#add(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What stands in the last line is all of it. */
  end() {
    this.#add(this.#decoder.decode());
    this.#held = '';
    this.#open = null;
  }

  /** A sentence between the lines. What stood before it ends here. */
  mark(kind, sentence) {
    this.end();
    const line = { text: sentence, length: sentence.length, look: `mark ${kind}` };
    this.#enqueue(line);
    this.#schedule();
    return line;
  }

  /** Other words for a mark. */
  reword(line, kind, sentence) {
    const more = sentence.length - line.length;
    line.length += more;
    line.look = `mark ${kind}`;
    if (line.node) {
      line.node.data = sentence;
      line.node.parentNode.className = line.look;
      line.block.text += more;
    } else if (line.queued) {
      line.text = sentence;
      this.#queued += more;
    }
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#decoder = new TextDecoder();
    this.#held = '';
    this.#queue = [];
    this.#queued = 0;
    this.#open = null;
    this.#blocks = [];
    this.#frame = 0;
    this.#dropped = 0;
    this.#list.replaceChildren();
  }

  #add(text) {
    if (text === '') return;
    text = this.#held + text;
    this.#held = text.endsWith('\r') ? '\r' : '';
    const pieces = text.slice(0, text.length - this.#held.length).split(/\r?\n/);
    const rest = pieces.pop();
    for (const piece of pieces) {
      this.#grow(piece);
      this.#open = null;
    }
    if (rest !== '') this.#grow(rest);
    this.#trim();
    this.#schedule();
  }

  #grow(text) {
    let line = this.#open ?? this.#begin('row');
    while (line.length + text.length > MAX_LINE) {
      let cut = MAX_LINE - line.length;
      // Not between the two halves of a surrogate pair.
      if (/[\uD800-\uDBFF]/.test(text[cut - 1] ?? '')) cut -= 1;
      this.#extend(line, text.slice(0, cut));
      text = text.slice(cut);
      line = this.#begin('row more');
    }
    this.#extend(line, text);
  }

  #begin(look) {
    this.#open = { text: '', length: 0, look };
    this.#enqueue(this.#open);
    return this.#open;
  }

  #extend(line, text) {
    if (!line.queued) this.#enqueue(line);
    line.text += text;
    line.length += text.length;
    this.#queued += text.length;
  }

  #enqueue(line) {
    line.queued = true;
    this.#queued += line.text.length;
    this.#queue.push(line);
  }

  /** No frame comes while the tab is hidden: what would be dropped right after being drawn is dropped undrawn. */
  #trim() {
    let cut = 0;
    while (this.#queue.length - cut > MAX_ROWS || this.#queued > MAX_TEXT) {
      const line = this.#queue[cut];
      this.#queued -= line.text.length;
      this.#dropped += 1;
      cut += 1;
      if (line.node) {
        line.node.parentNode.remove();
        line.block.rows -= 1;
        line.block.text -= line.node.length;
      }
    }
    if (cut > 0) this.#queue.splice(0, cut);
  }

  #schedule() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (now < this.#restUntil) this.#schedule();
      else this.#draw();
    });
  }

  #draw() {
    const began = performance.now();
    const fresh = document.createDocumentFragment();
    let rows = 0;
    for (const line of this.#queue) {
      if (line.node) {
        line.node.appendData(line.text);
      } else {
        line.block = this.#room(fresh);
        line.block.element.append(this.#row(line));
        line.block.rows += 1;
        rows += 1;
      }
      line.block.text += line.text.length;
      line.text = '';
      line.queued = false;
    }
    this.#queue = [];
    this.#queued = 0;
    this.#list.ariaLive = rows > ALOUD ? 'off' : 'polite';
    this.#list.append(fresh);
    this.#shed();
    this.#drawn({ rows, dropped: this.#dropped });
    const now = performance.now();
    this.#restUntil = now + (now - began) * REST;
  }

  #row(line) {
    const row = document.createElement('div');
    row.className = line.look;
    const [time = ''] = TIME.exec(line.text) ?? [];
    if (time !== '') {
      const quiet = document.createElement('span');
      quiet.className = 'time';
      quiet.textContent = time;
      row.append(quiet);
    }
    // What comes later is added to this node: a long line is never written twice.
    line.node = document.createTextNode(line.text.slice(time.length));
    row.append(line.node);
    return row;
  }

  /** The block that the next row goes to. */
  #room(fresh) {
    const last = this.#blocks.at(-1);
    if (last && last.rows < BLOCK && last.text < BLOCK_TEXT) return last;
    const block = { element: document.createElement('div'), rows: 0, text: 0 };
    block.element.className = 'block';
    fresh.append(block.element);
    this.#blocks.push(block);
    return block;
  }

  #shed() {
    let rows = 0;
    let text = 0;
    for (const block of this.#blocks) {
      rows += block.rows;
      text += block.text;
    }
    while (this.#blocks.length > 1 && (rows > MAX_ROWS || text > MAX_TEXT)) {
      const block = this.#blocks.shift();
      rows -= block.rows;
      text -= block.text;
      this.#dropped += block.rows;
      block.element.remove();
    }
  }
}
