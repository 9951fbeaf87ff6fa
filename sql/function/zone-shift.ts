/** Instants plus intervals on the calendar of a time zone. */
import { addInterval, isInfiniteTimestamp } from '../base/datetime.ts';
import { type Interval, intervalInfinity } from '../base/interval.ts';
import { toLocal, toUtc, type Zone } from '../base/timezone.ts';

/** Months and days are added on the local calendar, the rest to the instant. */
export function shiftInZone(micros: bigint, interval: Interval, zone: Zone): bigint {
  if (intervalInfinity(interval) !== 0 || isInfiniteTimestamp(micros)) {
    return addInterval(micros, interval);
  }
  const calendar = { months: interval.months, days: interval.days, micros: 0n };
  const moved =
    interval.months === 0 && interval.days === 0
      ? micros
      : toUtc(zone, addInterval(toLocal(zone, micros), calendar));
  return addInterval(moved, { months: 0, days: 0, micros: interval.micros });
}
