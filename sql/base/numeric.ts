/**
 * A PostgreSQL numeric. A finite value is `unscaled / 10^scale`; `scale` is the display scale
 * (0..16383) and part of the value's text, not of its identity: 1.0 and 1.00 are equal.
 * `unscaled` is 0n for the three special values.
 */
export interface Numeric {
  readonly special: 'finite' | 'NaN' | 'Infinity' | '-Infinity';
  readonly unscaled: bigint;
  readonly scale: number;
}
