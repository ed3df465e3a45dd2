// The page's whole memory of logs: pieces of 128 KiB, the least recently used given up first. What
// is not here is read again by its place.

/** The size of a block, in bytes: a request that a phone on the edge of the Wi-Fi still answers in
 * half a second. */
export const BLOCK = 128 * 1024;
/** All blocks together, in bytes: enough for a day of most logs, little enough for an old phone. */
const MEMORY = 8 * 1024 * 1024;

export class Blocks {
  /** By run and number; the Map's order is that of use. Each holds `bytes` for the offsets `from`
   * to `to`. */
  #blocks = new Map();
  #size = 0;
  #dropped;

  /** `dropped(run, end)`: what the run held before the offset `end` in one block is given up. */
  constructor(dropped) {
    this.#dropped = dropped;
  }

  /** The block with the byte at `offset`, `{ bytes, from, to }` with `bytes[0]` at `from`; `null`
   * where it is not here. */
  at(run, offset) {
    const key = `${run.id}/${Math.floor(offset / BLOCK)}`;
    const block = this.#blocks.get(key);
    if (!block || offset < block.from || offset >= block.to) return null;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  /** Keeps `bytes`, which stand at `offset`. */
  write(run, offset, bytes) {
    while (bytes.length > 0) {
      const number = Math.floor(offset / BLOCK);
      const piece = bytes.subarray(0, (number + 1) * BLOCK - offset);
      this.#put(run, number, offset, piece);
      offset += piece.length;
      bytes = bytes.subarray(piece.length);
    }
    this.#shed();
  }

  /** Forgets all. */
  clear() {
    this.#blocks.clear();
    this.#size = 0;
  }

  #put(run, number, offset, piece) {
    const key = `${run.id}/${number}`;
    const end = offset + piece.length;
    let block = this.#blocks.get(key);
    this.#blocks.delete(key);
    // Two parts with a hole between them: the newer one stays.
    if (block && (offset > block.to || end < block.from)) {
      this.#size -= block.space.length;
      block = null;
    }
    const from = Math.min(block?.from ?? offset, offset);
    const to = Math.max(block?.to ?? end, end);
    let space = block?.space;
    if (!space || from < block.from || to - from > space.length) {
      // Doubled, since live bytes come in drops.
      const length = Math.min(BLOCK, Math.max(256, 2 ** Math.ceil(Math.log2(to - from))));
      space = new Uint8Array(length);
      if (block) space.set(block.bytes, block.from - from);
      this.#size += length - (block?.space.length ?? 0);
    }
    space.set(piece, offset - from);
    this.#blocks.set(key, { run, number, from, to, space, bytes: space.subarray(0, to - from) });
  }

  #shed() {
    for (const [key, block] of this.#blocks) {
      if (this.#size <= MEMORY) return;
      this.#blocks.delete(key);
      this.#size -= block.space.length;
      this.#dropped(block.run, block.to);
    }
  }
}
