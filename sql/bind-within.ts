/** ksqlDB's `JOIN … WITHIN (before, after)`: how far apart the times of two rows may be. */
import type { FromItem } from './ast.ts';
import type { Interval } from './base/interval.ts';
import { type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import { withGrace } from './bind-grace.ts';
import { bindOperator } from './bind-operator.ts';
import { columnOf } from './bind-scope.ts';
import { eventTimeColumn, graceOf } from './bind-stream-window.ts';
import { intervalMicros } from './bind-window-table.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

type Within = NonNullable<(FromItem & { readonly kind: 'join' })['within']>;

/**
 * left time - before <= right time <= left time + after, over left then right columns; one length stands for both. A row
 * without a time meets no other.
 * @throws StreamError SQL_NOT_SUPPORTED for a side whose time column is not known.
 */
export function withinCondition(
  within: Within,
  left: BoundFrom,
  right: BoundFrom,
  place: FromPlace,
): BoundExpr {
  const { context } = place;
  const { span } = within.before;
  const timeOf = (side: BoundFrom, shift: number): BoundExpr => {
    const column = eventTimeColumn(side, span, place);
    return columnOf(shift + column, side.node.schema[column]?.type ?? { kind: 'timestamp' });
  };
  const leftTime = timeOf(left, 0);
  const rightTime = timeOf(right, left.node.schema.length);
  const scope = scopeOver(left, place);
  const length = (expression: Within['before']): BoundExpr => {
    const value: Interval = { months: 0, days: 0, micros: intervalMicros(expression, scope) };
    return { kind: 'literal', value, type: { kind: 'interval' } };
  };
  const call = (op: string, ...operands: readonly BoundExpr[]): BoundExpr =>
    bindOperator(op, operands, span, context);
  const earliest = call('-', leftTime, length(within.before));
  const latest = call('+', leftTime, length(within.after));
  return {
    kind: 'and',
    args: [call('>=', rightTime, earliest), call('<=', rightTime, latest)],
    type: { kind: 'boolean' },
  };
}

/** A side of such a join with its late rows within GRACE PERIOD. */
export function withinGrace(within: Within, side: BoundFrom, place: FromPlace): LogicalNode {
  const { grace } = within;
  if (grace === undefined) return side.node;
  const timeColumn = eventTimeColumn(side, grace.span, place);
  const graceMicros = graceOf(grace, scopeOver(side, place));
  return withGrace({ node: side.node, timeColumn, graceMicros, at: grace.span }, place);
}
