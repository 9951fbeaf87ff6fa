import type { Interval } from './interval.ts';
import type { Numeric } from './numeric.ts';
import type { RangeValue } from './range.ts';

/** One non-NULL SQL value; sql/base/type.ts lists which form stands for which type. */
export type Datum =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Numeric
  | Interval
  | RangeValue
  | readonly (Datum | null)[];

export type Row = readonly (Datum | null)[];
