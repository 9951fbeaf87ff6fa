/**
 * A bound query as DuckDB SQL over the stored tables, for queries that are answered once. Text of the user reaches the
 * statement only inside literals; names are numbers.
 */
import type { Schema } from '../../sql/base/type.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import type { HostCall } from '../store/host-call.ts';
import { duckdbType, storedForm } from '../store/stored-form.ts';
import { computed, inputScope, PullContext } from './pull-context.ts';
import { renderExpression } from './pull-expression.ts';
import { computedType } from './pull-literal.ts';
import { renderNode } from './pull-node.ts';
import type { ScannedRelation } from './pull-overlay.ts';

/** What the store's `query` takes. */
export interface PullQuery {
  readonly sql: string;
  readonly schema: Schema;
  readonly calls: readonly HostCall[];
}

/**
 * @param plan     bound, its parameters replaced by literals, its stable functions by their values.
 * @param resolve  the stored relation behind a scan; throws when there is none.
 * @returns a statement that gives the plan's rows in the plan's order. It may be run more than once, also at the same time.
 * @throws StreamError for what a query cannot do here (SQL_NOT_SUPPORTED) and for invalid constants.
 */
export function renderQuery(
  plan: LogicalNode,
  resolve: (relation: string) => ScannedRelation,
): PullQuery {
  const context = new PullContext(resolve, { node: renderNode, expression: renderExpression });
  const body = context.node(plan, undefined);
  const alias = context.alias();
  const scope = inputScope(alias, body.forms, undefined);
  const columns = plan.schema.map((column, i) => {
    const value = scope.column(i);
    const form = storedForm(column.type);
    const own =
      form.kind === 'decimal' &&
      value.decimal?.precision === form.precision &&
      value.decimal.scale === form.scale;
    if (own) return `CAST(${value.text} AS ${duckdbType(form)}) AS c${i}`;
    return `CAST(${computed(value)} AS ${computedType(column.type)}) AS c${i}`;
  });
  const list = columns.length === 0 ? '1 AS nothing' : columns.join(', ');
  const common = [...context.commonTables].map(
    ([id, { text }]) => `m${id} AS MATERIALIZED (${text})`,
  );
  const before = common.length === 0 ? '' : `WITH ${common.join(', ')} `;
  return {
    sql: `${before}SELECT ${list} FROM (${body.text}) AS ${alias}`,
    schema: plan.schema,
    calls: context.calls,
  };
}
