import { StreamError } from '../../sql/base/error.ts';

/** Cancels a statement that runs for too long; the next statement of the request starts anew. */
export class StatementTimer {
  readonly signal: AbortSignal;
  readonly #msMax: number;
  readonly #late = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param msMax  0 = none.
   * @param gone   cancels too: nobody waits for the answer any more.
   */
  constructor(msMax: number, gone: AbortSignal) {
    this.#msMax = msMax;
    this.signal = AbortSignal.any([gone, this.#late.signal]);
    this.restart();
  }

  restart(): void {
    this.stop();
    if (this.#msMax > 0) this.#timer = setTimeout(() => this.#late.abort(), this.#msMax);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Says why a statement was cancelled when it was this timer. */
  explain(error: unknown): unknown {
    if (!this.#late.signal.aborted) return error;
    return new StreamError(
      'STATEMENT_CANCELED',
      `canceling statement due to statement timeout (${this.#msMax} ms)`,
    );
  }
}
