/** Mathematical functions over integers, doubles and numerics. */
import { StreamError } from '../base/error.ts';
import { roundHalfEven } from '../base/interval.ts';
import { divisionByZero, Numeric } from '../base/numeric.ts';
import {
  exponential,
  factorial,
  logarithm,
  naturalLog,
  power,
  squareRoot,
} from '../base/numeric-math.ts';
import { family, outOfRange } from './define.ts';

const { functions, define } = family('math');
export const mathFunctions = functions;

const ten = Numeric.fromInt(10);

for (const key of ['smallint', 'integer'] as const) {
  const max = key === 'smallint' ? 32767 : 2147483647;
  define(
    'abs',
    [key],
    key,
    'absolute value',
    (a) => {
      if (a < -max) throw outOfRange(key);
      return Math.abs(a);
    },
    {
      inline: ([a]) => `(${a} < ${-max} ? $error.outOfRange('${key}') : Math.abs(${a}))`,
      duckdb: ([a]) => `abs(${a})`,
    },
  );
  define(
    'mod',
    [key, key],
    key,
    'remainder with the sign of the dividend',
    (a, b) => {
      if (b === 0) throw divisionByZero();
      return (a % b) + 0;
    },
    { inline: ([a, b]) => `(${b} === 0 ? $error.divisionByZero() : (${a} % ${b}) + 0)` },
  );
}
define('abs', ['bigint'], 'bigint', 'absolute value', (a) => {
  if (a === -9223372036854775808n) throw outOfRange('bigint');
  return a < 0n ? -a : a;
});
define(
  'mod',
  ['bigint', 'bigint'],
  'bigint',
  'remainder with the sign of the dividend',
  (a, b) => {
    if (b === 0n) throw divisionByZero();
    return a % b;
  },
  {
    inline: ([a, b]) => `(${b} === 0n ? $error.divisionByZero() : BigInt.asIntN(64, ${a} % ${b}))`,
  },
);
define(
  'mod',
  ['numeric', 'numeric'],
  'numeric',
  'remainder with the sign of the dividend',
  (a, b) => a.remainder(b),
);
define('abs', ['real'], 'real', 'absolute value', Math.abs, {
  inline: ([a]) => `Math.abs(${a})`,
  duckdb: ([a]) => `abs(${a})`,
});
define('abs', ['double'], 'double', 'absolute value', Math.abs, {
  inline: ([a]) => `Math.abs(${a})`,
  duckdb: ([a]) => `abs(${a})`,
});
define('abs', ['numeric'], 'numeric', 'absolute value', (a) => a.abs());

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x < 0n ? -x : x;
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return 0n;
  const product = (a / greatestCommonDivisor(a, b)) * b;
  return product < 0n ? -product : product;
}

for (const [name, compute] of [
  ['gcd', greatestCommonDivisor],
  ['lcm', leastCommonMultiple],
] as const) {
  const description = name === 'gcd' ? 'greatest common divisor' : 'least common multiple';
  define(name, ['integer', 'integer'], 'integer', description, (a, b) => {
    const result = compute(BigInt(a), BigInt(b));
    if (result > 2147483647n) throw outOfRange('integer');
    return Number(result);
  });
  define(name, ['bigint', 'bigint'], 'bigint', description, (a, b) => {
    const result = compute(a, b);
    if (result > 9223372036854775807n) throw outOfRange('bigint');
    return result;
  });
  define(name, ['numeric', 'numeric'], 'numeric', description, (a, b) => {
    if (!a.isFinite || !b.isFinite) return Numeric.NaN;
    const scale = Math.max(a.scale, b.scale);
    return Numeric.checked(compute(a.unscaledAt(scale), b.unscaledAt(scale)), scale);
  });
}

/** rint(): to even, keeping the sign of zero. */
function rint(value: number): number {
  const rounded = roundHalfEven(value);
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

for (const name of ['ceil', 'ceiling']) {
  define(name, ['double'], 'double', 'nearest whole number not below', Math.ceil, {
    inline: ([a]) => `Math.ceil(${a})`,
    duckdb: ([a]) => `ceil(${a})`,
  });
  define(name, ['numeric'], 'numeric', 'nearest whole number not below', (a) => a.ceil());
}
define('floor', ['double'], 'double', 'nearest whole number not above', Math.floor, {
  inline: ([a]) => `Math.floor(${a})`,
  duckdb: ([a]) => `floor(${a})`,
});
define('floor', ['numeric'], 'numeric', 'nearest whole number not above', (a) => a.floor());
define('round', ['double'], 'double', 'nearest whole number, ties to even', (a) =>
  Number.isFinite(a) ? rint(a) : a,
);
define('round', ['numeric'], 'numeric', 'nearest whole number, ties away from zero', (a) =>
  a.round(0),
);
define(
  'round',
  ['numeric', 'integer'],
  'numeric',
  'rounded to so many decimals, ties away from zero',
  (a, digits) => a.round(digits),
);
define('trunc', ['double'], 'double', 'whole part', Math.trunc, {
  inline: ([a]) => `Math.trunc(${a})`,
});
define('trunc', ['numeric'], 'numeric', 'whole part', (a) => a.truncate(0));
define('trunc', ['numeric', 'integer'], 'numeric', 'cut to so many decimals', (a, digits) =>
  a.truncate(digits),
);
define('sign', ['double'], 'double', '-1, 0 or 1', (a) => (a > 0 ? 1 : a < 0 ? -1 : 0));
define('sign', ['numeric'], 'numeric', '-1, 0 or 1', (a) =>
  a.isNaN ? a : Numeric.fromInt(a.sign),
);
define('scale', ['numeric'], 'integer', 'number of decimals shown', (a) =>
  a.isFinite ? a.scale : null,
);
define('min_scale', ['numeric'], 'integer', 'number of decimals needed', (a) =>
  a.isFinite ? a.trimScale().scale : null,
);
define('trim_scale', ['numeric'], 'numeric', 'without zeros at the end of the fraction', (a) =>
  a.trimScale(),
);
define('factorial', ['bigint'], 'numeric', 'factorial', factorial);
define('div', ['numeric', 'numeric'], 'numeric', 'quotient, cut toward zero', (a, b) =>
  a.divideTruncated(b),
);

function powerError(message: string): StreamError {
  return new StreamError('VALUE_INVALID_POWER', message);
}

/** Finite arguments must give a finite result, and nonzero ones a nonzero result. */
function checkRange(result: number, finite: boolean, mayVanish: boolean): number {
  if (finite && !Number.isFinite(result)) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: overflow');
  }
  if (result === 0 && !mayVanish) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'value out of range: underflow');
  }
  return result;
}

function doubleRoot(value: number): number {
  if (value < 0) throw powerError('cannot take square root of a negative number');
  return Math.sqrt(value);
}

/** JavaScript makes 1 ^ NaN and 1 ^ Infinity NaN; C, and so PostgreSQL, 1. */
function doublePower(base: number, exponent: number): number {
  if (base === 1 || exponent === 0) return 1;
  if (Number.isNaN(base) || Number.isNaN(exponent)) return Number.NaN;
  if (base === 0 && exponent < 0) throw powerError('zero raised to a negative power is undefined');
  if (base < 0 && Number.isFinite(exponent) && !Number.isInteger(exponent)) {
    throw powerError('a negative number raised to a non-integer power yields a complex result');
  }
  if (base === -1 && !Number.isFinite(exponent)) return 1;
  const finite = Number.isFinite(base) && Number.isFinite(exponent);
  return checkRange(base ** exponent, finite, !finite || base === 0);
}

function doubleLog(log: (value: number) => number): (value: number) => number {
  return (value) => {
    if (value === 0) {
      throw new StreamError('VALUE_INVALID_LOGARITHM', 'cannot take logarithm of zero');
    }
    if (value < 0) {
      throw new StreamError(
        'VALUE_INVALID_LOGARITHM',
        'cannot take logarithm of a negative number',
      );
    }
    return log(value);
  };
}

for (const name of ['sqrt', '|/']) {
  define(name, ['double'], 'double', 'square root', doubleRoot);
}
define('sqrt', ['numeric'], 'numeric', 'square root', squareRoot);
for (const name of ['cbrt', '||/']) define(name, ['double'], 'double', 'cube root', Math.cbrt);
define('exp', ['double'], 'double', 'e to a power', (a) =>
  checkRange(Math.exp(a), Number.isFinite(a), !Number.isFinite(a)),
);
define('exp', ['numeric'], 'numeric', 'e to a power', exponential);
define('ln', ['double'], 'double', 'natural logarithm', doubleLog(Math.log));
define('ln', ['numeric'], 'numeric', 'natural logarithm', naturalLog);
for (const name of ['log', 'log10']) {
  define(name, ['double'], 'double', 'logarithm to base 10', doubleLog(Math.log10));
  define(name, ['numeric'], 'numeric', 'logarithm to base 10', (a) => logarithm(ten, a));
}
define(
  'log',
  ['numeric', 'numeric'],
  'numeric',
  'logarithm of the second argument to the base of the first',
  logarithm,
);
for (const name of ['power', 'pow', '^']) {
  define(
    name,
    ['double', 'double'],
    'double',
    'first argument to the power of the second',
    doublePower,
  );
  define(
    name,
    ['numeric', 'numeric'],
    'numeric',
    'first argument to the power of the second',
    power,
  );
}

function inputOutOfRange(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'input is out of range');
}

/** Functions of angles, which have no value at infinity. */
for (const [name, compute] of [
  ['sin', Math.sin],
  ['cos', Math.cos],
  ['tan', Math.tan],
  ['cot', (value: number) => 1 / Math.tan(value)],
] as const) {
  define(name, ['double'], 'double', `${name} of an angle in radians`, (value) => {
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      throw inputOutOfRange();
    }
    return compute(value);
  });
}
for (const [name, compute] of [
  ['asin', Math.asin],
  ['acos', Math.acos],
] as const) {
  define(name, ['double'], 'double', `${name} in radians`, (value) => {
    if (value < -1 || value > 1) throw inputOutOfRange();
    return compute(value);
  });
}
define('atan', ['double'], 'double', 'atan in radians', Math.atan);
define(
  'atan2',
  ['double', 'double'],
  'double',
  'angle of the point (second, first) in radians',
  Math.atan2,
);
define('sinh', ['double'], 'double', 'hyperbolic sine', Math.sinh);
define('cosh', ['double'], 'double', 'hyperbolic cosine', Math.cosh);
define('tanh', ['double'], 'double', 'hyperbolic tangent', Math.tanh);
define('asinh', ['double'], 'double', 'inverse hyperbolic sine', Math.asinh);
define('acosh', ['double'], 'double', 'inverse hyperbolic cosine', (value) => {
  if (value < 1) throw inputOutOfRange();
  return Math.acosh(value);
});
define('atanh', ['double'], 'double', 'inverse hyperbolic tangent', (value) => {
  if (value < -1 || value > 1) throw inputOutOfRange();
  return Math.atanh(value);
});
define('pi', [], 'double', 'the constant pi', () => Math.PI);
define('degrees', ['double'], 'double', 'radians to degrees', (value) =>
  checkRange(value / (Math.PI / 180), Number.isFinite(value), value === 0),
);
define('radians', ['double'], 'double', 'degrees to radians', (value) =>
  checkRange(value * (Math.PI / 180), Number.isFinite(value), value === 0),
);

function bucketError(message: string): StreamError {
  return new StreamError('VALUE_INVALID_WIDTH_BUCKET', message);
}

function checkCount(count: number): void {
  if (count <= 0) throw bucketError('count must be greater than zero');
}

function afterLast(count: number): number {
  if (count === 2147483647) throw outOfRange('integer');
  return count + 1;
}

define(
  'width_bucket',
  ['double', 'double', 'double', 'integer'],
  'integer',
  'number of the histogram bucket',
  (operand, low, high, count) => {
    checkCount(count);
    if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) {
      throw bucketError('operand, lower bound, and upper bound cannot be NaN');
    }
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      throw bucketError('lower and upper bounds must be finite');
    }
    if (low === high) throw bucketError('lower bound cannot equal upper bound');
    const rising = low < high;
    if (rising ? operand < low : operand > low) return 0;
    if (rising ? operand >= high : operand <= high) return afterLast(count);
    const width = high - low;
    // Halves keep the difference of bounds near the ends of the double range finite.
    const share = Number.isFinite(width)
      ? (operand - low) / width
      : (operand / 2 - low / 2) / (high / 2 - low / 2);
    return Math.min(Math.trunc(count * share), count - 1) + 1;
  },
);
define(
  'width_bucket',
  ['numeric', 'numeric', 'numeric', 'integer'],
  'integer',
  'number of the histogram bucket',
  (operand, low, high, count) => {
    checkCount(count);
    if (operand.isNaN || low.isNaN || high.isNaN) {
      throw bucketError('operand, lower bound, and upper bound cannot be NaN');
    }
    if (!low.isFinite || !high.isFinite) throw bucketError('lower and upper bounds must be finite');
    const direction = low.compare(high);
    if (direction === 0) throw bucketError('lower bound cannot equal upper bound');
    const rising = direction < 0;
    const fromLow = operand.compare(low);
    if (rising ? fromLow < 0 : fromLow > 0) return 0;
    const fromHigh = operand.compare(high);
    if (rising ? fromHigh >= 0 : fromHigh <= 0) return afterLast(count);
    const share = operand.subtract(low).multiply(Numeric.fromInt(count));
    return Number(share.divideTruncated(high.subtract(low)).unscaled) + 1;
  },
);
