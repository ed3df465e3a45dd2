// Keeping the end in sight, until the reader scrolls up; then counting what comes until they are back.

/** So near the end, in px, counts as at the end: scroll positions are rounded, and a finger is not exact. */
const NEAR = 8;

export class Follow {
  #view;
  #jump;
  #following = true;
  #top = 0;
  #missed = 0;

  /** `view` scrolls, `content` grows inside it, `jump` is the button that leads back. */
  constructor(view, content, jump) {
    this.#view = view;
    this.#jump = jump;
    view.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    jump.addEventListener('click', () => {
      this.toEnd();
      view.focus();
    });
    // Heights change without any new row, too: blocks come into view and are measured, the window is resized.
    const sizes = new ResizeObserver(() => this.#settle());
    sizes.observe(view);
    sizes.observe(content);
  }

  /** So many rows were added at the end. */
  grew(rows) {
    if (!this.#following) this.#missed += rows;
    this.#settle();
  }

  toEnd() {
    this.#following = true;
    this.#missed = 0;
    this.#settle();
  }

  #settle() {
    if (this.#following) {
      this.#view.scrollTop = this.#view.scrollHeight;
      this.#top = this.#view.scrollTop;
    }
    this.#view.classList.toggle('following', this.#following);
    this.#jump.hidden = this.#following;
    const lines = this.#missed === 1 ? '1 new line' : `${this.#missed.toLocaleString('en')} new lines`;
    this.#jump.textContent = this.#missed > 0 ? `↓ ${lines}` : '↓ to the end';
  }

  #scrolled() {
    const view = this.#view;
    const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight <= NEAR;
    // Only a way up is the reader's wish; being left behind by growing content is not.
    if (atEnd) this.toEnd();
    else if (view.scrollTop < this.#top) this.#following = false;
    this.#top = view.scrollTop;
    this.#settle();
  }
}
