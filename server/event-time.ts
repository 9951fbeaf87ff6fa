/** WATERMARK FOR of a stream: what the engine runs, and the table of its late rows. */
import type { Batch } from '../engine/delta/batch.ts';
import type { BatchColumn } from '../engine/delta/column.ts';
import { compileProjection } from '../engine/kernel/expression.ts';
import type { WatermarkRule } from '../engine/runtime/watermark.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import { intervalSpan } from '../sql/base/interval.ts';
import { intervalFromText } from '../sql/base/interval-text.ts';
import type { Column, Schema } from '../sql/base/type.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { LATE_COLUMNS, LATE_SUFFIX } from '../sql/late-relation.ts';
import { mapColumns } from '../sql/logical-map.ts';
import { ownedTable } from './owned-table.ts';

/** A partition that is silent for so long holds no window open. */
const IDLE_TIMEOUT_MS_DEFAULT = 10_000;
const IDLE_TIMEOUT_MS_MAX = 24 * 3_600_000;

/** @throws StreamError SQL_INVALID_OPTION for an `idle_timeout` that is no length of time. */
export function watermarkRule(relation: SourceRelation): WatermarkRule | undefined {
  if (relation.watermark === undefined) return undefined;
  const { column, expression } = relation.watermark;
  const used = new Set<number>([column]);
  mapColumns(expression, (found) => {
    used.add(found.index);
    return found;
  });
  const columns = [...used].sort((a, b) => a - b);
  const input = columns.map((index) => columnAt(relation.schema, index));
  const place = (part: BoundExpr): BoundExpr =>
    mapColumns(part, (found) => ({ ...found, index: columns.indexOf(found.index) }));
  const project = compileProjection(input, undefined, [place(expression)]);
  return {
    columns,
    idleTimeoutMs: idleTimeoutMs(relation.input?.options ?? new Map()),
    read: (batch) => {
      const times = timeColumn(batch, columns.indexOf(column));
      const failed = new Set<number>();
      const projected = project(batch, (_error, _batch, row) => failed.add(row));
      const marks = projected === undefined ? undefined : timeColumn(projected, 0);
      return withFailed(batch, times, marks, failed);
    },
  };
}

type TimeColumn = Extract<BatchColumn, { readonly physical: 'i64' }>;

function timeColumn(batch: Batch, index: number): TimeColumn {
  const column = batch.column(index);
  assert(column.physical === 'i64', 'a time is microseconds');
  return column;
}

/** Rows whose watermark could not be computed are in the stream all the same; they move nothing. */
function withFailed(
  batch: Batch,
  times: TimeColumn,
  marks: TimeColumn | undefined,
  failed: ReadonlySet<number>,
): { times: BigInt64Array; marks: BigInt64Array; nulls: Uint8Array | null } {
  if (failed.size === 0 && marks !== undefined && times.nulls === null && marks.nulls === null) {
    return { times: times.values, marks: marks.values, nulls: null };
  }
  const values = new BigInt64Array(batch.length);
  const nulls = new Uint8Array(batch.length);
  let at = 0;
  for (let row = 0; row < batch.length; row++) {
    if (failed.has(row) || marks === undefined) {
      nulls[row] = 1;
      continue;
    }
    values[row] = marks.values[at] as bigint;
    if (marks.nulls?.[at] === 1 || times.nulls?.[row] === 1) nulls[row] = 1;
    at++;
  }
  return { times: times.values, marks: values, nulls };
}

function idleTimeoutMs(options: ReadonlyMap<string, string>): number {
  const text = options.get('idle_timeout')?.trim();
  if (text === undefined) return IDLE_TIMEOUT_MS_DEFAULT;
  if (/^\d{1,12}$/.test(text)) return bounded(Number(text), text);
  try {
    return bounded(Number(intervalSpan(intervalFromText(text)) / 1000n), text);
  } catch (cause) {
    if (!(cause instanceof StreamError) || cause.code === 'SQL_INVALID_OPTION') throw cause;
    throw invalidTimeout(text);
  }
}

function bounded(ms: number, text: string): number {
  if (ms >= 0 && ms <= IDLE_TIMEOUT_MS_MAX) return ms;
  throw invalidTimeout(text);
}

function invalidTimeout(text: string): StreamError {
  return new StreamError('SQL_INVALID_OPTION', `invalid value for "idle_timeout": "${text}"`, {
    hint: "It is a length of time up to a day, such as '10 s', or milliseconds; 0 lets a silent partition hold windows open.",
  });
}

function columnAt(schema: Schema, index: number): Column {
  const column = schema[index];
  assert(column !== undefined, 'a column of the stream');
  return column;
}

// ------------------------------------------------------------------ late rows

/** The stream's columns, then where the record was and the watermark that it missed. */
function lateSchema(stream: SourceRelation): Schema {
  const names = new Set(stream.schema.map(({ name }) => name));
  const free = (name: string): string => (names.has(name) ? `late_${name}` : name);
  const time = columnAt(stream.schema, stream.watermark?.column ?? 0).type;
  const added: Schema = [
    { name: free('partition'), type: { kind: 'integer' }, nullable: false },
    { name: free('offset'), type: { kind: 'bigint' }, nullable: false },
    { name: free('watermark'), type: time, nullable: false },
  ];
  assert(added.length === LATE_COLUMNS, 'the engine adds the same columns');
  return [...stream.schema.map((column) => ({ ...column, nullable: true })), ...added];
}

export function storedLate(stream: SourceRelation, id: number): StoredRelation {
  return { id, schema: lateSchema(stream), storage: { kind: 'append' } };
}

export function lateRelation(stream: SourceRelation, id: number): SourceRelation {
  return ownedTable(`${stream.name}${LATE_SUFFIX}`, storedLate(stream, id));
}
