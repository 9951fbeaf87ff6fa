/** = <> < <= > >= over types whose order DuckDB does not share. */
import type { BoundExpr } from '../../sql/expression.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { computed, type PullContext, type Sql } from './pull-context.ts';
import { comparableDecimals } from './pull-decimal.ts';
import { equalityKey, orderKey } from './pull-key.ts';

const operators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** The comparison as SQL; undefined when `fn` is no comparison, or one to be rendered as any function. */
export function renderComparison(
  context: PullContext,
  fn: ScalarFunction,
  args: readonly Pick<BoundExpr, 'type'>[],
  values: readonly Sql[],
): Sql | undefined {
  const sides = comparisonSides(context, fn, args, values);
  return sides && { text: `(${sides[0]} ${fn.name} ${sides[1]})` };
}

/** What DuckDB's operator of the same name is to compare. */
export function comparisonSides(
  context: PullContext,
  fn: ScalarFunction,
  args: readonly Pick<BoundExpr, 'type'>[],
  values: readonly Sql[],
): readonly [string, string] | undefined {
  const [left, right] = values;
  const type = args[0]?.type;
  if (fn.family !== 'comparison' || !operators.has(fn.name) || args.length !== 2) return undefined;
  if (left === undefined || right === undefined || type === undefined) return undefined;
  if (type.kind !== args[1]?.type.kind) return undefined;
  if (type.kind === 'numeric' && comparableDecimals(left, right)) return [left.text, right.text];
  const a: Sql = { text: computed(left) };
  const b: Sql = { text: computed(right) };
  if (fn.name === '=' || fn.name === '<>') {
    return [equalityKey(context, a, type), equalityKey(context, b, type)];
  }
  const first = orderKey(a, type);
  const second = orderKey(b, type);
  return first === undefined || second === undefined ? undefined : [first, second];
}
