/**
 * Batches as bytes, for the log of what went into operators. A column that several batches have in common, as the readers
 * of one scan do, is written once. Values of NULL rows are not kept.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import { Batch } from '../delta/batch.ts';
import {
  type BatchColumn,
  type NumericColumn,
  type Physical,
  StringColumn,
} from '../delta/column.ts';
import { damaged, type StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

const PHYSICALS: readonly Physical[] = ['bool', 'i32', 'i64', 'f64', 'num', 'str', 'obj'];

/** Writes batches that refer to one another's columns; one an epoch, since columns live no longer. */
export class BatchWriter {
  readonly #to: StateWriter;
  /** Weak, so that the columns of a batch die with it and not with the epoch. */
  readonly #known = new WeakMap<
    BatchColumn,
    { readonly number: number; readonly length: number }
  >();
  #count = 0;

  constructor(to: StateWriter) {
    this.#to = to;
  }

  write(batch: Batch): void {
    const to = this.#to;
    to.number(batch.length);
    to.number(batch.columns.length);
    for (const column of batch.columns) this.#column(column, batch.length);
    to.byte(batch.weights === null ? 0 : 1);
    if (batch.weights !== null) to.cells(batch.weights.subarray(0, batch.length));
  }

  #column(column: BatchColumn, length: number): void {
    const known = this.#known.get(column);
    // Columns may be longer than a batch that has them: rows that were not written cannot be referred to.
    if (known !== undefined && known.length >= length) {
      this.#to.number(known.number);
      return;
    }
    const number = this.#count++;
    this.#known.set(column, { number, length });
    this.#to.number(number);
    writeColumn(column, length, this.#to);
  }
}

export class BatchReader {
  readonly #from: StateReader;
  readonly #columns: BatchColumn[] = [];

  constructor(from: StateReader) {
    this.#from = from;
  }

  read(): Batch {
    const from = this.#from;
    const length = from.number();
    const columns = Array.from({ length: from.number() }, () => this.#column(length));
    const weights = from.byte() === 0 ? null : from.cells(new Int32Array(length));
    return new Batch(length, columns, weights);
  }

  #column(length: number): BatchColumn {
    const number = this.#from.number();
    if (number === this.#columns.length) this.#columns.push(readColumn(this.#from, length));
    const column = this.#columns[number];
    if (column === undefined) throw damaged(`there is no column ${number}`);
    return column;
  }
}

function writeColumn(column: BatchColumn, length: number, to: StateWriter): void {
  to.byte(PHYSICALS.indexOf(column.physical));
  const { nulls } = column;
  to.byte(nulls === null ? 0 : 1);
  if (nulls !== null) to.cells(nulls.subarray(0, length));
  switch (column.physical) {
    case 'bool':
    case 'i32':
    case 'i64':
    case 'f64':
      to.cells(column.values.subarray(0, length));
      return;
    case 'num':
      to.cells(column.values.subarray(0, length));
      to.cells(column.scales.subarray(0, length));
      writeWide(column, length, to);
      return;
    case 'str':
      writeStrings(column, length, to);
      return;
    case 'obj':
      for (let r = 0; r < length; r++) {
        to.datum(nulls !== null && nulls[r] === 1 ? null : (column.values[r] ?? null));
      }
      return;
    default:
      assertNever(column);
  }
}

/** The values beside 64 bits, each with its row. */
function writeWide({ wide }: NumericColumn, length: number, to: StateWriter): void {
  const found: Datum[] = [];
  wide?.forEach((value, row) => {
    if (row < length && value !== undefined) found.push(row, value);
  });
  to.data(found);
}

/** Bytes side by side, then the lengths. */
function writeStrings(column: StringColumn, length: number, to: StateWriter): void {
  const { bytes, starts, lengths, nulls } = column;
  const written = new Int32Array(length);
  let total = 0;
  for (let r = 0; r < length; r++) {
    if (nulls !== null && nulls[r] === 1) continue;
    written[r] = lengths[r] as number;
    total += written[r] as number;
  }
  to.number(total);
  to.cells(written);
  const [block, start] = to.reserve(total);
  let end = start;
  for (let r = 0; r < length; r++) {
    const count = written[r] as number;
    const source = starts[r] as number;
    if (count < 48) {
      for (let i = 0; i < count; i++) block[end + i] = bytes[source + i] as number;
    } else {
      bytes.copy(block, end, source, source + count);
    }
    end += count;
  }
}

function readColumn(from: StateReader, length: number): BatchColumn {
  const physical = PHYSICALS[from.byte()];
  const nulls = from.byte() === 0 ? null : from.cells(new Uint8Array(length));
  switch (physical) {
    case 'bool':
      return { physical, values: from.cells(new Uint8Array(length)), nulls };
    case 'i32':
      return { physical, values: from.cells(new Int32Array(length)), nulls };
    case 'i64':
      return { physical, values: from.cells(new BigInt64Array(length)), nulls };
    case 'f64':
      return { physical, values: from.cells(new Float64Array(length)), nulls };
    case 'num': {
      const values = from.cells(new BigInt64Array(length));
      const scales = from.cells(new Int16Array(length));
      return { physical, values, scales, wide: readWide(from, length), nulls };
    }
    case 'str': {
      const total = from.number();
      const lengths = from.cells(new Int32Array(length));
      const starts = new Int32Array(length);
      for (let r = 1; r < length; r++) {
        starts[r] = (starts[r - 1] as number) + (lengths[r - 1] as number);
      }
      return StringColumn.ofBytes(from.raw(total), starts, lengths, nulls);
    }
    case 'obj':
      return { physical, values: Array.from({ length }, () => from.datum()), nulls };
    case undefined:
      throw damaged('a column has no known form');
    default:
      return assertNever(physical);
  }
}

function readWide(from: StateReader, length: number): (Numeric | undefined)[] | null {
  const found = from.data();
  if (found.length === 0) return null;
  const wide = new Array<Numeric | undefined>(length).fill(undefined);
  for (let i = 0; i < found.length; i += 2) wide[found[i] as number] = found[i + 1] as Numeric;
  return wide;
}
