/**
 * The parts of a record that columns come from. Each decoder reads one part of records [from, to) into
 * its own columns; record-decoder.ts puts them side by side.
 */
import type { RecordBatch } from '../../connectors/connector.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { type SqlType, typeName } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import { type ColumnFill, columnFill, StringFill } from './column-fill.ts';
import type { RecordError, ScanResult } from './json-scanner.ts';
import { fieldError, storedFromText } from './json-value.ts';
import { codePointCount, isUtf8 } from './utf8.ts';

export interface PartDecoder {
  scan(records: RecordBatch, from: number, to: number): ScanResult;
}

export interface PartColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly notNull: boolean;
}

/** Reads one row; throws StreamError when the record has to be left out. */
export type ReadRow = (
  records: RecordBatch,
  record: number,
  row: number,
  fills: readonly ColumnFill[],
) => void;

/** A decoder from a function that reads one record. */
export class RowDecoder implements PartDecoder {
  readonly #fills: readonly ColumnFill[];
  readonly #read: ReadRow;
  /** What to do with a null value: nothing (keys, metadata), a row of NULLs, or no row. */
  readonly #nullValues: 'read' | 'row' | 'skip';

  constructor(types: readonly SqlType[], nullValues: 'read' | 'row' | 'skip', read: ReadRow) {
    this.#fills = types.map(columnFill);
    this.#nullValues = nullValues;
    this.#read = read;
  }

  scan(records: RecordBatch, from: number, to: number): ScanResult {
    const fills = this.#fills;
    for (const fill of fills) {
      fill.begin(to - from);
      if (fill instanceof StringFill) fill.refersTo(records.bytes);
    }
    const recordOf = new Int32Array(to - from);
    const errors: RecordError[] = [];
    const nulls: number[] = [];
    let row = 0;
    for (let record = from; record < to; record++) {
      for (const fill of fills) fill.clear(row);
      if (this.#nullValues !== 'read' && records.valueLengths[record] === -1) {
        nulls.push(record);
        if (this.#nullValues === 'skip') continue;
        for (const fill of fills) fill.setNull(row);
      } else {
        try {
          this.#read(records, record, row, fills);
        } catch (error) {
          if (!(error instanceof StreamError)) throw error;
          errors.push({ record, error });
          continue;
        }
      }
      recordOf[row++] = record;
    }
    const columns = fills.map((fill) => fill.finish(row));
    return {
      batch: new Batch(row, columns, null),
      recordOf: row === to - from ? null : recordOf,
      errors,
      nulls,
    };
  }
}

/** NULL for a column that the record does not have. */
export function setMissing(column: PartColumn, fill: ColumnFill, row: number): void {
  if (column.notNull) {
    throw new StreamError(
      'CONSTRAINT_NOT_NULL',
      `null value in column "${column.name}" violates not-null constraint`,
    );
  }
  fill.setNull(row);
}

/**
 * Bytes as Kafka's own serializers write them, and as ksqlDB's format KAFKA therefore does: UTF-8 text, or big-endian
 * smallint (2 or 4 bytes), integer (4), bigint (8), real (4 or 8), double (8), one byte for boolean, bytes as they are. Any
 * other type is PostgreSQL's text of it.
 */
export function readPlain(
  column: PartColumn,
  fill: ColumnFill,
  bytes: Buffer,
  start: number,
  length: number,
  row: number,
): void {
  const { type } = column;
  const reader = readers.get(type.kind);
  if (reader === undefined) {
    readText(column, fill, bytes, start, length, row);
    return;
  }
  if (reader.widths.length > 0 && !reader.widths.includes(length)) {
    throw new StreamError(
      'RECORD_MALFORMED',
      `column "${column.name}" (${typeName(type)}) takes ${reader.widths.join(' or ')} bytes in this format, the record has ${length}`,
      { hint: "Use the format 'json' for numbers written as text." },
    );
  }
  fill.setDatum(row, reader.read(bytes, start, length));
}

interface PlainReader {
  /** Bytes that the value may take; none = any number. */
  readonly widths: readonly number[];
  readonly read: (bytes: Buffer, start: number, length: number) => Datum;
}

function readShort(bytes: Buffer, start: number, length: number): number {
  const value = length === 2 ? bytes.readInt16BE(start) : bytes.readInt32BE(start);
  if (value > 32_767 || value < -32_768) {
    throw new StreamError(
      'VALUE_OUT_OF_RANGE',
      `value "${value}" is out of range for type smallint`,
    );
  }
  return value;
}

const readers: ReadonlyMap<string, PlainReader> = new Map<string, PlainReader>([
  // Kafka has a serializer of its own for short and float; ksqlDB and we write them as their wider kin.
  ['smallint', { widths: [2, 4], read: readShort }],
  ['integer', { widths: [4], read: (bytes, start) => bytes.readInt32BE(start) }],
  ['bigint', { widths: [8], read: (bytes, start) => bytes.readBigInt64BE(start) }],
  [
    'real',
    {
      widths: [4, 8],
      read: (bytes, start, length) =>
        length === 4 ? bytes.readFloatBE(start) : Math.fround(bytes.readDoubleBE(start)),
    },
  ],
  ['double', { widths: [8], read: (bytes, start) => bytes.readDoubleBE(start) }],
  ['boolean', { widths: [1], read: (bytes, start) => bytes[start] !== 0 }],
  [
    'bytea',
    {
      widths: [],
      read: (bytes, start, length) => new Uint8Array(bytes.subarray(start, start + length)),
    },
  ],
]);

/** UTF-8 text through the type's input function; text columns refer to the bytes. */
export function readText(
  column: PartColumn,
  fill: ColumnFill,
  bytes: Buffer,
  start: number,
  length: number,
  row: number,
): void {
  const { type } = column;
  const end = start + length;
  if (!isUtf8(bytes, start, end)) {
    throw new StreamError('VALUE_INVALID_ENCODING', `column "${column.name}" is not UTF-8 text`);
  }
  const fits =
    type.kind === 'text' ||
    (type.kind === 'varchar' &&
      (type.length === undefined || codePointCount(bytes, start, end) <= type.length));
  if (fits && fill instanceof StringFill) {
    fill.setRange(row, start, end);
    return;
  }
  try {
    fill.setDatum(row, storedFromText(bytes.utf8Slice(start, end), type, column.name));
  } catch (error) {
    throw fieldError(column.name, type, error);
  }
}
