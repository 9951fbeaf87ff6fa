/** ON CONFLICT: which keys it is about, and what becomes of a row that is there already. */

import type { Expression } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { type BindContext, places } from './bind-context.ts';
import { type FromPlace, named, scopeOver } from './bind-from-place.ts';
import { bindAssignments, columnNumber } from './bind-manipulation.ts';
import { bindOver } from './bind-over.ts';
import { type ScopeTable, scopeColumns } from './bind-scope.ts';
import { settleExpression } from './bind-volatile.ts';
import type { BoundOnConflict } from './bound-statement.ts';
import type { SourceRelation, UniqueKey } from './catalog.ts';
import { coerceToBoolean, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';

type Insert = Statement & { readonly kind: 'insert' };

/**
 * The unique keys that the clause is about; undefined when it does not say.
 * @throws StreamError SQL_INVALID_COLUMN_REFERENCE, SQL_UNKNOWN_OBJECT.
 */
function conflictKeys(
  statement: Insert,
  { columns, expressions = [], targetWhere, constraint }: NonNullable<Insert['onConflict']>,
  relation: SourceRelation,
  context: BindContext,
): readonly number[] | undefined {
  const uniques = relation.uniques ?? [];
  if (constraint !== undefined) {
    const index = uniques.findIndex(
      ({ name, origin }) => name === constraint.name && origin !== 'index',
    );
    if (index >= 0) return [index];
    throw new StreamError(
      'SQL_UNKNOWN_OBJECT',
      `constraint "${constraint.name}" for table "${statement.relation.parts.at(-1)?.name}" does not exist`,
      { at: constraint.span },
    );
  }
  if (columns.length === 0 && expressions.length === 0) return undefined;
  const shown = statement.relation.parts.at(-1)?.name;
  const bind = (node: Expression): BoundExpr =>
    resolveUnknown(bindOver(node, relation.schema, places.index, context, shown), context);
  const wanted = [
    ...columns.map((name): BoundExpr => {
      const index = columnNumber(name, relation);
      return { kind: 'column', index, type: relation.schema[index]?.type ?? { kind: 'text' } };
    }),
    ...expressions.map(bind),
  ];
  const where = targetWhere && coerceToBoolean(bind(targetWhere), 'WHERE', context);
  const found = [...uniques.keys()].filter((index) => {
    const unique = uniques[index];
    return unique !== undefined && isInferred(unique, wanted, where);
  });
  if (found.length > 0) return found;
  throw new StreamError(
    'SQL_INVALID_COLUMN_REFERENCE',
    'there is no unique or exclusion constraint matching the ON CONFLICT specification',
    { at: columns[0]?.span ?? expressions[0]?.span },
  );
}

/** The same items in any order; a partial index only for its own condition. */
function isInferred(
  { items, where: own }: UniqueKey,
  wanted: readonly BoundExpr[],
  where: BoundExpr | undefined,
): boolean {
  const isIn = (one: BoundExpr, list: readonly BoundExpr[]): boolean =>
    list.some((other) => equalExpressions(one, other));
  const parts = items.map(({ expression }) => expression);
  return (
    parts.every((one) => isIn(one, wanted)) &&
    wanted.every((one) => isIn(one, parts)) &&
    (own === undefined || (where !== undefined && equalExpressions(own, where)))
  );
}

/** The clause, over the existing row and the proposed one. @throws StreamError as UPDATE does, SQL_INVALID_COLUMN_REFERENCE. */
export function bindOnConflict(
  statement: Insert,
  clause: NonNullable<Insert['onConflict']>,
  relation: SourceRelation,
  place: FromPlace,
): BoundOnConflict {
  const { context } = place;
  const both: Schema = [...relation.schema, ...relation.schema];
  const keys = conflictKeys(statement, clause, relation, context);
  if (clause.action === 'nothing') {
    return { keys, action: 'nothing', set: [], where: undefined, over: both };
  }
  if (keys === undefined) {
    throw new StreamError(
      'SQL_SYNTAX',
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      { at: statement.span, hint: 'For example, ON CONFLICT (column_name).' },
    );
  }
  const width = relation.schema.length;
  const shown = statement.alias?.name ?? statement.relation.parts.at(-1)?.name ?? relation.name;
  const table = (name: string, offset: number): ScopeTable => ({
    name,
    columns: scopeColumns(relation.schema, offset),
    relation: relation.name,
    primaryKey: undefined,
  });
  const existing = table(shown, 0);
  const excluded = table('excluded', width);
  const visible = [...existing.columns, ...excluded.columns];
  const from = named({ kind: 'values', rows: [], schema: both }, undefined, undefined, undefined);
  const scope = scopeOver(
    { node: from.node, tables: [existing, excluded], columns: visible },
    place,
  );
  const bind = (node: Expression): BoundExpr =>
    scope.within(places.update, () => context.rules.expression(node, scope));
  const assigned = bindAssignments(clause.set, relation, scope);
  const set = [...assigned].map(([column, value]) => ({
    column,
    value: settleExpression(value, context),
  }));
  const where = clause.where && coerceToBoolean(bind(clause.where), 'WHERE', context);
  const settled = where && settleExpression(where, context);
  return { keys, action: 'update', set, where: settled, over: both };
}
