/** How long changes are handed to readers before everything else has its turn, in milliseconds. */
const SLICE_MS = 3;
/** How long everything else then has it, while more than one reader waits. */
const REST_MS = 6;

/**
 * Shares the event loop between readers of changes and everything else. A commit wakes all readers of a view at once; a thousand
 * of them would hold back polls and the next epoch until each has its messages. So they go on in slices, in the order in which
 * they came, and what waits for them meanwhile is merged.
 */
export class FanOut {
  readonly #queue: ((isHurried: boolean) => void)[] = [];
  #sliceEndsMs = Number.NEGATIVE_INFINITY;
  /** Somebody was let go in this turn of the event loop, and may still be at work. */
  #isBusy = false;

  /** @returns whether others wait too, so that a reader should take what it can get at once. */
  async turn(): Promise<boolean> {
    if (!this.#isBusy && this.#mayGoOn()) {
      this.#admitSoon();
      return false;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#queue.push(resolve);
    if (!this.#isBusy) this.#admitSoon();
    return promise;
  }

  #admitSoon(): void {
    this.#isBusy = true;
    setImmediate(this.#admit);
  }

  /** A slice goes on, or a new one may begin. */
  #mayGoOn(): boolean {
    const nowMs = performance.now();
    if (nowMs <= this.#sliceEndsMs) return true;
    if (this.#queue.length > 1 && nowMs < this.#sliceEndsMs + REST_MS) return false;
    this.#sliceEndsMs = nowMs + SLICE_MS;
    return true;
  }

  /** Lets the next reader go on; the others wait at least for the next turn of the event loop. */
  readonly #admit = (): void => {
    if (this.#queue.length === 0) {
      this.#isBusy = false;
      return;
    }
    if (!this.#mayGoOn()) {
      setTimeout(this.#admit, REST_MS);
      return;
    }
    const [admitted] = this.#queue.splice(0, 1);
    setImmediate(this.#admit);
    admitted?.(this.#queue.length > 0);
  };
}
