/** EMIT FINAL, and the clocks that plans read. */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import { type ClosingFinder, type Closings, earliestOf } from './closing.ts';
import type { PhysicalNode } from './physical-node.ts';
import type { PlanBuilder } from './plan-builder.ts';

/**
 * EMIT FINAL: each row once, when it can change no more. The gate stands as high in the plan as a column that closes is
 * still there.
 * @throws StreamError SQL_NOT_INCREMENTAL when nothing in the plan closes.
 */
export function emitFinal(
  node: PhysicalNode,
  builder: PlanBuilder,
  finder: ClosingFinder,
  catalog: Catalog,
): PhysicalNode {
  // A match comes out when it can change no more.
  if (node.kind === 'match-recognize' && node.appendOnly) return node;
  const closings: Closings = finder.of(node);
  const closing = earliestOf(closings);
  if (closing !== undefined) {
    const clocks = closing.streams.map((stream) => clockOf(stream, builder, catalog));
    return builder.make(
      {
        kind: 'temporal-filter',
        from: closings.indexOf(closing),
        fromMicros: closing.micros,
        until: undefined,
        untilMicros: 0n,
      },
      node.schema,
      [node, ...clocks],
      { appendOnly: true },
    );
  }
  const [input] = node.inputs;
  if (node.kind === 'project' && input !== undefined) {
    const gated = emitFinal(input, builder, finder, catalog);
    return builder.project(gated, node.where, node.expressions, node.schema);
  }
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    'EMIT FINAL needs rows that become final, and no watermark says when these do',
    {
      hint: 'Declare WATERMARK FOR a time column of the stream, and group or join by its windows (window_start, window_end of TUMBLE, HOP, …) or by that column.',
    },
  );
}

const CLOCK_SCHEMA: Schema = [{ name: 'watermark', type: { kind: 'timestamp' }, nullable: false }];

export function wallClock(builder: PlanBuilder): PhysicalNode {
  return builder.make({ kind: 'clock', relation: undefined }, CLOCK_SCHEMA, [], {
    appendOnly: true,
    leaf: 'wall clock',
  });
}

export function clockOf(stream: string, builder: PlanBuilder, catalog: Catalog): PhysicalNode {
  const id = catalog.relation(stream)?.id ?? 0;
  return builder.make({ kind: 'clock', relation: stream }, CLOCK_SCHEMA, [], {
    appendOnly: true,
    leaf: `watermark ${id}`,
  });
}
