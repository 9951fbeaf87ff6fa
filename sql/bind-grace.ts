/**
 * ksqlDB's GRACE PERIOD: a late row still counts where the watermark that it missed is not the grace behind. Late rows and their
 * watermarks are a table beside the stream, so this is the stream's rows and those of the table.
 */
import type { Span } from './base/error.ts';
import type { BoundFrom, FromPlace } from './bind-from-place.ts';
import { bindOperator } from './bind-operator.ts';
import { filtered } from './bind-output.ts';
import { sourceRead } from './bind-relation.ts';
import { columnOf, type ScopeColumn } from './bind-scope.ts';
import { windowNode } from './bind-window-table.ts';
import type { BoundExpr } from './expression.ts';
import { conjunction } from './join-keys.ts';
import { LATE_COLUMNS, lateRowsOf } from './late-relation.ts';
import type { LogicalNode, WindowShape } from './logical-plan.ts';
import { recordStart, withoutRecordColumns } from './record-column.ts';

/** An item of FROM that is a stream, and how it is read. */
export interface GraceInput {
  readonly node: LogicalNode;
  readonly timeColumn: number;
  readonly graceMicros: bigint;
  readonly at: Span;
}

/**
 * What GRACE PERIOD reads: without the columns of the records where late rows are known, since those have kept the stream's own
 * columns alone.
 */
export function readyForGrace(from: BoundFrom, { context }: FromPlace): BoundFrom {
  const stream = sourceRead(from.node, context);
  const start = recordStart(from.node);
  if (stream === undefined || start === undefined) return from;
  if (lateRowsOf(stream, context.catalog) === undefined) return from;
  const own = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    columns.filter(({ expression }) => expression.kind !== 'column' || expression.index < start);
  return {
    node: withoutRecordColumns(from.node),
    tables: from.tables.map((table) => ({ ...table, columns: own(table.columns) })),
    columns: own(from.columns),
  };
}

/** The stream's rows with those that are late by no more than the grace; without a watermark none is ever late. */
export function withGrace(input: GraceInput, place: FromPlace): LogicalNode {
  const { node, timeColumn, graceMicros, at } = input;
  const late = lateRows(node, place);
  if (late === undefined) return node;
  const watermark = columnOf(late.schema.length - 1, timeType(input));
  const time = columnOf(timeColumn, timeType(input));
  const where = compare('<=', watermark, later(time, graceMicros, at, place), at, place);
  return bothOf(node, filtered(late, where), (index) => index);
}

/**
 * The windows of a stream's rows. A late row counts in those of its windows that are still open: whose end and the grace the
 * watermark had not reached.
 */
export function windowsWithGrace(
  input: GraceInput,
  window: WindowShape & { readonly kind: 'tumble' | 'hop' },
  place: FromPlace,
): LogicalNode {
  const { node, timeColumn, graceMicros, at } = input;
  const own = windowNode(node, window, timeColumn);
  const late = lateRows(node, place);
  if (late === undefined) return own;
  const windows = windowNode(late, window, timeColumn);
  const type = timeType(input);
  const watermark = columnOf(late.schema.length - 1, type);
  const start = columnOf(late.schema.length, type);
  const end = columnOf(late.schema.length + 1, type);
  const isOpen = (bound: BoundExpr, micros: bigint): BoundExpr =>
    compare('<', watermark, later(bound, micros, at, place), at, place);
  const where = conjunction([
    isOpen(end, graceMicros),
    // It says the same again, for plans that keep the start only.
    isOpen(start, window.sizeMicros + graceMicros),
  ]);
  const kept: LogicalNode = where === undefined ? windows : filtered(windows, where);
  const width = node.schema.length;
  return bothOf(own, kept, (index) => (index < width ? index : index + LATE_COLUMNS));
}

/** The stream's columns, then partition, offset and watermark; undefined when nothing is late. */
function lateRows(node: LogicalNode, { context }: FromPlace): LogicalNode | undefined {
  const stream = sourceRead(node, context);
  const late = stream && lateRowsOf(stream, context.catalog);
  if (late === undefined) return undefined;
  const { schema } = late;
  const scan: LogicalNode = { kind: 'scan', relation: late.name, schema };
  if (node.kind !== 'project') return scan;
  const added = schema
    .slice(-LATE_COLUMNS)
    .map(({ type }, i) => columnOf(node.schema.length + i, type));
  return { kind: 'project', input: scan, expressions: [...node.expressions, ...added], schema };
}

function bothOf(
  rows: LogicalNode,
  late: LogicalNode,
  place: (index: number) => number,
): LogicalNode {
  const { schema } = rows;
  const expressions = schema.map(({ type }, index) => columnOf(place(index), type));
  const right: LogicalNode = { kind: 'project', input: late, expressions, schema };
  return { kind: 'set-operation', op: 'union', all: true, left: rows, right, schema };
}

const timeType = ({ node, timeColumn }: GraceInput): BoundExpr['type'] =>
  node.schema[timeColumn]?.type ?? { kind: 'timestamp' };

function later(time: BoundExpr, micros: bigint, at: Span, { context }: FromPlace): BoundExpr {
  const value = { months: 0, days: 0, micros };
  return bindOperator(
    '+',
    [time, { kind: 'literal', value, type: { kind: 'interval' } }],
    at,
    context,
  );
}

function compare(
  op: '<' | '<=',
  left: BoundExpr,
  right: BoundExpr,
  at: Span,
  { context }: FromPlace,
): BoundExpr {
  return bindOperator(op, [left, right], at, context);
}
