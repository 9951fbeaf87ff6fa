/** Aggregates over pairs (y, x): covariance, correlation and the least-squares line, from exact sums. */
import type { Datum } from '../base/datum.ts';
import { ExactSum } from '../base/exact-sum.ts';
import { fixedPointRatio, toFixedPoint } from '../base/fixed-point.ts';
import type { Accumulator, AggregateFunction } from './aggregate-function.ts';
import { types } from './define.ts';

/**
 * What the pairs come to. The moments are sums of squares and products of differences from the means: S(xx) =
 * sum((x - avg(x))²). They are NaN as soon as one value is not finite.
 */
interface Moments {
  readonly count: number;
  readonly sumX: number;
  readonly sumY: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

/** Sums are kept as integers in units of 2^-1074 and 2^-2148, so that pairs taken back leave no residue. */
class PairSums {
  #count = 0;
  #special = 0;
  readonly #x = new ExactSum();
  readonly #y = new ExactSum();
  #fixedX = 0n;
  #fixedY = 0n;
  #xx = 0n;
  #yy = 0n;
  #xy = 0n;

  /** PostgreSQL counts only pairs without a NULL. */
  add(args: readonly (Datum | null)[], weight: number): void {
    const [y, x] = args as readonly (number | null | undefined)[];
    if (x === null || y === null || x === undefined || y === undefined) return;
    this.#count += weight;
    this.#x.add(x, weight);
    this.#y.add(y, weight);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      this.#special += weight;
      return;
    }
    const [fixedX, fixedY, times] = [toFixedPoint(x), toFixedPoint(y), BigInt(weight)];
    this.#fixedX += fixedX * times;
    this.#fixedY += fixedY * times;
    this.#xx += fixedX * fixedX * times;
    this.#yy += fixedY * fixedY * times;
    this.#xy += fixedX * fixedY * times;
  }

  save(): readonly (Datum | null)[] {
    const sums = [this.#fixedX, this.#fixedY, this.#xx, this.#yy, this.#xy];
    return [this.#count, this.#special, this.#x.save(), this.#y.save(), ...sums];
  }

  load([count, special, x, y, ...sums]: readonly (Datum | null)[]): void {
    this.#count = count as number;
    this.#special = special as number;
    this.#x.load(x as readonly (Datum | null)[]);
    this.#y.load(y as readonly (Datum | null)[]);
    const [fixedX = 0n, fixedY = 0n, xx = 0n, yy = 0n, xy = 0n] = sums as bigint[];
    this.#fixedX = fixedX;
    this.#fixedY = fixedY;
    this.#xx = xx;
    this.#yy = yy;
    this.#xy = xy;
  }

  moments(): Moments {
    const n = BigInt(this.#count);
    const moment = (products: bigint, left: bigint, right: bigint): number => {
      if (this.#special > 0) return Number.NaN;
      return this.#count === 0 ? 0 : fixedPointRatio(n * products - left * right, n << 2148n);
    };
    return {
      count: this.#count,
      sumX: this.#x.value(),
      sumY: this.#y.value(),
      xx: moment(this.#xx, this.#fixedX, this.#fixedX),
      yy: moment(this.#yy, this.#fixedY, this.#fixedY),
      xy: moment(this.#xy, this.#fixedX, this.#fixedY),
    };
  }
}

type Finish = (moments: Moments) => number | null;

function correlation({ xx, yy, xy }: Moments): number | null {
  if (xx === 0 || yy === 0) return null;
  const value = xy / (Math.sqrt(xx) * Math.sqrt(yy));
  return Number.isNaN(value) ? value : Math.max(-1, Math.min(1, value));
}

function determination({ xx, yy, xy }: Moments): number | null {
  if (xx === 0) return null;
  return yy === 0 ? 1 : (xy / xx) * (xy / yy);
}

/** By name: the pairs that it needs, its value, and what it is. */
const rows: readonly (readonly [string, number, Finish, string])[] = [
  ['corr', 1, correlation, 'correlation coefficient of (y, x)'],
  ['covar_pop', 1, ({ count, xy }) => xy / count, 'population covariance of (y, x)'],
  ['covar_samp', 2, ({ count, xy }) => xy / (count - 1), 'sample covariance of (y, x)'],
  ['regr_avgx', 1, ({ count, sumX }) => sumX / count, 'mean of x over pairs (y, x)'],
  ['regr_avgy', 1, ({ count, sumY }) => sumY / count, 'mean of y over pairs (y, x)'],
  [
    'regr_intercept',
    1,
    ({ count, sumX, sumY, xx, xy }) => (xx === 0 ? null : (sumY - (sumX * xy) / xx) / count),
    'y of the least-squares line of pairs (y, x) at x = 0',
  ],
  ['regr_r2', 1, determination, 'square of the correlation coefficient of (y, x)'],
  [
    'regr_slope',
    1,
    ({ xx, xy }) => (xx === 0 ? null : xy / xx),
    'slope of the least-squares line of pairs (y, x)',
  ],
  ['regr_sxx', 1, ({ xx }) => xx, 'sum of squared differences of x from its mean'],
  ['regr_sxy', 1, ({ xy }) => xy, 'sum of products of the differences of x and y from their means'],
  ['regr_syy', 1, ({ yy }) => yy, 'sum of squared differences of y from its mean'],
];

function accumulate(least: number, finish: Finish): Accumulator {
  const sums = new PairSums();
  return {
    add: (args, weight) => sums.add(args, weight),
    result: () => {
      const moments = sums.moments();
      return moments.count < least ? null : finish(moments);
    },
    save: () => sums.save(),
    load: (state) => sums.load(state),
  };
}

function countPairs(): Accumulator {
  let count = 0;
  return {
    add: ([y, x], weight) => {
      if (y !== null && x !== null) count += weight;
    },
    result: () => BigInt(count),
    save: () => [count],
    load: (state) => {
      count = state[0] as number;
    },
  };
}

const base = { parameters: [types.double, types.double], strict: true } as const;

export const regressionAggregates: readonly AggregateFunction[] = [
  ...rows.map(
    ([name, least, finish, description]): AggregateFunction => ({
      ...base,
      name,
      result: types.double,
      accumulator: () => accumulate(least, finish),
      description,
    }),
  ),
  {
    ...base,
    name: 'regr_count',
    result: types.bigint,
    accumulator: countPairs,
    description: 'number of pairs (y, x) without a NULL',
  },
];
