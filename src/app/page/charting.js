// The charts above the log: a stream of numbers opens with them, and who puts them away does not want them again.

import { imported } from './lazy.js';
import { keep, kept } from './settings.js';

/** So much of text is letters, of what numbers are written with not. */
const LETTERS = 0.6;
/** So many lines tell; of a sensor's file, one. */
const ENOUGH = 3;
/** The first characters tell, or nothing does. */
const MOST = 8_000;

/** The beginning of a stream, as it comes. */
class Beginning {
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
    const { detect } = await imported('fields.js');
    return detect(lines, this.#stream)?.sure === true;
  }
}

const at = (id) => document.getElementById(id);

export class Charting {
  #page;
  #charts = null;
  /** What came first, until it is known whether these are numbers. */
  #beginning = null;

  /** `page`: as page.js has it. */
  constructor(page) {
    this.#page = page;
  }

  get isOpen() {
    return this.#charts !== null;
  }

  /** The names of the series shown. */
  get series() {
    return this.#charts?.shown.map(({ name }) => name) ?? [];
  }

  pause(on) {
    this.#charts?.pause(on);
  }

  /** As chart.js has it. */
  point(ms, chosen) {
    this.#charts?.point(ms, chosen);
  }

  /** Another stream, of this kind. */
  begin(name, kind) {
    const view = this.#page.view();
    this.show(view.chart);
    // A link that says what to show is followed to the letter.
    const plain = view.chart === null && !view.at && view.filters.length === 0 && (kept(name).chart ?? true);
    this.#beginning = plain ? new Beginning({ path: name, kind }) : null;
  }

  /** Bytes came: a stream of numbers opens as a chart. */
  async came(bytes) {
    const asked = this.#beginning;
    if (asked === null) return;
    const found = await asked.push(bytes);
    if (this.#beginning !== asked || found === null) return;
    this.#beginning = null;
    if (!found || this.#page.view().chart !== null) return;
    await this.show('');
    this.#page.addressed();
  }

  /** Shows the chart as `text` says, or puts it away where that is `null`. */
  async show(text) {
    this.#charts?.close();
    this.#charts = null;
    const { view, name, sources, watched, addressed, acts, choose } = this.#page;
    view().chart = text;
    at('chart').ariaPressed = String(text !== null);
    at('chart-panel').hidden = text === null;
    if (text === null) return;
    const shown = name();
    const [{ open }, alerts] = await Promise.all([imported('chart.js'), watched()]);
    if (shown !== name() || view().chart === null) return;
    this.#charts = await open(at('chart-panel'), {
      name: shown,
      address: sources.address(shown),
      view: text,
      keep(next) {
        view().chart = next;
        addressed();
      },
      others: sources.list.filter((other) => other.name !== shown).map(({ name: other, url }) => ({ name: other, url })),
      alerts,
      keepAlerts: (rules) => keep(shown, { alerts: rules }),
      moment: (ms) => acts().then((ready) => ready.to({ ms })),
    });
    choose();
  }

  toggle() {
    this.#beginning = null;
    const text = this.#page.view().chart === null ? '' : null;
    keep(this.#page.name(), { chart: text !== null });
    this.show(text);
    this.#page.addressed();
  }
}
