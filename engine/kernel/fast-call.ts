/**
 * Functions that fast code computes itself, by name and argument types. Whatever would be an error does `break fast`,
 * and the exact way raises it, so no rule here makes a message.
 */
import type { Interval } from '../../sql/base/interval.ts';
import type { SqlType, TypeKind } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { compileLike } from './bytes-compare.ts';
import type { Code } from './code.ts';
import {
  addDecimals,
  alignDecimals,
  coerceDecimal,
  type Decimal,
  multiplyDecimals,
} from './decimal-code.ts';
import { refArguments } from './equality-code.ts';
import { exactPowersOfTen } from './json-number.ts';
import {
  datumCode,
  decimalCode,
  guardSafe,
  intCode,
  numberCode,
  type Value,
} from './value-code.ts';

/** What the rules need of the generator that asks them. */
export interface Generator {
  readonly code: Code;
  value(expression: BoundExpr): Value;
  equality(left: Value, right: Value, type: SqlType): string;
  strict(
    args: readonly Value[],
    type: SqlType,
    form: Value['form'],
    compute: () => FastResult,
  ): Value;
}

export interface FastResult {
  /** An expression for the value. */
  readonly code: string;
  readonly scale?: number | string | undefined;
  readonly mayBeNull?: boolean | undefined;
}

/** Computes one call over values that are not NULL; undefined = not this one after all. */
interface FastRule {
  readonly form: Value['form'];
  readonly compute: (g: Generator, args: readonly Value[], type: SqlType) => FastResult;
  /** Some rules hold for some arguments only (a literal pattern, a plain interval). */
  readonly applies?: (args: readonly BoundExpr[]) => boolean;
}

const int64Kinds: readonly TypeKind[] = ['bigint', 'time', 'timestamp', 'timestamptz'];
const comparisons: ReadonlyMap<string, string> = new Map([
  ['=', '==='],
  ['<>', '!=='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

const rules = new Map<string, FastRule>();

function rule(
  signature: string,
  form: Value['form'],
  compute: FastRule['compute'],
  applies?: FastRule['applies'],
): void {
  rules.set(signature, applies === undefined ? { form, compute } : { form, compute, applies });
}

// Locals of the arguments and results of calls, for the rules below.
const arg = (args: readonly Value[], i: number): Value => args[i] as Value;
const int = (g: Generator, args: readonly Value[], i: number): string =>
  intCode(g.code, arg(args, i));
const decimal = (g: Generator, args: readonly Value[], i: number): Decimal =>
  decimalCode(g.code, arg(args, i));

/** The result of integer arithmetic; beyond 2^53 the exact way goes on. */
function checked(g: Generator, expression: string): FastResult {
  const result = g.code.local(expression);
  guardSafe(g.code, result);
  return { code: result };
}

for (const kind of int64Kinds) {
  for (const [name, operator] of comparisons) {
    rule(`${name} ${kind} ${kind}`, 'datum', (g, args) => ({
      code: `${int(g, args, 0)} ${operator} ${int(g, args, 1)}`,
    }));
  }
}
for (const operator of ['+', '-', '*']) {
  // The sum with 0 turns a negative zero, which integers do not have, into zero.
  rule(`${operator} bigint bigint`, 'int', (g, args) =>
    checked(g, `${int(g, args, 0)} ${operator} ${int(g, args, 1)} + 0`),
  );
}
// Below 2^53 the rounded quotient of two integers never reaches the next integer, so cutting it is exact.
rule('/ bigint bigint', 'int', (g, args) => {
  const divisor = int(g, args, 1);
  g.code.line(`if (${divisor} === 0) break fast;`);
  return { code: `Math.trunc(${int(g, args, 0)} / ${divisor}) + 0` };
});
for (const name of ['%', 'mod']) {
  rule(`${name} bigint bigint`, 'int', (g, args) => {
    const dividend = int(g, args, 0);
    const divisor = int(g, args, 1);
    g.code.line(`if (${divisor} === 0) break fast;`);
    return { code: `${dividend} - Math.trunc(${dividend} / ${divisor}) * ${divisor}` };
  });
}
rule('- bigint', 'int', (g, args) => ({ code: `0 - ${int(g, args, 0)}` }));
for (const name of ['@', 'abs']) {
  rule(`${name} bigint`, 'int', (g, args) => ({ code: `Math.abs(${int(g, args, 0)})` }));
}

for (const [name, operator] of comparisons) {
  rule(`${name} numeric numeric`, 'datum', (g, args) => {
    const [a, b] = alignDecimals(g.code, decimal(g, args, 0), decimal(g, args, 1));
    return { code: `${a} ${operator} ${b}` };
  });
}
for (const sign of ['+', '-'] as const) {
  rule(`${sign} numeric numeric`, 'decimal', (g, args) =>
    addDecimals(g.code, decimal(g, args, 0), decimal(g, args, 1), sign),
  );
}
rule('* numeric numeric', 'decimal', (g, args) =>
  multiplyDecimals(g.code, decimal(g, args, 0), decimal(g, args, 1)),
);
rule('- numeric', 'decimal', (g, args) => {
  const { code, scale } = decimal(g, args, 0);
  return { code: `0 - ${code}`, scale };
});
for (const name of ['@', 'abs']) {
  rule(`${name} numeric`, 'decimal', (g, args) => {
    const { code, scale } = decimal(g, args, 0);
    return { code: `Math.abs(${code})`, scale };
  });
}

for (const from of ['smallint', 'integer'] as const) {
  rule(`cast ${from} bigint`, 'int', (g, args) => ({ code: datumCode(g.code, arg(args, 0)) }));
  rule(`cast bigint ${from}`, 'datum', (g, args) => {
    const value = int(g, args, 0);
    const max = from === 'smallint' ? 32767 : 2147483647;
    g.code.line(`if (${value} > ${max} || ${value} < ${-max - 1}) break fast;`);
    return { code: value };
  });
}
for (const from of ['smallint', 'integer', 'bigint'] as const) {
  rule(`cast ${from} numeric`, 'decimal', (g, args, type) => {
    const code = from === 'bigint' ? int(g, args, 0) : datumCode(g.code, arg(args, 0));
    return toNumeric(g, { code, scale: 0 }, type);
  });
}
rule('cast bigint double', 'datum', (g, args) => ({ code: int(g, args, 0) }));
rule('cast numeric numeric', 'decimal', (g, args, type) => toNumeric(g, decimal(g, args, 0), type));
// Numerator and power are exact doubles, so their quotient is the nearest double.
rule('cast numeric double', 'datum', (g, args) => {
  const { code, scale } = decimal(g, args, 0);
  const powers = g.code.constant(exactPowersOfTen);
  const power =
    typeof scale === 'number'
      ? numberCode(exactPowersOfTen[scale] ?? Number.NaN)
      : `${powers}[${scale}]`;
  const result = g.code.local(`${code} / ${power} + 0`);
  g.code.line(`if (${result} !== ${result}) break fast;`);
  return { code: result };
});

function toNumeric(g: Generator, value: Decimal, type: SqlType): Decimal {
  if (type.kind !== 'numeric' || type.precision === undefined) return value;
  return coerceDecimal(g.code, value, type.precision, type.scale ?? 0);
}

const plainInterval =
  (months: boolean, day: boolean) =>
  (args: readonly BoundExpr[]): boolean => {
    const literal = args[1];
    if (literal?.kind !== 'literal' || literal.value === null) return false;
    const interval = literal.value as Interval;
    const micros = Number(interval.micros) + interval.days * 86_400_000_000;
    return (
      (months || interval.months === 0) &&
      (day || interval.days === 0) &&
      Number.isSafeInteger(micros)
    );
  };

for (const sign of ['+', '-']) {
  for (const kind of ['timestamp', 'timestamptz'] as const) {
    // A day is 24 hours only where there is no time zone.
    rule(
      `${sign} ${kind} interval`,
      'int',
      (g, args) => {
        const interval = arg(args, 1).constant as Interval;
        const micros = Number(interval.micros) + interval.days * 86_400_000_000;
        return checked(g, `${int(g, args, 0)} ${sign} ${numberCode(micros)}`);
      },
      plainInterval(false, kind === 'timestamp'),
    );
  }
}

for (const kind of ['text', 'varchar', 'uuid']) {
  for (const [name, operator] of comparisons) {
    const equality = name === '=' || name === '<>';
    rule(`${name} ${kind} ${kind}`, 'datum', (g, args, _) => {
      const [left, right] = [arg(args, 0), arg(args, 1)];
      if (equality) {
        const equal = g.equality(left, right, { kind: 'text' });
        return { code: name === '=' ? equal : `!${equal}` };
      }
      if (left.form === 'ref' && right.form === 'ref') {
        return { code: `$orderBytes(${refArguments(left)}, ${refArguments(right)}) ${operator} 0` };
      }
      const [a, b] = [datumCode(g.code, left), datumCode(g.code, right)];
      return { code: `$compareText(${a}, ${b}) ${operator} 0` };
    });
  }
}

/** Casts without a function only change the label: varchar to text. */
export function withoutLabel(expression: BoundExpr): BoundExpr {
  return expression.kind === 'cast' && expression.fn === undefined
    ? withoutLabel(expression.operand)
    : expression;
}

const literalPattern = (args: readonly BoundExpr[]): boolean => {
  const [text, pattern] = args.map(withoutLabel);
  return (
    text?.kind === 'column' &&
    pattern?.kind === 'literal' &&
    typeof pattern.value === 'string' &&
    compileLike(pattern.value) !== undefined
  );
};
for (const [name, negation] of [
  ['~~', ''],
  ['!~~', '!'],
] as const) {
  rule(
    `${name} text text`,
    'datum',
    (g, args) => {
      const like = compileLike(arg(args, 1).constant as string);
      return { code: `${negation}${g.code.constant(like)}(${refArguments(arg(args, 0))})` };
    },
    literalPattern,
  );
}

function signature(fn: ScalarFunction): string {
  const kinds = fn.parameters.map((parameter) => parameter.kind).join(' ');
  return fn.name === 'cast' ? `cast ${kinds} ${fn.result.kind}` : `${fn.name} ${kinds}`;
}

/** The call in fast code, or undefined when no rule knows it. */
export function fastCall(
  g: Generator,
  fn: ScalarFunction,
  args: readonly BoundExpr[],
  type: SqlType,
): Value | undefined {
  const found = rules.get(signature(fn));
  if (found === undefined || (found.applies !== undefined && !found.applies(args)))
    return undefined;
  const values = args.map((operand) => g.value(operand));
  return g.strict(values, type, found.form, () => found.compute(g, values, type));
}
