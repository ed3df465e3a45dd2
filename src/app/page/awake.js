// The screen stays on while somebody follows. A browser lets a page ask for that over HTTPS and on
// localhost alone.

/** Whether this browser lets this page ask. */
export const canStayAwake = () => Boolean(isSecureContext && navigator.wakeLock);

export class Awake {
  #wanted = false;
  #lock = null;
  #asking = false;

  /** From now on the screen stays on, or may go off. */
  want(on) {
    this.#wanted = on;
    this.#settle();
  }

  async #settle() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      if (this.#wanted && (this.#lock?.released ?? true)) this.#lock = await navigator.wakeLock.request('screen');
      else if (!this.#wanted && this.#lock) {
        await this.#lock.release();
        this.#lock = null;
      }
    } catch {
      // A battery that is nearly empty, or a tab that was hidden meanwhile: asked again when it is wanted again.
      this.#wanted = false;
    } finally {
      this.#asking = false;
    }
    // What was wished meanwhile.
    if (this.#wanted === (this.#lock?.released ?? true)) this.#settle();
  }
}
