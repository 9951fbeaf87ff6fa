/** Functions and aggregates that users made: what a call of one means to the binder. */
import type { Expression } from './ast.ts';
import type { Schema, SqlType } from './base/type.ts';
import type { AggregateFunction } from './function/aggregate-function.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

/** They are found by their bare names, as if all were in the schema public. */
export interface Routine {
  /** Stable number, never reused. */
  readonly id: number;
  readonly name: string;
  readonly parameters: readonly RoutineParameter[];
  readonly result: SqlType;
  /** The statement that made it. */
  readonly sql: string;
  /** The body's text; undefined for an aggregate. */
  readonly source: string | undefined;
  readonly language: 'javascript' | 'sql' | 'internal';
  /** As declared; a function is computed anew where PostgreSQL would, and in the same way every time. */
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** NULL for any NULL argument, without a call. */
  readonly strict: boolean;
  readonly body: RoutineBody;
}

export interface RoutineParameter {
  readonly name: string | undefined;
  readonly type: SqlType;
  readonly default: Expression | undefined;
}

export type RoutineBody =
  /** Computed by code: one value a call. */
  | { readonly kind: 'call'; readonly fn: ScalarFunction }
  /** The same with an array of rows, which are the rows of the call. */
  | {
      readonly kind: 'set';
      readonly fn: ScalarFunction;
      readonly columns: Schema;
      /** The only column has no name of its own, and is called as the function or its alias. */
      readonly nameless: boolean;
    }
  /** LANGUAGE SQL: written into the place of its call. `$1` is the column `"$"."$1"` here. */
  | { readonly kind: 'expression'; readonly expression: Expression }
  /** The same for a set: the array of its rows. */
  | {
      readonly kind: 'rows';
      readonly expression: Expression;
      readonly columns: Schema;
      readonly nameless: boolean;
    }
  | { readonly kind: 'aggregate'; readonly fn: AggregateFunction };
