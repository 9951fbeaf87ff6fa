/**
 * Windows by the clocks of a time zone. Their bounds are counted as local times; each stands for the first moment at which the
 * zone's clocks show it or a later time. So bounds rise with the local times that they stand for, and windows follow one another
 * without gap or overlap: where clocks are set back a window is longer than its size, where they are set forward it is
 * shorter, and a bound that clocks skip makes no window of its own. (java.time calls the same thing the start of a day.)
 */
import { assert } from './base/assert.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND } from './base/interval.ts';
import { offsetAt, type Zone, zoneByName } from './base/timezone.ts';
import type { WindowShape } from './logical-plan.ts';

/** Clocks are never set by more than this at once (the date line was crossed by a day). */
const CLOCK_CHANGE_MICROS_MAX = MICROS_PER_DAY;
/** Bounds are remembered for as long as they are few. */
const BOUNDS_MAX = 4096;

export type ClockWindow = Exclude<WindowShape, { readonly kind: 'session' }>;

/** From the start on and before the end, microseconds since 1970 UTC. */
export interface WindowBounds {
  readonly start: bigint;
  readonly end: bigint;
}

/** The first moment at which the zone's clocks show this local time or a later one; both in microseconds. */
export function firstMoment(zone: Zone, localMicros: bigint): bigint {
  const via = (offsetSeconds: number): bigint =>
    localMicros - BigInt(offsetSeconds) * MICROS_PER_SECOND;
  const before = offsetAt(zone, localMicros - MICROS_PER_DAY);
  const after = offsetAt(zone, localMicros + MICROS_PER_DAY);
  if (before === after) return via(before);
  if (offsetAt(zone, via(before)) === before) return via(before);
  if (offsetAt(zone, via(after)) === after) return via(after);
  // Clocks skip it: they are set forward between these two.
  let low = via(after);
  let high = via(before);
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (offsetAt(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Finds the windows of times, for a shape that has a zone. */
export class ZonedWindows {
  readonly #zone: Zone;
  readonly #window: ClockWindow;
  readonly #stepMicros: bigint;
  readonly #bounds = new Map<bigint, bigint>();
  /** The windows of the step that the last time was in, which the next one mostly is in too. */
  #last: readonly WindowBounds[] = [];
  #lastStep: WindowBounds = { start: 0n, end: 0n };

  constructor(window: ClockWindow) {
    assert(window.zone !== undefined, 'the windows are by the clocks of a zone');
    this.#zone = zoneByName(window.zone);
    this.#window = window;
    this.#stepMicros = stepOf(window);
  }

  /** @param micros  since 1970 UTC, finite. */
  of(micros: bigint): readonly WindowBounds[] {
    const { start, end } = this.#lastStep;
    if (micros >= start && micros < end) return this.#last;
    const step = this.#stepAt(micros);
    this.#lastStep = { start: this.#bound(step), end: this.#bound(step + 1n) };
    this.#last = this.#windowsOf(step);
    return this.#last;
  }

  #windowsOf(step: bigint): readonly WindowBounds[] {
    const { kind, sizeMicros } = this.#window;
    const steps = sizeMicros / this.#stepMicros;
    if (kind === 'cumulate') {
      const past = ((step % steps) + steps) % steps;
      const start = this.#bound(step - past);
      return this.#distinct(step + 1n, step - past + steps).map((end) => ({ start, end }));
    }
    const windows: WindowBounds[] = [];
    for (let first = step; first > step - steps; first--) {
      const start = this.#bound(first);
      // Of windows that would begin at the same moment only the one that clocks show is one.
      if (start !== this.#bound(first + 1n)) {
        windows.push({ start, end: this.#bound(first + steps) });
      }
    }
    return windows;
  }

  /** The bounds of these steps, each once, as they come. */
  #distinct(from: bigint, to: bigint): readonly bigint[] {
    const bounds = new Set<bigint>();
    for (let step = from; step <= to; step++) bounds.add(this.#bound(step));
    return [...bounds];
  }

  /**
   * The last step that has begun at a moment: at least what clocks show, and at most what they would show had they not been
   * set back within the last day; between them it is found by halving.
   */
  #stepAt(micros: bigint): bigint {
    const offset = offsetAt(this.#zone, micros);
    const before = offsetAt(this.#zone, micros - CLOCK_CHANGE_MICROS_MAX);
    let low = this.#stepShown(micros, offset);
    let high = this.#stepShown(micros, Math.max(offset, before)) + 1n;
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (this.#bound(middle) <= micros) low = middle;
      else high = middle;
    }
    return low;
  }

  #stepShown(micros: bigint, offsetSeconds: number): bigint {
    const local = micros + BigInt(offsetSeconds) * MICROS_PER_SECOND - this.#window.offsetMicros;
    const past = ((local % this.#stepMicros) + this.#stepMicros) % this.#stepMicros;
    return (local - past) / this.#stepMicros;
  }

  #bound(step: bigint): bigint {
    const known = this.#bounds.get(step);
    if (known !== undefined) return known;
    const bound = firstMoment(this.#zone, step * this.#stepMicros + this.#window.offsetMicros);
    if (this.#bounds.size >= BOUNDS_MAX) this.#bounds.clear();
    this.#bounds.set(step, bound);
    return bound;
  }
}

/** The local time between two bounds: windows begin, or with CUMULATE end, once in it. */
function stepOf(window: ClockWindow): bigint {
  if (window.kind === 'hop') return window.slideMicros;
  return window.kind === 'cumulate' ? window.stepMicros : window.sizeMicros;
}
