/** Joins that compare each row with one value, as `WHERE x > (SELECT avg(x) FROM t)` does. */

import type { PhysicalNode } from './physical-node.ts';
import { columnAt } from './plan-builder.ts';

export interface Threshold {
  /** The input whose rows are compared; the other one is a single row. */
  readonly rows: 0 | 1;
  /** What is compared: a column of the rows, and one of the single row. */
  readonly column: number;
  readonly limit: number;
  readonly op: '<' | '<=' | '>' | '>=';
  /** Which columns of the rows come out. */
  readonly output: readonly number[];
}

const TURNED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

/**
 * When a join is one: its whole condition is such a comparison of columns of one type, one input is an aggregate without keys, and
 * nothing of that comes out. Rows are then kept in the order of what is compared, and a change of the value
 * costs the rows between the old and the new one, where else every row would be compared again.
 */
export function thresholdOf(node: PhysicalNode & { readonly kind: 'join' }): Threshold | undefined {
  const { residual, output } = node;
  const [left, right] = node.inputs;
  if (node.type !== 'inner' || node.leftKeys.length > 0 || node.forgets !== undefined)
    return undefined;
  if (left === undefined || right === undefined || residual?.kind !== 'call') return undefined;
  const op = residual.fn.name;
  const [a, b] = residual.args;
  if (op !== '<' && op !== '<=' && op !== '>' && op !== '>=') return undefined;
  if (a?.kind !== 'column' || b?.kind !== 'column') return undefined;
  const leftCount = left.schema.length;
  if (a.index < leftCount === b.index < leftCount) return undefined;
  const rows = isSingleRow(right) ? 0 : isSingleRow(left) ? 1 : undefined;
  if (rows === undefined || output.some((column) => sideOf(column, leftCount) !== rows)) {
    return undefined;
  }
  const schema = [...left.schema, ...right.schema];
  const type = columnAt(schema, a.index).type;
  if (type.kind !== columnAt(schema, b.index).type.kind) return undefined;
  const own = (column: number): number => (column < leftCount ? column : column - leftCount);
  const isFirst = sideOf(a.index, leftCount) === rows;
  return {
    rows,
    column: own(isFirst ? a.index : b.index),
    limit: own(isFirst ? b.index : a.index),
    op: isFirst ? op : TURNED[op],
    output: output.map(own),
  };
}

function sideOf(column: number, leftCount: number): 0 | 1 {
  return column < leftCount ? 0 : 1;
}

function isSingleRow(node: PhysicalNode): boolean {
  if (node.kind === 'aggregate') return node.keys.length === 0;
  const [input] = node.inputs;
  return node.kind === 'project' && input !== undefined && isSingleRow(input);
}
