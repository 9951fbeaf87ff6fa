/** The one list of functions: the binder resolves against it, SHOW FUNCTIONS and the docs print it. */
import type { SqlType } from '../base/type.ts';
import type { AggregateFunction } from './aggregate-function.ts';
import type { ScalarFunction } from './scalar-function.ts';

export interface FunctionRegistry {
  /** All overloads of a scalar function or operator; empty when there is none. */
  scalars(name: string): readonly ScalarFunction[];
  aggregates(name: string): readonly AggregateFunction[];
  /** The conversion, or undefined when PostgreSQL has none in that context. */
  cast(from: SqlType, to: SqlType, context: CastContext): Cast | undefined;
  /** Every name, sorted; for SHOW FUNCTIONS and near-miss hints. */
  names(): readonly string[];
}

/** pg_cast.castcontext: an explicit cast may do all, an assignment less, an implicit one least. */
export type CastContext = 'implicit' | 'assignment' | 'explicit';

export interface Cast {
  /** Undefined: same datum, other label. */
  readonly fn: ScalarFunction | undefined;
}
