/**
 * EMIT EVERY and EMIT AFTER WATERMARK: windows early, on time and late. The three panes are those of Begoli et al., "One SQL to Rule
 * Them All", SIGMOD 2019 (EMIT STREAM AFTER DELAY … AND AFTER WATERMARK).
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { type ClosingFinder, earliestOf } from './closing.ts';
import { clockOf, wallClock } from './emit-final.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';

type EmitEvery = LogicalNode & { readonly kind: 'emit-every' };

/** @throws StreamError SQL_NOT_INCREMENTAL for AFTER WATERMARK of rows that no watermark passes. */
export function emitEvery(
  input: PhysicalNode,
  { micros, afterWatermark }: EmitEvery,
  lowering: Lowering,
  catalog: Catalog,
): PhysicalNode {
  const { builder, finder } = lowering;
  const timer = micros === undefined ? [] : [wallClock(builder)];
  if (afterWatermark === true) {
    return afterWatermarkOf(input, micros, timer, finder.onTime(), lowering, catalog);
  }
  return builder.make(
    { kind: 'emit-every', micros, after: undefined },
    input.schema,
    [input, ...timer],
    {
      appendOnly: input.appendOnly,
    },
  );
}

/** As EMIT FINAL does, it holds rows back as high in the plan as a column that closes is still there. */
function afterWatermarkOf(
  node: PhysicalNode,
  micros: bigint | undefined,
  timer: readonly PhysicalNode[],
  finder: ClosingFinder,
  lowering: Lowering,
  catalog: Catalog,
): PhysicalNode {
  const { builder } = lowering;
  const closings = finder.of(node);
  const closing = earliestOf(closings);
  if (closing !== undefined) {
    const clocks = closing.streams.map((stream) => clockOf(stream, builder, catalog));
    const after = { column: closings.indexOf(closing), micros: closing.micros };
    const { schema, appendOnly } = node;
    return builder.make(
      { kind: 'emit-every', micros, after },
      schema,
      [node, ...timer, ...clocks],
      { appendOnly },
    );
  }
  const [input] = node.inputs;
  if (node.kind === 'project' && input !== undefined) {
    const held = afterWatermarkOf(input, micros, timer, finder, lowering, catalog);
    return builder.project(held, node.where, node.expressions, node.schema);
  }
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    'EMIT AFTER WATERMARK needs rows with a time that closes, and no watermark says when it does',
    {
      hint: 'Declare WATERMARK FOR a time column of the stream, and group by its windows (window_start, window_end of TUMBLE, HOP, …) or by that column. The rows of a FULL JOIN have no one time: EMIT FINAL can show them.',
    },
  );
}
