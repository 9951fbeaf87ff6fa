/** Functions in FROM: set-returning ones, and scalar ones as one row. */
import type { FromItem, FunctionCall, TableAlias } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { isAggregateName } from './bind-aggregate.ts';
import { functionName } from './bind-call.ts';
import { places } from './bind-context.ts';
import type { BoundFrom, FromPlace } from './bind-from-place.ts';
import { project } from './bind-output.ts';
import { bindRecordFunction, isRecordFunction } from './bind-record-function.ts';
import { renameColumns, Scope, scopeColumns } from './bind-scope.ts';
import { type SetCall, sideBySide } from './bind-side-by-side.ts';
import {
  bindTableFunction,
  isTableFunction,
  refuseAggregateClauses,
} from './bind-table-function.ts';
import { bigintType, resolveUnknown } from './coerce.ts';
import type { LogicalNode } from './logical-plan.ts';

type FunctionItem = FromItem & { readonly kind: 'function' };

export function bindFromFunction(item: FunctionItem, place: FromPlace): BoundFrom {
  const { context, commonTables, parent } = place;
  const scope = new Scope({ context, commonTables, parent });
  scope.place = places.from;
  const [first] = item.calls;
  if (first === undefined) throw new Error('assertion failed: FROM names a function');
  const bound =
    item.calls.length > 1
      ? bindSideBySide(item, scope)
      : bindRows(first.call, first.columns, scope);
  const node = item.ordinality ? withOrdinality(bound.node, item) : bound.node;
  const name = item.alias?.name.name ?? functionName(first.call);
  return nameFunction(node, item.alias, name, bound.scalar);
}

function nameFunction(
  node: LogicalNode,
  alias: TableAlias | undefined,
  name: string,
  scalar: boolean,
): BoundFrom {
  // `generate_series(1, 3) AS g` is a table g with a column g.
  const schema = scalar
    ? node.schema.map((column, index) => (index === 0 ? { ...column, name } : column))
    : node.schema;
  const renamed = { ...node, schema };
  const columns = renameColumns(scopeColumns(schema), alias?.columns ?? [], name);
  const table = { name, columns, relation: undefined, primaryKey: undefined };
  return { node: renamed, tables: [table], columns };
}

type ColumnList = FunctionItem['calls'][number]['columns'];

/** `ROWS FROM (f(…), g(…))`. */
function bindSideBySide(item: FunctionItem, scope: Scope): Rows {
  const calls = item.calls.map(({ call, columns }): SetCall => {
    const { node } = bindRows(call, columns, scope);
    if (node.kind !== 'table-function') {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'ROWS FROM takes only set-returning functions here',
        { at: call.span },
      );
    }
    return node;
  });
  return { node: sideBySide(calls), scalar: false };
}

interface Rows {
  readonly node: LogicalNode;
  readonly scalar: boolean;
}

function bindRows(call: FunctionCall, columns: ColumnList, scope: Scope): Rows {
  const { context } = scope;
  const name = functionName(call);
  if (columns.length > 0 || isRecordFunction(name)) {
    refuseAggregateClauses(call, name);
    const bound = bindRecordFunction(call, name, columns, scope);
    return { node: { kind: 'table-function', ...bound, ordinality: false }, scalar: false };
  }
  if (isTableFunction(name)) {
    refuseAggregateClauses(call, name);
    const args = call.args.map((argument) => context.rules.expression(argument.value, scope));
    const { schema, scalar, args: converted } = bindTableFunction(name, args, call.span, context);
    return {
      node: { kind: 'table-function', name, args: converted, ordinality: false, schema },
      scalar,
    };
  }
  if (isAggregateName(name, context)) {
    throw new StreamError(
      'SQL_GROUPING',
      'aggregate functions are not allowed in functions in FROM',
      { at: call.span },
    );
  }
  const expression = resolveUnknown(context.rules.expression(call, scope), context);
  const oneRow: LogicalNode = { kind: 'values', rows: [[]], schema: [] };
  return { node: project(oneRow, [{ name, expression }]), scalar: true };
}

function withOrdinality(node: LogicalNode, item: FunctionItem): LogicalNode {
  const ordinality = { name: 'ordinality', type: bigintType, nullable: false };
  const schema: Schema = [...node.schema, ordinality];
  if (node.kind === 'table-function') return { ...node, ordinality: true, schema };
  if (node.kind === 'project') {
    const one = { kind: 'literal', value: 1n, type: bigintType } as const;
    return { ...node, expressions: [...node.expressions, one], schema };
  }
  throw new StreamError('SQL_NOT_SUPPORTED', 'WITH ORDINALITY is not supported here', {
    at: item.span,
  });
}
