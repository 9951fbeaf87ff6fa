/** INSERT: rows of exactly the relation's columns. */
import type { Expression, Identifier, Query, Statement, WrittenColumn } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { typeName } from './base/type.ts';
import { assignPart, defaultOfPart, partType } from './bind-assign-part.ts';
import { type BindContext, places } from './bind-context.ts';
import { type FromPlace, named, scopeOver } from './bind-from-place.ts';
import { bindAssignments, requireWritable, targetNames } from './bind-manipulation.ts';
import { closestName } from './bind-near-miss.ts';
import { convertOutputs, project } from './bind-output.ts';
import { bindOver } from './bind-over.ts';
import { bindWith } from './bind-query.ts';
import { bindReturning } from './bind-returning.ts';
import {
  type CommonTables,
  columnOf,
  noTables,
  type Scope,
  type ScopeTable,
  scopeColumns,
} from './bind-scope.ts';
import { settleExpression, settlePlan } from './bind-volatile.ts';
import type { BoundInsert, BoundOnConflict } from './bound-statement.ts';
import type { SourceRelation, UniqueKey } from './catalog.ts';
import { coerceAssignment, coerceToBoolean, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';
import { mayBeNull } from './expression-null.ts';
import { mapColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

type Insert = Statement & { readonly kind: 'insert' };

/** @throws StreamError SQL_UNKNOWN_COLUMN, SQL_DATATYPE_MISMATCH, SQL_SYNTAX (counts), SQL_GENERATED_COLUMN, … */
export function bindInsert(
  statement: Insert,
  context: BindContext,
  around: CommonTables = noTables,
): BoundInsert {
  const relation = requireWritable(statement.relation, context);
  const targets = targetColumns(statement, relation);
  const outside = { context, parent: undefined, commonTables: around };
  const commonTables = bindWith(statement.with, { ...outside, resolveUnknown: true });
  const place: FromPlace = { ...outside, commonTables };
  const rows = settlePlan(bindRows(statement, relation, targets, place), context);
  const onConflict =
    statement.onConflict && bindOnConflict(statement, statement.onConflict, relation, place);
  const shown = statement.alias?.name ?? statement.relation.parts.at(-1)?.name ?? relation.name;
  const names = targetNames(relation, shown);
  const returning = bindReturning(statement.returning, relation, names, place);
  return { kind: 'insert', relation, rows, onConflict, returning };
}

/** What INSERT and MERGE's INSERT say alike. */
export type InsertTarget = Pick<Insert, 'columns' | 'overriding' | 'span'>;

/** Column numbers that the source's columns go to. */
export function targetColumns(
  statement: InsertTarget,
  relation: SourceRelation,
): readonly number[] {
  if (statement.columns.length === 0) {
    return relation.columns.flatMap(({ from }, index) =>
      from.kind === 'metadata' || from.kind === 'header' ? [] : [index],
    );
  }
  const seen = new Set<number>();
  const inParts = new Set<number>();
  return statement.columns.map((name) => {
    const index = columnNumber(name, relation);
    if (name.path !== undefined && !seen.has(index)) {
      inParts.add(index);
    } else if (seen.has(index) && (name.path === undefined || !inParts.has(index))) {
      throw new StreamError(
        'SQL_DUPLICATE_COLUMN',
        `column "${name.name}" specified more than once`,
        { at: name.span },
      );
    }
    seen.add(index);
    return index;
  });
}

/** @throws StreamError SQL_UNKNOWN_COLUMN with a near miss. */
export function columnNumber(name: Identifier, relation: SourceRelation): number {
  const index = relation.schema.findIndex((column) => column.name === name.name);
  if (index >= 0) return index;
  const near = closestName(
    name.name,
    relation.schema.map((column) => column.name),
  );
  throw new StreamError(
    'SQL_UNKNOWN_COLUMN',
    `column "${name.name}" of relation "${relation.name}" does not exist`,
    {
      at: name.span,
      hint: near === undefined ? undefined : `Perhaps you meant the column "${near}".`,
    },
  );
}

function bindRows(
  statement: Insert,
  relation: SourceRelation,
  targets: readonly number[],
  place: FromPlace,
): LogicalNode {
  const { source } = statement;
  if (source === undefined) {
    const row = fillRow(relation, new Map());
    return { kind: 'values', rows: [row], schema: rowSchema(relation, [row]) };
  }
  const rows = plainValues(source);
  if (rows !== undefined) return bindValueRows(rows, statement, relation, targets, place);
  return bindSourceQuery(source, statement, relation, targets, place);
}

/** The rows of `VALUES (…), (…)` with nothing around it. */
function plainValues(query: Query): readonly (readonly Expression[])[] | undefined {
  const plain =
    query.with === undefined &&
    query.orderBy.length === 0 &&
    query.limit === undefined &&
    query.offset === undefined;
  return plain && query.body.kind === 'values' ? query.body.rows : undefined;
}

function bindValueRows(
  rows: readonly (readonly Expression[])[],
  statement: Insert,
  relation: SourceRelation,
  targets: readonly number[],
  place: FromPlace,
): LogicalNode {
  const { context } = place;
  const scope = scopeOver(
    { node: { kind: 'values', rows: [], schema: [] }, tables: [], columns: [] },
    place,
  );
  const isDefault = new Set(statement.defaults.map(([row, column]) => `${row} ${column}`));
  const width = rows[0]?.length ?? 0;
  const bound = rows.map((row, rowNumber) => {
    if (row.length !== width) {
      throw new StreamError('SQL_SYNTAX', 'VALUES lists must all be the same length', {
        at: row[0]?.span,
      });
    }
    checkCount(row.length, statement, targets, row);
    const given = new Map<number, BoundExpr>();
    row.forEach((cell, position) => {
      const target = targets[position];
      const column = statement.columns[position];
      if (target === undefined) return;
      if (isDefault.has(`${rowNumber} ${position}`)) {
        if (column?.path !== undefined) throw defaultOfPart(column);
        return;
      }
      refuseGenerated(relation, target, cell.span, statement.overriding);
      const value = scope.within(places.values, () => context.rules.expression(cell, scope));
      if (isLeftOut(statement, relation, target)) return;
      give(given, { relation, target, column }, value, scope);
    });
    return fillRow(relation, given);
  });
  return { kind: 'values', rows: bound, schema: rowSchema(relation, bound) };
}

/** OVERRIDING USER VALUE: identities have values of their own, whatever is written. */
export const isLeftOut = (
  { overriding }: InsertTarget,
  { columns }: SourceRelation,
  target: number,
): boolean => overriding === 'user' && columns[target]?.identity !== undefined;

/** Sets a column of a new row, or a part of it. @param column  as the statement names it. */
export function give(
  given: Map<number, BoundExpr>,
  {
    relation,
    target,
    column,
  }: {
    readonly relation: SourceRelation;
    readonly target: number;
    readonly column: WrittenColumn | undefined;
  },
  value: BoundExpr,
  scope: Scope,
): void {
  if (column?.path === undefined) {
    given.set(target, assign(value, relation, target, scope.context));
    return;
  }
  const type = relation.schema[target]?.type ?? value.type;
  const whole = given.get(target) ?? { kind: 'literal', value: null, type };
  given.set(target, assignPart(whole, column, value, scope));
}

export function assign(
  value: BoundExpr,
  relation: SourceRelation,
  target: number,
  context: BindContext,
): BoundExpr {
  const column = relation.schema[target];
  return column === undefined ? value : coerceAssignment(value, column, context);
}

export function checkCount(
  count: number,
  statement: InsertTarget,
  targets: readonly number[],
  row: readonly (Expression | 'default')[] | undefined,
): void {
  if (count > targets.length) {
    const surplus = row?.[targets.length];
    throw new StreamError('SQL_SYNTAX', 'INSERT has more expressions than target columns', {
      at: surplus === undefined || surplus === 'default' ? statement.span : surplus.span,
    });
  }
  if (statement.columns.length > 0 && count < targets.length) {
    throw new StreamError('SQL_SYNTAX', 'INSERT has more target columns than expressions', {
      at: statement.columns[count]?.span ?? statement.span,
    });
  }
}

/** @throws StreamError SQL_GENERATED_COLUMN for a value where only DEFAULT may stand. */
export function refuseGenerated(
  relation: SourceRelation,
  target: number,
  at: Span,
  overriding?: Insert['overriding'],
): void {
  refuseIdentity(relation, target, at, overriding);
  const kind = relation.columns[target]?.from.kind;
  if (kind !== 'generated' && kind !== 'metadata' && kind !== 'header') return;
  const name = relation.schema[target]?.name;
  throw new StreamError(
    'SQL_GENERATED_COLUMN',
    `cannot insert a non-DEFAULT value into column "${name}"`,
    {
      at,
      detail:
        kind === 'generated'
          ? `Column "${name}" is a generated column.`
          : `Column "${name}" is filled from the record's metadata.`,
    },
  );
}

function refuseIdentity(
  relation: SourceRelation,
  target: number,
  at: Span,
  overriding: Insert['overriding'],
): void {
  if (relation.columns[target]?.identity !== 'always' || overriding !== undefined) return;
  const name = relation.schema[target]?.name;
  throw new StreamError(
    'SQL_GENERATED_COLUMN',
    `cannot insert a non-DEFAULT value into column "${name}"`,
    {
      at,
      detail: `Column "${name}" is an identity column defined as GENERATED ALWAYS.`,
      hint: 'Use OVERRIDING SYSTEM VALUE to override.',
    },
  );
}

/** A whole row: given values, defaults, NULLs; then generated columns over them. */
export function fillRow(
  relation: SourceRelation,
  given: ReadonlyMap<number, BoundExpr>,
): readonly BoundExpr[] {
  const plain = relation.schema.map(
    ({ type }, index): BoundExpr =>
      given.get(index) ??
      relation.columns[index]?.default ?? { kind: 'literal', value: null, type },
  );
  return plain.map((value, index) => {
    const from = relation.columns[index]?.from;
    if (from?.kind !== 'generated') return value;
    return mapColumns(from.expression, (column) => plain[column.index] ?? column);
  });
}

const rowSchema = (relation: SourceRelation, rows: readonly (readonly BoundExpr[])[]): Schema =>
  relation.schema.map(({ name, type }, index) => ({
    name,
    type,
    nullable: rows.some((row) => {
      const cell = row[index];
      return cell === undefined || mayBeNull(cell, []);
    }),
  }));

function bindSourceQuery(
  query: Query,
  statement: Insert,
  relation: SourceRelation,
  targets: readonly number[],
  place: FromPlace,
): LogicalNode {
  const { context } = place;
  const plan = context.rules.query(query, { ...place, resolveUnknown: false });
  const width = plan.schema.length;
  checkCount(width, statement, targets, undefined);
  const used = targets.slice(0, width);
  for (const target of used) {
    refuseGenerated(relation, target, query.span, statement.overriding);
  }
  const types = used.map((target, index) => {
    const type = relation.schema[target]?.type ?? { kind: 'text' as const };
    const column = statement.columns[index];
    return column?.path === undefined ? type : partType(type, column);
  });
  const converted = convertOutputs(plan, types, 'assignment', context);
  if (typeof converted === 'number') {
    const column = relation.schema[used[converted] ?? 0];
    const from = plan.schema[converted];
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `column "${column?.name}" is of type ${column === undefined ? '' : typeName(column.type)} but expression is of type ${from === undefined ? '' : typeName(from.type)}`,
      { at: query.span, hint: 'You will need to rewrite or cast the expression.' },
    );
  }
  const given = new Map<number, BoundExpr>();
  const scope = scopeOver({ node: converted, tables: [], columns: [] }, place);
  for (const [index, target] of used.entries()) {
    if (isLeftOut(statement, relation, target)) continue;
    const value = columnOf(index, converted.schema[index]?.type ?? { kind: 'text' });
    const column = statement.columns[index];
    give(given, { relation, target, column }, value, scope);
  }
  const row = fillRow(relation, given);
  return project(
    converted,
    relation.schema.map(({ name }, index) => ({
      name,
      expression: row[index] ?? columnOf(index, { kind: 'text' }),
    })),
  );
}

// ---------------------------------------------------------------- on conflict

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

function bindOnConflict(
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
