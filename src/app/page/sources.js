// Which streams there are, as the server names them, and the field where one is chosen.

/** Streams written to within this time are as new as each other, in ms. */
const LIVE = 60_000;

const at = (id) => document.getElementById(id);

export class Sources {
  /** In the server's order. */
  list = [];
  #offered = '';

  async ask() {
    const answer = await fetch('sources', { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    this.list = await answer.json();
    return this.list;
  }

  of(name) {
    return this.list.find((source) => source.name === name);
  }

  address(name) {
    return this.of(name)?.url ?? `stream/${encodeURIComponent(name)}`;
  }

  /** The stream that was written last; of several, the one that the server names first. */
  get newest() {
    // A board without a clock writes in 1970.
    const written = ({ modified }) => (modified === null ? -Infinity : Date.parse(modified));
    const latest = Math.max(...this.list.map(written));
    return this.list.find((source) => written(source) >= latest - LIVE) ?? this.list[0];
  }

  /** Offers them, `shown` among them. */
  offer(shown) {
    const served = this.list.map(({ name }) => name);
    const names = shown === null || served.includes(shown) ? served : [...served, shown];
    const choice = at('choice');
    // Left alone where nothing changed: it may be open.
    const offer = JSON.stringify([names, served]);
    if (offer !== this.#offered) {
      const option = (name) => new Option(served.includes(name) ? name : `${name} (not served here)`, name);
      choice.replaceChildren(...names.map(option));
      this.#offered = offer;
    }
    choice.value = shown;
    choice.hidden = names.length < 2;
    at('name').classList.toggle('unseen', names.length > 1);
    at('polled').hidden = this.of(shown)?.watch !== 'polling';
    this.#sayEngine(this.of(shown)?.engine);
  }

  /** Where the stream stands at the engine that it is handed to, or comes from. */
  #sayEngine(engine) {
    const line = at('engine');
    line.hidden = !engine || engine.state === 'receiving';
    if (!engine) return;
    const { url, state, since, behind, cause } = engine;
    const words = {
      connecting: 'engine: connecting',
      publishing: 'publishing',
      away: `engine away since ${new Date(since).toLocaleTimeString()}`,
      refused: 'not published',
    };
    const left = behind > 0 ? `, ${behind.toLocaleString('en')} bytes behind` : '';
    line.textContent = (words[state] ?? state) + left;
    line.title = [line.textContent, url, cause].filter(Boolean).join(': ');
    line.dataset.state = state;
  }
}
