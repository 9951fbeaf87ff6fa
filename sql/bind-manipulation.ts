/** UPDATE and DELETE, and what they share with INSERT. */
import type { QualifiedName, SelectItem, Statement } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindFromList } from './bind-from.ts';
import {
  type BoundFrom,
  combineNames,
  type FromPlace,
  named,
  scopeOver,
} from './bind-from-place.ts';
import { project } from './bind-output.ts';
import { requireRelation } from './bind-relation.ts';
import { columnOf, type Scope } from './bind-scope.ts';
import { bindTargets } from './bind-target.ts';
import { settleExpression, settlePlan } from './bind-volatile.ts';
import type { BoundDelete, BoundUpdate, Returning } from './bound-statement.ts';
import type { SourceRelation } from './catalog.ts';
import { coerceAssignment, coerceToBoolean, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { mayBeNull } from './expression-null.ts';
import { mapColumns } from './logical-map.ts';
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

function requireTable(name: QualifiedName, verb: string, context: BindContext): SourceRelation {
  const relation = requireWritable(name, context);
  if (relation.kind === 'table') return relation;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot ${verb} stream "${relation.name}"`, {
    at: name.span,
    detail: 'The records of a stream are facts; only a table has rows to change.',
  });
}

/** RETURNING over the relation's columns; undefined without the clause. */
export function bindReturning(
  items: readonly SelectItem[],
  relation: SourceRelation,
  shown: string,
  context: BindContext,
): Returning | undefined {
  if (items.length === 0) return undefined;
  const from = named(
    { kind: 'scan', relation: relation.name, schema: relation.schema },
    undefined,
    shown,
    relation.name,
  );
  const scope = scopeOver(from, { context, parent: undefined, commonTables: new Map() });
  const targets = scope.within(places.returning, () => bindTargets(items, scope));
  const expressions = targets.map((target) =>
    settleExpression(resolveUnknown(target.expression, context), context),
  );
  const schema = expressions.map((expression, index) => ({
    name: targets[index]?.name ?? '?column?',
    type: expression.type,
    nullable: mayBeNull(expression, relation.schema),
  }));
  return { schema, expressions };
}

interface Target {
  readonly relation: SourceRelation;
  readonly from: BoundFrom;
  readonly scope: Scope;
  readonly shown: string;
}

/** The relation and the other FROM or USING items, joined. */
function bindTarget(
  statement: Statement & { readonly kind: 'update' | 'delete' },
  context: BindContext,
): Target {
  const verb = statement.kind === 'update' ? 'update' : 'delete from';
  const relation = requireTable(statement.relation, verb, context);
  if (statement.with !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `WITH before ${statement.kind.toUpperCase()} is not supported`,
      {
        at: statement.span,
      },
    );
  }
  const shown = statement.alias?.name ?? relation.name;
  const scan: LogicalNode = { kind: 'scan', relation: relation.name, schema: relation.schema };
  const own = named(scan, undefined, shown, relation.name);
  const place: FromPlace = { context, parent: undefined, commonTables: new Map() };
  const items = statement.kind === 'update' ? statement.from : statement.using;
  const others = bindFromList(items, place);
  const from: BoundFrom =
    others === undefined
      ? own
      : {
          ...combineNames(own, others, statement.span),
          node: {
            kind: 'join',
            type: 'inner',
            left: own.node,
            right: others.node,
            on: undefined,
            lateral: false,
            schema: [...own.node.schema, ...others.node.schema],
          },
        };
  return { relation, from, scope: scopeOver(from, place), shown };
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
): BoundUpdate {
  const target = bindTarget(statement, context);
  const { relation, scope } = target;
  const assigned = new Map<number, BoundExpr>();
  for (const { column: name, value } of statement.set) {
    const index = relation.schema.findIndex((column) => column.name === name.name);
    const column = relation.schema[index];
    if (column === undefined) {
      throw new StreamError(
        'SQL_UNKNOWN_COLUMN',
        `column "${name.name}" of relation "${relation.name}" does not exist`,
        { at: name.span },
      );
    }
    if (assigned.has(index)) {
      throw new StreamError('SQL_SYNTAX', `multiple assignments to same column "${name.name}"`, {
        at: name.span,
      });
    }
    const from = relation.columns[index]?.from;
    if (from?.kind === 'generated' && value !== 'default') {
      throw new StreamError(
        'SQL_GENERATED_COLUMN',
        `column "${name.name}" can only be updated to DEFAULT`,
        { at: name.span, detail: `Column "${name.name}" is a generated column.` },
      );
    }
    const bound =
      value === 'default'
        ? (relation.columns[index]?.default ??
          ({ kind: 'literal', value: null, type: column.type } as const))
        : scope.within(places.update, () => context.rules.expression(value, scope));
    assigned.set(index, coerceAssignment(bound, column, context));
  }
  const old = relation.schema.map(({ type }, index) => columnOf(index, type));
  const next = withGenerated(
    relation,
    old.map((column, index) => assigned.get(index) ?? column),
  );
  const names = relation.schema.map((column) => column.name);
  const plan = project(filtered(statement, target), [
    ...old.map((expression, index) => ({ name: names[index] ?? '', expression })),
    ...next.map((expression, index) => ({ name: names[index] ?? '', expression })),
  ]);
  return {
    kind: 'update',
    relation,
    plan: settlePlan(plan, context),
    changed: [...assigned.keys()],
    returning: bindReturning(statement.returning, relation, target.shown, context),
  };
}

/** Generated columns follow the new values of the others. */
function withGenerated(relation: SourceRelation, row: readonly BoundExpr[]): readonly BoundExpr[] {
  return row.map((value, index) => {
    const from = relation.columns[index]?.from;
    if (from?.kind !== 'generated') return value;
    return mapColumns(from.expression, (column) => row[column.index] ?? column);
  });
}

export function bindDelete(
  statement: Statement & { readonly kind: 'delete' },
  context: BindContext,
): BoundDelete {
  const target = bindTarget(statement, context);
  const { relation } = target;
  const schema: Schema = relation.schema;
  const plan = project(
    filtered(statement, target),
    schema.map(({ name, type }, index) => ({ name, expression: columnOf(index, type) })),
  );
  return {
    kind: 'delete',
    relation,
    plan: settlePlan(plan, context),
    returning: bindReturning(statement.returning, relation, target.shown, context),
  };
}
