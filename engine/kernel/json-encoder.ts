/**
 * Rows of batches as JSON bytes, for topics, sinks and HTTP answers. Values look as sql/base/text-output.ts writes them;
 * what is common is written from the columns without a JavaScript value in between.
 */
import { bytesToBase64 } from '../../sql/base/bytea.ts';
import { civilFromDays } from '../../sql/base/datetime.ts';
import { quoteJson } from '../../sql/base/json.ts';
import { jsonWriter } from '../../sql/base/text-output.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type BatchColumn, datumAt, WIDE_SCALE } from '../delta/column.ts';
import { ByteWriter } from './byte-writer.ts';
import { wordsOf } from './column-code.ts';

const DAY_MICROS = 86_400_000_000;
/** Decimals of more digits behind the point are written the general way. */
const SCALE_MAX = 1000;
/** High words beyond this belong to integers that no double holds exactly. */
const HIGH_WORD_MAX = 2_097_151;
const nullText = Buffer.from('null');
const trueText = Buffer.from('true');
const falseText = Buffer.from('false');

export interface JsonEncoderOptions {
  /** object: `{"name":value,…}`; array: `[value,…]`. */
  readonly layout: 'object' | 'array';
  /** Member names; the schema's unless given. */
  readonly names?: readonly string[] | undefined;
  /** PostgreSQL's `\x…` as HTTP answers have it, or base64 as records in topics do. */
  readonly bytea?: 'hex' | 'base64' | undefined;
  /** One byte written between rows, not part of them: a comma or a line end. */
  readonly separator?: string | undefined;
}

/** Row `from + r` is bytes[starts[r], starts[r] + lengths[r]). */
export interface EncodedRows {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
}

export interface JsonEncoder {
  /** Encodes rows [from, to), all of them unless told. The bytes belong to the caller. */
  encode(batch: Batch, from?: number, to?: number): EncodedRows;
}

/** Writes the value of one row that is not NULL. */
type WriteValue = (out: ByteWriter, row: number) => void;

export function compileJsonEncoder(schema: Schema, options: JsonEncoderOptions): JsonEncoder {
  const names = options.names ?? schema.map((column) => column.name);
  const object = options.layout === 'object';
  const heads = schema.map((_, i) => {
    const opening = i > 0 ? ',' : object ? '{' : '[';
    return Buffer.from(object ? `${opening}${quoteJson(names[i] ?? '')}:` : opening);
  });
  const empty = Buffer.from(object ? '{}' : '[]');
  const close = object ? 125 : 93;
  const separator = options.separator?.charCodeAt(0);
  const base64 = options.bytea === 'base64';
  const out = new ByteWriter();
  return {
    encode: (batch, from = 0, to = batch.length) => {
      const writers = schema.map(({ type }, i) => columnWriter(batch.column(i), type, base64));
      const nulls = batch.columns.map((column) => column.nulls);
      const starts = new Int32Array(to - from);
      const lengths = new Int32Array(to - from);
      for (let row = from; row < to; row++) {
        if (separator !== undefined && row > from) out.byte(separator);
        starts[row - from] = out.at;
        for (let i = 0; i < heads.length; i++) {
          const head = heads[i] as Buffer;
          out.raw(head, 0, head.length);
          if (nulls[i]?.[row] === 1) out.raw(nullText, 0, nullText.length);
          else (writers[i] as WriteValue)(out, row);
        }
        if (heads.length === 0) out.raw(empty, 0, empty.length);
        else out.byte(close);
        lengths[row - from] = out.at - (starts[row - from] as number);
      }
      return { bytes: out.take(), starts, lengths };
    },
  };
}

function columnWriter(column: BatchColumn, type: SqlType, base64: boolean): WriteValue {
  const general = generalWriter(column, type, base64);
  switch (column.physical) {
    case 'bool': {
      const { values } = column;
      return (out, row) => {
        const text = values[row] === 1 ? trueText : falseText;
        out.raw(text, 0, text.length);
      };
    }
    case 'i32': {
      const { values } = column;
      return type.kind === 'date' ? general : (out, row) => out.integer(values[row] as number);
    }
    case 'i64':
      return int64Writer(column.values, type, general);
    case 'f64': {
      const { values } = column;
      return (out, row) => {
        const value = values[row] as number;
        // A negative zero prints its sign, which the writer of integers does not have.
        if (Number.isInteger(value) && Math.abs(value) < 1e6 && value !== 0) out.integer(value);
        else general(out, row);
      };
    }
    case 'num': {
      const words = wordsOf(column.values);
      const { scales } = column;
      return (out, row) => {
        const scale = scales[row] as number;
        const high = words[2 * row + 1] as number;
        if (
          scale === WIDE_SCALE ||
          scale > SCALE_MAX ||
          high > HIGH_WORD_MAX ||
          high < -HIGH_WORD_MAX
        ) {
          general(out, row);
        } else {
          out.decimal(high * 4294967296 + ((words[2 * row] as number) >>> 0), scale);
        }
      };
    }
    case 'str': {
      const { bytes, starts, lengths } = column;
      if (type.kind === 'json' || type.kind === 'jsonb') {
        return (out, row) => out.raw(bytes, starts[row] as number, lengths[row] as number);
      }
      return (out, row) => out.jsonString(bytes, starts[row] as number, lengths[row] as number);
    }
    default:
      return general;
  }
}

function generalWriter(column: BatchColumn, type: SqlType, base64: boolean): WriteValue {
  if (type.kind === 'bytea' && base64) {
    return (out, row) => out.text(quoteJson(bytesToBase64(datumAt(column, row) as Uint8Array)));
  }
  const write = jsonWriter(type);
  return (out, row) => {
    const datum = datumAt(column, row);
    out.text(datum === null ? 'null' : write(datum));
  };
}

function int64Writer(values: BigInt64Array, type: SqlType, general: WriteValue): WriteValue {
  const words = wordsOf(values);
  const moment = type.kind === 'timestamp' || type.kind === 'timestamptz';
  if (!moment && type.kind !== 'bigint') return general;
  const zone = type.kind === 'timestamptz';
  const dates = new DateWriter();
  return (out, row) => {
    const high = words[2 * row + 1] as number;
    if (high > HIGH_WORD_MAX || high < -HIGH_WORD_MAX) {
      general(out, row);
      return;
    }
    const value = high * 4294967296 + ((words[2 * row] as number) >>> 0);
    if (!moment) out.integer(value);
    else if (!dates.write(out, value, zone)) general(out, row);
  };
}

/** ISO 8601 moments; the date of the last one is kept, because rows of one batch share it mostly. */
class DateWriter {
  #days = Number.NaN;
  #year = 0;
  #month = 0;
  #day = 0;

  /** @returns false, with nothing written, for years that need more than four digits or an era. */
  write(out: ByteWriter, micros: number, zone: boolean): boolean {
    const days = Math.floor(micros / DAY_MICROS);
    if (days !== this.#days) {
      const { year, month, day } = civilFromDays(days);
      this.#days = days;
      this.#year = year;
      this.#month = month;
      this.#day = day;
    }
    if (this.#year < 1 || this.#year > 9999) return false;
    const time = micros - days * DAY_MICROS;
    const seconds = Math.floor(time / 1_000_000);
    const minutes = Math.floor(seconds / 60);
    out.ensure(40);
    out.byte(34);
    out.padded(this.#year, 4);
    out.byte(45);
    out.pair(this.#month);
    out.byte(45);
    out.pair(this.#day);
    out.byte(84);
    out.pair(Math.floor(minutes / 60));
    out.byte(58);
    out.pair(minutes % 60);
    out.byte(58);
    out.pair(seconds % 60);
    let fraction = time - seconds * 1_000_000;
    if (fraction > 0) {
      let digits = 6;
      // PostgreSQL prints no zeros at the end of a fraction.
      while (fraction % 10 === 0) {
        fraction /= 10;
        digits--;
      }
      out.byte(46);
      out.padded(fraction, digits);
    }
    if (zone) out.byte(90);
    out.byte(34);
    return true;
  }
}
