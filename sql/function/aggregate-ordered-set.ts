/**
 * Ordered-set and hypothetical-set aggregates: `f(direct arguments) WITHIN GROUP (ORDER BY …)`. Their rows hold the
 * sorted values first, then the direct arguments, and arrive in the order of the ORDER BY.
 */
import { assertNever } from '../base/assert.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { addIntervals, type Interval, scaleInterval } from '../base/interval.ts';
import type { SqlType } from '../base/type.ts';
import { comparator } from '../base/value.ts';
import type { Accumulator, AggregateFunction } from './aggregate-function.ts';
import { orderedRows } from './aggregate-list.ts';
import { types } from './define.ts';

type Args = readonly (Datum | null)[];

export interface SetOrder {
  readonly type: SqlType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export const orderedSetNames = ['mode', 'percentile_cont', 'percentile_disc'] as const;
export const hypotheticalNames = ['rank', 'dense_rank', 'percent_rank', 'cume_dist'] as const;
export type OrderedSetName = (typeof orderedSetNames)[number];
export type HypotheticalName = (typeof hypotheticalNames)[number];

const doubles: SqlType = { kind: 'array', element: types.double };

/**
 * `mode()`, `percentile_cont(fraction)`, `percentile_disc(fraction)` over one sorted value; the fraction may be an
 * array of them. Undefined for a percentile_cont over what cannot be interpolated.
 * @param value  the type of the sorted value, for percentile_cont double precision or interval.
 */
export function orderedSetAggregate(
  name: OrderedSetName,
  value: SqlType,
  many: boolean,
): AggregateFunction | undefined {
  const base = { name, strict: true, ordered: true } as const;
  if (name === 'mode') {
    return {
      ...base,
      parameters: [value],
      result: value,
      accumulator: () => orderedRows((rows) => mostFrequent(rows, value)),
      description: 'most frequent value, of several the first',
    };
  }
  const continuous = name === 'percentile_cont';
  if (continuous && value.kind !== 'double' && value.kind !== 'interval') return undefined;
  const at = continuous ? interpolate(value) : discrete;
  const percentile = (rows: readonly Args[]): Datum | null => {
    const values = rows.map((row) => row[0] ?? null);
    const wanted = rows[0]?.[1] ?? null;
    const one = (fraction: Datum | null): Datum | null =>
      fraction === null ? null : at(values, checkedFraction(fraction as number));
    return Array.isArray(wanted) ? wanted.map(one) : one(wanted);
  };
  return {
    ...base,
    parameters: [value, many ? doubles : types.double],
    result: many ? { kind: 'array', element: value } : value,
    accumulator: () => orderedRows(percentile),
    description: continuous
      ? 'value at a fraction of the order, interpolated'
      : 'first value whose place in the order is at or behind a fraction',
  };
}

function checkedFraction(fraction: number): number {
  if (fraction >= 0 && fraction <= 1) return fraction;
  throw new StreamError(
    'VALUE_OUT_OF_RANGE',
    `percentile value ${fraction} is not between 0 and 1`,
  );
}

type Percentile = (values: Args, fraction: number) => Datum | null;

const discrete: Percentile = (values, fraction) =>
  values[Math.max(1, Math.ceil(fraction * values.length)) - 1] ?? null;

function interpolate(type: SqlType): Percentile {
  return (values, fraction) => {
    const place = fraction * (values.length - 1);
    const low = values[Math.floor(place)] ?? null;
    const high = values[Math.ceil(place)] ?? null;
    const share = place - Math.floor(place);
    if (share === 0 || low === null || high === null) return low;
    if (type.kind === 'double') {
      return (low as number) + ((high as number) - (low as number)) * share;
    }
    const back = scaleInterval(low as Interval, -1, false);
    const difference = addIntervals(high as Interval, back);
    return addIntervals(low as Interval, scaleInterval(difference, share, false));
  };
}

function mostFrequent(rows: readonly Args[], type: SqlType): Datum | null {
  const compare = comparator(type);
  let best: Datum | null = null;
  let most = 0;
  let run = 0;
  let last: Datum | null = null;
  for (const [value = null] of rows) {
    if (value === null) continue;
    run = last !== null && compare(last, value) === 0 ? run + 1 : 1;
    if (run === 1) last = value;
    if (run <= most) continue;
    most = run;
    best = last;
  }
  return best;
}

/** The place that a row of the direct arguments would have among the rows. */
export function hypotheticalAggregate(
  name: HypotheticalName,
  order: readonly SetOrder[],
): AggregateFunction {
  const sorted = order.map((key) => key.type);
  const result = name === 'rank' || name === 'dense_rank' ? types.bigint : types.double;
  return {
    name,
    parameters: [...sorted, ...sorted],
    result,
    strict: false,
    ordered: true,
    accumulator: () => placeAmong(name, order),
    description: 'place that a row of the arguments would have',
  };
}

function placeAmong(name: HypotheticalName, order: readonly SetOrder[]): Accumulator {
  const compare = rowComparator(order);
  const width = order.length;
  const rows = orderedRows((all) => {
    const wanted = (all[0] ?? []).slice(width);
    const before = all.filter((row) => compare(row, wanted) < 0);
    const distinct = before.filter((row, i) => i === 0 || compare(before[i - 1] ?? row, row) !== 0);
    switch (name) {
      case 'rank':
        return BigInt(before.length + 1);
      case 'dense_rank':
        return BigInt(distinct.length + 1);
      case 'percent_rank':
        return before.length / all.length;
      case 'cume_dist': {
        const notBehind = all.filter((row) => compare(row, wanted) <= 0).length;
        return (notBehind + 1) / (all.length + 1);
      }
      default:
        return assertNever(name);
    }
  });
  const empty = { rank: 1n, dense_rank: 1n, percent_rank: 0, cume_dist: 1 }[name];
  return { ...rows, result: () => rows.result() ?? empty };
}

function rowComparator(order: readonly SetOrder[]): (left: Args, right: Args) => number {
  const keys = order.map((key) => ({ ...key, compare: comparator(key.type) }));
  return (left, right) => {
    for (const [index, { compare, descending, nullsFirst }] of keys.entries()) {
      const a = left[index] ?? null;
      const b = right[index] ?? null;
      if (a === null && b === null) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const difference = compare(a, b);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  };
}
