/**
 * Rows of batches as JSON bytes, for topics, sinks and HTTP answers. Values look as sql/base/text-output.ts writes them;
 * what is common is written from the columns without a JavaScript value in between.
 */
import { bytesToBase64 } from '../../sql/base/bytea.ts';
import { civilFromDays } from '../../sql/base/datetime.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { quoteJson } from '../../sql/base/json.ts';
import { jsonWriter } from '../../sql/base/text-output.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type BatchColumn, datumAt, WIDE_SCALE } from '../delta/column.ts';
import { ByteWriter, type Piece, pieceOf } from './byte-writer.ts';
import { viewOf, wordsOf } from './column-code.ts';

const DAY_MICROS = 86_400_000_000;
/** Decimals of more digits behind the point are written the general way. */
const SCALE_MAX = 1000;
/** High words beyond this belong to integers that no double holds exactly. */
const HIGH_WORD_MAX = 2_097_151;

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

/** Writes the value of one row that is not NULL, whatever it is. */
type WriteValue = (row: number) => void;

/** The generated loop over rows [from, to): writes them and notes where each begins and how long it is. */
type EncodeLoop = (
  columns: readonly BatchColumn[],
  general: readonly WriteValue[],
  from: number,
  to: number,
  starts: Int32Array,
  lengths: Int32Array,
) => void;

export function compileJsonEncoder(schema: Schema, options: JsonEncoderOptions): JsonEncoder {
  const out = new ByteWriter();
  const loop = compileLoop(schema, options, out);
  const base64 = options.bytea === 'base64';
  return {
    encode: (batch, from = 0, to = batch.length) => {
      const general = schema.map(({ type }, i) =>
        generalWriter(out, batch.column(i), type, base64),
      );
      const starts = new Int32Array(to - from);
      const lengths = new Int32Array(to - from);
      loop(batch.columns, general, from, to, starts, lengths);
      return { bytes: out.take(), starts, lengths };
    },
  };
}

function compileLoop(schema: Schema, options: JsonEncoderOptions, out: ByteWriter): EncodeLoop {
  const names = options.names ?? schema.map((column) => column.name);
  const object = options.layout === 'object';
  const heads = schema.map((_, i) => {
    const opening = i > 0 ? ',' : object ? '{' : '[';
    return pieceOf(object ? `${opening}${quoteJson(names[i] ?? '')}:` : opening);
  });
  const end = schema.length > 0 ? (object ? '}' : ']') : object ? '{}' : '[]';
  const separator = options.separator?.charCodeAt(0);
  const columns = schema.map(({ type }, i) => columnCode(type, i));
  const text = `
    return function encode(C, G, from, to, starts, lengths) {
      ${columns.map(({ declarations }) => declarations).join('\n      ')}
      for (let row = from; row < to; row++) {
        ${separator === undefined ? '' : `if (row > from) out.byte(${separator});`}
        const start = out.at;
        ${columns
          .map(
            ({ write }, i) => `
        out.piece(H[${i}]);
        if (N${i} !== null && N${i}[row] === 1) out.piece(T.null);
        else { ${write} }`,
          )
          .join('')}
        out.piece(T.end);
        starts[row - from] = start;
        lengths[row - from] = out.at - start;
      }
    };`;
  const build = new Function('H', 'T', 'out', 'wordsOf', 'viewOf', 'DateWriter', text) as (
    ...args: unknown[]
  ) => EncodeLoop;
  const texts = {
    null: pieceOf('null'),
    true: pieceOf('true'),
    false: pieceOf('false'),
    end: pieceOf(end),
  };
  return build(heads, texts, out, wordsOf, viewOf, DateWriter);
}

interface ColumnCode {
  readonly declarations: string;
  /** Statements that write the value of `row`, which is not NULL. */
  readonly write: string;
}

function columnCode(type: SqlType, i: number): ColumnCode {
  const declare = (...names: string[]): string =>
    `const c${i} = C[${i}], N${i} = c${i}.nulls, g${i} = G[${i}]${names.map((name) => `, ${name}`).join('')};`;
  const general: ColumnCode = { declarations: declare(), write: `g${i}(row);` };
  const values = `V${i} = c${i}.values`;
  const words = `W${i} = wordsOf(c${i}.values)`;
  const wide = `h > ${HIGH_WORD_MAX} || h < -${HIGH_WORD_MAX}`;
  const number = `h * 4294967296 + (W${i}[2 * row] >>> 0)`;
  switch (type.kind) {
    case 'boolean':
      return {
        declarations: declare(values),
        write: `out.piece(V${i}[row] === 1 ? T.true : T.false);`,
      };
    case 'smallint':
    case 'integer':
      return { declarations: declare(values), write: `out.integer(V${i}[row]);` };
    case 'bigint':
      return {
        declarations: declare(words),
        write: `const h = W${i}[2 * row + 1]; if (${wide}) g${i}(row); else out.integer(${number});`,
      };
    case 'timestamp':
    case 'timestamptz':
      return {
        declarations: declare(words, `d${i} = new DateWriter()`),
        write: `const h = W${i}[2 * row + 1];
          if (${wide} || !d${i}.write(out, ${number}, ${type.kind === 'timestamptz'})) g${i}(row);`,
      };
    case 'double':
      // A negative zero prints its sign, which the writer of integers does not have.
      return {
        declarations: declare(values),
        write: `const v = V${i}[row];
          if (Number.isInteger(v) && Math.abs(v) < 1e6 && v !== 0) out.integer(v); else g${i}(row);`,
      };
    case 'numeric':
      return {
        declarations: declare(words, `E${i} = c${i}.scales`),
        write: `const h = W${i}[2 * row + 1], s = E${i}[row];
          if (s === ${WIDE_SCALE} || s > ${SCALE_MAX} || ${wide}) g${i}(row); else out.decimal(${number}, s);`,
      };
    case 'json':
    case 'jsonb':
      return {
        declarations: declare(`B${i} = c${i}.bytes, S${i} = c${i}.starts, L${i} = c${i}.lengths`),
        write: `out.raw(B${i}, S${i}[row], L${i}[row]);`,
      };
    case 'text':
    case 'varchar':
    case 'char':
    case 'uuid':
      return {
        declarations: declare(
          `B${i} = c${i}.bytes, S${i} = c${i}.starts, L${i} = c${i}.lengths, D${i} = viewOf(B${i})`,
        ),
        write: `out.jsonString(B${i}, D${i}, S${i}[row], L${i}[row]);`,
      };
    default:
      return general;
  }
}

function generalWriter(
  out: ByteWriter,
  column: BatchColumn,
  type: SqlType,
  base64: boolean,
): WriteValue {
  const write =
    type.kind === 'bytea' && base64
      ? (datum: Datum): string => quoteJson(bytesToBase64(datum as Uint8Array))
      : jsonWriter(type);
  return (row) => {
    const datum = datumAt(column, row);
    out.text(datum === null ? 'null' : write(datum));
  };
}

/** ISO 8601 moments; the date of the last one is kept, because rows of one batch share it mostly. */
class DateWriter {
  #days = Number.NaN;
  /** The opening quote and YYYY-MM-DDT; undefined for years that need more than four digits or an era. */
  #date: Piece | undefined;

  /** @returns false, with nothing written, for moments that only the general writer knows. */
  write(out: ByteWriter, micros: number, zone: boolean): boolean {
    const days = Math.floor(micros / DAY_MICROS);
    if (days !== this.#days) {
      this.#days = days;
      this.#date = datePiece(days);
    }
    if (this.#date === undefined) return false;
    out.piece(this.#date);
    const time = micros - days * DAY_MICROS;
    const second = Math.floor(time / 1_000_000);
    out.clock(second);
    const fraction = time - second * 1_000_000;
    if (fraction > 0) writeFraction(out, fraction);
    if (zone) out.byte(90);
    out.byte(34);
    return true;
  }
}

function datePiece(days: number): Piece | undefined {
  const { year, month, day } = civilFromDays(days);
  if (year < 1 || year > 9999) return undefined;
  const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
  return pieceOf(`"${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T`);
}

/** Microseconds of a second, without the zeros at the end: PostgreSQL prints none. */
function writeFraction(out: ByteWriter, micros: number): void {
  let rest = micros;
  let digits = 6;
  if (rest % 1000 === 0) {
    rest /= 1000;
    digits = 3;
  }
  while (rest % 10 === 0) {
    rest /= 10;
    digits--;
  }
  out.byte(46);
  out.padded(rest, digits);
}
