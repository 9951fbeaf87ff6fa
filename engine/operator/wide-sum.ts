import type { Datum } from '../../sql/base/datum.ts';
import { Numeric, powerOfTen } from '../../sql/base/numeric.ts';

/**
 * An exact sum of any size that knows the display scale of numeric's sum(): the largest scale among the rows
 * that are there now, and NaN or an infinity while such a row is there.
 */
export class WideSum {
  #unscaled = 0n;
  /** Of `unscaled`; never shrinks, unlike the scale of the result. */
  #scale = 0;
  readonly #countByScale = new Map<number, number>();
  #nanCount = 0;
  #infinityCount = 0;
  #negativeInfinityCount = 0;

  add(value: Numeric, weight: number): void {
    if (value.special === 'NaN') this.#nanCount += weight;
    else if (value.special === 'Infinity') this.#infinityCount += weight;
    else if (value.special === '-Infinity') this.#negativeInfinityCount += weight;
    else this.addScaled(value.unscaled * BigInt(weight), value.scale, weight);
  }

  /** Adds `count` rows of a scale that sum up to `unscaled`. */
  addScaled(unscaled: bigint, scale: number, count: number): void {
    if (scale > this.#scale) {
      this.#unscaled *= powerOfTen(scale - this.#scale);
      this.#scale = scale;
    }
    this.#unscaled += unscaled * powerOfTen(this.#scale - scale);
    const left = (this.#countByScale.get(scale) ?? 0) + count;
    if (left === 0) this.#countByScale.delete(scale);
    else this.#countByScale.set(scale, left);
  }

  save(): readonly Datum[] {
    const special = [this.#nanCount, this.#infinityCount, this.#negativeInfinityCount];
    return [this.#unscaled, this.#scale, [...this.#countByScale].flat(), special];
  }

  load([unscaled, scale, countByScale, special]: readonly (Datum | null)[]): void {
    this.#unscaled = unscaled as bigint;
    this.#scale = scale as number;
    const counts = countByScale as number[];
    for (let i = 0; i < counts.length; i += 2) {
      this.#countByScale.set(counts[i] as number, counts[i + 1] as number);
    }
    const [nan, infinity, negativeInfinity] = special as number[];
    this.#nanCount = nan as number;
    this.#infinityCount = infinity as number;
    this.#negativeInfinityCount = negativeInfinity as number;
  }

  get value(): Numeric {
    const positive = this.#infinityCount > 0;
    const negative = this.#negativeInfinityCount > 0;
    if (this.#nanCount > 0 || (positive && negative)) return Numeric.NaN;
    if (positive) return Numeric.infinity;
    if (negative) return Numeric.negativeInfinity;
    let scale = 0;
    for (const present of this.#countByScale.keys()) scale = Math.max(scale, present);
    // Every row with more digits has gone again, so the digits cut here are zeros.
    const cut = this.#scale - scale;
    return Numeric.checked(this.#unscaled / powerOfTen(cut), scale);
  }
}
