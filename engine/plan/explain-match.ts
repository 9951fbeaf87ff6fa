import { printPattern } from '../../sql/row-pattern-print.ts';
import { columnNames, orderNames } from './explain-column.ts';
import type { PhysicalNode } from './physical-node.ts';

export function explainMatch(
  node: PhysicalNode & { readonly kind: 'match-recognize' },
  input: PhysicalNode | undefined,
): string {
  const partition =
    node.partitionBy.length === 0 ? '' : ` per (${columnNames(input, node.partitionBy)})`;
  const within = node.withinMicros === undefined ? '' : ` within ${node.withinMicros} µs`;
  const kept = node.inEventTime
    ? 'rows that a match which is not over may need'
    : 'all rows in order with their matches';
  return `match ${printPattern(node)}${within}${partition} order by (${orderNames(input, node.orderBy)}); keeps: ${kept}`;
}
