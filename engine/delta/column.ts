/**
 * One column of a batch: a typed array, and one byte a row that is 1 where the value is NULL.
 * Arrays may be longer than the batch; rows past its length mean nothing. Columns are shared
 * between batches and never written after they were handed on.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';

declare global {
  interface Buffer {
    /** Decodes without the option handling of toString: a third of its price on short strings. */
    utf8Slice(start: number, end: number): string;
    utf8Write(text: string, start: number): number;
  }
}

export type Physical = 'bool' | 'i32' | 'i64' | 'f64' | 'num' | 'str' | 'obj';

/** Null bytes of a column, or null when no row of it is NULL. */
export type Nulls = Uint8Array | null;

export interface BoolColumn {
  readonly physical: 'bool';
  readonly values: Uint8Array;
  readonly nulls: Nulls;
}

/** smallint, integer, date. */
export interface Int32Column {
  readonly physical: 'i32';
  readonly values: Int32Array;
  readonly nulls: Nulls;
}

/**
 * bigint, time, timestamp, timestamptz. V8 turns BigInt.asIntN(64, a + b) over these arrays into
 * machine integers, so generated loops stay exact without allocating.
 */
export interface Int64Column {
  readonly physical: 'i64';
  readonly values: BigInt64Array;
  readonly nulls: Nulls;
}

/** real, double precision, places of enums. */
export interface Float64Column {
  readonly physical: 'f64';
  readonly values: Float64Array;
  readonly nulls: Nulls;
}

/**
 * numeric: value = values[row] / 10^scales[row]. WIDE_SCALE marks a row whose value does not fit
 * 64 bits (or is NaN or infinite) and lies in `wide`.
 */
export interface NumericColumn {
  readonly physical: 'num';
  readonly values: BigInt64Array;
  readonly scales: Int16Array;
  readonly wide: readonly (Numeric | undefined)[] | null;
  readonly nulls: Nulls;
}

export const WIDE_SCALE = -1;

/** bytea, interval, ranges, arrays, rows: JavaScript values as they are. */
export interface ObjectColumn {
  readonly physical: 'obj';
  readonly values: readonly (Datum | null)[];
  readonly nulls: Nulls;
}

/**
 * text, varchar, char, uuid, json, jsonb: references into UTF-8 bytes, decoded only when somebody asks for a
 * JavaScript string. A column made of JavaScript strings is encoded only when somebody asks for bytes.
 */
export class StringColumn {
  readonly physical = 'str' as const;
  readonly nulls: Nulls;
  #bytes: Buffer | undefined;
  #starts: Int32Array | undefined;
  #lengths: Int32Array | undefined;
  #strings: (string | undefined)[] | undefined;

  private constructor(
    nulls: Nulls,
    bytes: Buffer | undefined,
    starts: Int32Array | undefined,
    lengths: Int32Array | undefined,
    strings: (string | undefined)[] | undefined,
  ) {
    this.nulls = nulls;
    this.#bytes = bytes;
    this.#starts = starts;
    this.#lengths = lengths;
    this.#strings = strings;
  }

  /** Row r is the valid UTF-8 in bytes[starts[r], starts[r] + lengths[r]). */
  static ofBytes(
    bytes: Buffer,
    starts: Int32Array,
    lengths: Int32Array,
    nulls: Nulls,
  ): StringColumn {
    return new StringColumn(nulls, bytes, starts, lengths, undefined);
  }

  /** Entries of NULL rows are ignored. */
  static ofStrings(strings: (string | undefined)[], nulls: Nulls): StringColumn {
    return new StringColumn(nulls, undefined, undefined, undefined, strings);
  }

  /** The string of a row that is not NULL. */
  get(row: number): string {
    const strings = this.#strings;
    if (strings !== undefined) {
      const known = strings[row];
      if (known !== undefined) return known;
    }
    const bytes = this.#bytes;
    if (bytes === undefined) return '';
    const start = (this.#starts as Int32Array)[row] as number;
    const decoded = bytes.utf8Slice(start, start + ((this.#lengths as Int32Array)[row] as number));
    return decoded;
  }

  /** True when bytes are at hand without encoding. */
  get hasBytes(): boolean {
    return this.#bytes !== undefined;
  }

  get bytes(): Buffer {
    if (this.#bytes === undefined) this.#encode();
    return this.#bytes as Buffer;
  }

  get starts(): Int32Array {
    if (this.#starts === undefined) this.#encode();
    return this.#starts as Int32Array;
  }

  get lengths(): Int32Array {
    if (this.#lengths === undefined) this.#encode();
    return this.#lengths as Int32Array;
  }

  #encode(): void {
    const strings = this.#strings ?? [];
    const starts = new Int32Array(strings.length);
    const lengths = new Int32Array(strings.length);
    let bytesMax = 0;
    for (const text of strings) if (text !== undefined) bytesMax += text.length * 3;
    // UTF-8 never takes more than three bytes a UTF-16 code unit.
    const bytes = Buffer.allocUnsafe(bytesMax);
    let end = 0;
    for (let row = 0; row < strings.length; row++) {
      const text = strings[row];
      starts[row] = end;
      if (text === undefined) continue;
      const written = bytes.utf8Write(text, end);
      lengths[row] = written;
      end += written;
    }
    this.#bytes = bytes;
    this.#starts = starts;
    this.#lengths = lengths;
  }
}

export type BatchColumn =
  | BoolColumn
  | Int32Column
  | Int64Column
  | Float64Column
  | NumericColumn
  | StringColumn
  | ObjectColumn;

/** How the engine holds values of a type. */
export function physicalOf(type: SqlType): Physical {
  switch (type.kind) {
    case 'boolean':
      return 'bool';
    case 'smallint':
    case 'integer':
    case 'date':
      return 'i32';
    case 'bigint':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return 'i64';
    case 'real':
    case 'double':
    case 'enum':
      return 'f64';
    case 'numeric':
      return 'num';
    case 'text':
    case 'varchar':
    case 'char':
    case 'uuid':
    case 'json':
    case 'jsonb':
    case 'unknown':
      return 'str';
    case 'bytea':
    case 'interval':
    case 'range':
    case 'array':
    case 'row':
      return 'obj';
    default:
      return assertNever(type);
  }
}

/** The datum of one row; the slow, general way in to a column. */
export function datumAt(column: BatchColumn, row: number): Datum | null {
  if (column.nulls !== null && column.nulls[row] === 1) return null;
  switch (column.physical) {
    case 'bool':
      return column.values[row] === 1;
    case 'i32':
    case 'f64':
      return column.values[row] as number;
    case 'i64':
      return column.values[row] as bigint;
    case 'num': {
      const scale = column.scales[row] as number;
      if (scale === WIDE_SCALE) return column.wide?.[row] ?? null;
      return new Numeric(column.values[row] as bigint, scale);
    }
    case 'str':
      return column.get(row);
    case 'obj':
      return column.values[row] ?? null;
    default:
      return assertNever(column);
  }
}
