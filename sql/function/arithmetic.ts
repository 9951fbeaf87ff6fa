/** + - * / % and unary operators over numbers, with PostgreSQL's overflow errors; bit operators. */
import { StreamError } from '../base/error.ts';
import { divisionByZero } from '../base/numeric.ts';
import { family, outOfRange } from './define.ts';

const { functions, define } = family('math');
export const arithmeticFunctions = functions;

interface SmallKind {
  readonly key: 'smallint' | 'integer';
  readonly min: number;
  readonly max: number;
  readonly duckdb: string;
}

const smallKinds: readonly SmallKind[] = [
  { key: 'smallint', min: -32768, max: 32767, duckdb: 'SMALLINT' },
  { key: 'integer', min: -2147483648, max: 2147483647, duckdb: 'INTEGER' },
];

/** DuckDB gives NULL for a zero divisor, where PostgreSQL fails unless the dividend is NULL. */
function duckdbDivision(operator: string) {
  return ([a, b]: readonly string[]): string =>
    `(CASE WHEN ${b} = 0 AND ${a} IS NOT NULL THEN error('division by zero') ELSE ${a} ${operator} ${b} END)`;
}

for (const { key, min, max, duckdb } of smallKinds) {
  const both = [key, key] as const;
  const check = (value: number): number => {
    if (value > max || value < min) throw outOfRange(key);
    // `+ 0` turns JavaScript's -0 into 0.
    return value + 0;
  };
  const checked = (value: string): string =>
    `((${value}) >= ${min} && (${value}) <= ${max} ? (${value}) + 0 : $error.outOfRange('${key}'))`;
  define('+', both, key, 'sum', (a, b) => check(a + b), {
    inline: ([a, b]) => checked(`${a} + ${b}`),
    duckdb: ([a, b]) => `(${a} + ${b})`,
  });
  define('-', both, key, 'difference', (a, b) => check(a - b), {
    inline: ([a, b]) => checked(`${a} - ${b}`),
    duckdb: ([a, b]) => `(${a} - ${b})`,
  });
  define('*', both, key, 'product', (a, b) => check(a * b), {
    inline: ([a, b]) => checked(`${a} * ${b}`),
    duckdb: ([a, b]) => `(${a} * ${b})`,
  });
  define(
    '/',
    both,
    key,
    'quotient, cut toward zero',
    (a, b) => {
      if (b === 0) throw divisionByZero();
      return check(Math.trunc(a / b));
    },
    {
      inline: ([a, b]) =>
        `(${b} === 0 ? $error.divisionByZero() : ${a} === ${min} && ${b} === -1 ? $error.outOfRange('${key}') : ((${a} / ${b}) | 0))`,
      duckdb: duckdbDivision('//'),
    },
  );
  define(
    '%',
    both,
    key,
    'remainder with the sign of the dividend',
    (a, b) => {
      if (b === 0) throw divisionByZero();
      return (a % b) + 0;
    },
    {
      inline: ([a, b]) => `(${b} === 0 ? $error.divisionByZero() : (${a} % ${b}) + 0)`,
      // DuckDB overflows on min % -1, where PostgreSQL answers 0.
      duckdb: ([a, b]) =>
        `(CASE WHEN ${b} = 0 AND ${a} IS NOT NULL THEN error('division by zero') WHEN ${b} = -1 AND ${a} IS NOT NULL THEN CAST(0 AS ${duckdb}) ELSE ${a} % ${b} END)`,
    },
  );
  define('-', [key], key, 'negation', (a) => check(-a), {
    inline: ([a]) => checked(`-${a}`),
    duckdb: ([a]) => `(-${a})`,
  });
  define('+', [key], key, 'unary plus', (a) => a, {
    inline: ([a]) => `${a}`,
    duckdb: ([a]) => `${a}`,
  });
  define('@', [key], key, 'absolute value', (a) => check(Math.abs(a)), {
    inline: ([a]) => checked(`Math.abs(${a})`),
  });
  define('&', both, key, 'bitwise and', (a, b) => a & b, { inline: ([a, b]) => `(${a} & ${b})` });
  define('|', both, key, 'bitwise or', (a, b) => a | b, { inline: ([a, b]) => `(${a} | ${b})` });
  define('#', both, key, 'bitwise exclusive or', (a, b) => a ^ b, {
    inline: ([a, b]) => `(${a} ^ ${b})`,
  });
  define('~', [key], key, 'bitwise not', (a) => ~a, { inline: ([a]) => `(~${a})` });
  const wrap =
    key === 'smallint' ? (value: number) => (value << 16) >> 16 : (value: number) => value;
  define('<<', [key, 'integer'], key, 'shift left', (a, b) => wrap(a << (b & 31)));
  define('>>', [key, 'integer'], key, 'shift right', (a, b) => wrap(a >> (b & 31)));
}

function checkBigint(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw outOfRange('bigint');
  return value;
}

const bigints = ['bigint', 'bigint'] as const;
const BIGINT_MIN = '(-9223372036854775808n)';

/**
 * A machine integer checked against the exact result. V8 turns this into 64-bit instructions (2 ns
 * an operation over BigInt64Arrays), so no test of sign bits is needed.
 */
function checkedBigint(value: string): string {
  const machine = `BigInt.asIntN(64, ${value})`;
  return `(${machine} === ${value} ? ${machine} : $error.outOfRange('bigint'))`;
}

define('+', bigints, 'bigint', 'sum', (a, b) => checkBigint(a + b), {
  inline: ([a, b]) => checkedBigint(`${a} + ${b}`),
  duckdb: ([a, b]) => `(${a} + ${b})`,
});
define('-', bigints, 'bigint', 'difference', (a, b) => checkBigint(a - b), {
  inline: ([a, b]) => checkedBigint(`${a} - ${b}`),
  duckdb: ([a, b]) => `(${a} - ${b})`,
});
define('*', bigints, 'bigint', 'product', (a, b) => checkBigint(a * b), {
  inline: ([a, b]) => checkedBigint(`${a} * ${b}`),
  duckdb: ([a, b]) => `(${a} * ${b})`,
});
define(
  '/',
  bigints,
  'bigint',
  'quotient, cut toward zero',
  (a, b) => {
    if (b === 0n) throw divisionByZero();
    return checkBigint(a / b);
  },
  {
    inline: ([a, b]) =>
      `(${b} === 0n ? $error.divisionByZero() : ${b} === -1n && ${a} === ${BIGINT_MIN} ? $error.outOfRange('bigint') : BigInt.asIntN(64, ${a} / ${b}))`,
    duckdb: duckdbDivision('//'),
  },
);
define(
  '%',
  bigints,
  'bigint',
  'remainder with the sign of the dividend',
  (a, b) => {
    if (b === 0n) throw divisionByZero();
    return a % b;
  },
  {
    inline: ([a, b]) => `(${b} === 0n ? $error.divisionByZero() : BigInt.asIntN(64, ${a} % ${b}))`,
    duckdb: ([a, b]) =>
      `(CASE WHEN ${b} = 0 AND ${a} IS NOT NULL THEN error('division by zero') WHEN ${b} = -1 AND ${a} IS NOT NULL THEN CAST(0 AS BIGINT) ELSE ${a} % ${b} END)`,
  },
);
define('-', ['bigint'], 'bigint', 'negation', (a) => checkBigint(-a), {
  inline: ([a]) =>
    `(${a} === ${BIGINT_MIN} ? $error.outOfRange('bigint') : BigInt.asIntN(64, -${a}))`,
  duckdb: ([a]) => `(-${a})`,
});
define('+', ['bigint'], 'bigint', 'unary plus', (a) => a, {
  inline: ([a]) => `${a}`,
  duckdb: ([a]) => `${a}`,
});
define('@', ['bigint'], 'bigint', 'absolute value', (a) => checkBigint(a < 0n ? -a : a));
define('&', bigints, 'bigint', 'bitwise and', (a, b) => a & b, {
  inline: ([a, b]) => `(${a} & ${b})`,
});
define('|', bigints, 'bigint', 'bitwise or', (a, b) => a | b, {
  inline: ([a, b]) => `(${a} | ${b})`,
});
define('#', bigints, 'bigint', 'bitwise exclusive or', (a, b) => a ^ b, {
  inline: ([a, b]) => `(${a} ^ ${b})`,
});
define('~', ['bigint'], 'bigint', 'bitwise not', (a) => ~a, { inline: ([a]) => `(~${a})` });
define('<<', ['bigint', 'integer'], 'bigint', 'shift left', (a, b) =>
  BigInt.asIntN(64, a << BigInt(b & 63)),
);
define('>>', ['bigint', 'integer'], 'bigint', 'shift right', (a, b) => a >> BigInt(b & 63));

function overflow(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: overflow');
}

function underflow(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: underflow');
}

/** Infinite from finite arguments is an overflow. */
function checkOverflow(value: number, a: number, b: number): number {
  if (!Number.isFinite(value) && !Number.isNaN(value) && Number.isFinite(a) && Number.isFinite(b)) {
    throw overflow();
  }
  return value;
}

for (const key of ['real', 'double'] as const) {
  const both = [key, key] as const;
  const single = key === 'real';
  const round = single ? Math.fround : (value: number): number => value;
  const rounded = (value: string): string => (single ? `Math.fround(${value})` : `(${value})`);
  // An infinite result is the rare case; only then are the arguments looked at.
  const checked = (value: string, a: string, b: string): string =>
    `(Number.isFinite(${rounded(value)}) || !Number.isFinite(${a}) || !Number.isFinite(${b}) ? ${rounded(value)} : $error.outOfRange('value'))`;
  define('+', both, key, 'sum', (a, b) => checkOverflow(round(a + b), a, b), {
    inline: ([a = '', b = '']) => checked(`${a} + ${b}`, a, b),
  });
  define('-', both, key, 'difference', (a, b) => checkOverflow(round(a - b), a, b), {
    inline: ([a = '', b = '']) => checked(`${a} - ${b}`, a, b),
  });
  define(
    '*',
    both,
    key,
    'product',
    (a, b) => {
      const product = checkOverflow(round(a * b), a, b);
      if (product === 0 && a !== 0 && b !== 0) throw underflow();
      return product;
    },
    {
      inline: ([a = '', b = '']) =>
        `(${rounded(`${a} * ${b}`)} === 0 && ${a} !== 0 && ${b} !== 0 ? $error.outOfRange('value') : ${checked(`${a} * ${b}`, a, b)})`,
    },
  );
  define(
    '/',
    both,
    key,
    'quotient',
    (a, b) => {
      if (b === 0 && !Number.isNaN(a)) throw divisionByZero();
      const quotient = round(a / b);
      if (!Number.isFinite(quotient) && !Number.isNaN(quotient) && Number.isFinite(a))
        throw overflow();
      if (quotient === 0 && a !== 0 && Number.isFinite(b)) throw underflow();
      return quotient;
    },
    {
      inline: ([a = '', b = '']) =>
        `(${b} === 0 && ${a} === ${a} ? $error.divisionByZero() : ${rounded(`${a} / ${b}`)} === 0 && ${a} !== 0 && Number.isFinite(${b}) ? $error.outOfRange('value') : ${checked(`${a} / ${b}`, a, b)})`,
    },
  );
  define('-', [key], key, 'negation', (a) => -a, {
    inline: ([a]) => `(-${a})`,
    duckdb: ([a]) => `(-${a})`,
  });
  define('+', [key], key, 'unary plus', (a) => a, {
    inline: ([a]) => `${a}`,
    duckdb: ([a]) => `${a}`,
  });
  define('@', [key], key, 'absolute value', (a) => Math.abs(a), {
    inline: ([a]) => `Math.abs(${a})`,
  });
}

const numerics = ['numeric', 'numeric'] as const;
define('+', numerics, 'numeric', 'sum', (a, b) => a.add(b));
define('-', numerics, 'numeric', 'difference', (a, b) => a.subtract(b));
define('*', numerics, 'numeric', 'product', (a, b) => a.multiply(b));
define('/', numerics, 'numeric', 'quotient', (a, b) => a.divide(b));
define('%', numerics, 'numeric', 'remainder with the sign of the dividend', (a, b) =>
  a.remainder(b),
);
define('-', ['numeric'], 'numeric', 'negation', (a) => a.negate());
define('+', ['numeric'], 'numeric', 'unary plus', (a) => a);
define('@', ['numeric'], 'numeric', 'absolute value', (a) => a.abs());
