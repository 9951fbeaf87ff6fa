/** INSERT: rows of exactly the relation's columns. */

import type { Expression, Query } from './ast.ts';
import type { Statement, WrittenColumn } from './ast-statement.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Column, Schema } from './base/type.ts';
import { typeName } from './base/type.ts';
import { assignPart, defaultOfPart, partType } from './bind-assign-part.ts';
import { refuseSets } from './bind-call.ts';
import { type BindContext, places } from './bind-context.ts';
import { type FromPlace, scopeOver } from './bind-from-place.ts';
import { withGenerated } from './bind-generated.ts';
import { columnNumber, requireWritable, targetNames } from './bind-manipulation.ts';
import { bindOnConflict } from './bind-on-conflict.ts';
import { convertOutputs, project } from './bind-output.ts';
import { bindWith } from './bind-query.ts';
import { bindReturning } from './bind-returning.ts';
import { type CommonTables, columnOf, noTables, type Scope } from './bind-scope.ts';
import { settleExpression, settlePlan } from './bind-volatile.ts';
import type { BoundInsert, WrittenRow } from './bound-statement.ts';
import type { SourceRelation } from './catalog.ts';
import { bigintType, coerceAssignment } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { mayBeNull } from './expression-null.ts';
import type { LogicalNode } from './logical-plan.ts';
import { plainSelect } from './plain-query.ts';

/** ksqlDB's names are upper case, and its clients quote them. */
const ROWTIMES: readonly string[] = ['rowtime', 'ROWTIME'];

type Insert = Statement & { readonly kind: 'insert' };

/** @throws StreamError SQL_UNKNOWN_COLUMN, SQL_DATATYPE_MISMATCH, SQL_SYNTAX (counts), SQL_GENERATED_COLUMN, … */
export function bindInsert(
  statement: Insert,
  context: BindContext,
  around: CommonTables = noTables,
): BoundInsert {
  const relation = requireWritable(statement.relation, context);
  const written = withRecordTime(statement, relation);
  const targets = targetColumns(statement, written);
  const outside = { context, parent: undefined, commonTables: around };
  const commonTables = bindWith(statement.with, { ...outside, resolveUnknown: true });
  const place: FromPlace = { ...outside, commonTables };
  const made = withGenerated(bindRows(statement, written, targets, place), relation, 0);
  const rows = settlePlan(made, context);
  const onConflict =
    statement.onConflict && bindOnConflict(statement, statement.onConflict, relation, place);
  const shown = statement.alias?.name ?? statement.relation.parts.at(-1)?.name ?? relation.name;
  const names = targetNames(relation, shown);
  const returning = bindReturning(statement.returning, relation, names, place);
  return { kind: 'insert', relation, rows, onConflict, returning };
}

/** A statement that names ROWTIME, of a relation whose rows are records, writes it behind the relation's columns. */
function withRecordTime({ columns }: Insert, relation: SourceRelation): SourceRelation {
  const { schema, input } = relation;
  const named = columns.find(({ name }) => ROWTIMES.includes(name));
  if (named === undefined || input === undefined) return relation;
  if (schema.some(({ name }) => name === named.name)) return relation;
  const column = { name: named.name, type: bigintType, nullable: true };
  const from = { kind: 'value', field: named.name } as const;
  const origin = { from, default: undefined, notNull: false };
  return {
    ...relation,
    schema: [...schema, column],
    columns: [...relation.columns, origin],
  };
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

function bindRows(
  statement: Insert,
  relation: SourceRelation,
  targets: readonly number[],
  place: FromPlace,
): LogicalNode {
  const { source } = statement;
  if (source === undefined) {
    const row = plainRow(relation, new Map());
    return { kind: 'values', rows: [row], schema: rowSchema(relation, [row]) };
  }
  const rows = plainValues(source);
  const [only, ...others] = rows ?? [];
  const isPlain = rows !== undefined && (others.length > 0 || statement.defaults.length > 0);
  const values =
    rows && bindValueRows(rows, statement, relation, targets, place, isPlain ? 'refused' : 'taken');
  if (values !== undefined) return values;
  // One row of VALUES is a SELECT, where functions may give several.
  const items = (only ?? []).map((expression) => ({
    expression,
    alias: undefined,
    span: expression.span,
  }));
  const query =
    rows === undefined
      ? source
      : { ...source, body: plainSelect({ items, from: [] }, source.span) };
  return bindSourceQuery(query, statement, relation, targets, place);
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

/** @returns undefined when functions in the only row may give several, if that is `taken`. */
function bindValueRows(
  rows: readonly (readonly Expression[])[],
  statement: Insert,
  relation: SourceRelation,
  targets: readonly number[],
  place: FromPlace,
  sets: 'refused' | 'taken',
): LogicalNode | undefined {
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
      if (sets === 'refused') refuseSets(0, 'VALUES', scope, cell.span);
      if (isLeftOut(statement, relation, target)) return;
      give(given, { relation, target, column }, value, scope);
    });
    return plainRow(relation, given);
  });
  if (scope.pending.sets.length > 0) return undefined;
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
  given.set(target, assignPart(whole, type, column, value, scope));
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

/** A row without its generated columns: given values, defaults, NULLs. */
export const plainRow = (
  { schema, columns }: SourceRelation,
  given: ReadonlyMap<number, BoundExpr>,
): readonly BoundExpr[] =>
  schema.map(
    ({ type }, index): BoundExpr =>
      given.get(index) ?? columns[index]?.default ?? { kind: 'literal', value: null, type },
  );

/** A whole row over the values of these columns of it, for a statement that begins now. */
export function settledRow(
  relation: SourceRelation,
  columns: readonly number[],
  context: BindContext,
): WrittenRow {
  const settled = (value: BoundExpr): BoundExpr => settleExpression(value, context);
  const given = new Map(
    columns.map((column, place) => [
      column,
      columnOf(place, relation.schema[column]?.type ?? { kind: 'text' }),
    ]),
  );
  return {
    row: plainRow(relation, given).map(settled),
    generated: relation.columns.map(({ from }) =>
      from.kind === 'generated' ? settled(from.expression) : undefined,
    ),
  };
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
    throw assignmentMismatch(column, plan.schema[converted], query.span);
  }
  const given = new Map<number, BoundExpr>();
  const scope = scopeOver({ node: converted, tables: [], columns: [] }, place);
  for (const [index, target] of used.entries()) {
    if (isLeftOut(statement, relation, target)) continue;
    const value = columnOf(index, converted.schema[index]?.type ?? { kind: 'text' });
    const column = statement.columns[index];
    give(given, { relation, target, column }, value, scope);
  }
  const row = plainRow(relation, given);
  return project(
    converted,
    relation.schema.map(({ name }, index) => ({
      name,
      expression: row[index] ?? columnOf(index, { kind: 'text' }),
    })),
  );
}

/** @param from  the column of the query that does not fit. */
export function assignmentMismatch(
  column: Column | undefined,
  from: Column | undefined,
  at: Span,
): StreamError {
  return new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `column "${column?.name}" is of type ${column === undefined ? '' : typeName(column.type)} but expression is of type ${from === undefined ? '' : typeName(from.type)}`,
    { at, hint: 'You will need to rewrite or cast the expression.' },
  );
}
