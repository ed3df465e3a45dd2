// Whether a stream is one of numbers: then it opens as a chart.

import { fetched } from './lazy.js';

/** So much of text is letters, of what numbers are written with not. */
const LETTERS = 0.6;
/** So many lines tell; of a sensor's file, one. */
const ENOUGH = 3;
/** The first characters tell, or nothing does. */
const MOST = 8_000;

/** The beginning of a stream, as it comes. */
export class Beginning {
  #text = '';
  #stream;

  /** `stream`: its `{ path, kind }`. */
  constructor(stream) {
    this.#stream = stream;
  }

  /** `true`: these are readings, `false`: it is text, `null`: more has to come. */
  async push(bytes) {
    this.#text += new TextDecoder().decode(bytes.subarray(0, MOST));
    const lines = this.#text.split('\n').slice(0, -1).filter((line) => line.trim() !== '');
    if (lines.length < (this.#stream.kind === 'sample' ? 1 : ENOUGH)) return this.#text.length < MOST ? null : false;
    const text = lines.join('').replace(/\s/g, '');
    if (!/\d/.test(text) || text.match(/[a-z]/gi)?.length > text.length * LETTERS) return false;
    // Fetched only for what may hold some.
    const { detect } = await fetched('fields.js');
    return detect(lines, this.#stream)?.sure === true;
  }
}
