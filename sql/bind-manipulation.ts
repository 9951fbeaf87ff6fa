/** UPDATE and DELETE, and what they share with INSERT and MERGE. */

import type { Expression, Identifier, QualifiedName } from './ast.ts';
import type { Assignment, Statement, WrittenColumn } from './ast-statement.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Schema, SqlType } from './base/type.ts';
import { assignPart, defaultOfPart } from './bind-assign-part.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindFromList } from './bind-from.ts';
import {
  type BoundFrom,
  combineNames,
  type FromPlace,
  named,
  scopeOver,
} from './bind-from-place.ts';
import { withGenerated } from './bind-generated.ts';
import { closestName } from './bind-near-miss.ts';
import { project } from './bind-output.ts';
import { bindWith } from './bind-query.ts';
import { requireRelation } from './bind-relation.ts';
import { bindReturning } from './bind-returning.ts';
import { type CommonTables, columnOf, noTables, type Scope } from './bind-scope.ts';
import { settlePlan } from './bind-volatile.ts';
import type { BoundDelete, BoundUpdate } from './bound-statement.ts';
import type { SourceRelation } from './catalog.ts';
import { coerceAssignment, coerceToBoolean } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

/** A stream or table that takes rows. @throws StreamError SQL_UNKNOWN_RELATION, SQL_WRONG_OBJECT_TYPE. */
export function requireWritable(name: QualifiedName, context: BindContext): SourceRelation {
  const relation = requireRelation(name, context);
  if (relation.kind !== 'stream' && relation.kind !== 'table') {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `cannot change ${relation.kind === 'materialized-view' ? 'materialized view' : relation.kind} "${relation.name}"`,
      { at: name.span, hint: 'Change the relations that it is computed from.' },
    );
  }
  if (relation.readOnly || relation.query !== undefined) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot change "${relation.name}"`, {
      at: name.span,
      detail:
        relation.query === undefined ? 'It is a read-only source.' : 'It is fed by its own query.',
    });
  }
  return relation;
}

export function requireTable(
  name: QualifiedName,
  verb: string,
  context: BindContext,
): SourceRelation {
  const relation = requireWritable(name, context);
  if (relation.kind === 'table') return relation;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot ${verb} stream "${relation.name}"`, {
    at: name.span,
    detail: 'The records of a stream are facts; only a table has rows to change.',
  });
}

/** A relation's own columns under the name that the statement gives it. */
export function targetNames(relation: SourceRelation, shown: string): BoundFrom {
  const scan: LogicalNode = { kind: 'scan', relation: relation.name, schema: relation.schema };
  return named(scan, undefined, shown, relation.name);
}

interface Target {
  readonly relation: SourceRelation;
  /** The relation's columns, then those of the other items, then the row's number when there are any. */
  readonly from: BoundFrom;
  readonly joined: boolean;
  readonly place: FromPlace;
  readonly scope: Scope;
}

/** The relation and the other FROM or USING items, joined. */
function bindTarget(
  statement: Statement & { readonly kind: 'update' | 'delete' },
  context: BindContext,
  around: CommonTables,
): Target {
  const verb = statement.kind === 'update' ? 'update' : 'delete from';
  const relation = requireTable(statement.relation, verb, context);
  const outside = { context, parent: undefined, commonTables: around };
  const commonTables = bindWith(statement.with, { ...outside, resolveUnknown: true });
  const place: FromPlace = { ...outside, commonTables };
  const own = targetNames(
    relation,
    statement.alias?.name ?? statement.relation.parts.at(-1)?.name ?? relation.name,
  );
  const items = statement.kind === 'update' ? statement.from : statement.using;
  const others = bindFromList(items, place);
  const from = others === undefined ? own : joinOthers(own, others, statement.span);
  return { relation, from, joined: others !== undefined, place, scope: scopeOver(from, place) };
}

/** Equal rows of a table without a key are told apart by a number, as each is changed once however often it matches. */
export function withRowNumber(own: LogicalNode): LogicalNode {
  const type = { kind: 'bigint' } as const;
  return {
    kind: 'window',
    input: own,
    calls: [
      {
        fn: { kind: 'ranking', name: 'row_number', args: [], ignoreNulls: false },
        partitionBy: [],
        orderBy: [],
        frame: undefined,
        type,
      },
    ],
    schema: [...own.schema, { name: 'row_number', type, nullable: false }],
  };
}

/** The number comes last. */
function joinOthers(own: BoundFrom, others: BoundFrom, at: Span): BoundFrom {
  const left = withRowNumber(own.node);
  const width = own.node.schema.length;
  const joined: LogicalNode = {
    kind: 'join',
    type: 'inner',
    left,
    right: others.node,
    on: undefined,
    lateral: false,
    schema: [...left.schema, ...others.node.schema],
  };
  const place = (index: number): number => (index < width ? index : index + 1);
  const shown = [...own.node.schema, ...others.node.schema];
  const node = project(joined, [
    ...shown.map(({ name, type }, index) => ({ name, expression: columnOf(place(index), type) })),
    { name: 'row_number', expression: columnOf(width, { kind: 'bigint' }) },
  ]);
  return { ...combineNames(own, others, at), node };
}

/** The columns behind the target's own: those of the other items and the row's number. */
function columnsBeside({ relation, from }: Target): { name: string; expression: BoundExpr }[] {
  const width = relation.schema.length;
  return from.node.schema
    .slice(width)
    .map(({ name, type }, index) => ({ name, expression: columnOf(width + index, type) }));
}

function filtered(
  statement: Statement & { readonly kind: 'update' | 'delete' },
  target: Target,
): LogicalNode {
  const { from, scope } = target;
  const { where: node } = statement;
  if (node === undefined) return from.node;
  const { context } = scope;
  const bound = scope.within(places.where, () => context.rules.expression(node, scope));
  const where = coerceToBoolean(bound, 'WHERE', context);
  return { kind: 'filter', input: from.node, where, schema: from.node.schema };
}

/** @throws StreamError SQL_UNKNOWN_COLUMN, SQL_SYNTAX (assigned twice), SQL_DATATYPE_MISMATCH, … */
export function bindUpdate(
  statement: Statement & { readonly kind: 'update' },
  context: BindContext,
  around: CommonTables = noTables,
): BoundUpdate {
  const target = bindTarget(statement, context, around);
  const { relation, scope } = target;
  const assigned = bindAssignments(statement.set, relation, scope);
  const old = relation.schema.map(({ type }, index) => columnOf(index, type));
  const next = old.map((column, index) => assigned.get(index) ?? column);
  const names = relation.schema.map((column) => column.name);
  const assignedRows = project(filtered(statement, target), [
    ...old.map((expression, index) => ({ name: names[index] ?? '', expression })),
    ...next.map((expression, index) => ({ name: names[index] ?? '', expression })),
    ...columnsBeside(target),
  ]);
  const plan = withGenerated(assignedRows, relation, relation.schema.length);
  return {
    kind: 'update',
    relation,
    plan: settlePlan(plan, context),
    joined: target.joined,
    changed: [...assigned.keys()],
    returning: bindReturning(statement.returning, relation, target.from, target.place),
  };
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

/**
 * The new values of the columns that SET names, by their numbers.
 * @throws StreamError SQL_UNKNOWN_COLUMN, SQL_SYNTAX (assigned twice), SQL_GENERATED_COLUMN, SQL_DATATYPE_MISMATCH.
 */
export function bindAssignments(
  set: readonly Assignment[],
  relation: SourceRelation,
  scope: Scope,
): ReadonlyMap<number, BoundExpr> {
  const { context } = scope;
  const assigned = new Map<number, BoundExpr>();
  /** Columns that are assigned part by part. */
  const inParts = new Set<number>();
  for (const { column: name, value, part } of set) {
    const index = relation.schema.findIndex((column) => column.name === name.name);
    const column = relation.schema[index];
    if (column === undefined) {
      throw new StreamError(
        'SQL_UNKNOWN_COLUMN',
        `column "${name.name}" of relation "${relation.name}" does not exist`,
        { at: name.span },
      );
    }
    if (assigned.has(index) && (name.path === undefined || !inParts.has(index))) {
      throw new StreamError('SQL_SYNTAX', `multiple assignments to same column "${name.name}"`, {
        at: name.span,
      });
    }
    const { from, identity } = relation.columns[index] ?? {};
    if (identity === 'always' && value !== 'default') {
      throw new StreamError(
        'SQL_GENERATED_COLUMN',
        `column "${name.name}" can only be updated to DEFAULT`,
        {
          at: name.span,
          detail: `Column "${name.name}" is an identity column defined as GENERATED ALWAYS.`,
        },
      );
    }
    if (from?.kind === 'generated' && value !== 'default') {
      throw new StreamError(
        'SQL_GENERATED_COLUMN',
        `column "${name.name}" can only be updated to DEFAULT`,
        { at: name.span, detail: `Column "${name.name}" is a generated column.` },
      );
    }
    if (name.path !== undefined) {
      inParts.add(index);
      const whole = assigned.get(index) ?? columnOf(index, column.type);
      assigned.set(index, bindPart(whole, column.type, name, value, part, scope));
      continue;
    }
    const bound =
      value === 'default'
        ? (relation.columns[index]?.default ??
          ({ kind: 'literal', value: null, type: column.type } as const))
        : scope.within(places.update, () => assignedValue(value, part, scope));
    assigned.set(index, coerceAssignment(bound, column, context));
  }
  return assigned;
}

/** The column with a new value in a part of it. @throws StreamError SQL_NOT_SUPPORTED for DEFAULT. */
function bindPart(
  whole: BoundExpr,
  type: SqlType,
  column: WrittenColumn,
  value: Assignment['value'],
  part: Assignment['part'],
  scope: Scope,
): BoundExpr {
  if (value === 'default') throw defaultOfPart(column);
  return scope.within(places.update, () =>
    assignPart(whole, type, column, assignedValue(value, part, scope), scope),
  );
}

/** One column of `(a, b) = (SELECT …)` is that column of the query, one of `ROW(t.*)` that item; any other value is an expression. */
function assignedValue(value: Expression, part: Assignment['part'], scope: Scope): BoundExpr {
  const { context, commonTables } = scope;
  if (part === undefined) return context.rules.expression(value, scope);
  if (value.kind !== 'scalar-query') {
    const row = context.rules.expression(value, scope);
    const item = row.kind === 'row' ? row.items[part.index] : undefined;
    if (row.kind === 'row' && row.items.length === part.count && item !== undefined) return item;
    throw wrongCount(value);
  }
  const query = { context, parent: scope, commonTables, resolveUnknown: true };
  const plan = context.rules.query(value.query, query);
  const column = plan.schema[part.index];
  if (column === undefined || plan.schema.length !== part.count) {
    throw wrongCount(value);
  }
  const { type, name } = column;
  const only = project(plan, [{ name, expression: columnOf(part.index, type) }]);
  return { kind: 'subquery', mode: 'scalar', plan: only, type, span: value.span };
}

const wrongCount = ({ span: at }: Expression): StreamError =>
  new StreamError('SQL_SYNTAX', 'number of columns does not match number of values', { at });

export function bindDelete(
  statement: Statement & { readonly kind: 'delete' },
  context: BindContext,
  around: CommonTables = noTables,
): BoundDelete {
  const target = bindTarget(statement, context, around);
  const { relation } = target;
  const schema: Schema = relation.schema;
  const plan = project(filtered(statement, target), [
    ...schema.map(({ name, type }, index) => ({ name, expression: columnOf(index, type) })),
    ...columnsBeside(target),
  ]);
  return {
    kind: 'delete',
    relation,
    plan: settlePlan(plan, context),
    joined: target.joined,
    returning: bindReturning(statement.returning, relation, target.from, target.place),
  };
}
