/** Accumulators of sum, avg and the variance family; exact, so that retraction leaves no residue. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { ExactSum } from '../base/exact-sum.ts';
import { fixedPointRatio, toFixedPoint } from '../base/fixed-point.ts';
import {
  addIntervals,
  INTERVAL_INFINITY,
  INTERVAL_NEGATIVE_INFINITY,
  type Interval,
  intervalInfinity,
  intervalOutOfRange,
  makeInterval,
  scaleInterval,
} from '../base/interval.ts';
import { Numeric } from '../base/numeric.ts';
import { squareRootAt } from '../base/numeric-math.ts';
import type { Accumulator } from './aggregate-function.ts';
import { outOfRange } from './define.ts';

type Arguments = readonly (Datum | null)[];
type State = readonly (Datum | null)[];

/** sum and avg of smallint, integer and bigint: one exact integer and a count. */
export class IntegerSum {
  count = 0;
  total = 0n;

  add(args: Arguments, weight: number): void {
    this.count += weight;
    this.total += BigInt(args[0] as number | bigint) * BigInt(weight);
  }

  save(): State {
    return [this.count, this.total];
  }

  load([count, total]: State): void {
    this.count = count as number;
    this.total = total as bigint;
  }
}

/**
 * The sum of numerics. Its display scale is the largest among the rows that are there now, so the
 * rows are counted by scale; special values are counted apart.
 */
export class NumericSum {
  count = 0;
  #unscaled = 0n;
  #scale = 0;
  readonly #rowsByScale = new Map<number, number>();
  #nan = 0;
  #infinity = 0;
  #negativeInfinity = 0;

  addValue(value: Numeric, weight: number): void {
    this.count += weight;
    switch (value.special) {
      case 'NaN':
        this.#nan += weight;
        return;
      case 'Infinity':
        this.#infinity += weight;
        return;
      case '-Infinity':
        this.#negativeInfinity += weight;
        return;
      default:
        this.#addFinite(value, weight);
    }
  }

  #addFinite(value: Numeric, weight: number): void {
    if (value.scale > this.#scale) {
      this.#unscaled *= 10n ** BigInt(value.scale - this.#scale);
      this.#scale = value.scale;
    }
    this.#unscaled += value.unscaledAt(this.#scale) * BigInt(weight);
    const rows = (this.#rowsByScale.get(value.scale) ?? 0) + weight;
    if (rows === 0) this.#rowsByScale.delete(value.scale);
    else this.#rowsByScale.set(value.scale, rows);
  }

  value(): Numeric {
    if (this.#nan > 0 || (this.#infinity > 0 && this.#negativeInfinity > 0)) return Numeric.NaN;
    if (this.#infinity > 0) return Numeric.infinity;
    if (this.#negativeInfinity > 0) return Numeric.negativeInfinity;
    let scale = 0;
    for (const used of this.#rowsByScale.keys()) scale = Math.max(scale, used);
    const drop = 10n ** BigInt(this.#scale - scale);
    return Numeric.checked(this.#unscaled / drop, scale);
  }

  save(): State {
    const special = [this.#nan, this.#infinity, this.#negativeInfinity];
    return [this.count, this.#unscaled, this.#scale, [...this.#rowsByScale].flat(), special];
  }

  load([count, unscaled, scale, rowsByScale, special]: State): void {
    this.count = count as number;
    this.#unscaled = unscaled as bigint;
    this.#scale = scale as number;
    const rows = rowsByScale as number[];
    for (let i = 0; i < rows.length; i += 2) {
      this.#rowsByScale.set(rows[i] as number, rows[i + 1] as number);
    }
    [this.#nan, this.#infinity, this.#negativeInfinity] = special as [number, number, number];
  }
}

function keptBy(sum: Pick<Accumulator, 'save' | 'load'>): Pick<Accumulator, 'save' | 'load'> {
  return { save: () => sum.save(), load: (state) => sum.load(state) };
}

export function sumInteger(): Accumulator {
  const sum = new IntegerSum();
  return {
    ...keptBy(sum),
    add: (args, weight) => sum.add(args, weight),
    result: () => {
      if (sum.count === 0) return null;
      if (BigInt.asIntN(64, sum.total) !== sum.total) throw outOfRange('bigint');
      return sum.total;
    },
  };
}

export function sumBigint(): Accumulator {
  const sum = new IntegerSum();
  return {
    ...keptBy(sum),
    add: (args, weight) => sum.add(args, weight),
    result: () => (sum.count === 0 ? null : Numeric.checked(sum.total, 0)),
  };
}

export function averageInteger(): Accumulator {
  const sum = new IntegerSum();
  return {
    ...keptBy(sum),
    add: (args, weight) => sum.add(args, weight),
    result: () =>
      sum.count === 0 ? null : new Numeric(sum.total, 0).divide(Numeric.fromInt(sum.count)),
  };
}

export function sumNumeric(): Accumulator {
  const sum = new NumericSum();
  return {
    ...keptBy(sum),
    add: (args, weight) => sum.addValue(args[0] as Numeric, weight),
    result: () => (sum.count === 0 ? null : sum.value()),
  };
}

export function averageNumeric(): Accumulator {
  const sum = new NumericSum();
  return {
    ...keptBy(sum),
    add: (args, weight) => sum.addValue(args[0] as Numeric, weight),
    result: () => (sum.count === 0 ? null : sum.value().divide(Numeric.fromInt(sum.count))),
  };
}

function finiteOrFail(value: number, special: boolean): number {
  if (!special && !Number.isFinite(value)) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: overflow');
  }
  return value;
}

function doubleAccumulator(finish: (sum: number, count: number) => number): Accumulator {
  const sum = new ExactSum();
  let count = 0;
  return {
    add: (args, weight) => {
      sum.add(args[0] as number, weight);
      count += weight;
    },
    result: () => (count === 0 ? null : finiteOrFail(finish(sum.value(), count), sum.special)),
    save: () => [count, sum.save()],
    load: (state) => {
      count = state[0] as number;
      sum.load(state[1] as State);
    },
  };
}

export const sumDouble = (): Accumulator => doubleAccumulator((sum) => sum);
export const sumReal = (): Accumulator => doubleAccumulator((sum) => Math.fround(sum));
export const averageDouble = (): Accumulator => doubleAccumulator((sum, count) => sum / count);

/** The sum of intervals part by part; infinite ones are counted apart. */
function intervalAccumulator(finish: (sum: Interval, count: number) => Interval): Accumulator {
  let count = 0;
  let months = 0;
  let days = 0;
  let micros = 0n;
  let infinity = 0;
  let negativeInfinity = 0;
  return {
    add: (args, weight) => {
      const value = args[0] as Interval;
      count += weight;
      const sign = intervalInfinity(value);
      if (sign > 0) infinity += weight;
      else if (sign < 0) negativeInfinity += weight;
      else {
        months += value.months * weight;
        days += value.days * weight;
        micros += value.micros * BigInt(weight);
      }
    },
    result: () => {
      if (count === 0) return null;
      if (infinity > 0 && negativeInfinity > 0) throw intervalOutOfRange();
      if (infinity > 0) return INTERVAL_INFINITY;
      if (negativeInfinity > 0) return INTERVAL_NEGATIVE_INFINITY;
      return finish(makeInterval(months, days, micros), count);
    },
    save: () => [count, months, days, micros, infinity, negativeInfinity],
    load: (state) => {
      [count, months, days] = state as [number, number, number];
      micros = state[3] as bigint;
      infinity = state[4] as number;
      negativeInfinity = state[5] as number;
    },
  };
}

export const sumInterval = (): Accumulator =>
  intervalAccumulator((sum) => addIntervals(sum, { months: 0, days: 0, micros: 0n }));
export const averageInterval = (): Accumulator =>
  intervalAccumulator((sum, count) => scaleInterval(sum, count, true));

export interface Spread {
  /** Divide by n - 1 (a sample) or by n (a population). */
  readonly sample: boolean;
  /** The square root of the variance. */
  readonly root: boolean;
}

/** Variance over integers and numerics, by exact sums of x and x². */
export function spreadNumeric({ sample, root }: Spread): Accumulator {
  const sum = new NumericSum();
  const squares = new NumericSum();
  return {
    add: (args, weight) => {
      const raw = args[0];
      const value = raw instanceof Numeric ? raw : Numeric.fromInt(raw as number | bigint);
      sum.addValue(value, weight);
      squares.addValue(value.multiply(value), weight);
    },
    result: () => {
      const count = sum.count;
      if (count < (sample ? 2 : 1)) return null;
      const total = sum.value();
      if (!total.isFinite) return Numeric.NaN;
      const n = Numeric.fromInt(count);
      const numerator = n.multiply(squares.value()).subtract(total.multiply(total));
      if (numerator.sign <= 0) return Numeric.zero;
      const divisor = Numeric.fromInt(BigInt(count) * BigInt(sample ? count - 1 : count));
      const variance = numerator.divide(divisor);
      return root ? squareRootAt(variance, variance.scale) : variance;
    },
    save: () => [sum.save(), squares.save()],
    load: (state) => {
      sum.load(state[0] as State);
      squares.load(state[1] as State);
    },
  };
}

/** Variance over doubles: sums of x and x² as exact integers in units of 2^-1074 and 2^-2148. */
export function spreadDouble({ sample, root }: Spread): Accumulator {
  let count = 0;
  let special = 0;
  let sum = 0n;
  let squares = 0n;
  return {
    add: (args, weight) => {
      const value = args[0] as number;
      count += weight;
      if (!Number.isFinite(value)) {
        special += weight;
        return;
      }
      const fixed = toFixedPoint(value);
      sum += fixed * BigInt(weight);
      squares += fixed * fixed * BigInt(weight);
    },
    result: () => {
      if (count < (sample ? 2 : 1)) return null;
      if (special > 0) return Number.NaN;
      const n = BigInt(count);
      const numerator = n * squares - sum * sum;
      const divisor = (n * (sample ? n - 1n : n)) << 2148n;
      const variance = fixedPointRatio(numerator, divisor);
      return root ? Math.sqrt(variance) : finiteOrFail(variance, false);
    },
    save: () => [count, special, sum, squares],
    load: (state) => {
      [count, special] = state as [number, number];
      sum = state[2] as bigint;
      squares = state[3] as bigint;
    },
  };
}
