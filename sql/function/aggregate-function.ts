import type { Datum } from '../base/datum.ts';
import type { SqlType } from '../base/type.ts';

/** The state of one group under one aggregate. Owned by the engine, opaque to it. */
export interface Accumulator {
  /**
   * Adds `weight` copies of one input row; a negative weight takes copies back. For a strict
   * aggregate rows whose first argument is NULL never arrive here.
   */
  add(args: readonly (Datum | null)[], weight: number): void;
  /** The aggregate's value now; PostgreSQL's answer over an empty input when nothing is left. */
  result(): Datum | null;
  /** All that it holds, as plain values; a new accumulator that loads them goes on exactly like this one. */
  save(): readonly (Datum | null)[];
  load(state: readonly (Datum | null)[]): void;
}

/**
 * One overload of one aggregate. `accumulator` is the general form that is right under inserts and
 * deletes; the engine has its own typed state for the hot ones (`incremental`).
 */
export interface AggregateFunction {
  readonly name: string;
  readonly parameters: readonly SqlType[];
  readonly variadic?: boolean | undefined;
  readonly result: SqlType;
  /** Skips rows whose first argument is NULL. count(*) has no parameters and takes every row. */
  readonly strict: boolean;
  readonly accumulator: () => Accumulator;
  /** The same with less state, where no row is ever taken back; it loads what `accumulator` saved, too. */
  readonly growing?: (() => Accumulator) | undefined;
  /** Names a typed implementation in the engine. */
  readonly incremental?:
    | 'count'
    | 'sum-int'
    | 'sum-numeric'
    | 'sum-double'
    | 'avg-int'
    | 'avg-numeric'
    | 'avg-double'
    | 'min'
    | 'max'
    | 'bool-and'
    | 'bool-or'
    | undefined;
  /** DuckDB SQL of the call over rendered arguments, e.g. `CAST(sum(x) AS BIGINT)`. */
  readonly duckdb?: ((args: readonly string[]) => string) | undefined;
  /** Does the order of input rows matter (string_agg, array_agg)? */
  readonly ordered?: boolean | undefined;
  readonly description: string;
}
