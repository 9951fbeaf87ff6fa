import type { Datum } from './datum.ts';

/** For datums that JavaScript's own operators order as PostgreSQL does. */
export function compareExact(left: Datum, right: Datum): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
