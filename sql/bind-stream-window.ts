/** ksqlDB's `WINDOW TUMBLING (SIZE …)` after FROM: every row gets its windows, and groups are per window. */
import type { Expression, GroupItem, StreamWindow } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import { type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import { readyForGrace, windowsWithGrace, withGrace } from './bind-grace.ts';
import { bindColumn } from './bind-name.ts';
import { bindOperator } from './bind-operator.ts';
import { filtered } from './bind-output.ts';
import { checkTimestampOption, timestampOption } from './bind-record-time.ts';
import { sourceRead } from './bind-relation.ts';
import { checkRetention } from './bind-retention.ts';
import { bindScalar } from './bind-scalar.ts';
import { columnOf, type Scope, type ScopeColumn } from './bind-scope.ts';
import { intervalMicros, positiveLength, windowNode } from './bind-window-table.ts';
import { bigintType, castExplicitly } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { columnsRead } from './logical-map.ts';
import type { LogicalNode, TemporalBound, WindowShape } from './logical-plan.ts';
import { recordTime } from './record-column.ts';

export interface StreamWindowed {
  readonly from: BoundFrom;
  /** window_start and window_end, which join the GROUP BY. */
  readonly keys: readonly BoundExpr[];
  /** The windows of the rows that WHERE keeps; undefined where it may as well keep rows of the windows. */
  readonly filter: (where: BoundExpr) => LogicalNode | undefined;
  /** When a row leaves again, by the watermark; undefined = never. */
  readonly until: TemporalBound | undefined;
}

/**
 * @param groupBy  of the query: sessions are per group.
 * @throws StreamError SQL_NOT_SUPPORTED for sources without an event time, and for sessions per anything but columns.
 */
export function bindStreamWindow(
  clause: StreamWindow,
  source: BoundFrom,
  place: FromPlace,
  groupBy: readonly GroupItem[],
): StreamWindowed {
  const from = clause.grace === undefined ? source : readyForGrace(source, place);
  const scope = scopeOver(from, place);
  const size = positiveLength(intervalMicros(clause.size, scope), clause);
  const window: WindowShape =
    clause.kind === 'session'
      ? { kind: 'session', gapMicros: size, partitionBy: groupColumns(groupBy, scope) }
      : shapeOf(clause.kind, clause, size, () =>
          clause.advance === undefined
            ? size
            : positiveLength(intervalMicros(clause.advance, scope), clause),
        );
  const timeColumn = eventTimeColumn(from, clause.span, place);
  const node = windowsOf(clause, from, window, timeColumn, place);
  const width = from.node.schema.length;
  const type = node.schema[width]?.type ?? { kind: 'timestamp' };
  const start = columnOf(width, type);
  const end = columnOf(width + 1, type);
  const millis = (time: BoundExpr): BoundExpr => epochMillis(time, clause, place);
  // ksqlDB ends a session at its last record, without the gap.
  const last = window.kind === 'session' ? earlier(end, window.gapMicros, clause, place) : end;
  const added: readonly ScopeColumn[] = [
    { name: 'windowstart', expression: millis(start), hidden: true },
    { name: 'windowend', expression: millis(last), hidden: true },
    { name: 'window_start', expression: start, hidden: true },
    { name: 'window_end', expression: end, hidden: true },
  ];
  const tables = from.tables.map((table) => ({ ...table, columns: [...table.columns, ...added] }));
  const retention = retentionOf(clause, window, from, place);
  const left = window.kind === 'session' ? end : start;
  const until = retention === undefined ? undefined : { time: left, micros: retention };
  const columns = [...from.columns, ...added];
  const filter = (where: BoundExpr): LogicalNode | undefined => sessionsOf(node, where);
  return { from: { node, tables, columns }, keys: [start, end], filter, until };
}

/** Rows that are left out hold no sessions together. A condition on a session's bounds can only be asked of sessions. */
function sessionsOf(node: LogicalNode, where: BoundExpr): LogicalNode | undefined {
  if (node.kind !== 'window-table' || node.window.kind !== 'session') return undefined;
  const { input } = node;
  if (columnsRead([where]).some((column) => column >= input.schema.length)) return undefined;
  return { ...node, input: filtered(input, where) };
}

/** Undefined also without a watermark, as windows never close then. */
function retentionOf(
  clause: StreamWindow,
  window: WindowShape,
  from: BoundFrom,
  place: FromPlace,
): bigint | undefined {
  if (clause.retention === undefined) return undefined;
  const scope = scopeOver(from, place);
  const retention = intervalMicros(clause.retention, scope);
  const grace = clause.grace === undefined ? 0n : graceOf(clause.grace, scope);
  checkRetention(
    clause,
    retention,
    (window.kind === 'session' ? window.gapMicros : window.sizeMicros) + grace,
  );
  return sourceRead(from.node, place.context)?.watermark === undefined ? undefined : retention;
}

function windowsOf(
  clause: StreamWindow,
  from: BoundFrom,
  window: WindowShape,
  timeColumn: number,
  place: FromPlace,
): LogicalNode {
  if (clause.grace === undefined) return windowNode(from.node, window, timeColumn);
  const graceMicros = graceOf(clause.grace, scopeOver(from, place));
  const input = { node: from.node, timeColumn, graceMicros, at: clause.grace.span };
  if (window.kind === 'tumble' || window.kind === 'hop') {
    return windowsWithGrace(input, window, place);
  }
  return windowNode(withGrace(input, place), window, timeColumn);
}

/** @throws StreamError VALUE_INVALID_PARAMETER for a length of less than nothing. */
export function graceOf(grace: Expression, scope: Scope): bigint {
  const micros = intervalMicros(grace, scope);
  if (micros >= 0n) return micros;
  throw new StreamError('VALUE_INVALID_PARAMETER', 'a grace period must not be negative', {
    at: grace.span,
  });
}

function groupColumns(groupBy: readonly GroupItem[], scope: Scope): readonly number[] {
  return groupBy.map((item) => {
    const key =
      item.kind === 'expression' && item.expression.kind === 'column'
        ? bindColumn(item.expression.name, scope)
        : undefined;
    if (key?.kind === 'column') return key.index;
    throw new StreamError('SQL_NOT_SUPPORTED', 'GROUP BY of a session window takes columns', {
      at: item.span,
      hint: 'Compute the key in a subquery.',
    });
  });
}

function shapeOf(
  kind: 'tumbling' | 'hopping',
  clause: StreamWindow,
  size: bigint,
  advance: () => bigint,
): WindowShape {
  switch (kind) {
    case 'tumbling':
      return { kind: 'tumble', sizeMicros: size, offsetMicros: 0n };
    case 'hopping': {
      const slide = advance();
      if (size % slide !== 0n) {
        throw new StreamError(
          'SQL_NOT_SUPPORTED',
          'a window whose size is no multiple of its advance',
          {
            at: clause.span,
          },
        );
      }
      return { kind: 'hop', slideMicros: slide, sizeMicros: size, offsetMicros: 0n };
    }
    default:
      return kind satisfies never;
  }
}

const isTime = (type: SqlType | undefined): boolean =>
  type?.kind === 'timestamp' || type?.kind === 'timestamptz';

/**
 * The time of a source's rows: the column that its `timestamp` option names, else the watermark's, else one that is the record's
 * timestamp, else the only timestamp column. Undefined when none of them is there.
 */
export function declaredTime(
  from: BoundFrom,
  at: Span,
  { context }: FromPlace,
): number | undefined {
  const relation = sourceRead(from.node, context);
  const { schema } = from.node;
  if (relation !== undefined) {
    checkTimestampOption(relation, at);
    const named = timestampOption(relation);
    if (named !== undefined) return isTime(schema[named]?.type) ? named : undefined;
    if (relation.watermark !== undefined) return relation.watermark.column;
    const metadata = relation.columns.findIndex(
      ({ from: origin }, index) =>
        origin.kind === 'metadata' && origin.item === 'timestamp' && isTime(schema[index]?.type),
    );
    if (metadata >= 0) return metadata;
  }
  const listed = from.columns.flatMap(({ expression, hidden }) =>
    expression.kind === 'column' && hidden !== true ? expression : [],
  );
  const times = new Set(listed.filter(({ type }) => isTime(type)).map(({ index }) => index));
  const [only] = times;
  return times.size === 1 ? only : undefined;
}

/** The declared time, or else that of a stream's records. */
export function eventTimeColumn(from: BoundFrom, at: Span, place: FromPlace): number {
  const column = declaredTime(from, at, place) ?? recordTime(from.node);
  if (column === undefined) throw unknownTime(at);
  return column;
}

export function unknownTime(at: Span): StreamError {
  return new StreamError('SQL_NOT_SUPPORTED', 'the time column of the source is not known', {
    at,
    hint: "Declare it: WATERMARK FOR column AS column, or WITH (timestamp = 'column').",
  });
}

function earlier(
  time: BoundExpr,
  micros: bigint,
  clause: StreamWindow,
  { context }: FromPlace,
): BoundExpr {
  const value = { months: 0, days: 0, micros };
  const gap: BoundExpr = { kind: 'literal', value, type: { kind: 'interval' } };
  return bindOperator('-', [time, gap], clause.span, context);
}

/** Milliseconds since 1970, which is what ksqlDB shows of a window's bounds. */
function epochMillis(time: BoundExpr, clause: StreamWindow, place: FromPlace): BoundExpr {
  const { context } = place;
  const field: BoundExpr = { kind: 'literal', value: 'epoch', type: { kind: 'text' } };
  const seconds = bindScalar('extract', [field, time], clause.span, context);
  const thousand: BoundExpr = { kind: 'literal', value: 1000, type: { kind: 'integer' } };
  const millis = bindOperator('*', [seconds, thousand], clause.span, context);
  return castExplicitly(millis, bigintType, false, clause.span, context);
}
