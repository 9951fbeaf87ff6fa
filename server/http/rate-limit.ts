import { StreamError } from '../../sql/base/error.ts';

/** Clients that are remembered; the one that asked longest ago makes room, and starts anew with a full bucket. */
const CLIENTS_MAX = 10_000;

interface Bucket {
  tokens: number;
  filledMs: number;
}

/**
 * Requests per client address, by token buckets: a client may send one second's worth at once, and goes on at the rate (Turner,
 * "New Directions in Communications", IEEE Communications Magazine 24(10), 1986).
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  /** In order of use. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond  0 = no limit. */
  constructor(perSecond: number, nowMs: () => number) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /** @throws StreamError PRESSURE. */
  take(client: string): void {
    if (this.#perSecond === 0) return;
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(client) ?? { tokens: this.#perSecond, filledMs: nowMs };
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > CLIENTS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    const refill = ((nowMs - bucket.filledMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + refill);
    bucket.filledMs = nowMs;
    if (bucket.tokens < 1) {
      throw new StreamError('PRESSURE', `more than ${this.#perSecond} requests a second`, {
        hint: 'Send the request again after Retry-After seconds, or raise MILLRACE_REQUESTS_PER_SECOND_MAX.',
      });
    }
    bucket.tokens -= 1;
  }
}
