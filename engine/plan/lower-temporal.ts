/** Rows that come and go by a clock. */
import { StreamError } from '../../sql/base/error.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { clockOf, wallClock } from './emit-final.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';
import { withColumns } from './with-columns.ts';

export function lowerTemporal(
  node: LogicalNode & { readonly kind: 'temporal-filter' },
  needed: readonly number[],
  lowering: Lowering,
  catalog: Catalog,
): PhysicalNode {
  const { builder } = lowering;
  const bounds = [node.from, node.until].flatMap((bound) => bound ?? []);
  const times = bounds.map(({ time }) => time);
  const { node: input, positions, kept } = withColumns(lowering, node.input, needed, times);
  const clocks =
    node.byWatermark === true
      ? watermarksOf(input, positions, lowering, catalog)
      : [wallClock(builder)];
  const result = builder.make(
    {
      kind: 'temporal-filter',
      from: node.from && positions[0],
      fromMicros: node.from?.micros ?? 0n,
      until: node.until && positions[bounds.length - 1],
      untilMicros: node.until?.micros ?? 0n,
    },
    input.schema,
    [input, ...clocks],
    { appendOnly: node.until === undefined && input.appendOnly },
  );
  return builder.pick(result, needed.map(kept));
}

/** @throws StreamError SQL_NOT_INCREMENTAL for times that no watermark closes. */
function watermarksOf(
  input: PhysicalNode,
  times: readonly number[],
  { builder, finder }: Lowering,
  catalog: Catalog,
): readonly PhysicalNode[] {
  const closings = finder.of(input);
  const streams = new Set(times.flatMap((time) => closings[time]?.streams ?? []));
  if (streams.size === 0) {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      'RETENTION needs windows that a watermark closes, and none says when these do',
      { hint: 'Declare WATERMARK FOR the time column of the stream.' },
    );
  }
  return [...streams].sort().map((stream) => clockOf(stream, builder, catalog));
}
