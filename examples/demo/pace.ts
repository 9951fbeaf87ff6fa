/**
 * How far the server is behind a generator that makes events by the clock. A server is never ahead of the clock, so the
 * moment at which it was least behind tells when the clock started.
 */
export class Pace {
  readonly #perSecond: number;
  #startMs = Number.POSITIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /**
   * @param events  read so far. @param nowMs  of the clock at that moment.
   * @returns events that are due and not yet read.
   */
  behind(events: number, nowMs: number): number {
    const perMs = this.#perSecond / 1000;
    this.#startMs = Math.min(this.#startMs, nowMs - events / perMs);
    return Math.max(0, Math.round((nowMs - this.#startMs) * perMs - events));
  }
}
