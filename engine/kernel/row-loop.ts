/**
 * The generated loop of a plan's node: for every row of a batch decide whether it stays, and compute its new
 * columns, in one pass with values in locals. Two functions are generated (see value-code.ts): the loop in the fast
 * way, and one row in the exact way for what the fast one leaves.
 */
import { assert, assertNever } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { compareText } from '../../sql/base/text-order.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { someExpression } from '../../sql/expression-map.ts';
import type { Batch } from '../delta/batch.ts';
import { type BatchColumn, physicalOf, StringColumn } from '../delta/column.ts';
import { orderBytes, sameBytes } from './bytes-compare.ts';
import { Code } from './code.ts';
import { BatchColumnReader, numericAt, viewOf, wordsOf } from './column-code.ts';
import { ColumnFill, columnFill } from './column-fill.ts';
import { ExpressionCode } from './expression-code.ts';
import { datumCode, type Value } from './value-code.ts';

/** A row that an expression could not be computed for; it is left out. The operators' type of that name fits. */
export type ReportRowError = (
  error: StreamError,
  batch: Batch,
  row: number,
  weight: number,
) => void;

/** Sets of nullable columns that code is generated for; any other batch runs code that expects NULL everywhere. */
const VARIANTS_MAX = 4;

/** Computes rows [from, to) and gives the number of rows written, those before `out` counted. */
type FastLoop = (
  from: number,
  to: number,
  columns: readonly BatchColumn[],
  fills: readonly ColumnFill[],
  rows: Int32Array,
  exact: (row: number, out: number) => number,
  recover: (error: unknown, row: number, out: number) => number,
) => number;

type ExactRow = (
  row: number,
  out: number,
  columns: readonly BatchColumn[],
  fills: readonly ColumnFill[],
  rows: Int32Array,
) => number;

interface Variant {
  readonly loop: FastLoop;
  /** Generated when the first row needs it. */
  exact: ExactRow | undefined;
}

export interface LoopResult {
  /** One column an expression. */
  readonly columns: readonly BatchColumn[];
  /** Numbers of the input rows that the result rows came from, in order; longer than `count`. */
  readonly rows: Int32Array;
  readonly count: number;
}

export class RowLoop {
  readonly #where: BoundExpr | undefined;
  readonly #expressions: readonly BoundExpr[];
  readonly #used: readonly number[];
  readonly #variants = new Map<string, Variant>();

  constructor(where: BoundExpr | undefined, expressions: readonly BoundExpr[]) {
    this.#where = where;
    this.#expressions = expressions;
    const used = new Set<number>();
    for (const root of where === undefined ? expressions : [where, ...expressions]) {
      const foreign = someExpression(root, (node) => {
        if (node.kind === 'column') used.add(node.index);
        return (
          node.kind === 'parameter' || node.kind === 'outer-column' || node.kind === 'subquery'
        );
      });
      assert(
        !foreign,
        'parameters, outer columns and subqueries are replaced before code is generated',
      );
    }
    this.#used = [...used];
  }

  run(batch: Batch, report: ReportRowError): LoopResult {
    const { columns } = batch;
    const { variant, nulls, key } = this.#variant(columns);
    const withNulls =
      nulls === undefined
        ? columns
        : columns.map((column, i) => (nulls.has(i) ? withNullBytes(column, batch.length) : column));
    const fills = this.#expressions.map(({ type }) =>
      physicalOf(type) === 'str' ? new TextFill() : columnFill(type),
    );
    for (const fill of fills) fill.begin(batch.length);
    const rows = new Int32Array(batch.length);
    const exact = (row: number, out: number): number => {
      variant.exact ??= this.#compileExact(key);
      try {
        return variant.exact(row, out, withNulls, fills, rows);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        report(error, batch, row, batch.weight(row));
        return out;
      }
    };
    const recover = (error: unknown, row: number, out: number): number => {
      if (!(error instanceof StreamError)) throw error;
      return exact(row, out);
    };
    const count = variant.loop(0, batch.length, withNulls, fills, rows, exact, recover);
    return { columns: fills.map((fill) => fill.finish(count)), rows, count };
  }

  #variant(columns: readonly BatchColumn[]): {
    readonly variant: Variant;
    readonly key: string;
    /** Columns to be given null bytes, because the code reads them. */
    readonly nulls: ReadonlySet<number> | undefined;
  } {
    const key = this.#used.map((i) => (columns[i]?.nulls === null ? '0' : '1')).join('');
    const known = this.#variants.get(key);
    if (known !== undefined) return { variant: known, key, nulls: undefined };
    if (this.#variants.size < VARIANTS_MAX) {
      const variant = { loop: this.#compileFast(key), exact: undefined };
      this.#variants.set(key, variant);
      return { variant, key, nulls: undefined };
    }
    const general = '1'.repeat(this.#used.length);
    let variant = this.#variants.get(general);
    if (variant === undefined) {
      variant = { loop: this.#compileFast(general), exact: undefined };
      this.#variants.set(general, variant);
    }
    const nulls = new Set(this.#used.filter((i) => columns[i]?.nulls === null));
    return { variant, key: general, nulls };
  }

  #compileFast(key: string): FastLoop {
    const { code, reader, stores, body } = this.#body(key, true, 'continue;');
    const text = `
return function loop(from, to, C, O, R, exact, recover) {
${reader.declarations('C', body)}
${stores.declarations}
  let row = from, out = 0;
  for (;;) {
    try {
      for (; row < to; row++) {
        fast: {
${body}
          R[out] = row;
          out++;
          continue;
        }
        out = exact(row, out);
      }
      break;
    } catch (error) {
      out = recover(error, row, out);
      row++;
    }
  }
${stores.end}
  return out;
};`;
    return build(text, code) as FastLoop;
  }

  #compileExact(key: string): ExactRow {
    const { code, reader, stores, body } = this.#body(key, false, 'return out;');
    const text = `
return function exact(row, out, C, O, R) {
${reader.declarations('C', body)}
${stores.declarations}
${body}
${stores.end}
  R[out] = row;
  return out + 1;
};`;
    return build(text, code) as ExactRow;
  }

  #body(key: string, fast: boolean, skip: string) {
    const code = new Code();
    const nullable = new Set(this.#used.filter((_, position) => key[position] === '1'));
    const reader = new BatchColumnReader(fast, (index) => nullable.has(index));
    const generator = new ExpressionCode(code, reader, fast);
    if (this.#where !== undefined) generator.filter(this.#where, skip);
    const values = this.#expressions.map((expression) => generator.value(expression));
    const stores = storeValues(code, this.#expressions, values);
    return { code, reader, stores, body: code.text() };
  }
}

export function build(text: string, code: Code): unknown {
  const whole = `${code.constantDeclarations('K')}\n${text}`;
  const make = new Function('K', ...helperNames, whole) as (...args: unknown[]) => unknown;
  return make(code.constants, ...helpers);
}

const divisionByZero = (): never => {
  throw new StreamError('VALUE_DIVISION_BY_ZERO', 'division by zero');
};
const outOfRange = (typeName: string): never => {
  throw new StreamError('VALUE_OUT_OF_RANGE', `${typeName} out of range`);
};

/** TRY_CAST: NULL where the conversion fails. */
function tryConvert(convert: (value: never) => unknown, value: never): unknown {
  try {
    return convert(value);
  } catch (error) {
    if (error instanceof StreamError) return null;
    throw error;
  }
}

const helperTable = {
  $Numeric: Numeric,
  $compareText: compareText,
  $error: { divisionByZero, outOfRange },
  $numericAt: numericAt,
  $orderBytes: orderBytes,
  $sameBytes: sameBytes,
  $try: tryConvert,
  $view: viewOf,
  $words: wordsOf,
};
const helperNames = Object.keys(helperTable);
const helpers = Object.values(helperTable);

interface Stores {
  readonly declarations: string;
  readonly end: string;
}

/** Emits the writing of the values to row `out` of the columns under construction. */
function storeValues(
  code: Code,
  expressions: readonly BoundExpr[],
  values: readonly Value[],
): Stores {
  const declarations: string[] = [];
  const end: string[] = [];
  values.forEach((value, i) => {
    const physical = physicalOf((expressions[i] as BoundExpr).type);
    const names = [`o${i} = O[${i}]`];
    if (value.nul !== 'false') {
      names.push(`ON${i} = o${i}.nulls`);
      declarations.push(`  let oh${i} = false;`);
      end.push(`  if (oh${i}) o${i}.anyNull = true;`);
      code.line(`if (${value.nul}) { ON${i}[out] = 1; oh${i} = true; } else ON${i}[out] = 0;`);
    }
    if (value.nul !== 'true') names.push(...storeValue(code, i, value, physical));
    declarations.push(`  const ${names.join(', ')};`);
  });
  return { declarations: declarations.join('\n'), end: end.join('\n') };
}

/** @returns declarations of the arrays that it writes. */
function storeValue(
  code: Code,
  i: number,
  value: Value,
  physical: ReturnType<typeof physicalOf>,
): string[] {
  const words = (): void => {
    code.line(`OW${i}[2 * out] = ${value.code};`);
    code.line(`OW${i}[2 * out + 1] = Math.floor(${value.code} * ${2 ** -32});`);
  };
  const store = (statement: (datum: string) => string): void => {
    // A form that is no datum has to be turned into one, which only values that are there can be.
    if (value.form === 'datum' || value.nul === 'false') {
      code.line(statement(datumCode(code, value)));
      return;
    }
    code.block(`if (!(${value.nul})) `, () => code.line(statement(datumCode(code, value))));
  };
  switch (physical) {
    case 'bool':
      store((datum) => `OV${i}[out] = ${datum} ? 1 : 0;`);
      return [`OV${i} = o${i}.values`];
    case 'i32':
    case 'f64':
    case 'obj':
      store((datum) => `OV${i}[out] = ${datum};`);
      return [`OV${i} = o${i}.values`];
    case 'i64':
      if (value.form === 'int') {
        words();
        return [`OW${i} = o${i}.words`];
      }
      // A function that answers NULL leaves null in the local.
      store((datum) => `OV${i}[out] = ${value.nul === 'false' ? datum : `${datum} ?? 0n`};`);
      return [`OV${i} = o${i}.values`];
    case 'num':
      if (value.form === 'decimal') {
        words();
        code.line(`OE${i}[out] = ${value.scale};`);
        return [`OW${i} = o${i}.words`, `OE${i} = o${i}.scales`];
      }
      code.block(value.nul === 'false' ? '' : `if (!(${value.nul})) `, () =>
        code.line(`o${i}.setDatum(out, ${datumCode(code, value)});`),
      );
      return [];
    case 'str':
      store((datum) => `OT${i}[out] = ${value.nul === 'false' ? datum : `${datum} ?? undefined`};`);
      return [`OT${i} = o${i}.texts`];
    default:
      return assertNever(physical);
  }
}

/** Computed strings, which stay JavaScript strings until somebody wants their bytes. */
class TextFill extends ColumnFill {
  texts: (string | undefined)[] = [];

  override begin(rowsMax: number): void {
    super.begin(rowsMax);
    this.texts = new Array<string | undefined>(rowsMax).fill(undefined);
  }

  setDatum(row: number, value: unknown): void {
    this.texts[row] = value as string;
  }

  finish(rows: number): BatchColumn {
    this.texts.length = rows;
    return StringColumn.ofStrings(this.texts, this.nullsOrNone);
  }
}

/** The column with null bytes that are all 0, for code that reads them. */
function withNullBytes(column: BatchColumn, length: number): BatchColumn {
  const nulls = new Uint8Array(length);
  if (!(column instanceof StringColumn)) return { ...column, nulls };
  return StringColumn.ofBytes(column.bytes, column.starts, column.lengths, nulls);
}
