/** Serial access to the one connection that writes: jobs run one at a time, in the order they came. */
export class WriteQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Jobs queued or running. */
  get length(): number {
    return this.#waiting;
  }

  /** Runs `job` after all earlier ones; a failed job does not disturb later ones. */
  run<T>(job: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#tail.then(job).finally(() => {
      this.#waiting--;
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Settles when everything queued so far has run. */
  async drained(): Promise<void> {
    await this.#tail;
  }
}
