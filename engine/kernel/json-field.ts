/**
 * Writes one JSON value into its column: the common spellings straight from the bytes, the rest
 * through json-value.ts. Also the readers that generated code calls for what it does not inline.
 */
import { requireStorable } from '../../sql/base/array-shape.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import {
  type ColumnFill,
  columnFill,
  Float64Fill,
  Int32Fill,
  Int64Fill,
  NumericFill,
  StringFill,
} from './column-fill.ts';
import { DIGITS_MAX } from './json-number.ts';
import { TimestampReader } from './json-timestamp.ts';
import { fieldError, jsonDatum, jsonString } from './json-value.ts';
import { type JsonWalker, QUOTE } from './json-walker.ts';
import { codePointCount } from './utf8.ts';

declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string;
  }
}

/** A wanted member of the records' objects. */
export interface ScanField {
  /** The member's name: an exact match wins, else the last one that differs by ASCII case only. */
  readonly field: string;
  readonly type: SqlType;
  readonly notNull: boolean;
  /** False for a member whose values are only checked: nobody reads its column. */
  readonly isRead?: boolean | undefined;
}

const ISO_TIMESTAMP_LENGTH = 19;

const integerLimits = { smallint: 32_767, integer: 2_147_483_647 } as const;

export class JsonField {
  readonly spec: ScanField;
  readonly name: Buffer;
  readonly fill: ColumnFill;
  readonly timestamps = new TimestampReader();

  constructor(spec: ScanField) {
    this.spec = spec;
    this.name = Buffer.from(spec.field);
    this.fill = columnFill(spec.type);
  }

  /**
   * Reads the walked value in [start, end) into a row.
   * @param escaped  the value is a string that holds a backslash.
   * @throws StreamError naming the field.
   */
  read(walker: JsonWalker, start: number, end: number, escaped: boolean, row: number): void {
    if (walker.bytes[start] === 110) {
      this.missing(row);
      return;
    }
    if (this.#readFast(walker, start, end, escaped, row)) return;
    let value: Datum | null;
    try {
      value = requireStorable(
        jsonDatum(walker, this.spec.type, start, end),
        this.spec.type,
        this.spec.field,
      );
    } catch (error) {
      throw fieldError(this.spec.field, this.spec.type, error);
    }
    this.fill.set(row, value);
  }

  /** The member is null or not there. */
  missing(row: number): void {
    if (this.spec.notNull) {
      throw new StreamError(
        'CONSTRAINT_NOT_NULL',
        `null value in column "${this.spec.field}" violates not-null constraint`,
      );
    }
    this.fill.setNull(row);
  }

  /** @returns the end of the value, or -1 when the record needs the way that reports errors. */
  readAt(walker: JsonWalker, start: number, row: number): number {
    walker.escaped = false;
    const end = walker.value(start);
    if (end < 0) return -1;
    try {
      this.read(walker, start, end, walker.escaped, row);
    } catch (error) {
      if (error instanceof StreamError) return -1;
      throw error;
    }
    return end;
  }

  #readFast(
    walker: JsonWalker,
    start: number,
    end: number,
    escaped: boolean,
    row: number,
  ): boolean {
    const { bytes } = walker;
    const { fill } = this;
    const { type } = this.spec;
    const quoted = bytes[start] === QUOTE;
    if (fill instanceof StringFill) return this.#readString(walker, start, end, escaped, row);
    if (quoted) {
      if (type.kind !== 'timestamp' && type.kind !== 'timestamptz') return false;
      return fill instanceof Int64Fill && this.#readTimestamp(walker, fill, start, end, row);
    }
    if (fill instanceof NumericFill) {
      return type.kind === 'numeric' && type.precision === undefined
        ? readDecimal(bytes, fill, start, end, row)
        : false;
    }
    if (type.kind === 'double' && fill instanceof Float64Fill) {
      const value = Number(bytes.latin1Slice(start, end));
      if (!Number.isFinite(value) || value === 0) return false;
      fill.values[row] = value;
      return true;
    }
    const integer = plainInteger(bytes, start, end);
    if (Number.isNaN(integer)) return false;
    if (type.kind === 'bigint' && fill instanceof Int64Fill) {
      fill.setNumber(row, integer);
      return true;
    }
    if ((type.kind === 'smallint' || type.kind === 'integer') && fill instanceof Int32Fill) {
      const limit = integerLimits[type.kind];
      if (integer > limit || integer < -limit - 1) return false;
      fill.values[row] = integer;
      return true;
    }
    return false;
  }

  #readString(
    walker: JsonWalker,
    start: number,
    end: number,
    escaped: boolean,
    row: number,
  ): boolean {
    const { bytes } = walker;
    const { type } = this.spec;
    const fill = this.fill as StringFill;
    switch (type.kind) {
      case 'json':
        fill.setRange(row, start, end);
        return true;
      case 'uuid':
        if (!isCanonicalUuid(bytes, start, end)) return false;
        fill.setRange(row, start + 1, end - 1);
        return true;
      case 'text':
      case 'varchar': {
        const quoted = bytes[start] === QUOTE;
        const from = quoted ? start + 1 : start;
        const to = quoted ? end - 1 : end;
        const length = type.kind === 'varchar' ? type.length : undefined;
        if (length !== undefined && to - from > length) {
          if (escaped || codePointCount(bytes, from, to) > length) return false;
        }
        if (quoted && escaped) fill.setDatum(row, jsonString(bytes, start, end));
        else fill.setRange(row, from, to);
        return true;
      }
      default:
        return false;
    }
  }

  #readTimestamp(
    walker: JsonWalker,
    fill: Int64Fill,
    start: number,
    end: number,
    row: number,
  ): boolean {
    const { type } = this.spec;
    if (type.kind !== 'timestamp' && type.kind !== 'timestamptz') return false;
    if (end - start < ISO_TIMESTAMP_LENGTH + 2) return false;
    const micros = this.timestamps.read(walker.bytes, walker.view, start + 1);
    if (Number.isNaN(micros) || this.timestamps.end !== end - 1) return false;
    // Digits beyond the column's precision are rounded by the general reader.
    if (type.precision !== undefined && !Number.isInteger(micros / 10 ** (6 - type.precision))) {
      return false;
    }
    fill.setNumber(row, micros);
    return true;
  }
}

/** The value of -?digits with at most DIGITS_MAX digits, else NaN. The range is a legal JSON number. */
function plainInteger(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === 45;
  let at = negative ? start + 1 : start;
  if (end - at > DIGITS_MAX) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit >>> 0 > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? 0 - value : value;
}

function readDecimal(
  bytes: Buffer,
  fill: NumericFill,
  start: number,
  end: number,
  row: number,
): boolean {
  const negative = bytes[start] === 45;
  let unscaled = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit >>> 0 > 9) {
      if (digit !== -2) return false;
      point = at;
      continue;
    }
    unscaled = unscaled * 10 + digit;
    digits++;
  }
  if (digits > DIGITS_MAX) return false;
  fill.setScaled(row, negative ? 0 - unscaled : unscaled, point < 0 ? 0 : end - point - 1);
  return true;
}

function isCanonicalUuid(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== 38 || bytes[start] !== QUOTE) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[start + 1 + i] as number;
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (byte !== 45) return false;
    } else if (!((byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102))) {
      return false;
    }
  }
  return true;
}
