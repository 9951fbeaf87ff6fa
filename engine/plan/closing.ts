/**
 * Which rows of a plan can change no more, by the watermarks of the streams that it reads. A column closes when the
 * watermark has passed its value: from then on no row with that value comes, changes or goes.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { PhysicalNode } from './physical-node.ts';
import type { PlanBuilder } from './plan-builder.ts';

/** Rows with the value v of a column are final when v + micros <= the watermark of every one of the streams. */
export interface Closing {
  readonly streams: readonly string[];
  readonly micros: bigint;
}

type Closings = readonly (Closing | undefined)[];

/** A watermark of W promises times from W on, so that what lies before it is over. */
const STRICTLY_BEFORE = 1n;

export function closingsOf(node: PhysicalNode, catalog: Catalog): Closings {
  const inputs = node.inputs.map((input) => closingsOf(input, catalog));
  const first = inputs[0] ?? [];
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      const time = relation?.kind === 'stream' ? relation.watermark?.column : undefined;
      return node.columns.map((column) =>
        column === time ? { streams: [node.relation], micros: STRICTLY_BEFORE } : undefined,
      );
    }
    case 'project':
      return node.expressions.map((expression) =>
        expression.kind === 'column' ? first[expression.index] : undefined,
      );
    case 'consolidate':
      return first;
    case 'window-table':
      return [...first, ...windowClosings(node.window, first[node.timeColumn])];
    case 'session':
      return [...first, undefined, sessionEnd(first[node.timeColumn])];
    case 'aggregate':
      return node.schema.map((_, column) => first[node.keys[column] ?? -1]);
    case 'union-all':
    case 'set-operation':
      return node.schema.map((_, column) => common(inputs.map((one) => one[column])));
    case 'join':
      return joinClosings(node, first, inputs[1] ?? []);
    case 'window':
    case 'top-n': {
      // A row of another partition never pushes one out of this; of the same partition it does until that is closed.
      const closes = node.partitionBy.some((column) => first[column] !== undefined);
      return node.schema.map((_, column) => (closes ? first[column] : undefined));
    }
    default:
      return node.schema.map(() => undefined);
  }
}

function windowClosings(
  window: { readonly sizeMicros: bigint },
  time: Closing | undefined,
): readonly [start: Closing | undefined, end: Closing | undefined] {
  if (time === undefined || time.micros !== STRICTLY_BEFORE) return [undefined, undefined];
  const { streams } = time;
  // A row from W on has a window that ends after W.
  return [
    { streams, micros: window.sizeMicros },
    { streams, micros: 0n },
  ];
}

/** A row from a session's end on begins another one. */
function sessionEnd(time: Closing | undefined): Closing | undefined {
  if (time === undefined || time.micros !== STRICTLY_BEFORE) return undefined;
  return { streams: time.streams, micros: 0n };
}

/** What closes on every side in the same way. */
function common(closings: readonly (Closing | undefined)[]): Closing | undefined {
  const [first] = closings;
  if (first === undefined) return undefined;
  const streams = new Set<string>();
  for (const closing of closings) {
    if (closing?.micros !== first.micros) return undefined;
    for (const stream of closing.streams) streams.add(stream);
  }
  return { streams: [...streams].sort(), micros: first.micros };
}

/** A pair of rows is over when both sides are: so only where an equality holds them to the same time. */
function joinClosings(
  node: PhysicalNode & { readonly kind: 'join' },
  left: Closings,
  right: Closings,
): Closings {
  const width = node.inputs[0]?.schema.length ?? 0;
  const byColumn = new Map<number, Closing>();
  node.leftKeys.forEach((leftKey, i) => {
    const rightKey = node.rightKeys[i] as number;
    const closing = common([left[leftKey], right[rightKey]]);
    if (closing === undefined) return;
    if (node.type !== 'right' && node.type !== 'full') byColumn.set(leftKey, closing);
    if (node.type === 'inner' || node.type === 'right') byColumn.set(width + rightKey, closing);
  });
  return node.output.map((column) => byColumn.get(column));
}

/**
 * EMIT FINAL: each row once, when it can change no more. The gate stands as high in the plan as a column that closes is
 * still there.
 * @throws StreamError SQL_NOT_INCREMENTAL when nothing in the plan closes.
 */
export function emitFinal(
  node: PhysicalNode,
  builder: PlanBuilder,
  catalog: Catalog,
): PhysicalNode {
  // A match comes out when it can change no more.
  if (node.kind === 'match-recognize' && node.appendOnly) return node;
  const closings = closingsOf(node, catalog);
  const from = earliest(closings);
  const closing = from === undefined ? undefined : closings[from];
  if (closing !== undefined) {
    const clocks = closing.streams.map((stream) => clockOf(stream, builder, catalog));
    return builder.make(
      {
        kind: 'temporal-filter',
        from,
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
    const gated = emitFinal(input, builder, catalog);
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

/** The column that asks least of the watermark: a window's end before its start. */
function earliest(closings: Closings): number | undefined {
  let found: number | undefined;
  closings.forEach((closing, column) => {
    const best = found === undefined ? undefined : closings[found];
    if (closing !== undefined && (best === undefined || closing.micros < best.micros))
      found = column;
  });
  return found;
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
