/** Records of a relation's topic to rows: decoded columns, generated ones computed from them, checks. */
import type { RecordBatch } from '../connectors/connector.ts';
import { Batch } from '../engine/delta/batch.ts';
import { gather } from '../engine/delta/gather.ts';
import { compileProjection } from '../engine/kernel/expression.ts';
import type { RecordError, ScanResult } from '../engine/kernel/json-scanner.ts';
import { compileRecordDecoder, type RecordDecoder } from '../engine/kernel/record-decoder.ts';
import { selectColumns } from '../engine/runtime/graph.ts';
import type { ScanDecoder } from '../engine/runtime/scan-cursor.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SqlType } from '../sql/base/type.ts';
import type { SourceInput, SourceRelation } from '../sql/catalog.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { mapColumns } from '../sql/logical-map.ts';
import { columnScanned } from '../sql/record-column.ts';
import { compileChecks, hasChecks } from './constraints.ts';

/**
 * @param columns   what the batches hold, in order; numbers as in `columnScanned`.
 * @param nullRows  null values (tombstones) give a row.
 * @throws StreamError SQL_INVALID_OPTION for a format that is unknown or cannot hold the columns.
 */
export function compileRows(
  relation: SourceRelation,
  input: SourceInput,
  columns: readonly number[],
  nullRows: boolean,
): RecordDecoder {
  if (!hasChecks(relation)) return compileColumns(relation, input, columns, nullRows);
  const all = [
    ...relation.schema.keys(),
    ...columns.filter((column) => isOfRecord(relation, column)),
  ];
  const picked = columns.map((column) => all.indexOf(column));
  return checked(relation, compileColumns(relation, input, all, nullRows), picked);
}

/** Expressions of generated columns may name any other column, so all of them are decoded then. */
function compileColumns(
  relation: SourceRelation,
  input: SourceInput,
  columns: readonly number[],
  nullRows: boolean,
): RecordDecoder {
  const isGenerated = (index: number): boolean =>
    relation.columns[index]?.from.kind === 'generated';
  const hasGenerated = columns.some(isGenerated);
  const own = relation.columns.flatMap((_, index) => {
    if (isGenerated(index)) return [];
    return hasGenerated || columns.includes(index) || mayRefuse(relation, index) ? [index] : [];
  });
  const decoded = [...own, ...columns.filter((column) => isOfRecord(relation, column))];
  const decoder = compileRecordDecoder({
    valueFormat: input.valueFormat,
    keyFormat: input.keyFormat,
    topic: input.topic,
    valueFields: relation.columns.flatMap(({ from }) =>
      from.kind === 'value' ? [from.field] : [],
    ),
    delimiter: input.options.get('value_delimiter'),
    nullRows,
    columns: decoded.map((index) => {
      const { column, origin } = columnScanned(relation, index);
      const isRead = hasGenerated || columns.includes(index);
      return { type: column.type, from: origin.from, notNull: origin.notNull, isRead };
    }),
  });
  if (!hasGenerated) return pickColumns(decoder, decoded, columns);
  const place = (expression: BoundExpr): BoundExpr =>
    mapColumns(expression, (column) => ({ ...column, index: decoded.indexOf(column.index) }));
  const project = compileProjection(
    decoded.map((index) => columnScanned(relation, index).column),
    undefined,
    columns.map((index) => {
      const from = relation.columns[index]?.from;
      const { type } = columnScanned(relation, index).column;
      return place(from?.kind === 'generated' ? from.expression : { kind: 'column', index, type });
    }),
  );
  return {
    decode: (records, from, to) => {
      const result = decoder.decode(records, from, to);
      const failed = new Map<number, StreamError>();
      const batch = project(result.batch, (error, _, row) => {
        if (!failed.has(row)) failed.set(row, error);
      });
      const empty = (): Batch =>
        new Batch(
          0,
          columns.map(() => result.batch.column(0)),
          null,
        );
      return withoutRows({ ...result, batch: batch ?? empty() }, result.batch.length, failed, from);
    },
  };
}

/** The wanted ones of the decoded columns, in the wanted order. */
function pickColumns(
  decoder: RecordDecoder,
  decoded: readonly number[],
  columns: readonly number[],
): RecordDecoder {
  if (decoded.length === columns.length && decoded.every((column, i) => column === columns[i])) {
    return decoder;
  }
  const pick = columns.map((column) => decoded.indexOf(column));
  return {
    decode: (records, from, to) => {
      const result = decoder.decode(records, from, to);
      return { ...result, batch: selectColumns(result.batch, pick) };
    },
  };
}

/** Any JSON value can be text; jsonb refuses U+0000 and numbers beyond PostgreSQL's numeric. */
const ANYTHING_FITS: readonly SqlType['kind'][] = ['text', 'json'];

/**
 * A record is a row of its stream only if every column can be read, whichever columns a view happens to use: otherwise
 * two views over one stream would count different records.
 */
function mayRefuse(relation: SourceRelation, index: number): boolean {
  const column = relation.columns[index];
  const { type } = columnScanned(relation, index).column;
  if (column === undefined || column.from.kind === 'metadata') return false;
  const isOpen =
    type.kind === 'varchar' ? type.length === undefined : ANYTHING_FITS.includes(type.kind);
  return column.notNull || !isOpen;
}

/** The result after the rows with these numbers have left its batch: numbers of records follow, errors are added. */
function withoutRows(
  result: ScanResult,
  rowsBefore: number,
  failed: ReadonlyMap<number, StreamError>,
  from: number,
): ScanResult {
  if (failed.size === 0) return result;
  const errors: RecordError[] = [...result.errors];
  const recordOf = new Int32Array(rowsBefore - failed.size);
  let kept = 0;
  for (let row = 0; row < rowsBefore; row++) {
    const record = recordOfRow(result, row, from);
    const error = failed.get(row);
    if (error === undefined) recordOf[kept++] = record;
    else errors.push({ record, error });
  }
  return { ...result, recordOf, errors };
}

/** Rows that break a CHECK go to the error table; a tombstone has no values to check. */
function checked(
  relation: SourceRelation,
  decoder: RecordDecoder,
  columns: readonly number[],
): RecordDecoder {
  const check = compileChecks(relation);
  const findViolation = (batch: Batch, row: number): StreamError | undefined => {
    try {
      return check(batch.row(row));
    } catch (error) {
      if (error instanceof StreamError) return error;
      throw error;
    }
  };
  return {
    decode: (records: RecordBatch, from: number, to: number) => {
      const result = decoder.decode(records, from, to);
      const { batch } = result;
      const tombstones = new Set(result.nulls);
      const failed = new Map<number, StreamError>();
      const kept = new Int32Array(batch.length);
      let count = 0;
      for (let row = 0; row < batch.length; row++) {
        const isTombstone = tombstones.has(recordOfRow(result, row, from));
        const violation = isTombstone ? undefined : findViolation(batch, row);
        if (violation === undefined) kept[count++] = row;
        else failed.set(row, violation);
      }
      const rest = failed.size === 0 ? batch : gather(batch, kept, count);
      const picked = selectColumns(rest, columns);
      return withoutRows({ ...result, batch: picked }, batch.length, failed, from);
    },
  };
}

function recordOfRow(result: ScanResult, row: number, from: number): number {
  return result.recordOf === null ? from + row : (result.recordOf[row] as number);
}

/** ROWTIME and the like, which no column of the relation is computed from. */
function isOfRecord({ schema }: SourceRelation, column: number): boolean {
  return column >= schema.length;
}

/** Tombstones become rows of weight -1: they remove their key. */
export function changelogDecoder(decoder: RecordDecoder): ScanDecoder {
  return {
    decode: (records, from, to) => {
      const result = decoder.decode(records, from, to);
      const { batch, errors, nulls } = result;
      const { recordOf } = result;
      if (nulls.length === 0) return { batch, recordOf, errors };
      const removed = new Set(nulls);
      const weights = new Int32Array(batch.length);
      for (let row = 0; row < batch.length; row++) {
        weights[row] = removed.has(recordOfRow(result, row, from)) ? -1 : 1;
      }
      return { batch: new Batch(batch.length, batch.columns, weights), recordOf, errors };
    },
  };
}
