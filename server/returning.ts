/** Expressions over rows of a statement: compiled, or, when they ask the database, as queries over the state before it. */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import type { Schema } from '../sql/base/type.ts';
import { project } from '../sql/bind-output.ts';
import type { BoundManipulation } from '../sql/bound-statement.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import type { StatementResult } from './database.ts';
import type { ShownChange } from './merge.ts';
import { answerOf, okResult } from './row-result.ts';

export type RunQuery = (plan: LogicalNode) => Promise<readonly Row[]>;

/** Rows that one query may hold as constants. */
const ROWS_PER_QUERY = 10_000;

/** What RETURNING tells; undefined without the clause. @param run  sees the state before the statement. */
export async function returnedRows(
  { returning, relation }: BoundManipulation,
  changes: readonly ShownChange[],
  run: RunQuery,
): Promise<readonly Row[] | undefined> {
  if (returning === undefined) return undefined;
  const nulls = relation.schema.map(() => null);
  const rows = changes.map(({ before, after, shown }) => [
    ...shown,
    ...(before ?? nulls),
    ...(after ?? nulls),
    before === undefined,
    after === undefined,
  ]);
  return evaluateOver(returning.expressions, returning.over, rows, run);
}

/** @returns one row of values per row, in their order. */
export async function evaluateOver(
  expressions: readonly BoundExpr[],
  over: Schema,
  rows: readonly Row[],
  run: RunQuery,
): Promise<readonly Row[]> {
  if (!expressions.some(holdsSubquery)) {
    const compiled = expressions.map(compileScalar);
    return rows.map((row) => compiled.map((value) => value(row)));
  }
  const results: Row[] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_QUERY) {
    const part = rows.slice(at, at + ROWS_PER_QUERY);
    const answered = await run(planOver(expressions, over, part));
    for (const answer of answered) results[at + Number(answer.at(-1))] = answer.slice(0, -1);
  }
  return results;
}

/** The expressions, and the number of the row. */
function planOver(
  expressions: readonly BoundExpr[],
  over: Schema,
  rows: readonly Row[],
): LogicalNode {
  const number = { kind: 'integer' } as const;
  const schema = [...over, { name: 'row_number', type: number, nullable: false }];
  const values: LogicalNode = {
    kind: 'values',
    rows: literalRows(
      rows.map((row, index) => [...row, index]),
      schema,
    ),
    schema,
  };
  return project(values, [
    ...expressions.map((expression, index) => ({ name: `value${index}`, expression })),
    { name: 'row_number', expression: { kind: 'column', index: over.length, type: number } },
  ]);
}

export const literalRows = (
  rows: readonly (readonly (Datum | null)[])[],
  schema: Schema,
): readonly (readonly BoundExpr[])[] =>
  rows.map((row) =>
    schema.map(({ type }, index) => ({ kind: 'literal', value: row[index] ?? null, type })),
  );

/** The command tag counts rows, also without RETURNING. */
export function manipulationResult(
  { kind, returning }: BoundManipulation,
  changes: readonly ShownChange[],
  returned: readonly Row[] | undefined,
): StatementResult {
  const tag = `${kind === 'insert' ? 'INSERT 0' : kind.toUpperCase()} ${changes.length}`;
  if (returning === undefined || returned === undefined) return okResult(tag, '');
  return answerOf(tag, returning.schema, returned);
}
