/** Window table functions: TUMBLE, HOP, CUMULATE, SESSION around a FROM item. */
import type { Expression, FromItem } from './ast.ts';
import type { Datum } from './base/datum.ts';
import { type Span, StreamError } from './base/error.ts';
import { type Interval, MICROS_PER_DAY } from './base/interval.ts';
import { findZone } from './base/timezone.ts';
import { type Schema, type SqlType, typeName } from './base/type.ts';
import { places } from './bind-context.ts';
import { type BindFromItem, type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import { bindColumn } from './bind-name.ts';
import { bindOperator } from './bind-operator.ts';
import { renameColumns, type Scope, type ScopeColumn, scopeColumns } from './bind-scope.ts';
import { tryCoerce } from './coerce.ts';
import { evaluateConstant } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode, WindowShape } from './logical-plan.ts';
import { isRowtime, recordTime } from './record-column.ts';

type WindowItem = FromItem & { readonly kind: 'window-table' };

export function bindWindowTable(
  item: WindowItem,
  place: FromPlace,
  bindItem: BindFromItem,
): BoundFrom {
  const source = bindItem(item.source, place);
  const scope = scopeOver(source, place);
  const time = bindColumn(item.timeColumn, scope);
  const timeColumn =
    rowtimeAsTime(source.node, time) ?? requireTimeColumn(time, item.timeColumn.span);
  const lengths = item.intervals.map((node) => intervalMicros(node, scope));
  const shape = windowShape(item, lengths, scope);
  const window = item.zone === undefined ? shape : inZone(shape, item.zone, time.type, scope);
  const node = windowNode(source.node, window, timeColumn);
  const added = addedColumns(node.schema, source, item, scope);
  const columns = [...source.columns, ...added];
  if (item.alias !== undefined) {
    const name = item.alias.name.name;
    const renamed = renameColumns(columns, item.alias.columns, name);
    const table = { name, columns: renamed, relation: undefined, primaryKey: undefined };
    return { node, tables: [table], columns: renamed };
  }
  const tables = source.tables.map((table) => ({
    ...table,
    columns: [...table.columns, ...added],
    // One row may stand in several windows.
    primaryKey: undefined,
  }));
  return { node, tables, columns };
}

/** window_start, window_end and, by name only, Flink's window_time. */
function addedColumns(
  schema: Schema,
  source: BoundFrom,
  { span }: WindowItem,
  scope: Scope,
): readonly ScopeColumn[] {
  const bounds = scopeColumns(schema).slice(source.node.schema.length);
  const end = bounds[1]?.expression;
  if (end === undefined || source.columns.some(({ name }) => name === 'window_time')) return bounds;
  const time = lastMillisecond(end, span, scope);
  return [...bounds, { name: 'window_time', expression: time, hidden: true }];
}

/** The node, with window_start and window_end of the time column's type behind the input's columns. */
export function windowNode(
  input: LogicalNode,
  window: WindowShape,
  timeColumn: number,
): LogicalNode {
  const type = input.schema[timeColumn]?.type ?? { kind: 'timestamp' };
  const schema: Schema = [
    ...input.schema,
    { name: 'window_start', type, nullable: false },
    { name: 'window_end', type, nullable: false },
  ];
  return { kind: 'window-table', window, input, timeColumn, schema };
}

/** @throws StreamError SQL_DATATYPE_MISMATCH for times without a zone, VALUE_INVALID_PARAMETER, SQL_NOT_SUPPORTED. */
function inZone(window: WindowShape, node: Expression, time: SqlType, scope: Scope): WindowShape {
  if (window.kind === 'session') {
    throw new StreamError('SQL_NOT_SUPPORTED', 'sessions are the same in every time zone', {
      at: node.span,
    });
  }
  if (time.kind !== 'timestamptz') {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `windows by the clocks of a time zone are over a timestamptz, not a ${typeName(time)}`,
      { at: node.span, hint: "Times of UTC become one by AT TIME ZONE 'UTC', in a subquery." },
    );
  }
  const zone = constantOf(node, { kind: 'text' }, scope);
  if (typeof zone !== 'string') {
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'the time zone must be a constant text', {
      at: node.span,
      hint: "Write timezone => 'Europe/Berlin'.",
    });
  }
  if (findZone(zone) === undefined) {
    throw new StreamError('VALUE_INVALID_PARAMETER', `time zone "${zone}" not recognized`, {
      at: node.span,
    });
  }
  return { ...window, zone };
}

/** The time that Flink gives rows of a window: a millisecond before its end. */
export function lastMillisecond(end: BoundExpr, at: Span, { context }: Scope): BoundExpr {
  const value = { months: 0, days: 0, micros: 1000n };
  const millisecond: BoundExpr = { kind: 'literal', value, type: { kind: 'interval' } };
  return bindOperator('-', [end, millisecond], at, context);
}

/** ROWTIME is a bigint; its windows are over the same time as a timestamp. */
function rowtimeAsTime(source: LogicalNode, time: BoundExpr): number | undefined {
  return time.kind === 'column' && isRowtime(source, time.index) ? recordTime(source) : undefined;
}

/** The number of the time column. @throws StreamError SQL_DATATYPE_MISMATCH, SQL_INVALID_COLUMN_REFERENCE. */
export function requireTimeColumn(time: BoundExpr, at: Span): number {
  const { kind } = time.type;
  if (kind !== 'timestamp' && kind !== 'timestamptz') {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `the time column of a window must be a timestamp, not ${typeName(time.type)}`,
      { at, hint: 'Convert it in a subquery, for example with to_timestamp(ms / 1000.0).' },
    );
  }
  if (time.kind !== 'column') {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      'the time column must belong to the source',
      {
        at,
      },
    );
  }
  return time.index;
}

/** Undefined for what is no constant of the type. */
function constantOf(node: Expression, type: SqlType, scope: Scope): Datum | null | undefined {
  const { context } = scope;
  const raw = scope.within(places.from, () => context.rules.expression(node, scope));
  const bound = tryCoerce(raw, type, 'implicit', context);
  return bound && evaluateConstant(bound);
}

/** A constant interval in microseconds. @throws StreamError VALUE_INVALID_PARAMETER for months or nothing. */
export function intervalMicros(node: Expression, scope: Scope): bigint {
  const value = constantOf(node, { kind: 'interval' }, scope);
  if (value === undefined || value === null) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      "a window's length must be a constant interval",
      {
        at: node.span,
        hint: "Write INTERVAL '1 minute'.",
      },
    );
  }
  const { months, days, micros } = value as Interval;
  if (months !== 0) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'windows of months or years are not supported', {
      at: node.span,
      hint: "Group by date_trunc('month', …) instead.",
    });
  }
  return BigInt(days) * MICROS_PER_DAY + micros;
}

/** @param lengths of the window, microseconds, in the order of the positional spelling. @throws StreamError VALUE_INVALID_PARAMETER. */
export function windowShape(
  item: Pick<WindowItem, 'window' | 'partitionBy' | 'span'>,
  lengths: readonly bigint[],
  scope: Scope,
): WindowShape {
  const [first, second, third] = lengths;
  const arity = (least: number, most: number): void => {
    if (lengths.length >= least && lengths.length <= most) return;
    throw new StreamError(
      'SQL_UNKNOWN_FUNCTION',
      `${item.window} takes ${least === most ? least : `${least} or ${most}`} intervals, not ${lengths.length}`,
      { at: item.span },
    );
  };
  switch (item.window) {
    case 'tumble':
      arity(1, 2);
      return { kind: 'tumble', sizeMicros: positive(first, item), offsetMicros: second ?? 0n };
    case 'hop': {
      arity(2, 3);
      const slideMicros = positive(first, item);
      const sizeMicros = positive(second, item);
      checkMultiple(sizeMicros, slideMicros, item);
      return { kind: 'hop', slideMicros, sizeMicros, offsetMicros: third ?? 0n };
    }
    case 'cumulate': {
      arity(2, 3);
      const stepMicros = positive(first, item);
      const sizeMicros = positive(second, item);
      checkMultiple(sizeMicros, stepMicros, item);
      return { kind: 'cumulate', stepMicros, sizeMicros, offsetMicros: third ?? 0n };
    }
    case 'session': {
      arity(1, 1);
      const partitionBy = item.partitionBy.map((node) => {
        const bound = scope.context.rules.expression(node, scope);
        if (bound.kind === 'column') return bound.index;
        throw new StreamError('SQL_NOT_SUPPORTED', 'PARTITION BY of SESSION takes columns', {
          at: node.span,
        });
      });
      return { kind: 'session', gapMicros: positive(first, item), partitionBy };
    }
    default:
      return item.window satisfies never;
  }
}

function positive(micros: bigint | undefined, item: { readonly span: Span }): bigint {
  if (micros !== undefined && micros > 0n) return micros;
  throw new StreamError('VALUE_INVALID_PARAMETER', "a window's length must be positive", {
    at: item.span,
  });
}

function checkMultiple(size: bigint, step: bigint, item: { readonly span: Span }): void {
  if (size % step === 0n) return;
  throw new StreamError(
    'VALUE_INVALID_PARAMETER',
    "a window's size must be a whole multiple of its slide",
    {
      at: item.span,
      hint: 'Both spellings give the slide first: hop(source, column, slide, size).',
    },
  );
}

export { positive as positiveLength };
