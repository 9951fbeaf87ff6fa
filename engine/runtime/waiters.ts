/** Callers that wait for something that a later commit will bring, each with a limit and a way out. */
export class Waiters {
  readonly #waiting = new Set<{ readonly ready: () => boolean; readonly resolve: () => void }>();

  /** Looks at every waiter again; call it after each commit. */
  check(): void {
    for (const waiter of [...this.#waiting]) if (waiter.ready()) waiter.resolve();
  }

  /** Lets everybody go, whether or not what they wait for has come. */
  releaseAll(): void {
    for (const waiter of [...this.#waiting]) waiter.resolve();
  }

  /** Settles when `ready` holds at a check, after `waitMs`, or when the signal fires. */
  async until(ready: () => boolean, waitMs: number, signal: AbortSignal): Promise<void> {
    if (ready() || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = { ready, resolve: done };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener('abort', done);
      this.#waiting.add(waiter);
    });
  }
}
