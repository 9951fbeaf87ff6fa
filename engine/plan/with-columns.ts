import type { Column } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { equalExpressions } from '../../sql/expression-equal.ts';
import { printExpression } from '../../sql/expression-print.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';
import { columnAt, columnExpression, columnsOf, reindex, unionOf } from './plan-builder.ts';

export interface WithColumns {
  readonly node: PhysicalNode;
  /** Where each expression is found among the node's columns. */
  readonly positions: readonly number[];
  /** Where a column of the input is found, of those that were asked for. */
  readonly kept: (column: number) => number;
}

/**
 * An input with the columns `keep` and a column for each expression, so that operators see column numbers only.
 * Expressions that are columns, or equal to one another, cost nothing.
 */
export function withColumns(
  lowering: Lowering,
  input: LogicalNode,
  keep: readonly number[],
  expressions: readonly BoundExpr[],
): WithColumns {
  const plain = expressions.flatMap((expression) =>
    expression.kind === 'column' ? [expression.index] : [],
  );
  const kept = unionOf(keep, plain);
  const read = unionOf(kept, columnsOf(expressions));
  const source = lowering.lower(input, read);
  const columns: BoundExpr[] = kept.map((column) =>
    columnExpression(source.schema, read.indexOf(column)),
  );
  const schema: Column[] = kept.map((column) => columnAt(input.schema, column));
  const positions = expressions.map((expression) => {
    if (expression.kind === 'column') return kept.indexOf(expression.index);
    const over = reindex(expression, read);
    const known = columns.findIndex((column) => equalExpressions(column, over));
    if (known >= 0) return known;
    const nullable = !(over.kind === 'literal' && over.value !== null);
    columns.push(over);
    const name = over.kind === 'literal' ? printExpression(over, []) : `computed ${columns.length}`;
    schema.push({ name, type: expression.type, nullable });
    return columns.length - 1;
  });
  return {
    node: lowering.builder.project(source, undefined, columns, schema),
    positions,
    kept: (column) => kept.indexOf(column),
  };
}
