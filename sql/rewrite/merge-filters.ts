/** Filters of filters, and filters that keep all or nothing. */
import { isTrue, keepsNothing } from '../expression-fact.ts';
import { conjunction } from '../join-keys.ts';
import { mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

/**
 * filter(filter(x, a), b)  =>  filter(x, a AND b);  filter(x, true)  =>  x;  filter(x, false)  =>  no rows
 * Pays: one pass a batch, and other rules see the whole condition when they look for keys.
 * Safe: SQL's AND keeps a row exactly when both filters keep it, NULL included; the inner condition
 * comes first, so it still guards the outer one.
 */
export function mergeFilters(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, mergeFilters);
  if (next.kind !== 'filter') return next;
  if (isTrue(next.where)) return next.input;
  if (keepsNothing(next.where)) return { kind: 'values', rows: [], schema: next.schema };
  if (next.input.kind !== 'filter') return next;
  const where = conjunction([next.input.where, next.where]) ?? next.where;
  return { ...next, input: next.input.input, where };
}
