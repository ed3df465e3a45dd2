// A place in a stream: INODE-OFFSET-CHECK, three lower-case hex numbers. The check is the FNV-1a
// hash of the bytes just before the offset, so that the server can tell a file that merely looks
// like the one we were reading.

/** How many bytes before the offset the check covers; of a shorter beginning, all. */
const CHECKED = 64;

/** FNV-1a, 32 bits. */
export function fnv1a(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

export class Cursor {
  /** The server's own words, good as long as no byte came after them. */
  #given;
  /** An inode has 64 bits, more than a Number holds: it stays as it is written. */
  #inode;
  /** A Number is exact up to 2^53 bytes, 8 PiB. */
  #offset;
  /** The last bytes seen, at most `CHECKED`. */
  #tail = new Uint8Array(0);

  constructor(text) {
    const [inode, offset] = text.split('-');
    this.#given = text;
    this.#inode = inode;
    this.#offset = Number.parseInt(offset, 16);
  }

  /** As it is written, in hexadecimal. */
  get inode() {
    return this.#inode;
  }

  get offset() {
    return this.#offset;
  }

  /** A stream whose file is missing stands nowhere. */
  get nowhere() {
    return this.#inode === '0';
  }

  sameFile(other) {
    return this.#inode === other.#inode;
  }

  samePlace(other) {
    return this.sameFile(other) && this.#offset === other.#offset;
  }

  push(bytes) {
    const fresh = bytes.subarray(-CHECKED);
    const tail = new Uint8Array(Math.min(CHECKED, this.#tail.length + fresh.length));
    const kept = tail.length - fresh.length;
    tail.set(this.#tail.subarray(this.#tail.length - kept));
    tail.set(fresh, kept);
    this.#tail = tail;
    this.#offset += bytes.length;
    if (bytes.length > 0) this.#given = null;
  }

  /** Who joined in the middle and has not seen enough yet leaves the check out. */
  toString() {
    if (this.#given !== null) return this.#given;
    const place = `${this.#inode}-${this.#offset.toString(16)}`;
    const seen = this.#tail.length;
    return seen === CHECKED || seen === this.#offset ? `${place}-${fnv1a(this.#tail).toString(16)}` : place;
  }
}
