// Telling a person who looks elsewhere: title, icon, a row that stays; sound, vibration,
// notifications where the browser and this origin have them. Nothing is on until it is asked for.

import { Watch, worded, wrong } from './watch.js';

/** Between two sounds, vibrations or notifications, in ms: a flood is one event. */
const QUIET = 10_000;
/** The text shown of a line, in UTF-16 units. */
const SHOWN = 200;
/** A sound for this many seconds, at this many hertz. */
const [BEEP, PITCH] = [0.2, 880];

export class Alerts {
  #world;
  #banner;
  #show;
  #title;
  #watch = new Watch([]);
  #audio = null;
  #count = 0;
  #lastTold = -Infinity;
  /** `[{ pattern } | { series, above } | { series, below }]`: plain data, to be kept. */
  rules = [];
  /** What a person has asked for beside title, icon and banner. */
  wanted = { sound: false, vibration: false, notification: false };

  /** `banner`: an empty, hidden element of the page; `show(place)`: goes to the line that an alert
   * is about. */
  constructor({ banner, show, world = globalThis }) {
    this.#banner = banner;
    this.#show = show;
    this.#world = world;
    this.#title = world.document.title;
  }

  /** What works here: only this may be offered. */
  get offers() {
    const { AudioContext, Notification, isSecureContext, navigator } = this.#world;
    return [
      AudioContext && 'sound',
      navigator?.vibrate && 'vibration',
      // Without a secure origin it is there in some browsers and always denied.
      isSecureContext && Notification && Notification.permission !== 'denied' && 'notification',
    ].filter(Boolean);
  }

  /** The title without a count. */
  set title(text) {
    this.#title = text;
    this.#mark();
  }

  /** All rules at once; what is wrong with the first bad one, or `null`. */
  set(rules) {
    const error = rules.map(wrong).find((sentence) => sentence !== null) ?? null;
    if (error === null) {
      this.rules = rules;
      this.#watch = new Watch(rules);
    }
    return error;
  }

  /** Turns one of `offers` on or off; called from a tap, since browsers make no sound before one.
   * `true`: it is on. */
  async want(what, on) {
    if (on && !this.offers.includes(what)) return false;
    if (on && what === 'sound') {
      this.#audio ??= new this.#world.AudioContext();
      await this.#audio.resume();
      this.#beep();
    }
    if (on && what === 'notification')
      on = (await this.#world.Notification.requestPermission()) === 'granted';
    this.wanted[what] = on;
    return on;
  }

  /** A line came; `place` is handed to `show`. */
  line(text, place) {
    for (const rule of this.#watch.line(text)) this.raise(rule, text, place);
  }

  /** A reading came. */
  value(series, value, place) {
    for (const rule of this.#watch.value(series, value)) this.raise(rule, `${series}: ${value}`, place);
  }

  /** Tells of it. */
  raise(rule, text, place) {
    this.#count += 1;
    const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    this.#draw(worded(rule), shown, place);
    this.#mark();
    const now = this.#world.performance.now();
    if (now - this.#lastTold < QUIET) return;
    this.#lastTold = now;
    if (this.wanted.sound) this.#beep();
    if (this.wanted.vibration) this.#world.navigator.vibrate(200);
    // Of one tag there is one notification, the newest.
    if (this.wanted.notification) new this.#world.Notification(this.#title, { body: shown, tag: 'tailcast' });
  }

  /** The person has seen it. */
  seen() {
    this.#count = 0;
    this.#banner.hidden = true;
    this.#banner.replaceChildren();
    this.#mark();
  }

  #mark() {
    const { document } = this.#world;
    document.title = this.#count > 0 ? `(${this.#count}) ${this.#title}` : this.#title;
    const icon = document.querySelector('link[rel="icon"]');
    const address = this.#count > 0 ? 'icon-alert.svg' : 'icon.svg';
    if (icon && icon.getAttribute('href') !== address) icon.setAttribute('href', address);
  }

  #draw(rule, text, place) {
    const { document } = this.#world;
    const button = (name, action) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.textContent = name;
      made.addEventListener('click', action);
      return made;
    };
    const words = document.createElement('span');
    const times = this.#count === 1 ? 'Alert' : `${this.#count} alerts`;
    words.textContent = `${times} · ${rule} · ${text}`;
    const show = () => {
      this.seen();
      this.#show(place);
    };
    this.#banner.replaceChildren(
      words,
      button('Show', show),
      button('Dismiss', () => this.seen()),
    );
    this.#banner.hidden = false;
  }

  #beep() {
    const audio = this.#audio;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = PITCH;
    // A tone that is cut off clicks.
    volume.gain.setValueAtTime(0.2, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + BEEP);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + BEEP);
  }
}
