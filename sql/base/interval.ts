/** A PostgreSQL interval: three parts that are never folded into one another silently. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}
