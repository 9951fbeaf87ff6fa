import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import { Batch } from './batch.ts';
import { type BatchColumn, type Nulls, type NumericColumn, StringColumn } from './column.ts';

/**
 * The rows of a batch whose numbers are rows[0, count), in that order; a number may come again.
 * Bytes of strings are shared, everything else is copied.
 * @param weights  of the new rows; undefined = the rows keep theirs.
 */
export function gather(
  batch: Batch,
  rows: Int32Array,
  count: number,
  weights?: Int32Array | null,
): Batch {
  const columns = batch.columns.map((column) => gatherColumn(column, rows, count));
  if (weights !== undefined) return new Batch(count, columns, weights);
  const own = batch.weights;
  if (own === null) return new Batch(count, columns, null);
  const kept = new Int32Array(count);
  for (let i = 0; i < count; i++) kept[i] = own[rows[i] as number] as number;
  return new Batch(count, columns, kept);
}

export function gatherColumn(column: BatchColumn, rows: Int32Array, count: number): BatchColumn {
  const nulls = gatherNulls(column.nulls, rows, count);
  switch (column.physical) {
    case 'bool': {
      const values = new Uint8Array(count);
      const from = column.values;
      for (let i = 0; i < count; i++) values[i] = from[rows[i] as number] as number;
      return { physical: 'bool', values, nulls };
    }
    case 'i32': {
      const values = new Int32Array(count);
      const from = column.values;
      for (let i = 0; i < count; i++) values[i] = from[rows[i] as number] as number;
      return { physical: 'i32', values, nulls };
    }
    case 'i64':
      return { physical: 'i64', values: gatherWords(column.values, rows, count), nulls };
    case 'f64': {
      const values = new Float64Array(count);
      const from = column.values;
      for (let i = 0; i < count; i++) values[i] = from[rows[i] as number] as number;
      return { physical: 'f64', values, nulls };
    }
    case 'num':
      return gatherNumeric(column, rows, count, nulls);
    case 'str':
      return gatherStrings(column, rows, count, nulls);
    case 'obj': {
      const values = new Array<Datum | null>(count).fill(null);
      const from = column.values;
      for (let i = 0; i < count; i++) values[i] = from[rows[i] as number] ?? null;
      return { physical: 'obj', values, nulls };
    }
    default:
      return assertNever(column);
  }
}

function gatherNulls(nulls: Nulls, rows: Int32Array, count: number): Nulls {
  if (nulls === null) return null;
  const gathered = new Uint8Array(count);
  let any = 0;
  for (let i = 0; i < count; i++) any |= gathered[i] = nulls[rows[i] as number] as number;
  return any === 0 ? null : gathered;
}

/** Moves 64-bit values as pairs of words: a BigInt in between would be an allocation a row. */
function gatherWords(from: BigInt64Array, rows: Int32Array, count: number): BigInt64Array {
  const values = new BigInt64Array(count);
  const source = new Int32Array(from.buffer, from.byteOffset, from.length * 2);
  const target = new Int32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    target[2 * i] = source[2 * row] as number;
    target[2 * i + 1] = source[2 * row + 1] as number;
  }
  return values;
}

function gatherNumeric(
  column: NumericColumn,
  rows: Int32Array,
  count: number,
  nulls: Nulls,
): BatchColumn {
  const scales = new Int16Array(count);
  for (let i = 0; i < count; i++) scales[i] = column.scales[rows[i] as number] as number;
  let wide: (Numeric | undefined)[] | null = null;
  if (column.wide !== null) {
    wide = new Array<Numeric | undefined>(count).fill(undefined);
    for (let i = 0; i < count; i++) wide[i] = column.wide[rows[i] as number];
  }
  return {
    physical: 'num',
    values: gatherWords(column.values, rows, count),
    scales,
    wide,
    nulls,
  };
}

function gatherStrings(
  column: StringColumn,
  rows: Int32Array,
  count: number,
  nulls: Nulls,
): BatchColumn {
  if (!column.hasBytes) {
    const strings = new Array<string | undefined>(count).fill(undefined);
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (column.nulls === null || column.nulls[row] === 0) strings[i] = column.get(row);
    }
    return StringColumn.ofStrings(strings, nulls);
  }
  const starts = new Int32Array(count);
  const lengths = new Int32Array(count);
  const { bytes, starts: fromStarts, lengths: fromLengths } = column;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    starts[i] = fromStarts[row] as number;
    lengths[i] = fromLengths[row] as number;
  }
  return StringColumn.ofBytes(bytes, starts, lengths, nulls);
}

/** All rows of batches of one schema, in order. One batch is given back as it is. */
export function concat(batches: readonly Batch[]): Batch {
  const [first] = batches;
  if (first === undefined) throw new Error('assertion failed: concat of no batches');
  if (batches.length === 1) return first;
  const length = batches.reduce((sum, batch) => sum + batch.length, 0);
  const columns = first.columns.map((_, i) =>
    concatColumns(
      batches.map((batch) => ({ column: batch.column(i), length: batch.length })),
      length,
    ),
  );
  if (batches.every((batch) => batch.weights === null)) return new Batch(length, columns, null);
  const weights = new Int32Array(length).fill(1);
  let at = 0;
  for (const batch of batches) {
    if (batch.weights !== null) weights.set(batch.weights.subarray(0, batch.length), at);
    at += batch.length;
  }
  return new Batch(length, columns, weights);
}

interface Part {
  readonly column: BatchColumn;
  readonly length: number;
}

function concatColumns(parts: readonly Part[], length: number): BatchColumn {
  const nulls = concatNulls(parts, length);
  const physical = (parts[0] as Part).column.physical;
  switch (physical) {
    case 'bool':
      return { physical, values: concatArrays(parts, physical, new Uint8Array(length)), nulls };
    case 'i32':
      return { physical, values: concatArrays(parts, physical, new Int32Array(length)), nulls };
    case 'f64':
      return { physical, values: concatArrays(parts, physical, new Float64Array(length)), nulls };
    case 'i64':
      return { physical, values: concatArrays(parts, physical, new BigInt64Array(length)), nulls };
    case 'num': {
      const values = concatArrays(parts, physical, new BigInt64Array(length));
      const scales = new Int16Array(length);
      let wide: (Numeric | undefined)[] | null = null;
      let at = 0;
      for (const { column, length: rows } of parts) {
        const numeric = column as NumericColumn;
        scales.set(numeric.scales.subarray(0, rows), at);
        if (numeric.wide !== null) {
          wide ??= new Array<Numeric | undefined>(length).fill(undefined);
          for (let row = 0; row < rows; row++) wide[at + row] = numeric.wide[row];
        }
        at += rows;
      }
      return { physical, values, scales, wide, nulls };
    }
    case 'str':
      return concatStrings(parts, length, nulls);
    case 'obj': {
      const values: (Datum | null)[] = [];
      for (const { column, length: rows } of parts) {
        if (column.physical !== 'obj') throw new Error('assertion failed: columns differ in form');
        for (let row = 0; row < rows; row++) values.push(column.values[row] ?? null);
      }
      return { physical, values, nulls };
    }
    default:
      return assertNever(physical);
  }
}

function concatNulls(parts: readonly Part[], length: number): Nulls {
  if (parts.every(({ column }) => column.nulls === null)) return null;
  const nulls = new Uint8Array(length);
  let at = 0;
  for (const { column, length: rows } of parts) {
    if (column.nulls !== null) nulls.set(column.nulls.subarray(0, rows), at);
    at += rows;
  }
  return nulls;
}

type ValueArray = Uint8Array | Int32Array | Float64Array | BigInt64Array;

function concatArrays<T extends ValueArray>(
  parts: readonly Part[],
  physical: BatchColumn['physical'],
  target: T,
): T {
  let at = 0;
  for (const { column, length } of parts) {
    if (column.physical !== physical) throw new Error('assertion failed: columns differ in form');
    const values = (column as unknown as { readonly values: T }).values;
    (target as { set(from: ValueArray, at: number): void }).set(values.subarray(0, length), at);
    at += length;
  }
  return target;
}

function concatStrings(parts: readonly Part[], length: number, nulls: Nulls): BatchColumn {
  const columns = parts.map(({ column }) => column as StringColumn);
  if (columns.every((column) => !column.hasBytes)) {
    const strings = new Array<string | undefined>(length).fill(undefined);
    let row = 0;
    for (const { column, length: rows } of parts) {
      for (let i = 0; i < rows; i++, row++) {
        if (column.nulls === null || column.nulls[i] === 0)
          strings[row] = (column as StringColumn).get(i);
      }
    }
    return StringColumn.ofStrings(strings, nulls);
  }
  const buffers = [...new Set(columns.map((column) => column.bytes))];
  let referred = 0;
  for (const { column, length: rows } of parts) {
    const { lengths } = column as StringColumn;
    for (let row = 0; row < rows; row++) {
      if (column.nulls === null || column.nulls[row] === 0) referred += lengths[row] as number;
    }
  }
  const held = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  // A few strings of large buffers (rows that a filter kept) are cheaper to copy one by one.
  if (buffers.length > 1 && referred * 4 < held) return packStrings(parts, length, referred, nulls);
  const bytes = buffers.length === 1 ? (buffers[0] as Buffer) : Buffer.concat(buffers);
  const shifts = new Map<Buffer, number>();
  let shift = 0;
  for (const buffer of buffers) {
    shifts.set(buffer, shift);
    shift += buffer.length;
  }
  const starts = new Int32Array(length);
  const lengths = new Int32Array(length);
  let at = 0;
  for (const { column, length: rows } of parts) {
    const strings = column as StringColumn;
    const offset = shifts.get(strings.bytes) ?? 0;
    const from = strings.starts;
    for (let row = 0; row < rows; row++) starts[at + row] = (from[row] as number) + offset;
    lengths.set(strings.lengths.subarray(0, rows), at);
    at += rows;
  }
  return StringColumn.ofBytes(bytes, starts, lengths, nulls);
}

function packStrings(
  parts: readonly Part[],
  length: number,
  size: number,
  nulls: Nulls,
): BatchColumn {
  const bytes = Buffer.allocUnsafe(size);
  const starts = new Int32Array(length);
  const lengths = new Int32Array(length);
  let end = 0;
  let target = 0;
  for (const { column, length: rows } of parts) {
    const strings = column as StringColumn;
    for (let row = 0; row < rows; row++, target++) {
      starts[target] = end;
      if (column.nulls !== null && column.nulls[row] === 1) continue;
      const start = strings.starts[row] as number;
      const used = strings.lengths[row] as number;
      strings.bytes.copy(bytes, end, start, start + used);
      lengths[target] = used;
      end += used;
    }
  }
  return StringColumn.ofBytes(bytes, starts, lengths, nulls);
}
