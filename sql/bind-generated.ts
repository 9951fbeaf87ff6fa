/** Generated columns of rows that are written. */
import { project } from './bind-output.ts';
import { columnOf } from './bind-scope.ts';
import type { SourceRelation } from './catalog.ts';
import type { BoundExpr } from './expression.ts';
import { mapColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/**
 * Rows whose generated columns are computed over the values beside them: what made those may give another value each time.
 * @param first  the number of the new row's first column.
 * @param only   what an expression is where not every new row is one.
 */
export function withGenerated(
  rows: LogicalNode,
  { columns }: SourceRelation,
  first: number,
  only: (expression: BoundExpr) => BoundExpr = (expression) => expression,
): LogicalNode {
  if (!columns.some(({ from }) => from.kind === 'generated')) return rows;
  return project(
    rows,
    rows.schema.map(({ name, type }, index) => {
      const from = columns[index - first]?.from;
      if (from?.kind !== 'generated') return { name, expression: columnOf(index, type) };
      const over = mapColumns(from.expression, (one) => columnOf(one.index + first, one.type));
      return { name, expression: only(over) };
    }),
  );
}
