/**
 * What a query can read of a stream's records beside the columns: ksqlDB's ROWTIME, ROWPARTITION and ROWOFFSET. They are found by
 * name, and are no part of `*`, of what DESCRIBE lists, or of what INSERT may give.
 */
import { assert } from './base/assert.ts';
import type { Column, Schema } from './base/type.ts';
import type { ScopeColumn } from './bind-scope.ts';
import { columnOf } from './bind-scope.ts';
import type { SourceColumn, SourceRelation } from './catalog.ts';
import type { LogicalNode } from './logical-plan.ts';

interface RecordColumn {
  /** Undefined for the one that only windows read. */
  readonly name: string | undefined;
  readonly column: Column;
  readonly origin: SourceColumn;
}

type Item = Extract<SourceColumn['from'], { readonly kind: 'metadata' }>['item'];

const recordColumn = (
  name: string | undefined,
  item: Item,
  type: Column['type'],
): RecordColumn => ({
  name,
  column: { name: name ?? 'record time', type, nullable: false },
  origin: { from: { kind: 'metadata', item }, default: undefined, notNull: false },
});

/**
 * ROWTIME is what it is in ksqlDB, milliseconds since 1970 as a bigint, since queries written for that compute with it. Windows and
 * joins within a time are over a timestamp, which is therefore there once more.
 */
const RECORD_COLUMNS: readonly RecordColumn[] = [
  recordColumn('rowtime', 'timestamp', { kind: 'bigint' }),
  recordColumn('rowpartition', 'partition', { kind: 'integer' }),
  recordColumn('rowoffset', 'offset', { kind: 'bigint' }),
  recordColumn(undefined, 'timestamp', { kind: 'timestamptz' }),
];
export const ROWTIME_AT = 0;
export const RECORD_TIME_AT = 3;

/** Their numbers begin here wherever a scan is not a node of a bound plan: a stream's own columns may become more. */
const NUMBERS_FROM = 1_000_000;

type Scan = LogicalNode & { readonly kind: 'scan' };

/** A scan of a stream in which the record's columns follow those of the stream. */
export function scanWithRecord({ name, schema }: SourceRelation): Scan {
  return {
    kind: 'scan',
    relation: name,
    schema: [...schema, ...RECORD_COLUMNS.map(({ column }) => column)],
    recordFrom: schema.length,
  };
}

export function isOfRecord({ recordFrom }: Scan, index: number): boolean {
  return recordFrom !== undefined && index >= recordFrom;
}

/** The scan for a query that reads nothing of them. */
export function withoutRecord(scan: Scan): Scan {
  const { relation, schema, recordFrom } = scan;
  if (recordFrom === undefined) return scan;
  return { kind: 'scan', relation, schema: schema.slice(0, recordFrom) };
}

/** The number under which a stream's decoder knows a column of the scan. */
export function scannedColumn(scan: Scan, index: number): number {
  return isOfRecord(scan, index) ? NUMBERS_FROM + index - (scan.recordFrom ?? 0) : index;
}

/** A column of a stream or table, or of its records, by the number that a decoder gets. */
export function columnScanned(
  { schema, columns }: SourceRelation,
  number: number,
): { readonly column: Column; readonly origin: SourceColumn } {
  const column = schema[number];
  const origin = columns[number];
  if (column !== undefined && origin !== undefined) return { column, origin };
  const found = RECORD_COLUMNS[number - NUMBERS_FROM];
  assert(found !== undefined, 'a column of the relation or of its records');
  return found;
}

/** The names of the record's columns from `recordFrom` on; one that the stream has itself means the stream's. */
export function recordNames(
  schema: Schema,
  recordFrom: number,
): readonly (ScopeColumn & { readonly hidden: true })[] {
  const declared = new Set(schema.slice(0, recordFrom).map(({ name }) => name));
  return RECORD_COLUMNS.flatMap(({ name, column }, index) => {
    const expression = columnOf(recordFrom + index, column.type);
    // ksqlDB's names are upper case, and its clients quote them.
    const names = name === undefined ? [] : [name, name.toUpperCase()];
    return names
      .filter((one) => !declared.has(one))
      .map((one) => ({ name: one, expression, hidden: true as const }));
  });
}

/** Where the rows of one stream have the record's columns; undefined for any other plan. */
export function recordStart(node: LogicalNode): number | undefined {
  return node.kind === 'scan' || node.kind === 'project' ? node.recordFrom : undefined;
}

/** The record's timestamp as a timestamp; undefined for a plan that is no stream. */
export function recordTime(node: LogicalNode): number | undefined {
  const start = recordStart(node);
  return start === undefined ? undefined : start + RECORD_TIME_AT;
}

/** The rows of one stream for a query that reads nothing of its records; any other plan as it is. */
export function withoutRecordColumns(node: LogicalNode): LogicalNode {
  if (node.kind === 'scan') return withoutRecord(node);
  if (node.kind !== 'project' || node.recordFrom === undefined) return node;
  const { input, expressions, schema, recordFrom } = node;
  return {
    kind: 'project',
    input,
    expressions: expressions.slice(0, recordFrom),
    schema: schema.slice(0, recordFrom),
  };
}

/** Whether a column of the plan is ROWTIME. */
export function isRowtime(node: LogicalNode, index: number): boolean {
  const start = recordStart(node);
  return start !== undefined && index === start + ROWTIME_AT;
}
