/** Function calls over rendered arguments. */
import type { SqlType } from '../../sql/base/type.ts';
import { callScalar } from '../../sql/function/define.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { computed, type PullContext, type Sql } from './pull-context.ts';
import { once } from './pull-once.ts';

/** Any function: DuckDB's own when the registry has it, else a call back to ours. */
export function renderFunction(
  context: PullContext,
  fn: ScalarFunction,
  types: readonly SqlType[],
  result: SqlType,
  values: readonly Sql[],
): Sql {
  const args = values.map(computed);
  if (fn.duckdb !== undefined) return { text: once(args, fn.duckdb) };
  return context.call(types, result, args, (row) => callScalar(fn, row), {
    strict: fn.strict !== false,
    volatile: fn.volatility === 'volatile',
  });
}
