/** range_intersect_agg: what all ranges of a group have in common. */
import type { Datum } from '../base/datum.ts';
import type { RangeValue } from '../base/range.ts';
import { intersectRanges } from '../base/range-operation.ts';
import type { SqlType } from '../base/type.ts';
import type { Accumulator, AggregateFunction } from './aggregate-function.ts';

export const rangeAggregateNames = ['range_intersect_agg'];

interface Counted {
  readonly range: RangeValue;
  count: number;
}

/** Every distinct range with its count, by its text, since a range cannot be taken out of an intersection; a result reads them all. */
function intersection(): Accumulator {
  const entries = new Map<string, Counted>();
  const change = (range: RangeValue, by: number): void => {
    const key = range.toString();
    const entry = entries.get(key) ?? { range, count: 0 };
    entry.count += by;
    if (entry.count === 0) entries.delete(key);
    else entries.set(key, entry);
  };
  return {
    add: ([range], weight) => change(range as RangeValue, weight),
    result: () => {
      let common: RangeValue | undefined;
      for (const { range } of entries.values()) {
        common = common === undefined ? range : intersectRanges(common, range);
      }
      return common ?? null;
    },
    save: () => [...entries.values()].map(({ range, count }): Datum => [range, count]),
    load: (state) => {
      for (const [range, count] of state as readonly (readonly [RangeValue, number])[]) {
        change(range, count);
      }
    },
  };
}

export function resolveRangeAggregate(
  name: string,
  argTypes: readonly SqlType[],
): AggregateFunction | undefined {
  const [range] = argTypes;
  if (name !== 'range_intersect_agg' || argTypes.length !== 1 || range?.kind !== 'range') {
    return undefined;
  }
  return {
    name,
    parameters: [range],
    result: range,
    strict: true,
    accumulator: intersection,
    description: 'what all ranges have in common',
  };
}
