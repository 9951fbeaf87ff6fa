/** Casts among numbers and booleans. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { roundHalfEven } from '../base/interval.ts';
import { Numeric } from '../base/numeric.ts';
import type { SqlType, TypeKind } from '../base/type.ts';
import type { CastRule } from './cast-rule.ts';
import { outOfRange } from './define.ts';
import type { CastContext } from './registry.ts';

interface IntegerKind {
  readonly kind: 'smallint' | 'integer' | 'bigint';
  readonly min: bigint;
  readonly max: bigint;
}

const integerKinds: readonly IntegerKind[] = [
  { kind: 'smallint', min: -32768n, max: 32767n },
  { kind: 'integer', min: -2147483648n, max: 2147483647n },
  { kind: 'bigint', min: -9223372036854775808n, max: 9223372036854775807n },
];

/** DuckDB's names; widening casts are exact there too. */
const duckdbNames: Partial<Record<TypeKind, string>> = {
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'FLOAT',
  double: 'DOUBLE',
};

function duckdbCast(to: TypeKind): (argument: string) => string {
  return (argument) => `CAST(${argument} AS ${duckdbNames[to]})`;
}

function simple<A>(
  from: TypeKind,
  to: TypeKind,
  context: CastContext,
  convert: (value: A) => Datum | null,
  extras: Pick<CastRule, 'inline' | 'duckdb'> = {},
): CastRule {
  return { from, to, context, convert: () => convert as (value: never) => Datum | null, ...extras };
}

function integerToInteger(from: IntegerKind, to: IntegerKind): CastRule {
  const widening = from.max < to.max;
  const toBig = to.kind === 'bigint';
  const convert = (value: number | bigint): Datum => {
    const wide = BigInt(value);
    if (wide < to.min || wide > to.max) throw outOfRange(to.kind);
    return toBig ? wide : Number(wide);
  };
  const inline = (argument: string): string => {
    if (widening) return toBig ? `BigInt(${argument})` : argument;
    const suffix = from.kind === 'bigint' ? 'n' : '';
    const value = from.kind === 'bigint' ? `Number(${argument})` : argument;
    return `(${argument} < ${to.min}${suffix} || ${argument} > ${to.max}${suffix} ? $error.outOfRange('${to.kind}') : ${value})`;
  };
  return simple(from.kind, to.kind, widening ? 'implicit' : 'assignment', convert, {
    inline,
    // Narrowing fails in DuckDB exactly where it fails here.
    duckdb: duckdbCast(to.kind),
  });
}

/** PostgreSQL rounds a double to the even neighbour, a numeric away from zero. */
function doubleToInteger(to: IntegerKind): (value: number) => Datum {
  const limit = Number(to.max) + (to.kind === 'bigint' ? 0 : 1);
  const min = Number(to.min);
  return (value) => {
    const rounded = roundHalfEven(value);
    if (!(rounded >= min && rounded < limit)) throw outOfRange(to.kind);
    return to.kind === 'bigint' ? BigInt(rounded) : rounded + 0;
  };
}

function numericToInteger(to: IntegerKind): (value: Numeric) => Datum {
  return (value) => {
    if (!value.isFinite) {
      const what = value.isNaN ? 'NaN' : 'infinity';
      throw new StreamError('SQL_NOT_SUPPORTED', `cannot convert ${what} to ${to.kind}`);
    }
    const whole = value.toBigInt();
    if (whole < to.min || whole > to.max) throw outOfRange(to.kind);
    return to.kind === 'bigint' ? whole : Number(whole);
  };
}

/** The conversion to numeric followed by that to numeric(p,s). */
function toNumeric<A>(convert: (value: A) => Numeric): CastRule['convert'] {
  return (to: SqlType) => {
    const coerce = numericCoercion(to);
    return ((value: A) => coerce(convert(value))) as (value: never) => Datum;
  };
}

function numericCoercion(to: SqlType): (value: Numeric) => Numeric {
  if (to.kind !== 'numeric' || to.precision === undefined) return (value) => value;
  const precision = to.precision;
  const scale = to.scale ?? 0;
  return (value) => value.coerce(precision, scale);
}

function overflow(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: overflow');
}

function doubleToReal(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded) && Number.isFinite(value)) throw overflow();
  if (rounded === 0 && value !== 0) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: underflow');
  }
  return rounded;
}

function numericToFloat(typeName: string, round: (value: number) => number) {
  return (value: Numeric): number => {
    const result = round(value.toNumber());
    const lost = result === 0 && value.sign !== 0;
    if (value.isFinite && (!Number.isFinite(result) || lost)) {
      throw new StreamError(
        'VALUE_OUT_OF_RANGE',
        `"${value.toString()}" is out of range for type ${typeName}`,
      );
    }
    return result;
  };
}

const pairs = integerKinds.flatMap((from) =>
  integerKinds.filter((to) => to !== from).map((to) => integerToInteger(from, to)),
);

const fromIntegers = integerKinds.flatMap(({ kind }): readonly CastRule[] => [
  simple(kind, 'real', 'implicit', (value: number | bigint) => bigintToReal(value), {
    ...(kind === 'bigint' ? {} : { inline: (argument: string) => `Math.fround(${argument})` }),
  }),
  simple(kind, 'double', 'implicit', (value: number | bigint) => Number(value), {
    inline: (argument) => (kind === 'bigint' ? `Number(${argument})` : argument),
    duckdb: duckdbCast('double'),
  }),
  { from: kind, to: 'numeric', context: 'implicit', convert: toNumeric(Numeric.fromInt) },
]);

/** Rounds once: going through a double would round a bigint twice. */
function bigintToReal(value: number | bigint): number {
  const near = Number(value);
  const rounded = Math.fround(near);
  if (typeof value === 'number' || BigInt(near) === value) return rounded;
  // Only when the double lies exactly between two reals can the first rounding have decided wrongly.
  const other = Math.fround(near + (BigInt(near) < value ? 1 : -1) * Math.abs(near) * 2 ** -52);
  return other === rounded ? rounded : other;
}

const toIntegers = integerKinds.flatMap((to): readonly CastRule[] => [
  simple('real', to.kind, 'assignment', doubleToInteger(to)),
  simple('double', to.kind, 'assignment', doubleToInteger(to)),
  simple('numeric', to.kind, 'assignment', numericToInteger(to)),
]);

export const numberCasts: readonly CastRule[] = [
  ...pairs,
  ...fromIntegers,
  ...toIntegers,
  simple('real', 'double', 'implicit', (value: number) => value, {
    inline: (argument) => argument,
    duckdb: duckdbCast('double'),
  }),
  simple('double', 'real', 'assignment', doubleToReal),
  {
    from: 'real',
    to: 'numeric',
    context: 'assignment',
    convert: toNumeric(Numeric.fromReal),
  },
  {
    from: 'double',
    to: 'numeric',
    context: 'assignment',
    convert: toNumeric(Numeric.fromDouble),
  },
  simple('numeric', 'real', 'implicit', numericToFloat('real', Math.fround)),
  simple(
    'numeric',
    'double',
    'implicit',
    numericToFloat('double precision', (value) => value),
  ),
  {
    from: 'numeric',
    to: 'numeric',
    context: 'implicit',
    convert: toNumeric((value: Numeric) => value),
  },
  simple('boolean', 'integer', 'explicit', (value: boolean) => Number(value), {
    inline: (argument) => `(${argument} ? 1 : 0)`,
    duckdb: duckdbCast('integer'),
  }),
  simple('integer', 'boolean', 'explicit', (value: number) => value !== 0, {
    inline: (argument) => `(${argument} !== 0)`,
    duckdb: (argument) => `(${argument} <> 0)`,
  }),
];
