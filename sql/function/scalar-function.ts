import type { Datum } from '../base/datum.ts';
import type { SqlType } from '../base/type.ts';
import type { BoundExpr } from '../expression.ts';

/**
 * One overload of one scalar function or operator: what it takes, what it gives, how the engine
 * computes it and how a pull query says it to DuckDB. Operators are functions whose name is the
 * operator's spelling (`+`, `~~`); casts are functions named `cast`.
 */
export interface ScalarFunction {
  readonly name: string;
  /** Argument types; kinds matter, modifiers do not. `variadic` repeats the last one. */
  readonly parameters: readonly SqlType[];
  readonly variadic?: boolean | undefined;
  readonly result: SqlType;
  /**
   * Computes the value. A strict function (the default) is never called with NULL and gives NULL
   * when any argument is NULL; others (`strict: false`) get null arguments.
   * Throws StreamError for values outside its domain.
   */
  readonly evaluate: (...args: never[]) => Datum | null;
  readonly strict?: boolean | undefined;
  /** Of a function that a lambda made: the lambda. Functions with other bodies are other functions. */
  readonly body?: BoundExpr | undefined;
  /**
   * A JavaScript expression over non-null arguments, for the engine's generated loops; must agree with
   * `evaluate`. `args` are names of locals. It may throw through `$error.<name>()`, see RuntimeErrors.
   */
  readonly inline?: ((args: readonly string[]) => string) | undefined;
  /**
   * DuckDB SQL over rendered arguments (NULL-strict by itself unless `strict: false`). Without one, a
   * pull query calls `evaluate` through a registered DuckDB function of the same meaning.
   */
  readonly duckdb?: ((args: readonly string[]) => string) | undefined;
  /** Immutable (the default) may be folded at planning; stable is fixed within a statement. */
  readonly volatility?: 'immutable' | 'stable' | 'volatile' | undefined;
  /** One line for SHOW FUNCTIONS and the docs. */
  readonly description: string;
  readonly family:
    | 'comparison'
    | 'math'
    | 'string'
    | 'pattern'
    | 'datetime'
    | 'json'
    | 'binary'
    | 'array'
    | 'range'
    | 'enum'
    | 'conditional'
    | 'cast'
    | 'system';
}

/** Names that inline code may use for its errors; the kernel supplies them as `$error`. */
export interface RuntimeErrors {
  readonly divisionByZero: () => never;
  readonly outOfRange: (typeName: string) => never;
}

/** What tells functions apart: the registry makes some on demand, and lambdas make others. */
export const functionFacts: ReadonlySet<string> = new Set(['name', 'parameters', 'result', 'body']);
