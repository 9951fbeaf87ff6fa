/** Distinct outer rows for which a correlated plan is computed, and what its rewriting needs. */
import { StreamError } from '../base/error.ts';
import type { Column, Schema } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import type { BoundExpr } from '../expression.ts';
import { mapOperands } from '../expression-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

export interface Domain {
  /** Distinct rows: each stands for the outer rows that the plan cannot tell apart. */
  readonly node: LogicalNode;
  /** Where the outer column of a number (depth 1) is among the node's columns. */
  readonly place: ReadonlyMap<number, number>;
  /** Columns of the node that tell its rows apart. */
  readonly keys: readonly number[];
  /** Recursive queries whose references have the domain's columns already. */
  readonly references: ReadonlySet<number>;
}

/**
 * An expression of the node over the pushed input, where the domain's columns begin at `base`: outer columns of depth
 * 1 are found there, the others come one query nearer.
 */
export function over(expression: BoundExpr, base: number, domain: Domain): BoundExpr {
  if (expression.kind === 'outer-column') {
    const { depth, index, type, span } = expression;
    if (depth > 1) return { ...expression, depth: depth - 1 };
    const place = domain.place.get(index);
    if (place === undefined) throw new Error(`assertion failed: outer column ${index} is unknown`);
    return { kind: 'column', index: base + place, type, span };
  }
  if (expression.kind === 'subquery') {
    throw refused('this subquery inside of a correlated query', expression.span);
  }
  return mapOperands(expression, (operand) => over(operand, base, domain));
}

export function refused(what: string, at: BoundExpr['span']): StreamError {
  return new StreamError('SQL_NOT_INCREMENTAL', `${what} cannot be kept up to date incrementally`, {
    at,
    hint: 'Write the inner query as a join.',
  });
}

/** Columns of a schema that begins at `base`. */
export const columnsFrom = (schema: Schema, base: number): readonly BoundExpr[] =>
  schema.map(({ type }, index) => columnOf(base + index, type));

/** The given columns of a node, in that order. */
export function pick(input: LogicalNode, columns: readonly number[]): LogicalNode {
  const isWhole =
    columns.length === input.schema.length && columns.every((column, index) => column === index);
  if (isWhole) return input;
  const schema = columns.map((column) => input.schema[column] as Column);
  const expressions = columns.map((column, index) =>
    columnOf(column, (schema[index] as Column).type),
  );
  return { kind: 'project', input, expressions, schema };
}

export const range = (start: number, end: number): readonly number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

export function unionAll(left: LogicalNode, right: LogicalNode): LogicalNode {
  const schema = left.schema.map((column, index) => ({
    ...column,
    nullable: column.nullable || right.schema[index]?.nullable !== false,
  }));
  return { kind: 'set-operation', op: 'union', all: true, left, right, schema };
}
