/** EMIT FINAL, and the clocks that plans read. */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { type Closing, type ClosingFinder, type Closings, earliestOf } from './closing.ts';
import type { PhysicalNode, PhysicalShape } from './physical-node.ts';
import { columnAt, columnExpression, type PlanBuilder } from './plan-builder.ts';

type Join = PhysicalNode & JoinShape;
type JoinShape = PhysicalShape & { readonly kind: 'join' };

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
    return gate(node, closings.indexOf(closing), closing, builder, catalog);
  }
  const joined = node.kind === 'join' && emitFull(node, builder, finder, catalog);
  if (joined) return joined;
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

/**
 * A full join has no column that is there in every row. A row of the left side, alone or in a pair, is final when no row that
 * meets it can come, and so by the left side's time; the others are the right side's alone.
 */
function emitFull(
  node: Join,
  builder: PlanBuilder,
  finder: ClosingFinder,
  catalog: Catalog,
): PhysicalNode | undefined {
  const left = finder.ofSide(node, 0);
  const right = finder.ofSide(node, 1);
  const ends = [earliestOf(left), earliestOf(right)] as const;
  if (node.type !== 'full' || ends[0] === undefined || ends[1] === undefined) return undefined;
  const width = node.output.length;
  const places = [left.indexOf(ends[0]), left.length + right.indexOf(ends[1])] as const;
  const both = node.inputs.slice(0, 2).flatMap(({ schema }) => schema);
  const times = places.map((place) => ({ ...columnAt(both, place), nullable: true }));
  const wider = builder.make(
    { ...shapeOf(node), output: [...node.output, ...places] },
    [...node.schema, ...times],
    node.inputs,
    { appendOnly: false },
  );
  const columns = wider.schema.map((_, column) => columnExpression(wider.schema, column));
  const parts = ([0, 1] as const).map((side) => {
    const where: BoundExpr = {
      kind: 'is-null',
      operand: columnExpression(wider.schema, width),
      negated: side === 0,
      type: { kind: 'boolean' },
    };
    const rows = builder.project(wider, where, columns, wider.schema);
    return gate(rows, width + side, ends[side] as Closing, builder, catalog);
  });
  const rows = builder.make({ kind: 'union-all' }, wider.schema, parts, { appendOnly: true });
  return builder.pick(
    rows,
    node.output.map((_, column) => column),
  );
}

function shapeOf({
  type,
  leftKeys,
  rightKeys,
  nullSafe,
  residual,
}: Join): Omit<JoinShape, 'output'> {
  return { kind: 'join', type, leftKeys, rightKeys, nullSafe, residual };
}

/** The rows of a node whose column has closed. */
function gate(
  node: PhysicalNode,
  from: number,
  { streams, micros }: Closing,
  builder: PlanBuilder,
  catalog: Catalog,
): PhysicalNode {
  const clocks = streams.map((stream) => clockOf(stream, builder, catalog));
  return builder.make(
    { kind: 'temporal-filter', from, fromMicros: micros, until: undefined, untilMicros: 0n },
    node.schema,
    [node, ...clocks],
    { appendOnly: true },
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
