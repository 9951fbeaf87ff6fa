/** Casts among dates, times, timestamps and intervals; the session's zone is UTC. */

import {
  dateToTimestamp,
  isInfiniteTimestamp,
  roundToPrecision,
  splitTimestamp,
  timestampToDate,
} from '../base/datetime.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type Interval, intervalInfinity, MICROS_PER_DAY } from '../base/interval.ts';
import type { SqlType, TypeKind } from '../base/type.ts';
import type { CastRule } from './cast-rule.ts';
import type { CastContext } from './registry.ts';

function precisionOf(type: SqlType): number | undefined {
  switch (type.kind) {
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return type.precision;
    default:
      return undefined;
  }
}

/** A conversion whose result is rounded to the target's precision. */
function rounded<A>(
  from: TypeKind,
  to: TypeKind,
  context: CastContext,
  convert: (value: A) => bigint | null,
  extras: Pick<CastRule, 'inline' | 'duckdb'> = {},
): CastRule {
  return {
    from,
    to,
    context,
    convert: (type) => {
      const precision = precisionOf(type);
      return ((value: A) => {
        const micros = convert(value);
        if (micros === null || isInfiniteTimestamp(micros)) return micros;
        return roundToPrecision(micros, precision);
      }) as (value: never) => Datum | null;
    },
    ...extras,
  };
}

function plain<A>(
  from: TypeKind,
  to: TypeKind,
  context: CastContext,
  convert: (value: A) => Datum | null,
): CastRule {
  return { from, to, context, convert: () => convert as (value: never) => Datum | null };
}

function timeOfDay(micros: bigint): bigint | null {
  return isInfiniteTimestamp(micros) ? null : splitTimestamp(micros).time;
}

function intervalToTime(value: Interval): bigint {
  if (intervalInfinity(value) !== 0) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'cannot convert infinite interval to time');
  }
  const rest = value.micros % MICROS_PER_DAY;
  return rest < 0n ? rest + MICROS_PER_DAY : rest;
}

const same = (value: bigint): bigint => value;

export const dateTimeCasts: readonly CastRule[] = [
  rounded('date', 'timestamp', 'implicit', dateToTimestamp),
  rounded('date', 'timestamptz', 'implicit', dateToTimestamp),
  plain('timestamp', 'date', 'assignment', timestampToDate),
  plain('timestamptz', 'date', 'assignment', timestampToDate),
  rounded('timestamp', 'time', 'assignment', timeOfDay),
  rounded('timestamptz', 'time', 'assignment', timeOfDay),
  rounded('timestamp', 'timestamptz', 'implicit', same),
  rounded('timestamptz', 'timestamp', 'assignment', same),
  rounded('timestamp', 'timestamp', 'implicit', same),
  rounded('timestamptz', 'timestamptz', 'implicit', same),
  rounded('time', 'time', 'implicit', same),
  rounded('interval', 'time', 'assignment', intervalToTime),
  plain(
    'time',
    'interval',
    'implicit',
    (micros: bigint): Interval => ({ months: 0, days: 0, micros }),
  ),
];
