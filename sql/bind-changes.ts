/** Statements with parts in their WITH clause that change rows. */

import type { CommonTable, Query } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { assert } from './base/assert.ts';
import { StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { bindInsert } from './bind-insert.ts';
import { bindDelete, bindUpdate } from './bind-manipulation.ts';
import { bindMerge } from './bind-merge.ts';
import { type CommonTables, noTables } from './bind-scope.ts';
import { bindQueryIn } from './binder.ts';
import type {
  BoundManipulation,
  BoundQuery,
  BoundStatement,
  BoundWithChanges,
} from './bound-statement.ts';
import type { BoundExpr } from './expression.ts';
import { mapOperands, operandsOf } from './expression-map.ts';
import { inputsOf, mapExpressions, mapInputs, visitExpressions } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

type Manipulation = Statement & { readonly kind: 'insert' | 'update' | 'delete' | 'merge' };

const kinds: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge']);

const isManipulation = (statement: CommonTable['statement']): statement is Manipulation =>
  kinds.has(statement.kind);

/** The statement, if parts in its WITH clause change rows. */
export function withChangeItems(statement: Statement): Manipulation | Query | undefined {
  if (!isManipulation(statement) && statement.kind !== 'query') return undefined;
  const items = statement.with?.items ?? [];
  return items.some((item) => item.statement.kind !== 'query') ? statement : undefined;
}

export function bindManipulation(
  statement: Manipulation,
  context: BindContext,
  around: CommonTables = noTables,
): BoundManipulation {
  switch (statement.kind) {
    case 'insert':
      return bindInsert(statement, context, around);
    case 'update':
      return bindUpdate(statement, context, around);
    case 'delete':
      return bindDelete(statement, context, around);
    case 'merge':
      return bindMerge(statement, context, around);
    default:
      return statement satisfies never;
  }
}

/** @param context  of a query that is answered once. */
export function bindWithChanges(
  statement: Manipulation | Query,
  context: BindContext,
): BoundStatement {
  if (statement.kind === 'query' && statement.emit !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'a query that changes rows is answered once', {
      at: statement.emit.span,
      hint: 'Leave the EMIT clause out.',
    });
  }
  const items: BoundWithChanges['items'][number][] = [];
  const bind = (part: CommonTable['statement'], around: CommonTables): LogicalNode | undefined => {
    assert(isManipulation(part), 'a WITH item is a query or changes rows');
    const bound = bindManipulation(part, context, around);
    const number = items.length;
    items.push({ statement: bound, reads: itemsRead(bound) });
    if (bound.returning === undefined) return undefined;
    return { kind: 'values', rows: [], schema: bound.returning.schema, item: number };
  };
  const inside: BindContext = { ...context, changes: { clause: statement.with, bind } };
  const main =
    statement.kind === 'query'
      ? ({ kind: 'query', plan: bindQueryIn(statement, inside), emit: undefined } as const)
      : bindManipulation(statement, inside);
  return { kind: 'with-changes', items, main: { statement: main, reads: itemsRead(main) } };
}

/** Numbers of the items whose rows a statement reads. */
function itemsRead(statement: BoundManipulation | BoundQuery): readonly number[] {
  const read = new Set<number>();
  const seePlan = (plan: LogicalNode): void => {
    if (plan.kind === 'values' && plan.item !== undefined) read.add(plan.item);
    for (const input of inputsOf(plan)) seePlan(input);
    visitExpressions(plan, seeExpression);
  };
  const seeExpression = (expression: BoundExpr): void => {
    if (expression.kind === 'subquery') seePlan(expression.plan);
    for (const operand of operandsOf(expression)) seeExpression(operand);
  };
  seePlan(statement.kind === 'insert' ? statement.rows : statement.plan);
  if (statement.kind === 'query') return [...read];
  for (const expression of statement.returning?.expressions ?? []) seeExpression(expression);
  const { set = [], where = undefined } =
    statement.kind === 'insert' ? (statement.onConflict ?? {}) : {};
  for (const { value } of set) seeExpression(value);
  if (where !== undefined) seeExpression(where);
  return [...read];
}

/** Puts the rows that items have returned where a plan reads them, also inside its subqueries. */
export function fillItems(
  plan: LogicalNode,
  rows: ReadonlyMap<number, readonly (readonly BoundExpr[])[]>,
): LogicalNode {
  if (plan.kind === 'values' && plan.item !== undefined) {
    return { kind: 'values', rows: rows.get(plan.item) ?? [], schema: plan.schema };
  }
  const inputs = mapInputs(plan, (input) => fillItems(input, rows));
  return mapExpressions(inputs, (expression) => fillExpression(expression, rows));
}

function fillExpression(
  expression: BoundExpr,
  rows: ReadonlyMap<number, readonly (readonly BoundExpr[])[]>,
): BoundExpr {
  const next = mapOperands(expression, (operand) => fillExpression(operand, rows));
  if (next.kind !== 'subquery') return next;
  const plan = fillItems(next.plan, rows);
  return plan === next.plan ? next : { ...next, plan };
}
