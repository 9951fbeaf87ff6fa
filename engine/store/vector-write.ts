/**
 * Datums and batch columns -> DuckDB vectors: one copy a column where the layouts agree. Strings longer
 * than twelve bytes are references in DuckDB too, so a whole chunk's text goes over in one call (see TextHeap).
 */
import duckdb from '@duckdb/node-bindings';
import { assert, assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Interval } from '../../sql/base/interval.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import { decimalNaN, type StoredForm } from './stored-form.ts';
import { duckdbTimestamp } from './vector-read.ts';

const { Type } = duckdb;

const plainTypes = {
  boolean: Type.BOOLEAN,
  smallint: Type.SMALLINT,
  integer: Type.INTEGER,
  bigint: Type.BIGINT,
  real: Type.FLOAT,
  double: Type.DOUBLE,
  'numeric-text': Type.VARCHAR,
  text: Type.VARCHAR,
  bytes: Type.BLOB,
  date: Type.DATE,
  time: Type.TIME,
  timestamp: Type.TIMESTAMP,
  timestamptz: Type.TIMESTAMP_TZ,
  interval: Type.INTERVAL,
} as const;

/** DuckDB's type object of a form. */
export function logicalType(form: StoredForm): duckdb.LogicalType {
  switch (form.kind) {
    case 'decimal':
      return duckdb.create_decimal_type(form.precision + 1, form.scale);
    case 'list':
      return duckdb.create_list_type(logicalType(form.element));
    case 'struct':
      return duckdb.create_struct_type(
        form.fields.map(logicalType),
        form.fields.map((_, i) => `f${i}`),
      );
    default:
      return duckdb.create_logical_type(plainTypes[form.kind]);
  }
}

/** Bytes of one decimal value by its width, as DuckDB chooses them. */
export function decimalBytes(width: number): 2 | 4 | 8 | 16 {
  if (width <= 4) return 2;
  if (width <= 9) return 4;
  return width <= 18 ? 8 : 16;
}

/** Marks NULL rows; `isNull` says which of the `count` rows are. */
export function writeNulls(
  vector: duckdb.Vector,
  count: number,
  isNull: (row: number) => boolean,
): void {
  const bytes = new Uint8Array(Math.ceil(count / 64) * 8).fill(0xff);
  let some = false;
  for (let row = 0; row < count; row++) {
    if (!isNull(row)) continue;
    some = true;
    bytes[row >> 3] = (bytes[row >> 3] as number) & ~(1 << (row & 7));
  }
  if (!some) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, bytes.buffer, 0, bytes.byteLength);
}

/** Writes any datums into a vector of the given form; the general way, also for nested values. */
export function writeValues(
  vector: duckdb.Vector,
  form: StoredForm,
  values: readonly (Datum | null)[],
): void {
  const count = values.length;
  writeNulls(vector, count, (row) => values[row] === null);
  switch (form.kind) {
    case 'boolean':
      copy(
        vector,
        Uint8Array.from(values, (value) => (value === true ? 1 : 0)),
      );
      return;
    case 'smallint':
      copy(
        vector,
        Int16Array.from(values, (value) => (value ?? 0) as number),
      );
      return;
    case 'integer':
    case 'date':
      copy(
        vector,
        Int32Array.from(values, (value) => (value ?? 0) as number),
      );
      return;
    case 'real':
      copy(
        vector,
        Float32Array.from(values, (value) => (value ?? 0) as number),
      );
      return;
    case 'double':
      copy(
        vector,
        Float64Array.from(values, (value) => (value ?? 0) as number),
      );
      return;
    case 'bigint':
    case 'time':
      copy(
        vector,
        BigInt64Array.from(values, (value) => (value ?? 0n) as bigint),
      );
      return;
    case 'timestamp':
    case 'timestamptz':
      copy(
        vector,
        BigInt64Array.from(values, (value) => duckdbTimestamp((value ?? 0n) as bigint)),
      );
      return;
    case 'interval':
      copy(vector, intervalBytes(values));
      return;
    case 'decimal':
      copy(vector, decimalValues(form, values));
      return;
    case 'numeric-text':
    case 'text':
      for (let row = 0; row < count; row++) {
        const value = values[row];
        if (value !== null) duckdb.vector_assign_string_element(vector, row, String(value));
      }
      return;
    case 'bytes':
      for (let row = 0; row < count; row++) {
        const value = values[row];
        if (value !== null) {
          duckdb.vector_assign_string_element_len(vector, row, value as Uint8Array);
        }
      }
      return;
    case 'list':
      writeLists(vector, form.element, values);
      return;
    case 'struct':
      form.fields.forEach((field, i) => {
        const inner = values.map((row) => (row as readonly (Datum | null)[] | null)?.[i] ?? null);
        writeValues(duckdb.struct_vector_get_child(vector, i), field, inner);
      });
      return;
    default:
      assertNever(form);
  }
}

/** Copies a typed array (or a part that starts at its beginning) over a vector's fixed part. */
export function copy(vector: duckdb.Vector, values: ArrayBufferView): void {
  duckdb.copy_data_to_vector(
    vector,
    0,
    values.buffer as ArrayBuffer,
    values.byteOffset,
    values.byteLength,
  );
}

function writeLists(
  vector: duckdb.Vector,
  element: StoredForm,
  values: readonly (Datum | null)[],
): void {
  const entries = new BigUint64Array(values.length * 2);
  const isNested = element.kind === 'list' || element.kind === 'struct';
  const items: (Datum | null)[] = [];
  values.forEach((value, row) => {
    const list = (value ?? []) as readonly (Datum | null)[];
    entries[row * 2] = BigInt(items.length);
    entries[row * 2 + 1] = BigInt(list.length);
    for (const item of list) {
      assert(!Array.isArray(item) || isNested, 'a list has the dimensions of its form');
      items.push(item);
    }
  });
  duckdb.list_vector_reserve(vector, items.length);
  duckdb.list_vector_set_size(vector, items.length);
  writeValues(duckdb.list_vector_get_child(vector), element, items);
  copy(vector, entries);
}

function intervalBytes(values: readonly (Datum | null)[]): DataView {
  const view = new DataView(new ArrayBuffer(values.length * 16));
  values.forEach((value, row) => {
    if (value === null) return;
    const interval = value as Interval;
    view.setInt32(row * 16, interval.months, true);
    view.setInt32(row * 16 + 4, interval.days, true);
    view.setBigInt64(row * 16 + 8, interval.micros, true);
  });
  return view;
}

function decimalValues(
  form: StoredForm & { readonly kind: 'decimal' },
  values: readonly (Datum | null)[],
): ArrayBufferView {
  const unscaled = values.map((value) =>
    value === null ? 0n : unscaledOf(form, value as Numeric),
  );
  return decimalArray(form.precision + 1, unscaled.length, (row) => unscaled[row] as bigint);
}

/** The integer that a decimal column holds for a numeric that has passed the column's typmod. */
export function unscaledOf(
  form: StoredForm & { readonly kind: 'decimal' },
  value: Numeric,
): bigint {
  if (value.isNaN) return decimalNaN(form);
  return value.scale === form.scale
    ? value.unscaled
    : value.coerce(form.precision, form.scale).unscaled;
}

/** Unscaled integers in the width that DuckDB keeps decimals of this precision in. */
export function decimalArray(
  width: number,
  count: number,
  get: (row: number) => bigint,
): ArrayBufferView {
  switch (decimalBytes(width)) {
    case 2:
      return Int16Array.from({ length: count }, (_, row) => Number(get(row)));
    case 4:
      return Int32Array.from({ length: count }, (_, row) => Number(get(row)));
    case 8: {
      const array = new BigInt64Array(count);
      for (let row = 0; row < count; row++) array[row] = get(row);
      return array;
    }
    case 16: {
      const array = new BigInt64Array(count * 2);
      for (let row = 0; row < count; row++) {
        const value = get(row);
        array[row * 2] = BigInt.asIntN(64, value);
        array[row * 2 + 1] = value >> 64n;
      }
      return array;
    }
  }
}
