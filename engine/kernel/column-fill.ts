/**
 * Columns under construction: what decoders write rows into. Decoders generate code that stores
 * through the public arrays; everything rare goes through `setNull` and `setDatum`.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { type BatchColumn, physicalOf, StringColumn, WIDE_SCALE } from '../delta/column.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const NO_NULLS = new Uint8Array(0);

export abstract class ColumnFill {
  nulls: Uint8Array = NO_NULLS;
  /** Some row was set to NULL; a column without any has no null bytes. */
  anyNull = false;

  /** Starts a column of at most `rowsMax` rows in fresh arrays. */
  begin(rowsMax: number): void {
    this.nulls = new Uint8Array(rowsMax);
    this.anyNull = false;
  }

  /** The same in the arrays of the column before, which nobody reads. */
  restart(rowsMax: number): void {
    if (this.nulls.length < rowsMax) this.begin(rowsMax);
    this.nulls.fill(0);
    this.anyNull = false;
  }

  setNull(row: number): void {
    this.nulls[row] = 1;
    this.anyNull = true;
  }

  /** Forgets what was written to a row, which the next record will use. */
  clear(row: number): void {
    this.nulls[row] = 0;
  }

  set(row: number, value: Datum | null): void {
    if (value === null) this.setNull(row);
    else this.setDatum(row, value);
  }

  abstract setDatum(row: number, value: Datum): void;
  abstract finish(rows: number): BatchColumn;

  protected get nullsOrNone(): Uint8Array | null {
    return this.anyNull ? this.nulls : null;
  }
}

export class BoolFill extends ColumnFill {
  values = new Uint8Array(0);

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new Uint8Array(rowsMax);
  }

  setDatum(row: number, value: Datum): void {
    this.values[row] = value === true ? 1 : 0;
  }

  finish(): BatchColumn {
    return { physical: 'bool', values: this.values, nulls: this.nullsOrNone };
  }
}

export class Int32Fill extends ColumnFill {
  values = new Int32Array(0);

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new Int32Array(rowsMax);
  }

  setDatum(row: number, value: Datum): void {
    this.values[row] = value as number;
  }

  finish(): BatchColumn {
    return { physical: 'i32', values: this.values, nulls: this.nullsOrNone };
  }
}

export class Int64Fill extends ColumnFill {
  values = new BigInt64Array(0);
  /** The same memory by 32-bit words, low one first: storing a double needs no BigInt. */
  words = new Int32Array(0);

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new BigInt64Array(rowsMax);
    this.words = new Int32Array(this.values.buffer);
  }

  /** @param value  integral, within ±2^53. */
  setNumber(row: number, value: number): void {
    this.words[2 * row] = value;
    this.words[2 * row + 1] = Math.floor(value / 4294967296);
  }

  setDatum(row: number, value: Datum): void {
    this.values[row] = value as bigint;
  }

  finish(): BatchColumn {
    return { physical: 'i64', values: this.values, nulls: this.nullsOrNone };
  }
}

export class Float64Fill extends ColumnFill {
  values = new Float64Array(0);

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new Float64Array(rowsMax);
  }

  setDatum(row: number, value: Datum): void {
    this.values[row] = value as number;
  }

  finish(): BatchColumn {
    return { physical: 'f64', values: this.values, nulls: this.nullsOrNone };
  }
}

export class NumericFill extends ColumnFill {
  values = new BigInt64Array(0);
  words = new Int32Array(0);
  scales = new Int16Array(0);
  wide: (Numeric | undefined)[] | null = null;
  #rowsMax = 0;

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new BigInt64Array(rowsMax);
    this.words = new Int32Array(this.values.buffer);
    this.scales = new Int16Array(rowsMax);
    this.wide = null;
    this.#rowsMax = rowsMax;
  }

  /** @param unscaled  integral, within ±2^53. */
  setScaled(row: number, unscaled: number, scale: number): void {
    this.words[2 * row] = unscaled;
    this.words[2 * row + 1] = Math.floor(unscaled / 4294967296);
    this.scales[row] = scale;
  }

  setDatum(row: number, value: Datum): void {
    const numeric = value as Numeric;
    const narrow =
      numeric.special === 'finite' &&
      numeric.unscaled >= INT64_MIN &&
      numeric.unscaled <= INT64_MAX;
    if (narrow) {
      this.values[row] = numeric.unscaled;
      this.scales[row] = numeric.scale;
      return;
    }
    this.wide ??= new Array<Numeric | undefined>(this.#rowsMax).fill(undefined);
    this.wide[row] = numeric;
    this.scales[row] = WIDE_SCALE;
  }

  finish(): BatchColumn {
    const { values, scales, wide } = this;
    return { physical: 'num', values, scales, wide, nulls: this.nullsOrNone };
  }
}

/** Rows refer into the bytes of the records, until one needs text that is not there as it is. */
export class StringFill extends ColumnFill {
  starts = new Int32Array(0);
  lengths = new Int32Array(0);
  #bytes: Buffer = Buffer.alloc(0);
  #texts: Map<number, string> | undefined;

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.starts = new Int32Array(rowsMax);
    this.lengths = new Int32Array(rowsMax);
    this.#texts = undefined;
  }

  /** The bytes that `starts` refer to. */
  refersTo(bytes: Buffer): void {
    this.#bytes = bytes;
  }

  setRange(row: number, start: number, end: number): void {
    this.starts[row] = start;
    this.lengths[row] = end - start;
    this.#texts?.delete(row);
  }

  override clear(row: number): void {
    super.clear(row);
    this.#texts?.delete(row);
  }

  setDatum(row: number, value: Datum): void {
    this.#texts ??= new Map();
    this.#texts.set(row, value as string);
    this.lengths[row] = 0;
  }

  finish(rows: number): BatchColumn {
    const bytes = this.#texts === undefined ? this.#bytes : this.#copied(this.#texts, rows);
    return StringColumn.ofBytes(bytes, this.starts, this.lengths, this.nullsOrNone);
  }

  /** One buffer for both kinds of rows: texts of its own and bytes of the records. */
  #copied(texts: ReadonlyMap<number, string>, rows: number): Buffer {
    let size = 0;
    for (let row = 0; row < rows; row++) {
      if (this.nulls[row] === 0) size += this.lengths[row] as number;
    }
    for (const text of texts.values()) size += text.length * 3;
    const bytes = Buffer.allocUnsafe(size);
    let end = 0;
    for (let row = 0; row < rows; row++) {
      if (this.nulls[row] === 1) continue;
      const text = texts.get(row);
      const start = this.starts[row] as number;
      const length = this.lengths[row] as number;
      const written =
        text === undefined
          ? this.#bytes.copy(bytes, end, start, start + length)
          : bytes.utf8Write(text, end);
      this.starts[row] = end;
      this.lengths[row] = written;
      end += written;
    }
    return bytes;
  }
}

export class ObjectFill extends ColumnFill {
  values: (Datum | null)[] = [];

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.values = new Array<Datum | null>(rowsMax).fill(null);
  }

  setDatum(row: number, value: Datum): void {
    this.values[row] = value;
  }

  finish(): BatchColumn {
    return { physical: 'obj', values: this.values, nulls: this.nullsOrNone };
  }
}

export function columnFill(type: SqlType): ColumnFill {
  const physical = physicalOf(type);
  switch (physical) {
    case 'bool':
      return new BoolFill();
    case 'i32':
      return new Int32Fill();
    case 'i64':
      return new Int64Fill();
    case 'f64':
      return new Float64Fill();
    case 'num':
      return new NumericFill();
    case 'str':
      return new StringFill();
    case 'obj':
      return new ObjectFill();
    default:
      return assertNever(physical);
  }
}
