import type { Clock } from '../../engine/runtime/lateness.ts';

/** 2026-01-01 00:00:00 UTC. */
export const START_MICROS = 1_767_225_600_000_000n;

/** Time that passes when it is told to. */
export class VirtualClock implements Clock {
  #micros: bigint;
  readonly #startMicros: bigint;

  constructor(startMicros: bigint) {
    this.#startMicros = startMicros;
    this.#micros = startMicros;
  }

  readonly now = (): number => Number(this.#micros - this.#startMicros) / 1000;

  readonly wallMicros = (): bigint => this.#micros;

  /** @param micros  since 1970, not before the present. */
  moveTo(micros: bigint): void {
    if (micros < this.#micros) throw new Error('assertion failed: time does not go back');
    this.#micros = micros;
  }
}
