/** How generated code reads the columns of its input. */
import { assertNever } from '../../sql/base/assert.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { type BatchColumn, type NumericColumn, physicalOf, WIDE_SCALE } from '../delta/column.ts';
import type { Code } from './code.ts';
import { datumValue, decimalValue, intValue, type Value } from './value-code.ts';

export interface ColumnReader {
  read(code: Code, index: number, type: SqlType): Value;
}

/** Columns of a batch, at the row that the local `row` names. */
export class BatchColumnReader implements ColumnReader {
  readonly #fast: boolean;
  readonly #nullable: (index: number) => boolean;
  readonly #used = new Map<number, SqlType>();

  /** @param nullable  whether the column may hold NULL in the batches that this code is for. */
  constructor(fast: boolean, nullable: (index: number) => boolean) {
    this.#fast = fast;
    this.#nullable = nullable;
  }

  read(code: Code, index: number, type: SqlType): Value {
    const key = `column ${index}`;
    const known = code.recall(key) as Value | undefined;
    if (known !== undefined) return known;
    this.#used.set(index, type);
    const nul = this.#nullable(index) ? code.local(`N${index}[row] === 1`) : 'false';
    const value = this.#value(code, index, type, nul);
    code.remember(key, value);
    return value;
  }

  #value(code: Code, i: number, type: SqlType, nul: string): Value {
    const physical = physicalOf(type);
    switch (physical) {
      case 'bool':
        return datumValue(code.local(`V${i}[row] === 1`), nul);
      case 'i32':
      case 'f64':
      case 'obj':
        return datumValue(code.local(`V${i}[row]`), nul);
      case 'i64':
        if (!this.#fast) return datumValue(code.local(`V${i}[row]`), nul);
        return intValue(this.#unscaled(code, i, nul), nul);
      case 'num':
        return this.#numeric(code, i, nul);
      case 'str':
        if (this.#fast) return { ...datumValue(`c${i}`, nul), form: 'ref' };
        return this.#lazy(code, nul, `c${i}.get(row)`);
      default:
        return assertNever(physical);
    }
  }

  /** The low and high words as one double; more than 53 bits are for the exact way. */
  #unscaled(code: Code, i: number, nul: string): string {
    const high = code.local(`W${i}[2 * row + 1]`);
    const unsafe = `((${high} + 2097152) >>> 22) !== 0`;
    code.line(`if (${nul === 'false' ? unsafe : `!${nul} && ${unsafe}`}) break fast;`);
    return code.local(`${high} * 4294967296 + (W${i}[2 * row] >>> 0)`);
  }

  #numeric(code: Code, i: number, nul: string): Value {
    if (!this.#fast) return this.#lazy(code, nul, `$numericAt(c${i}, row)`);
    const scale = code.local(`E${i}[row]`);
    const wide = `${scale} === ${WIDE_SCALE}`;
    code.line(`if (${nul === 'false' ? wide : `!${nul} && ${wide}`}) break fast;`);
    return decimalValue(this.#unscaled(code, i, nul), scale, nul);
  }

  #lazy(code: Code, nul: string, expression: string): Value {
    const guarded = nul === 'false' ? expression : `${nul} ? null : ${expression}`;
    return datumValue(code.local(guarded), nul);
  }

  /**
   * Declarations of the arrays read, from the table of columns `columns`. A column made of JavaScript strings is encoded
   * to bytes only when `body` looks at bytes.
   */
  declarations(columns: string, body: string): string {
    const lines: string[] = [];
    for (const [i, type] of this.#used) {
      const names = [`c${i} = ${columns}[${i}]`];
      if (this.#nullable(i)) names.push(`N${i} = c${i}.nulls`);
      const physical = physicalOf(type);
      if (physical === 'str') {
        if (body.includes(`L${i}[row]`)) {
          names.push(`B${i} = c${i}.bytes`, `S${i} = c${i}.starts`, `L${i} = c${i}.lengths`);
          names.push(`D${i} = $view(B${i})`);
        }
      } else if (this.#fast && (physical === 'i64' || physical === 'num')) {
        names.push(`W${i} = $words(c${i}.values)`);
        if (physical === 'num') names.push(`E${i} = c${i}.scales`);
      } else {
        names.push(`V${i} = c${i}.values`);
      }
      lines.push(`  const ${names.join(', ')};`);
    }
    return lines.join('\n');
  }

  get used(): readonly number[] {
    return [...this.#used.keys()];
  }
}

/** Columns of one row of datums, an array named `row`. */
export class RowColumnReader implements ColumnReader {
  read(code: Code, index: number): Value {
    const value = code.local(`row[${index}]`);
    return datumValue(value, code.local(`${value} === null || ${value} === undefined`));
  }
}

/** The 64-bit values of a column as 32-bit words, low one first. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function numericAt(column: BatchColumn, row: number): Numeric {
  const { scales, values, wide } = column as NumericColumn;
  const scale = scales[row] as number;
  if (scale !== WIDE_SCALE) return new Numeric(values[row] as bigint, scale);
  return wide?.[row] ?? Numeric.NaN;
}
