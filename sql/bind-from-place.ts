/** What binding FROM passes around: a plan with the names over its columns, and where it stands. */
import type { FromItem, TableAlias } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import {
  type CommonTables,
  renameColumns,
  Scope,
  type ScopeColumn,
  type ScopeTable,
  scopeColumns,
} from './bind-scope.ts';
import { shiftColumns, shiftPlanOuter, visitPlanOuterColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** A plan, and the names that stand for its columns. */
export interface BoundFrom {
  readonly node: LogicalNode;
  readonly tables: readonly ScopeTable[];
  readonly columns: readonly ScopeColumn[];
}

/** Where a FROM item stands: the queries around it, and the left sides of joins before it. */
export interface FromPlace {
  readonly context: BindContext;
  readonly parent: Scope | undefined;
  /** The queries around alone: what a subquery that is not LATERAL may see. */
  readonly around?: Scope | undefined;
  readonly commonTables: CommonTables;
}

/** A plan under the name and the column names of its alias; without a name only bare columns are visible. */
export function named(
  node: LogicalNode,
  alias: TableAlias | undefined,
  name: string | undefined,
  relation: string | undefined,
  primaryKey?: readonly number[],
  columns: readonly ScopeColumn[] = scopeColumns(node.schema),
): BoundFrom {
  const renamed = renameColumns(columns, alias?.columns ?? [], name ?? 'subquery');
  const table = name === undefined ? [] : [{ name, columns: renamed, relation, primaryKey }];
  return { node, tables: table, columns: renamed };
}

/**
 * Binds the right side of a join, which may see the left one when it is lateral. A side that does
 * not look left is no lateral one, and its outer columns are counted without the join.
 */
export function bindRight(
  left: BoundFrom,
  place: FromPlace,
  bind: (place: FromPlace) => BoundFrom,
): { readonly right: BoundFrom; readonly lateral: boolean } {
  const { context, commonTables } = place;
  const { tables, columns } = left;
  const scope = new Scope({ context, commonTables, parent: place.parent, tables, columns }, true);
  const right = bind({ ...place, parent: scope });
  let lateral = false;
  visitPlanOuterColumns(right.node, (depth) => {
    lateral ||= depth === 1;
  });
  if (lateral) return { right, lateral };
  return { right: { ...right, node: shiftPlanOuter(right.node, -1) }, lateral };
}

/** Both sides' names, the right ones moved behind the left columns. @throws StreamError SQL_DUPLICATE_ALIAS. */
export function combineNames(
  left: BoundFrom,
  right: BoundFrom,
  at: Span,
): { readonly tables: readonly ScopeTable[]; readonly columns: readonly ScopeColumn[] } {
  const by = left.node.schema.length;
  for (const { name } of right.tables) requireNewName(name, left.tables, at);
  const moved = right.tables.map((table) => ({
    ...table,
    columns: moveColumns(table.columns, by),
    primaryKey: table.primaryKey?.map((index) => index + by),
    absent: table.absent && shiftColumns(table.absent, by),
  }));
  return {
    tables: [...left.tables, ...moved],
    columns: [...left.columns, ...moveColumns(right.columns, by)],
  };
}

/** @throws StreamError SQL_DUPLICATE_ALIAS. */
export function requireNewName(name: string, tables: readonly ScopeTable[], at: Span): void {
  if (!tables.some((table) => table.name === name)) return;
  throw new StreamError('SQL_DUPLICATE_ALIAS', `table name "${name}" specified more than once`, {
    at,
    hint: 'Give one of them an alias.',
  });
}

export const moveColumns = (columns: readonly ScopeColumn[], by: number): readonly ScopeColumn[] =>
  columns.map((column) => ({ ...column, expression: shiftColumns(column.expression, by) }));

/** A scope over a FROM item alone, for the expressions that belong to it. */
export function scopeOver(from: BoundFrom, place: FromPlace): Scope {
  const { context, commonTables, parent } = place;
  return new Scope({ context, commonTables, parent, tables: from.tables, columns: from.columns });
}

/** Any row may be missing on that side: its columns may be NULL. */
export const asNullable = (schema: Schema): Schema =>
  schema.map((column) => (column.nullable ? column : { ...column, nullable: true }));

export type BindFromItem = (item: FromItem, place: FromPlace) => BoundFrom;
