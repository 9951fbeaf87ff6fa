/** Batches -> rows of a temporary table, by whole data chunks; SQL moves them on from there. */
import duckdb from '@duckdb/node-bindings';
import { assert, assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { TIMESTAMP_NEGATIVE_INFINITY } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import {
  type BatchColumn,
  datumAt,
  type NumericColumn,
  StringColumn,
  WIDE_SCALE,
} from '../delta/column.ts';
import type { Connection } from './connection.ts';
import type { StoredForm } from './stored-form.ts';
import { TextHeap, writeText } from './text-heap.ts';
import { duckdbTimestamp } from './vector-read.ts';
import {
  copy,
  decimalArray,
  logicalType,
  unscaledOf,
  writeNulls,
  writeValues,
} from './vector-write.ts';

/** Rows of one data chunk: DuckDB's vector size. */
const ROWS_PER_CHUNK = 2048;

/**
 * Appends rows to one table of the writer's connection. The table's columns are `forms`, then an INTEGER with the row's weight
 * when `weighted`. Nothing is in the table before `flush`, which runs in the connection's transaction, or in one of its own.
 */
export class Appender {
  readonly #connection: Connection;
  readonly #catalog: string | null;
  readonly #table: string;
  readonly #forms: readonly StoredForm[];
  readonly #weighted: boolean;
  readonly #chunk: duckdb.DataChunk;
  readonly #heap = new TextHeap();
  #appender: duckdb.Appender | undefined;

  constructor(
    connection: Connection,
    catalog: 'temp' | undefined,
    table: string,
    forms: readonly StoredForm[],
    weighted: boolean,
  ) {
    this.#connection = connection;
    this.#catalog = catalog ?? null;
    this.#table = table;
    this.#forms = forms;
    this.#weighted = weighted;
    const types = forms.map(logicalType);
    if (weighted) types.push(logicalType({ kind: 'integer' }));
    this.#chunk = duckdb.create_data_chunk(types);
  }

  appendBatch(batch: Batch): void {
    assert(batch.columns.length === this.#forms.length, 'a batch has the columns of its relation');
    for (let start = 0; start < batch.length; start += ROWS_PER_CHUNK) {
      const count = Math.min(ROWS_PER_CHUNK, batch.length - start);
      this.#begin(count);
      this.#forms.forEach((form, i) => {
        const vector = duckdb.data_chunk_get_vector(this.#chunk, i);
        writeColumn(vector, this.#heap, form, batch.column(i), start, count);
      });
      if (this.#weighted) {
        const weights = batch.weights;
        const values =
          weights === null ? new Int32Array(count).fill(1) : weights.subarray(start, start + count);
        copy(duckdb.data_chunk_get_vector(this.#chunk, this.#forms.length), values);
      }
      this.#end();
    }
  }

  /** Rows given one by one, without weights; for the store's own small tables. */
  appendRows(rows: readonly (readonly (Datum | null)[])[]): void {
    for (let start = 0; start < rows.length; start += ROWS_PER_CHUNK) {
      const part = rows.slice(start, start + ROWS_PER_CHUNK);
      this.#begin(part.length);
      this.#forms.forEach((form, i) => {
        const vector = duckdb.data_chunk_get_vector(this.#chunk, i);
        writeValues(
          vector,
          form,
          part.map((row) => row[i] ?? null),
        );
      });
      this.#end();
    }
  }

  flush(): void {
    if (this.#appender !== undefined) duckdb.appender_flush_sync(this.#appender);
  }

  /** Forgets rows not flushed; the next append starts afresh. */
  discard(): void {
    if (this.#appender === undefined) return;
    duckdb.appender_clear(this.#appender);
    duckdb.appender_close_sync(this.#appender);
    this.#appender = undefined;
  }

  #begin(count: number): void {
    duckdb.data_chunk_reset(this.#chunk);
    duckdb.data_chunk_set_size(this.#chunk, count);
  }

  #end(): void {
    this.#appender ??= duckdb.appender_create_ext(
      this.#connection.handle,
      this.#catalog,
      'main',
      this.#table,
    );
    duckdb.append_data_chunk(this.#appender, this.#chunk);
    // Appending copied the text, so its memory is free again.
    this.#heap.reset();
  }
}

/** Writes rows [start, start + count) of a batch's column. */
function writeColumn(
  vector: duckdb.Vector,
  heap: TextHeap,
  form: StoredForm,
  column: BatchColumn,
  start: number,
  count: number,
): void {
  const { nulls } = column;
  const end = start + count;
  switch (column.physical) {
    case 'bool':
      copy(vector, column.values.subarray(start, end));
      break;
    case 'i32':
      if (form.kind === 'smallint')
        copy(vector, Int16Array.from(column.values.subarray(start, end)));
      else copy(vector, column.values.subarray(start, end));
      break;
    case 'i64':
      copy(
        vector,
        form.kind === 'bigint' || form.kind === 'time'
          ? column.values.subarray(start, end)
          : timestamps(column.values.subarray(start, end)),
      );
      break;
    case 'f64':
      if (form.kind === 'real') copy(vector, Float32Array.from(column.values.subarray(start, end)));
      else copy(vector, column.values.subarray(start, end));
      break;
    case 'num':
      writeNumerics(vector, heap, form, column, start, count);
      break;
    case 'str':
      writeText(vector, heap, column, start, count);
      break;
    case 'obj': {
      const values = Array.from({ length: count }, (_, i) => datumAt(column, start + i));
      writeValues(vector, form, values);
      return;
    }
    default:
      assertNever(column);
  }
  if (nulls !== null) writeNulls(vector, count, (row) => nulls[start + row] === 1);
}

function timestamps(values: BigInt64Array): BigInt64Array {
  return values.includes(TIMESTAMP_NEGATIVE_INFINITY) ? values.map(duckdbTimestamp) : values;
}

function writeNumerics(
  vector: duckdb.Vector,
  heap: TextHeap,
  form: StoredForm,
  column: NumericColumn,
  start: number,
  count: number,
): void {
  if (form.kind === 'decimal') {
    const unscaled = (i: number): bigint => {
      const row = start + i;
      if (column.nulls !== null && column.nulls[row] === 1) return 0n;
      const scale = column.scales[row] as number;
      if (scale === form.scale) return column.values[row] as bigint;
      return unscaledOf(form, datumAt(column, row) as Numeric);
    };
    copy(vector, decimalArray(form.precision + 1, count, unscaled));
    return;
  }
  assert(form.kind === 'numeric-text', 'a numeric column is stored as a decimal or as text');
  const texts = Array.from({ length: count }, (_, i) => {
    const row = start + i;
    if (column.nulls !== null && column.nulls[row] === 1) return undefined;
    const scale = column.scales[row] as number;
    if (scale === WIDE_SCALE) return String(column.wide?.[row] ?? Numeric.NaN);
    const value = column.values[row] as bigint;
    return scale === 0 ? value.toString() : new Numeric(value, scale).toString();
  });
  const strings = StringColumn.ofStrings(texts, null);
  writeText(vector, heap, strings, 0, count);
}
