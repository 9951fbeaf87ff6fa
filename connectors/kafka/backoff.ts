/** Waiting between attempts: exponential with jitter, and one place that retries with a deadline. */
import { passes } from './kafka-error.ts';

export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#nextMs = firstMs;
  }

  /** How long to wait now: between half and all of a bound that doubles with every call. */
  next(): number {
    const waitMs = this.#nextMs * (0.5 + Math.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    return waitMs;
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Repeats `work` while its failure may pass and the time allows.
 * @param retriable  by default every network fault and the codes that Kafka calls retriable.
 */
export async function retrying<T>(
  forMs: number,
  work: () => Promise<T>,
  retriable: (error: unknown) => boolean = passes,
  backoff = new Backoff(50, 1000),
): Promise<T> {
  const deadline = Date.now() + forMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const waitMs = backoff.next();
      if (!retriable(error) || Date.now() + waitMs > deadline) throw error;
      await wait(waitMs);
    }
  }
}
