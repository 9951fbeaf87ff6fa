import { StreamError } from '../../sql/base/error.ts';
import type { DoorMetrics } from '../metrics.ts';

/** Subscriptions that are open now, over all doors. */
export class SubscriptionCount {
  readonly #max: number;
  readonly #metrics: DoorMetrics;
  #open = 0;

  constructor(max: number, metrics: DoorMetrics) {
    this.#max = max;
    this.#metrics = metrics;
  }

  /** @returns to be called once, when it is over. @throws StreamError PRESSURE. */
  enter(door: 'ws' | 'sse' | 'sql'): () => void {
    this.check();
    this.#open++;
    this.#metrics.subscriptions.inc({ door });
    return () => {
      this.#open--;
      this.#metrics.subscriptions.dec({ door });
    };
  }

  /** Before the work of a subscription is begun. @throws StreamError PRESSURE. */
  check(): void {
    if (this.#open < this.#max) return;
    throw new StreamError('PRESSURE', `there are ${this.#max} subscriptions already`, {
      hint: 'Try again later, or raise MILLRACE_SUBSCRIPTIONS_MAX.',
    });
  }
}
