/**
 * How generated code holds one SQL value, and how it gets from one form to another.
 *
 * Code is generated in two ways from one tree. The exact way holds datums (sql/base/type.ts) and calls the
 * functions' own code. The fast way holds 64-bit integers and scaled decimals as doubles while they are below 2^53 in
 * magnitude, and strings as references to bytes; whatever does not fit, and whatever would be an error, does `break fast`,
 * and the row is computed again the exact way.
 */
import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { physicalOf } from '../delta/column.ts';
import type { Code } from './code.ts';
import { exactPowersOfTen } from './json-number.ts';

export interface Value {
  /** 'false', 'true', or a local that is true where the value is NULL. */
  readonly nul: string;
  /**
   * datum: the datum itself. int: a bigint, time or timestamp as integral double. decimal: a numeric as integral double and
   * scale. ref: the string of the current row in column `code` of the input.
   */
  readonly form: 'datum' | 'int' | 'decimal' | 'ref';
  /** A local or a literal, meaningless where NULL: it may stand several times in an expression. */
  readonly code: string;
  /** Of a decimal: a number known now, or a local. */
  readonly scale: number | string;
  /** The value itself, when it is a literal. */
  readonly constant: Datum | undefined;
}

export const nullValue: Value = datumValue('null', 'true');

export function datumValue(code: string, nul = 'false', constant?: Datum): Value {
  return { nul, form: 'datum', code, scale: 0, constant };
}

export function intValue(code: string, nul = 'false', constant?: Datum): Value {
  return { nul, form: 'int', code, scale: 0, constant };
}

export function decimalValue(
  code: string,
  scale: number | string,
  nul = 'false',
  constant?: Datum,
): Value {
  return { nul, form: 'decimal', code, scale, constant };
}

/** The test for what a double holds exactly; also false for NaN. */
export function safe(code: string): string {
  return `${code} <= 9007199254740991 && ${code} >= -9007199254740991`;
}

export function guardSafe(code: Code, name: string): void {
  code.line(`if (!(${safe(name)})) break fast;`);
}

/** True when one of the values is NULL. */
export function anyNull(values: readonly Value[]): string {
  const tests = [...new Set(values.map((value) => value.nul).filter((nul) => nul !== 'false'))];
  if (tests.includes('true')) return 'true';
  return tests.length === 0 ? 'false' : tests.join(' || ');
}

/** A number as JavaScript writes it; parenthesised, so that a sign cannot join an operator. */
export function numberCode(value: number): string {
  if (Object.is(value, -0)) return '(-0)';
  return value < 0 ? `(${value})` : `${value}`;
}

/** A literal in the form that the way of generating prefers. */
export function literalValue(code: Code, value: Datum | null, type: SqlType, fast: boolean): Value {
  if (value === null) return nullValue;
  switch (typeof value) {
    case 'boolean':
      return datumValue(String(value), 'false', value);
    case 'number':
      return Number.isFinite(value)
        ? datumValue(numberCode(value), 'false', value)
        : datumValue(code.constant(value), 'false', value);
    case 'bigint': {
      const number = Number(value);
      if (fast && Number.isSafeInteger(number)) return intValue(numberCode(number), 'false', value);
      return datumValue(value < 0n ? `(${value}n)` : `${value}n`, 'false', value);
    }
    default:
      break;
  }
  if (fast && value instanceof Numeric && type.kind === 'numeric' && value.isFinite) {
    const number = Number(value.unscaled);
    if (Number.isSafeInteger(number) && value.scale < exactPowersOfTen.length) {
      return decimalValue(numberCode(number), value.scale, 'false', value);
    }
  }
  return datumValue(code.constant(value), 'false', value);
}

/** The datum in a local or literal. Stands where the value is not NULL. */
export function datumCode(code: Code, value: Value): string {
  switch (value.form) {
    case 'datum':
      return value.code;
    case 'int':
      if (typeof value.constant === 'bigint') return `(${value.constant}n)`;
      return code.local(`BigInt(${value.code})`);
    case 'decimal':
      if (value.constant !== undefined) return code.constant(value.constant);
      return code.local(`new $Numeric(BigInt(${value.code}), ${value.scale})`);
    default:
      return code.local(`${value.code}.get(row)`);
  }
}

/** A datum or null in one expression, for calls that take NULL. */
export function nullableDatumCode(code: Code, value: Value): string {
  if (value.nul === 'true') return 'null';
  if (value.nul === 'false') return datumCode(code, value);
  const name = code.fresh();
  code.line(`let ${name} = null;`);
  code.block(`if (!(${value.nul})) `, () => {
    code.line(`${name} = ${datumCode(code, value)};`);
  });
  return name;
}

/** A 64-bit integer as double. Stands where the value is not NULL, in fast code. */
export function intCode(code: Code, value: Value): string {
  if (value.form === 'int') return value.code;
  assert(value.form === 'datum', 'only datums become integers');
  const name = code.local(`Number(${value.code})`);
  guardSafe(code, name);
  return name;
}

/** A numeric as double and scale. Stands where the value is not NULL, in fast code. */
export function decimalCode(
  code: Code,
  value: Value,
): { readonly code: string; readonly scale: number | string } {
  if (value.form === 'decimal') return { code: value.code, scale: value.scale };
  assert(value.form === 'datum', 'only datums become decimals');
  code.line(`if (${value.code}.special !== 'finite') break fast;`);
  const name = code.local(`Number(${value.code}.unscaled)`);
  guardSafe(code, name);
  return { code: name, scale: code.local(`${value.code}.scale`) };
}

/** What a local holds before its value is known: of the kind that will come, so that it keeps its type. */
export function defaultCode(type: SqlType, form: Value['form']): string {
  if (form === 'int' || form === 'decimal') return '0';
  switch (physicalOf(type)) {
    case 'bool':
      return 'false';
    case 'i32':
    case 'f64':
      return '0';
    case 'i64':
      return '0n';
    default:
      return 'null';
  }
}
