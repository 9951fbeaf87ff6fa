/** Numerics as DECIMAL where that is exact: comparisons, + - * without a call per row. Undefined = not possible here. */
import { computed, type DecimalForm, decimalNaN, type Sql } from './pull-context.ts';

/** Digits that DuckDB's DECIMAL has, one of them kept for NaN. */
const PRECISION_MAX = 37;
/** Arguments are repeated for NaN; longer ones are left to the general way, or nesting would double them again and again. */
const REPEATED_CHARACTERS_MAX = 400;

function wholeDigits(form: DecimalForm): number {
  return form.precision - form.scale;
}

/**
 * Can DuckDB compare the two as they are? NaN must stay above every number of the other side, which it does unless
 * that side has more digits before its point; and two NaNs must be one value.
 */
export function comparableDecimals(a: Sql, b: Sql): boolean {
  const left = a.decimal;
  const right = b.decimal;
  if (left === undefined || right === undefined) return false;
  if (left.nan && wholeDigits(right) > wholeDigits(left)) return false;
  if (right.nan && wholeDigits(left) > wholeDigits(right)) return false;
  const whole = Math.max(wholeDigits(left), wholeDigits(right));
  return whole + Math.max(left.scale, right.scale) <= PRECISION_MAX;
}

/** Sum, difference or product; scales are PostgreSQL's. */
export function decimalArithmetic(operator: string, a: Sql, b: Sql): Sql | undefined {
  const left = a.decimal;
  const right = b.decimal;
  if (left === undefined || right === undefined) return undefined;
  const form = resultForm(operator, left, right);
  if (form === undefined || form.precision > PRECISION_MAX) return undefined;
  if (form.nan && a.text.length + b.text.length > REPEATED_CHARACTERS_MAX) return undefined;
  const type = `DECIMAL(${form.precision + 1}, ${form.scale})`;
  const value = `CAST(${widened(a, form)} ${operator} ${widened(b, form)} AS ${type})`;
  const nans = [
    left.nan ? `${a.text} = ${decimalNaN(left)}` : '',
    right.nan ? `${b.text} = ${decimalNaN(right)}` : '',
  ].filter((condition) => condition !== '');
  if (nans.length === 0) return { text: value, decimal: form };
  // Both sides NULL-strict: a NULL beside NaN is NULL.
  const strict = `${a.text} IS NULL OR ${b.text} IS NULL`;
  return {
    text: `(CASE WHEN ${strict} THEN NULL WHEN ${nans.join(' OR ')} THEN ${decimalNaN(form)} ELSE ${value} END)`,
    decimal: form,
  };
}

/** DuckDB keeps results of DECIMALs of up to 18 digits within 18, and fails where they need more. */
const NARROW_DIGITS_MAX = 18;

function widened(operand: Sql, result: DecimalForm): string {
  if (result.precision < NARROW_DIGITS_MAX || operand.decimal === undefined) return operand.text;
  return `CAST(${operand.text} AS DECIMAL(38, ${operand.decimal.scale}))`;
}

function resultForm(
  operator: string,
  left: DecimalForm,
  right: DecimalForm,
): DecimalForm | undefined {
  const nan = left.nan || right.nan;
  switch (operator) {
    case '+':
    case '-': {
      const scale = Math.max(left.scale, right.scale);
      const whole = Math.max(wholeDigits(left), wholeDigits(right)) + 1;
      return { precision: whole + scale, scale, nan };
    }
    case '*':
      return {
        precision: left.precision + right.precision,
        scale: left.scale + right.scale,
        nan,
      };
    default:
      return undefined;
  }
}

/** Digits of an integer type: its values as decimals, without NaN. */
const integerDigits = { smallint: 5, integer: 10, bigint: 19 } as const;

export function integerAsDecimal(text: string, kind: keyof typeof integerDigits): Sql {
  const precision = integerDigits[kind];
  return {
    text: `CAST(${text} AS DECIMAL(${precision + 1}, 0))`,
    decimal: { precision, scale: 0, nan: false },
  };
}

/** One form for several values of a CASE or a set operation: their common DECIMAL, else text. */
export function unify(values: readonly Sql[]): {
  texts: string[];
  decimal: DecimalForm | undefined;
} {
  const first = values[0]?.decimal;
  const alike =
    first !== undefined &&
    values.every(
      (value) =>
        value.decimal?.precision === first.precision && value.decimal.scale === first.scale,
    );
  if (!alike) return { texts: values.map(computed), decimal: undefined };
  const nan = values.some((value) => value.decimal?.nan === true);
  return { texts: values.map((value) => value.text), decimal: { ...first, nan } };
}
