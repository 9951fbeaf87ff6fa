import type { Datum } from '../../sql/base/datum.ts';
import type { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { columnOf } from '../delta/builder.ts';
import { type BatchColumn, type Physical, physicalOf } from '../delta/column.ts';
import { NONE } from '../state/row-store.ts';
import type { StoredColumn } from '../state/stored-column.ts';
import { writeInt64 } from './group-count.ts';

const CELLS_FIRST = 256;

/** Values of one window call, by position among the rows that are being computed. */
export interface OutputColumn {
  /** The values of positions below `count`; the column is empty afterwards. */
  take(count: number): BatchColumn;
}

/** Values of any type. */
export class DatumColumn implements OutputColumn {
  readonly #physical: Physical;
  #values: (Datum | null)[] = [];

  constructor(type: SqlType) {
    this.#physical = physicalOf(type);
  }

  set(position: number, value: Datum | null): void {
    while (this.#values.length < position) this.#values.push(null);
    this.#values[position] = value;
  }

  take(count: number): BatchColumn {
    while (this.#values.length < count) this.#values.push(null);
    const column = columnOf(this.#physical, this.#values);
    this.#values = [];
    return column;
  }
}

/** 64-bit integers: those that doubles hold exactly are written without making a BigInt. */
export class Int64Column implements OutputColumn {
  #values = new BigInt64Array(CELLS_FIRST);
  #words = new Int32Array(this.#values.buffer);
  #nulls: Uint8Array | null = null;

  set(position: number, value: number | bigint | null): void {
    if (position >= this.#values.length) this.#grow(position + 1);
    if (value === null) {
      this.#nulls ??= new Uint8Array(this.#values.length);
      this.#nulls[position] = 1;
    } else if (typeof value === 'number') {
      writeInt64(this.#words, position, value);
    } else {
      this.#values[position] = value;
    }
  }

  take(count: number): BatchColumn {
    if (count > this.#values.length) this.#grow(count);
    const column: BatchColumn = { physical: 'i64', values: this.#values, nulls: this.#nulls };
    this.#values = new BigInt64Array(this.#values.length);
    this.#words = new Int32Array(this.#values.buffer);
    this.#nulls = null;
    return column;
  }

  #grow(cells: number): void {
    const length = Math.max(cells, this.#values.length * 2);
    const values = new BigInt64Array(length);
    values.set(this.#values);
    this.#values = values;
    this.#words = new Int32Array(values.buffer);
    if (this.#nulls === null) return;
    const nulls = new Uint8Array(length);
    nulls.set(this.#nulls);
    this.#nulls = nulls;
  }
}

/** Values that are those of another row of the state, copied in one go. */
export class CopiedColumn implements OutputColumn {
  readonly #source: StoredColumn;
  #rows = new Int32Array(CELLS_FIRST).fill(NONE);

  constructor(source: StoredColumn) {
    this.#source = source;
  }

  /** NONE stands for NULL. */
  setRow(position: number, row: number): void {
    if (position >= this.#rows.length) this.#grow(position + 1);
    this.#rows[position] = row;
  }

  take(count: number): BatchColumn {
    if (count > this.#rows.length) this.#grow(count);
    const column = this.#source.gather(this.#rows, count);
    this.#rows.fill(NONE, 0, count);
    return column;
  }

  #grow(cells: number): void {
    const rows = new Int32Array(Math.max(cells, this.#rows.length * 2)).fill(NONE);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Takes the error of a row that a call has no value for. */
export type ReportPosition = (position: number, error: StreamError) => void;
