import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';
import { columnAt } from './plan-builder.ts';

/**
 * aggregate(hop(x))  =>  aggregate(hop(consolidate(pane(x)))), where a pane is the slide that holds a row's time.
 * Pays: hopping windows copy every row size / slide times; rows that agree in all keys are added up per pane first,
 * so that copies are made per key and pane of an epoch.
 * Safe: with size a multiple of slide every window consists of whole panes, so that a row may take its pane's start
 * for its time; and the aggregation reads nothing of the row but keys, so that rows of one group and pane are equal.
 *
 * @param input  what the aggregation reads; its first `keyCount` positions are the keys'.
 * @returns a node with the same rows, or `input` itself where the rule does not hold.
 */
export function byPanes(
  input: PhysicalNode,
  positions: readonly number[],
  keyCount: number,
  lowering: Lowering,
): PhysicalNode {
  const { builder } = lowering;
  const picks = picksOf(input);
  const [hop] = picks === undefined ? [] : input.kind === 'project' ? input.inputs : [input];
  if (picks === undefined || hop?.kind !== 'window-table' || hop.window.kind !== 'hop')
    return input;
  const { slideMicros, sizeMicros, ...origin } = hop.window;
  const [source] = hop.inputs;
  if (source === undefined || sizeMicros % slideMicros !== 0n || sizeMicros === slideMicros) {
    return input;
  }
  const keys = new Set(positions.slice(0, keyCount));
  if (!picks.every((_, i) => keys.has(i))) return input;
  const sourceCount = source.schema.length;
  const kept = picks.filter((column) => column < sourceCount);
  // A key that is the time itself makes nearly every row a group of its own.
  if (kept.includes(hop.timeColumn)) return input;
  const panes = builder.make(
    {
      kind: 'window-table',
      window: { ...origin, kind: 'tumble', sizeMicros: slideMicros },
      timeColumn: hop.timeColumn,
    },
    hop.schema,
    [source],
    { appendOnly: source.appendOnly },
  );
  const narrow = builder.pick(panes, [...kept, sourceCount]);
  const added = builder.make({ kind: 'consolidate' }, narrow.schema, [narrow], {
    appendOnly: source.appendOnly,
  });
  const windows = builder.make(
    { kind: 'window-table', window: hop.window, timeColumn: kept.length },
    [...narrow.schema, columnAt(hop.schema, sourceCount), columnAt(hop.schema, sourceCount + 1)],
    [added],
    { appendOnly: source.appendOnly },
  );
  return builder.pick(
    windows,
    picks.map((column) =>
      column < sourceCount ? kept.indexOf(column) : kept.length + 1 + column - sourceCount,
    ),
  );
}

/** The column numbers of a projection that only picks columns; of any other node, its own columns. */
function picksOf(node: PhysicalNode): readonly number[] | undefined {
  if (node.kind !== 'project') return node.schema.map((_, column) => column);
  if (node.where !== undefined) return undefined;
  const columns = node.expressions.map((expression) =>
    expression.kind === 'column' ? expression.index : -1,
  );
  return columns.includes(-1) ? undefined : columns;
}
