/**
 * Sums of doubles without rounding: adding and taking back in any order leaves the exact rest, so
 * a retracted row leaves no residue. Partial sums that do not overlap, after J. R. Shewchuk,
 * "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates" (1997).
 */
import type { Datum } from './datum.ts';

/** Above this a partial sum could overflow; such values are kept scaled down by 2^-SHIFT. */
const LARGE = 2 ** 900;
const SHIFT = 200;
/** 2^27 + 1 splits a double into two halves whose products are exact (Dekker). */
const SPLITTER = 134217729;
const WEIGHT_EXACT_MAX = 2 ** 26;

function addPartial(partials: number[], value: number): void {
  let sum = value;
  let kept = 0;
  for (let index = 0; index < partials.length; index++) {
    let low = partials[index] as number;
    if (Math.abs(sum) < Math.abs(low)) {
      const swap = sum;
      sum = low;
      low = swap;
    }
    const high = sum + low;
    const rest = low - (high - sum);
    if (rest !== 0) {
      partials[kept] = rest;
      kept++;
    }
    sum = high;
  }
  partials.length = kept;
  if (sum !== 0) partials.push(sum);
}

export class ExactSum {
  readonly #small: number[] = [];
  /** Sums of values / 2^SHIFT. */
  readonly #large: number[] = [];
  #nan = 0;
  #infinity = 0;
  #negativeInfinity = 0;

  /** Adds `weight` copies of a value; special values are counted apart. */
  add(value: number, weight: number): void {
    if (Number.isFinite(value)) this.#addFinite(value, weight);
    else if (Number.isNaN(value)) this.#nan += weight;
    else if (value > 0) this.#infinity += weight;
    else this.#negativeInfinity += weight;
  }

  #addFinite(value: number, weight: number): void {
    const large = Math.abs(value) >= LARGE;
    const partials = large ? this.#large : this.#small;
    const scaled = large ? value * 2 ** -SHIFT : value;
    if (weight === 1) addPartial(partials, scaled);
    else if (weight === -1) addPartial(partials, -scaled);
    else addProduct(partials, scaled, weight);
  }

  /** The sum rounded once; ±Infinity when it exceeds the doubles although every value is finite. */
  value(): number {
    if (this.#nan > 0 || (this.#infinity > 0 && this.#negativeInfinity > 0)) return Number.NaN;
    if (this.#infinity > 0) return Number.POSITIVE_INFINITY;
    if (this.#negativeInfinity > 0) return Number.NEGATIVE_INFINITY;
    if (this.#large.length === 0) return roundPartials(this.#small);
    const all = [...this.#large];
    // A small value below the scaled range cannot change the rounding of a large rest.
    for (const value of this.#small) addPartial(all, value * 2 ** -SHIFT);
    return roundPartials(all) * 2 ** SHIFT;
  }

  save(): readonly Datum[] {
    return [this.#small, this.#large, this.#nan, this.#infinity, this.#negativeInfinity];
  }

  load(state: readonly (Datum | null)[]): void {
    const [small, large, nan, infinity, negativeInfinity] = state;
    this.#small.push(...(small as number[]));
    this.#large.push(...(large as number[]));
    this.#nan = nan as number;
    this.#infinity = infinity as number;
    this.#negativeInfinity = negativeInfinity as number;
  }

  /** Whether a NaN or an infinity is among the values. */
  get special(): boolean {
    return this.#nan > 0 || this.#infinity > 0 || this.#negativeInfinity > 0;
  }
}

/** value * weight as exact summands. */
function addProduct(partials: number[], value: number, weight: number): void {
  let rest = weight;
  while (rest !== 0) {
    const step = Math.abs(rest) > WEIGHT_EXACT_MAX ? Math.sign(rest) * WEIGHT_EXACT_MAX : rest;
    const spread = SPLITTER * value;
    const high = spread - (spread - value);
    addPartial(partials, high * step);
    addPartial(partials, (value - high) * step);
    rest -= step;
  }
}

/** The correctly rounded sum of partials in increasing order of magnitude (as Python's fsum). */
function roundPartials(partials: readonly number[]): number {
  let index = partials.length - 1;
  if (index < 0) return 0;
  let high = partials[index] as number;
  let low = 0;
  while (index > 0) {
    index--;
    const before = high;
    const next = partials[index] as number;
    high = before + next;
    low = next - (high - before);
    if (low !== 0) break;
  }
  // Half-way cases: the partials further down decide.
  if (index > 0) {
    const following = partials[index - 1] as number;
    if ((low < 0 && following < 0) || (low > 0 && following > 0)) {
      const doubled = low * 2;
      const nudged = high + doubled;
      if (doubled === nudged - high) high = nudged;
    }
  }
  return high;
}
