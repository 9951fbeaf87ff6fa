/**
 * DuckDB vectors -> datums. The bindings hand out copies of a vector's bytes, so values never point into
 * DuckDB's memory. Layouts are those of DuckDB's C API (duckdb.h, "Vector Interface").
 */
import duckdb from '@duckdb/node-bindings';
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { fromText } from '../../sql/base/text-input.ts';
import {
  type Schema,
  type SqlType,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';

type Values = (Datum | null)[];
export type VectorReader = (vector: duckdb.Vector, count: number) => Values;

const { Type } = duckdb;

/** DuckDB's own -infinity; PostgreSQL's is one less. */
const DUCKDB_NEGATIVE_INFINITY = -9223372036854775807n;

/**
 * Decodes the chunks of a result.
 * @param schema  the types that the values are for; undefined = DuckDB's own (decimals as Numeric, 64-bit integers as bigint).
 */
export function resultDecoder(
  result: duckdb.Result,
  schema: Schema | undefined,
): (chunk: duckdb.DataChunk) => Values[] {
  const readers = Array.from({ length: schema?.length ?? duckdb.column_count(result) }, (_, i) =>
    vectorReader(duckdb.column_logical_type(result, i), schema?.[i]?.type),
  );
  return (chunk) => {
    const count = duckdb.data_chunk_get_size(chunk);
    const columns = readers.map((read, i) => read(duckdb.data_chunk_get_vector(chunk, i), count));
    return Array.from({ length: count }, (_, row) =>
      columns.map((column) => column[row] as Datum | null),
    );
  };
}

/** One byte a row, 1 where the value is NULL; null when no row is. */
export function readNulls(vector: duckdb.Vector, count: number): Uint8Array | null {
  // The declared type hides that a vector without NULLs has no mask at all.
  const mask = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
  if (mask === null) return null;
  let nulls: Uint8Array | null = null;
  for (let row = 0; row < count; row++) {
    if ((((mask[row >> 3] as number) >> (row & 7)) & 1) === 1) continue;
    nulls ??= new Uint8Array(count);
    nulls[row] = 1;
  }
  return nulls;
}

/** Bytes of the fixed part of a vector, aligned for any typed array. */
export function readBytes(vector: duckdb.Vector, byteCount: number): Uint8Array {
  const bytes = duckdb.vector_get_data(vector, byteCount);
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
}

const INLINE_BYTES_MAX = 12;

/** The bytes of string `row` of a vector whose fixed part is `view`; a view of it or a copy, never DuckDB's memory. */
export function stringBytes(view: DataView, row: number): Uint8Array {
  const at = row * 16;
  const length = view.getUint32(at, true);
  if (length <= INLINE_BYTES_MAX) {
    return new Uint8Array(view.buffer, view.byteOffset + at + 4, length);
  }
  return duckdb.get_data_from_pointer(view.buffer as ArrayBuffer, view.byteOffset + at + 8, length);
}

/** Makes the reader of one column: DuckDB's type decides the layout, `type` the datum. */
export function vectorReader(
  logicalType: duckdb.LogicalType,
  type: SqlType | undefined,
): VectorReader {
  const id = duckdb.get_type_id(logicalType);
  switch (id) {
    case Type.SQLNULL:
      return (_, count) => new Array<null>(count).fill(null);
    case Type.BOOLEAN:
      return fixed(1, (bytes) => (row) => bytes[row] === 1);
    case Type.TINYINT:
      return fixed(1, (bytes) => integer(new Int8Array(bytes.buffer, bytes.byteOffset), type));
    case Type.UTINYINT:
      return fixed(1, (bytes) => integer(bytes, type));
    case Type.SMALLINT:
      return fixed(2, (bytes) => integer(new Int16Array(bytes.buffer, bytes.byteOffset), type));
    case Type.USMALLINT:
      return fixed(2, (bytes) => integer(new Uint16Array(bytes.buffer, bytes.byteOffset), type));
    case Type.INTEGER:
      return fixed(4, (bytes) => integer(new Int32Array(bytes.buffer, bytes.byteOffset), type));
    case Type.UINTEGER:
      return fixed(4, (bytes) => integer(new Uint32Array(bytes.buffer, bytes.byteOffset), type));
    case Type.DATE:
      return fixed(4, (bytes) => {
        const days = new Int32Array(bytes.buffer, bytes.byteOffset);
        return (row) => days[row] as number;
      });
    case Type.BIGINT:
      return fixed(8, (bytes) => {
        const values = new BigInt64Array(bytes.buffer, bytes.byteOffset);
        return wide((row) => values[row] as bigint, type);
      });
    case Type.UBIGINT:
      return fixed(8, (bytes) => {
        const values = new BigUint64Array(bytes.buffer, bytes.byteOffset);
        return wide((row) => values[row] as bigint, type);
      });
    case Type.HUGEINT:
      return fixed(16, (bytes) => {
        const view = viewOf(bytes);
        return wide((row) => int128(view, row), type);
      });
    case Type.TIME:
      return fixed(8, (bytes) => {
        const values = new BigInt64Array(bytes.buffer, bytes.byteOffset);
        return (row) => values[row] as bigint;
      });
    case Type.TIMESTAMP:
    case Type.TIMESTAMP_TZ:
      return fixed(8, (bytes) => {
        const values = new BigInt64Array(bytes.buffer, bytes.byteOffset);
        return (row) => timestamp(values[row] as bigint);
      });
    case Type.FLOAT:
      return fixed(4, (bytes) => {
        const values = new Float32Array(bytes.buffer, bytes.byteOffset);
        return (row) => values[row] as number;
      });
    case Type.DOUBLE:
      return fixed(8, (bytes) => {
        const values = new Float64Array(bytes.buffer, bytes.byteOffset);
        return (row) => values[row] as number;
      });
    case Type.DECIMAL:
      return decimalReader(logicalType, type);
    case Type.INTERVAL:
      return fixed(16, (bytes) => {
        const view = viewOf(bytes);
        return (row) => ({
          months: view.getInt32(row * 16, true),
          days: view.getInt32(row * 16 + 4, true),
          micros: view.getBigInt64(row * 16 + 8, true),
        });
      });
    case Type.VARCHAR:
      return textReader(type);
    case Type.BLOB:
      return fixed(16, (bytes) => {
        const view = viewOf(bytes);
        return (row) => {
          const value = stringBytes(view, row);
          // Short values lie in the copy of the whole vector, which they would keep alive.
          if (value.length <= INLINE_BYTES_MAX) return value.slice();
          // The bindings give a Buffer; a datum is a plain Uint8Array.
          return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
        };
      });
    case Type.LIST:
      return listReader(logicalType, type);
    case Type.STRUCT:
      return structReader(logicalType, type);
    default:
      throw new Error(`assertion failed: no reader for DuckDB type ${Type[id]}`);
  }
}

/** A reader over values of `size` bytes; `open` gives access to one row of the bytes. */
function fixed(size: number, open: (bytes: Uint8Array) => (row: number) => Datum): VectorReader {
  return (vector, count) => {
    const nulls = readNulls(vector, count);
    const get = open(readBytes(vector, count * size));
    const values: Values = new Array(count);
    for (let row = 0; row < count; row++) {
      values[row] = nulls !== null && nulls[row] === 1 ? null : get(row);
    }
    return values;
  };
}

type Integers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

function integer(values: Integers, type: SqlType | undefined): (row: number) => Datum {
  if (type?.kind === 'bigint') return (row) => BigInt(values[row] as number);
  if (type?.kind === 'numeric') return (row) => Numeric.fromInt(values[row] as number);
  return (row) => values[row] as number;
}

function wide(get: (row: number) => bigint, type: SqlType | undefined): (row: number) => Datum {
  switch (type?.kind) {
    case 'numeric':
      return (row) => Numeric.fromInt(get(row));
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double':
      return (row) => Number(get(row));
    default:
      return get;
  }
}

function timestamp(micros: bigint): bigint {
  return micros === DUCKDB_NEGATIVE_INFINITY ? TIMESTAMP_NEGATIVE_INFINITY : micros;
}

/** What DuckDB holds for a timestamp datum. */
export function duckdbTimestamp(micros: bigint): bigint {
  return micros === TIMESTAMP_NEGATIVE_INFINITY ? -TIMESTAMP_INFINITY : micros;
}

function decimalReader(logicalType: duckdb.LogicalType, type: SqlType | undefined): VectorReader {
  const scale = duckdb.decimal_scale(logicalType);
  const width = duckdb.decimal_width(logicalType);
  // Columns declared numeric(p, s) keep NaN as 10^p, see stored-form.ts.
  const precision = type?.kind === 'numeric' ? type.precision : undefined;
  const nan =
    precision !== undefined && precision + 1 === width ? 10n ** BigInt(precision) : undefined;
  const numeric = (get: (row: number) => bigint) => (row: number) => {
    const unscaled = get(row);
    return unscaled === nan ? Numeric.NaN : new Numeric(unscaled, scale);
  };
  switch (duckdb.decimal_internal_type(logicalType)) {
    case Type.SMALLINT:
      return fixed(2, (bytes) => {
        const values = new Int16Array(bytes.buffer, bytes.byteOffset);
        return numeric((row) => BigInt(values[row] as number));
      });
    case Type.INTEGER:
      return fixed(4, (bytes) => {
        const values = new Int32Array(bytes.buffer, bytes.byteOffset);
        return numeric((row) => BigInt(values[row] as number));
      });
    case Type.BIGINT:
      return fixed(8, (bytes) => {
        const values = new BigInt64Array(bytes.buffer, bytes.byteOffset);
        return numeric((row) => values[row] as bigint);
      });
    default:
      return fixed(16, (bytes) => {
        const view = viewOf(bytes);
        return numeric((row) => int128(view, row));
      });
  }
}

function textReader(type: SqlType | undefined): VectorReader {
  return fixed(16, (bytes) => {
    const view = viewOf(bytes);
    const text = (row: number) => utf8(stringBytes(view, row));
    if (type?.kind === 'range') return (row) => fromText(text(row), type);
    return type?.kind === 'numeric' ? (row) => Numeric.parse(text(row)) : text;
  });
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function listReader(logicalType: duckdb.LogicalType, type: SqlType | undefined): VectorReader {
  const readChild = vectorReader(
    duckdb.list_type_child_type(logicalType),
    type?.kind === 'array' ? type.element : undefined,
  );
  return (vector, count) => {
    const children = readChild(
      duckdb.list_vector_get_child(vector),
      duckdb.list_vector_get_size(vector),
    );
    return fixed(16, (bytes) => {
      const entries = new BigUint64Array(bytes.buffer, bytes.byteOffset);
      return (row) => {
        const start = Number(entries[row * 2]);
        return children.slice(start, start + Number(entries[row * 2 + 1]));
      };
    })(vector, count);
  };
}

function structReader(logicalType: duckdb.LogicalType, type: SqlType | undefined): VectorReader {
  const readers = Array.from({ length: duckdb.struct_type_child_count(logicalType) }, (_, i) =>
    vectorReader(
      duckdb.struct_type_child_type(logicalType, i),
      type?.kind === 'row' ? type.fields[i]?.type : undefined,
    ),
  );
  return (vector, count) => {
    const nulls = readNulls(vector, count);
    const columns = readers.map((read, i) =>
      read(duckdb.struct_vector_get_child(vector, i), count),
    );
    return Array.from({ length: count }, (_, row) =>
      nulls !== null && nulls[row] === 1
        ? null
        : columns.map((column) => column[row] as Datum | null),
    );
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function int128(view: DataView, row: number): bigint {
  return (view.getBigInt64(row * 16 + 8, true) << 64n) | view.getBigUint64(row * 16, true);
}
