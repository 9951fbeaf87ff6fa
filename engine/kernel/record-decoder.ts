/** Records of a source become columns: value, key, headers and metadata, whatever the columns asked for. */
import type { RecordBatch } from '../../connectors/connector.ts';
import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { SourceColumn } from '../../sql/catalog.ts';
import { Batch } from '../delta/batch.ts';
import type { BatchColumn } from '../delta/column.ts';
import { gatherColumn } from '../delta/gather.ts';
import { readCsv } from './csv-reader.ts';
import {
  compileJsonScanner,
  type RecordError,
  type ScanField,
  type ScanResult,
} from './json-scanner.ts';
import { fieldError, storedFromText } from './json-value.ts';
import {
  type PartColumn,
  type PartDecoder,
  RowDecoder,
  readPlain,
  setMissing,
} from './record-part.ts';
import { isUtf8 } from './utf8.ts';

export interface DecodedColumn {
  readonly type: SqlType;
  readonly from: SourceColumn['from'];
  readonly notNull: boolean;
  /** False for a column whose values are only checked; what the batch holds of it means nothing. */
  readonly isRead?: boolean | undefined;
}

export interface RecordDecoderSpec {
  /** 'json', 'kafka' or 'raw' (one column), 'delimited', 'none'. */
  readonly valueFormat: string;
  /** 'kafka' or 'raw' (one column), 'json', 'none'. */
  readonly keyFormat: string;
  /** What the batches hold, in order; any part of the relation's columns. */
  readonly columns: readonly DecodedColumn[];
  /** Fields of a delimited value in their order, when `columns` is only a part of them. */
  readonly valueFields?: readonly string[] | undefined;
  /** Between the fields of a delimited value; a comma unless told. */
  readonly delimiter?: string | undefined;
  /** The value of metadata columns that ask for the topic. */
  readonly topic?: string | undefined;
  /** Null values (tombstones) give a row: key and metadata as they are, the rest NULL. */
  readonly nullRows?: boolean | undefined;
}

export interface RecordDecoder {
  /**
   * Decodes records [from, to). Strings of the batch refer to the records' bytes. With `nullRows` the rows of
   * records listed in `nulls` are tombstones.
   */
  decode(records: RecordBatch, from: number, to: number): ScanResult;
}

/** @throws StreamError SQL_INVALID_OPTION for a format that is unknown or cannot hold the columns. */
export function compileRecordDecoder(spec: RecordDecoderSpec): RecordDecoder {
  const of = (kind: DecodedColumn['from']['kind']): number[] =>
    spec.columns.flatMap((column, i) => (column.from.kind === kind ? [i] : []));
  assert(of('generated').length === 0, 'generated columns are computed from decoded ones');
  const parts: { readonly decoder: PartDecoder; readonly places: readonly number[] }[] = [];
  const value = of('value');
  parts.push({ decoder: valueDecoder(spec, value), places: value });
  const key = of('key');
  if (key.length > 0) parts.push({ decoder: keyDecoder(spec, key), places: key });
  const rest = [...of('header'), ...of('metadata')];
  if (rest.length > 0) parts.push({ decoder: besideDecoder(spec, rest), places: rest });
  return {
    decode: (records, from, to) => {
      const results = parts.map(({ decoder }) => decoder.scan(records, from, to));
      const joined = joinParts(results, from, to);
      const columns: BatchColumn[] = [];
      results.forEach((result, part) => {
        parts[part]?.places.forEach((place, i) => {
          columns[place] = joined.column(part, result.batch.column(i));
        });
      });
      return {
        batch: new Batch(joined.length, columns, null),
        recordOf: joined.recordOf,
        errors: joined.errors,
        nulls: results[0]?.nulls ?? [],
      };
    },
  };
}

interface JoinedParts {
  readonly length: number;
  readonly recordOf: Int32Array | null;
  readonly errors: readonly RecordError[];
  column(part: number, column: BatchColumn): BatchColumn;
}

/** Keeps the records that every part could read. */
function joinParts(results: readonly ScanResult[], from: number, to: number): JoinedParts {
  const [first] = results;
  const rest = results.slice(1);
  if (first !== undefined && rest.every(({ recordOf }) => recordOf === null)) {
    if (first.recordOf === null || rest.length === 0) {
      const { batch, recordOf, errors } = first;
      return { length: batch.length, recordOf, errors, column: (_, column) => column };
    }
  }
  const seen = new Uint8Array(to - from);
  for (const { batch, recordOf } of results) {
    for (let row = 0; row < batch.length; row++) {
      const record = recordOf === null ? row : (recordOf[row] as number) - from;
      seen[record] = (seen[record] as number) + 1;
    }
  }
  const kept = new Int32Array(to - from);
  let length = 0;
  for (let record = 0; record < seen.length; record++) {
    if (seen[record] === results.length) kept[length++] = from + record;
  }
  const rows = results.map(({ batch, recordOf }) => {
    const chosen = new Int32Array(length);
    let count = 0;
    for (let row = 0; row < batch.length; row++) {
      const record = recordOf === null ? row : (recordOf[row] as number) - from;
      if (seen[record] === results.length) chosen[count++] = row;
    }
    return chosen;
  });
  // A record that two parts refuse is reported once, for its value.
  const errors = new Map<number, RecordError>();
  for (const result of results) {
    for (const error of result.errors)
      if (!errors.has(error.record)) errors.set(error.record, error);
  }
  return {
    length,
    recordOf: length === to - from ? null : kept,
    errors: [...errors.values()].sort((a, b) => a.record - b.record),
    column: (part, column) => gatherColumn(column, rows[part] as Int32Array, length),
  };
}

function invalidFormat(message: string): StreamError {
  return new StreamError('SQL_INVALID_OPTION', message);
}

function partColumn(spec: RecordDecoderSpec, place: number): PartColumn {
  const column = spec.columns[place] as DecodedColumn;
  return { name: fieldName(column.from), type: column.type, notNull: column.notNull };
}

function fieldName(from: DecodedColumn['from']): string {
  switch (from.kind) {
    case 'value':
      return from.field;
    case 'key':
      return from.field ?? 'key';
    case 'header':
      return from.header ?? 'headers';
    case 'metadata':
      return from.item;
    default:
      return from.kind;
  }
}

function scanFields(spec: RecordDecoderSpec, places: readonly number[]): ScanField[] {
  return places.map((place) => {
    const { name, type, notNull } = partColumn(spec, place);
    return { field: name, type, notNull, isRead: spec.columns[place]?.isRead };
  });
}

function valueDecoder(spec: RecordDecoderSpec, places: readonly number[]): PartDecoder {
  const nullRows = spec.nullRows === true;
  const format = spec.valueFormat.toLowerCase();
  switch (format) {
    case 'json':
      return compileJsonScanner(scanFields(spec, places), { nullRows });
    case 'kafka':
    case 'raw':
      if (places.length > 1) {
        throw invalidFormat(
          `value format "${spec.valueFormat}" holds one column, not ${places.length}`,
        );
      }
      return plainDecoder(spec, places, 'value', nullRows ? 'row' : 'skip');
    case 'delimited':
    case 'csv':
      return csvDecoder(spec, places, nullRows ? 'row' : 'skip');
    case 'none':
      if (places.length > 0) throw invalidFormat('value format "none" holds no columns');
      return new RowDecoder([], 'read', () => undefined);
    default:
      throw new StreamError('SQL_INVALID_OPTION', `unknown value format "${spec.valueFormat}"`, {
        hint: 'Formats are json, delimited, kafka, raw and none.',
      });
  }
}

function keyDecoder(spec: RecordDecoderSpec, places: readonly number[]): PartDecoder {
  const format = spec.keyFormat.toLowerCase();
  switch (format) {
    case 'kafka':
    case 'raw':
      if (places.length > 1) {
        throw new StreamError(
          'SQL_INVALID_OPTION',
          `key format "${spec.keyFormat}" holds one column, not ${places.length}`,
          { hint: "Use key_format = 'json' for keys of several columns." },
        );
      }
      return plainDecoder(spec, places, 'key', 'read');
    case 'json':
      return jsonKeyDecoder(spec, places);
    case 'delimited':
    case 'csv':
      return csvDecoder(spec, places, 'read');
    default:
      throw new StreamError('SQL_INVALID_OPTION', `unknown key format "${spec.keyFormat}"`, {
        hint: 'Key formats are kafka, raw, json and delimited.',
      });
  }
}

/** The keys of records in the place of their values. */
function keysAsValues(records: RecordBatch): RecordBatch {
  const { keyStarts, keyLengths } = records;
  if (keyStarts !== undefined && keyLengths !== undefined) {
    return { ...records, valueStarts: keyStarts, valueLengths: keyLengths };
  }
  const none = new Int32Array(records.length).fill(-1);
  return { ...records, valueStarts: new Int32Array(records.length), valueLengths: none };
}

function jsonKeyDecoder(spec: RecordDecoderSpec, places: readonly number[]): PartDecoder {
  const fields = scanFields(spec, places);
  const required = fields.find((field) => field.notNull);
  const scanner = compileJsonScanner(fields, {
    nullRows: required === undefined,
    bare: fields.length === 1,
  });
  return {
    scan: (records, from, to) => {
      const result = scanner.scan(keysAsValues(records), from, to);
      if (required === undefined) return result;
      const missing = result.nulls.map((record) => ({
        record,
        error: new StreamError(
          'CONSTRAINT_NOT_NULL',
          `null value in column "${required.field}" violates not-null constraint`,
        ),
      }));
      return { ...result, errors: [...result.errors, ...missing] };
    },
  };
}

function plainDecoder(
  spec: RecordDecoderSpec,
  places: readonly number[],
  part: 'key' | 'value',
  nullValues: 'read' | 'row' | 'skip',
): PartDecoder {
  const columns = places.map((place) => partColumn(spec, place));
  const types = columns.map((column) => column.type);
  return new RowDecoder(types, nullValues, (records, record, row, fills) => {
    const [column] = columns;
    const [fill] = fills;
    if (column === undefined || fill === undefined) return;
    const starts = part === 'key' ? records.keyStarts : records.valueStarts;
    const lengths = part === 'key' ? records.keyLengths : records.valueLengths;
    const length = lengths?.[record] ?? -1;
    if (length < 0) setMissing(column, fill, row);
    else readPlain(column, fill, records.bytes, starts?.[record] as number, length, row);
  });
}

function csvDecoder(
  spec: RecordDecoderSpec,
  places: readonly number[],
  nullValues: 'read' | 'row' | 'skip',
): PartDecoder {
  const columns = places.map((place) => partColumn(spec, place));
  const order = spec.valueFields ?? columns.map((column) => column.name);
  const positions = columns.map((column, i) =>
    nullValues === 'read' ? i : order.indexOf(column.name),
  );
  const fieldsMax = nullValues === 'read' ? columns.length : order.length;
  const delimiter = spec.delimiter ?? ',';
  const types = columns.map((column) => column.type);
  return new RowDecoder(types, nullValues, (records, record, row, fills) => {
    const part = nullValues === 'read' ? keysAsValues(records) : records;
    const start = part.valueStarts[record] as number;
    const length = part.valueLengths[record] as number;
    const end = start + Math.max(length, 0);
    if (!isUtf8(part.bytes, start, end)) {
      throw new StreamError('VALUE_INVALID_ENCODING', 'record is not UTF-8 text');
    }
    const found = length < 0 ? [] : readCsv(part.bytes.utf8Slice(start, end), delimiter);
    if (found.length > fieldsMax) {
      throw new StreamError(
        'RECORD_MALFORMED',
        `record has ${found.length} fields, the columns are ${fieldsMax}`,
      );
    }
    columns.forEach((column, i) => {
      const fill = fills[i];
      const text = found[positions[i] as number];
      if (fill === undefined) return;
      if (text === undefined) {
        setMissing(column, fill, row);
        return;
      }
      try {
        fill.setDatum(row, storedFromText(text, column.type, column.name));
      } catch (error) {
        throw fieldError(column.name, column.type, error);
      }
    });
  });
}

/** Headers and metadata. */
function besideDecoder(spec: RecordDecoderSpec, places: readonly number[]): PartDecoder {
  const columns = places.map((place) => ({
    ...partColumn(spec, place),
    from: (spec.columns[place] as DecodedColumn).from,
  }));
  const types = columns.map((column) => column.type);
  return new RowDecoder(types, 'read', (records, record, row, fills) => {
    columns.forEach((column, i) => {
      const fill = fills[i];
      if (fill === undefined) return;
      if (column.from.kind === 'header') {
        const headers = records.headers?.(record) ?? [];
        const { header } = column.from;
        if (header === undefined) {
          fill.setDatum(
            row,
            headers.map(({ key, value }) => [key, value === null ? null : new Uint8Array(value)]),
          );
          return;
        }
        const value = headers.findLast(({ key }) => key === header)?.value ?? null;
        if (value === null) setMissing(column, fill, row);
        else if (column.type.kind === 'bytea') fill.setDatum(row, new Uint8Array(value));
        else fill.setDatum(row, textOf(value, column));
        return;
      }
      assert(column.from.kind === 'metadata', 'only headers and metadata are left');
      fill.setDatum(row, metadata(records, record, column.from.item, column.type, spec.topic));
    });
  });
}

function textOf(value: Buffer, column: PartColumn): Datum {
  if (!isUtf8(value, 0, value.length)) {
    throw new StreamError('VALUE_INVALID_ENCODING', `column "${column.name}" is not UTF-8 text`);
  }
  try {
    return storedFromText(value.toString(), column.type, column.name);
  } catch (error) {
    throw fieldError(column.name, column.type, error);
  }
}

function metadata(
  records: RecordBatch,
  record: number,
  item: 'timestamp' | 'partition' | 'offset' | 'topic',
  type: SqlType,
  topic: string | undefined,
): string | number | bigint {
  if (item === 'topic') return topic ?? '';
  const number =
    item === 'timestamp'
      ? (records.timestampsMs[record] as number)
      : item === 'offset'
        ? (records.offsets[record] as number)
        : records.partition;
  switch (type.kind) {
    case 'timestamp':
    case 'timestamptz':
      return BigInt(Math.round(number)) * 1000n;
    case 'bigint':
      return BigInt(Math.round(number));
    case 'integer':
    case 'double':
      return number;
    default:
      return String(number);
  }
}
