/** Functions in FROM: set-returning ones, and scalar ones as one row. */
import type { FromItem, FunctionCall, TableAlias } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Column } from './base/type.ts';
import { isAggregateName } from './bind-aggregate.ts';
import { functionName } from './bind-call.ts';
import { places } from './bind-context.ts';
import type { BoundFrom, FromPlace } from './bind-from-place.ts';
import { bindRecordFunction, isRecordFunction } from './bind-record-function.ts';
import { functionsNamed, resolveRoutine, routineExpression, routineRows } from './bind-routine.ts';
import { renameColumns, Scope, scopeColumns } from './bind-scope.ts';
import {
  bindTableFunction,
  isTableFunction,
  refuseAggregateClauses,
} from './bind-table-function.ts';
import { bigintType, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { mayBeNull } from './expression-null.ts';
import { ONE_ROW } from './function/table-rows.ts';
import type { LogicalNode, TableCall } from './logical-plan.ts';
import type { Routine } from './routine.ts';

type FunctionItem = FromItem & { readonly kind: 'function' };

export function bindFromFunction(item: FunctionItem, place: FromPlace): BoundFrom {
  const { context, commonTables, parent } = place;
  const scope = new Scope({ context, commonTables, parent });
  scope.place = places.from;
  const bound = item.calls.map(({ call, columns }) => bindRows(call, columns, scope));
  const calls = bound.map(({ call }) => call);
  const columns = calls.flatMap((call) => call.columns);
  const node: LogicalNode = {
    kind: 'table-function',
    calls,
    ordinality: item.ordinality,
    schema: item.ordinality ? [...columns, ordinalityColumn] : columns,
  };
  const [first] = item.calls;
  const [only, ...others] = bound;
  const name = item.alias?.name.name ?? (first === undefined ? '' : functionName(first.call));
  const isAlone = others.length === 0;
  const named = nameFunction(node, item.alias, name, isAlone && only?.scalar === true);
  const single = isAlone && !item.ordinality && only?.single === true;
  return { ...named, tables: named.tables.map((table) => ({ ...table, single })) };
}

const ordinalityColumn: Column = { name: 'ordinality', type: bigintType, nullable: false };

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

interface Rows {
  readonly call: TableCall;
  readonly scalar: boolean;
  /** Values rather than rows, whatever their column is called. */
  readonly single: boolean;
}

type ColumnList = FunctionItem['calls'][number]['columns'];

function bindRows(item: FunctionCall, listed: ColumnList, scope: Scope): Rows {
  const { context } = scope;
  const name = functionName(item);
  if (listed.length > 0 || isRecordFunction(name)) {
    refuseAggregateClauses(item, name);
    const call = bindRecordFunction(item, name, listed, scope);
    return { call, scalar: false, single: false };
  }
  const routines = functionsNamed(item, name, context);
  if (routines.length > 0) return bindRoutineRows(item, name, routines, scope);
  if (isTableFunction(name)) {
    refuseAggregateClauses(item, name);
    const args = item.args.map((argument) => context.rules.expression(argument.value, scope));
    const bound = bindTableFunction(name, args, item.span, context);
    const { args: converted, schema: columns, scalar } = bound;
    const single = columns.length === 1 && (name !== 'unnest' || scalar);
    return { call: { name, args: converted, columns }, scalar, single };
  }
  if (isAggregateName(name, context)) {
    throw new StreamError(
      'SQL_GROUPING',
      'aggregate functions are not allowed in functions in FROM',
      { at: item.span },
    );
  }
  return oneRow(name, resolveUnknown(context.rules.expression(item, scope), context));
}

function bindRoutineRows(
  item: FunctionCall,
  name: string,
  routines: readonly Routine[],
  scope: Scope,
): Rows {
  const { context } = scope;
  const resolved = resolveRoutine(item, name, routines, scope, context.rules.expression);
  const rows = routineRows(resolved, item.span, context);
  if (rows === undefined) return oneRow(name, routineExpression(resolved, item.span, context));
  const { args, columns, nameless } = rows;
  return { call: { name: rows.name, args, columns }, scalar: nameless, single: nameless };
}

/** A function of one value as a table of one row, whose columns are those of a composite value. */
function oneRow(name: string, expression: BoundExpr): Rows {
  if (expression.type.kind === 'row') {
    const { type } = expression;
    const array: BoundExpr = {
      kind: 'array',
      items: [expression],
      type: { kind: 'array', element: type },
    };
    const call: TableCall = { name: 'unnest', args: [array], columns: type.fields };
    return { call, scalar: false, single: false };
  }
  const column = { name, type: expression.type, nullable: mayBeNull(expression, []) };
  const call: TableCall = { name: ONE_ROW, args: [expression], columns: [column] };
  return { call, scalar: true, single: true };
}
