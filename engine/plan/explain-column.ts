/** How EXPLAIN names columns of a node. */
import type { PhysicalNode, SortColumn } from './physical-node.ts';

export function columnNames(node: PhysicalNode | undefined, columns: readonly number[]): string {
  return columns.map((column) => node?.schema[column]?.name ?? '?').join(', ');
}

export function orderNames(node: PhysicalNode | undefined, order: readonly SortColumn[]): string {
  return order
    .map((key) => `${columnNames(node, [key.column])}${key.descending ? ' desc' : ''}`)
    .join(', ');
}
