/**
 * Roots, logarithms and powers of numerics, with the result scales of PostgreSQL's numeric.c.
 * Values are computed as decimal fixed-point integers with guard digits and rounded once.
 */
import { StreamError } from './error.ts';
import {
  boundScale,
  digitCount,
  divideRounded,
  divisionByZero,
  leadingDigit,
  Numeric,
  powerOfTen,
  SIGNIFICANT_DIGITS_MIN,
} from './numeric.ts';

const GUARD_DIGITS = 12;
/** NUMERIC_MAX_RESULT_SCALE: decimal exponents beyond three times this are overflow or zero. */
const RESULT_SCALE_MAX = 2000;
const LOG10_E = Math.LOG10E;

function overflow(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'value overflows numeric format');
}

function integerSquareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** @throws StreamError VALUE_INVALID_POWER for negative values. */
export function squareRoot(value: Numeric): Numeric {
  if (value.isNaN) return value;
  if (value.sign < 0) {
    throw new StreamError('VALUE_INVALID_POWER', 'cannot take square root of a negative number');
  }
  if (!value.isFinite) return value;
  const digitsBeforePoint = Math.trunc((leadingDigit(value).weight * 4) / 2) + 1;
  const scale = boundScale(Math.max(SIGNIFICANT_DIGITS_MIN - digitsBeforePoint, value.scale));
  return squareRootAt(value, scale);
}

/** The square root of a finite, non-negative value rounded to `scale` digits. */
export function squareRootAt(value: Numeric, scale: number): Numeric {
  const shift = 2 * (scale + 1) - value.scale;
  const scaled =
    shift >= 0 ? value.unscaled * powerOfTen(shift) : value.unscaled / powerOfTen(-shift);
  return new Numeric(divideRounded(integerSquareRoot(scaled), 10n), scale);
}

/** ln of a positive fixed-point value with `digits` decimals, in the same form. */
function fixedLn(value: bigint, digits: number): bigint {
  const one = powerOfTen(digits);
  let scaled = value;
  let twos = 0n;
  const excess = BigInt(value.toString(2).length - one.toString(2).length);
  if (excess > 0n) scaled >>= excess;
  if (excess < 0n) scaled <<= -excess;
  twos += excess;
  if (scaled * 10n > one * 14n) {
    scaled /= 2n;
    twos += 1n;
  }
  const fraction = 2n * inverseTanh(((scaled - one) * one) / (scaled + one), one);
  return twos === 0n ? fraction : fraction + twos * lnTwo(digits);
}

/** atanh(z) = z + z^3/3 + z^5/5 + …, for |z| well below 1. */
function inverseTanh(z: bigint, one: bigint): bigint {
  const square = (z * z) / one;
  let term = z;
  let sum = z;
  for (let n = 3n; term !== 0n; n += 2n) {
    term = (term * square) / one;
    sum += term / n;
  }
  return sum;
}

const lnTwoByDigits = new Map<number, bigint>();
const LN_TWO_CACHE_MAX = 64;

function lnTwo(digits: number): bigint {
  let value = lnTwoByDigits.get(digits);
  if (value === undefined) {
    const one = powerOfTen(digits);
    value = 2n * inverseTanh(one / 3n, one);
    if (lnTwoByDigits.size >= LN_TWO_CACHE_MAX) lnTwoByDigits.clear();
    lnTwoByDigits.set(digits, value);
  }
  return value;
}

/** exp of a fixed-point value with `digits` decimals, in the same form. */
function fixedExp(value: bigint, digits: number): bigint {
  const one = powerOfTen(digits);
  const two = lnTwo(digits);
  const twos = value / two;
  const halvings = 8n;
  const rest = (value - twos * two) >> halvings;
  let term = one;
  let sum = one;
  for (let n = 1n; term !== 0n; n++) {
    term = (term * rest) / (one * n);
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) / one;
  return twos >= 0n ? sum << twos : sum >> -twos;
}

/** The value with exactly `digits` decimals, cut where it has more. */
function toFixed(value: Numeric, digits: number): bigint {
  return digits >= value.scale
    ? value.unscaled * powerOfTen(digits - value.scale)
    : value.unscaled / powerOfTen(value.scale - digits);
}

/** estimate_ln_dweight of numeric.c: the decimal exponent of ln(value). */
function lnWeight(value: Numeric): number {
  if (value.sign <= 0) return 0;
  if (value.compare(pointNine) >= 0 && value.compare(onePointOne) <= 0) {
    const distance = value.subtract(Numeric.one);
    return distance.unscaled === 0n ? 0 : digitCount(distance.unscaled) - distance.scale - 1;
  }
  const { digits, exponent } = leadingDigits(value, 2);
  return Math.trunc(Math.log10(Math.abs(Math.log(digits) + exponent * Math.LN10)));
}

const pointNine = new Numeric(9n, 1);
const onePointOne = new Numeric(11n, 1);

/** value ~ digits * 10^exponent, from up to `groups` base-10000 digits. */
function leadingDigits(value: Numeric, groups: number): { digits: number; exponent: number } {
  const first = leadingDigit(value);
  const text = (value.unscaled < 0n ? -value.unscaled : value.unscaled).toString();
  const head = String(first.digit).length;
  const groupsPresent = Math.ceil(Math.max(text.replace(/0+$/, '').length - head, 0) / 4);
  const rest = Math.min(groupsPresent, groups - 1) * 4;
  return {
    digits: Number(text.slice(0, head + rest).padEnd(head + rest, '0')),
    exponent: first.weight * 4 - rest,
  };
}

function naturalLogAt(value: Numeric, scale: number): Numeric {
  // Below one the fixed-point form needs the value's own decimals to keep its relative precision.
  const digits =
    Math.max(scale, 0) +
    GUARD_DIGITS +
    Math.max(0, value.scale - digitCount(value.unscaled) + 1) +
    4;
  const exact = fixedLn(
    toFixed(value, Math.max(digits, value.scale)),
    Math.max(digits, value.scale),
  );
  return new Numeric(exact, Math.max(digits, value.scale)).round(scale);
}

function logarithmDomain(sign: number): StreamError {
  return new StreamError(
    'VALUE_INVALID_LOGARITHM',
    sign === 0 ? 'cannot take logarithm of zero' : 'cannot take logarithm of a negative number',
  );
}

/** ln(value). @throws StreamError VALUE_INVALID_LOGARITHM. */
export function naturalLog(value: Numeric): Numeric {
  if (value.isNaN) return value;
  if (value.sign <= 0) throw logarithmDomain(value.sign);
  if (!value.isFinite) return value;
  return naturalLogAt(
    value,
    boundScale(Math.max(SIGNIFICANT_DIGITS_MIN - lnWeight(value), value.scale)),
  );
}

/** log(base, value). @throws StreamError VALUE_INVALID_LOGARITHM, VALUE_DIVISION_BY_ZERO for base 1. */
export function logarithm(base: Numeric, value: Numeric): Numeric {
  if (base.isNaN || value.isNaN) return Numeric.NaN;
  if (base.sign < 0 || value.sign < 0) throw logarithmDomain(-1);
  if (base.sign === 0 || value.sign === 0) throw logarithmDomain(0);
  if (!base.isFinite) return value.isFinite ? Numeric.zero : Numeric.NaN;
  if (!value.isFinite) return Numeric.infinity;
  const baseWeight = lnWeight(base);
  const valueWeight = lnWeight(value);
  const resultWeight = valueWeight - baseWeight;
  const scale = boundScale(
    Math.max(SIGNIFICANT_DIGITS_MIN - resultWeight, base.scale, value.scale),
  );
  const lnBase = naturalLogAt(base, Math.max(scale + resultWeight - baseWeight + 8, 0));
  const lnValue = naturalLogAt(value, Math.max(scale + resultWeight - valueWeight + 8, 0));
  if (lnBase.sign === 0) throw divisionByZero();
  return lnValue.divideAt(lnBase, scale);
}

function exponentialAt(value: Numeric, scale: number): Numeric {
  const approximate = value.toNumber();
  if (Math.abs(approximate) >= RESULT_SCALE_MAX * 3) {
    if (approximate > 0) throw overflow();
    return new Numeric(0n, scale);
  }
  const weight = Math.max(0, Math.ceil(approximate * LOG10_E));
  const digits = Math.max(scale, value.scale) + weight + GUARD_DIGITS;
  return new Numeric(fixedExp(toFixed(value, digits), digits), digits).round(scale);
}

/** e^value. */
export function exponential(value: Numeric): Numeric {
  if (value.isNaN || value.special === 'Infinity') return value;
  if (value.special === '-Infinity') return Numeric.zero;
  const weight = clampWeight(value.toNumber() * LOG10_E);
  const scale = boundScale(Math.max(SIGNIFICANT_DIGITS_MIN - Math.trunc(weight), value.scale));
  return exponentialAt(value, scale);
}

function clampWeight(weight: number): number {
  return Math.min(Math.max(weight, -RESULT_SCALE_MAX), RESULT_SCALE_MAX);
}

/** base ^ exponent. @throws StreamError VALUE_INVALID_POWER, VALUE_DIVISION_BY_ZERO, VALUE_OUT_OF_RANGE. */
export function power(base: Numeric, exponent: Numeric): Numeric {
  if (!base.isFinite || !exponent.isFinite) return powerOfSpecial(base, exponent);
  if (base.sign === 0 && exponent.sign < 0) {
    throw new StreamError('VALUE_INVALID_POWER', 'zero raised to a negative power is undefined');
  }
  const whole = exponent.truncate(0);
  const integral = whole.equals(exponent);
  if (base.sign < 0 && !integral) {
    throw new StreamError(
      'VALUE_INVALID_POWER',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (integral && BigInt.asIntN(32, whole.unscaled) === whole.unscaled) {
    return integerPower(base, Number(whole.unscaled), exponent.scale);
  }
  if (base.sign === 0) return new Numeric(0n, SIGNIFICANT_DIGITS_MIN);
  const odd = integral && (whole.unscaled & 1n) === 1n;
  const result = realPower(base.abs(), exponent);
  return base.sign < 0 && odd ? result.negate() : result;
}

function realPower(base: Numeric, exponent: Numeric): Numeric {
  const weight = lnWeight(base);
  const roughScale = Math.max(8 - weight, 0);
  const rough = naturalLogAt(base, roughScale).multiply(exponent).round(roughScale).toNumber();
  if (Math.abs(rough) > RESULT_SCALE_MAX * 3.01) {
    if (rough > 0) throw overflow();
    return new Numeric(0n, 1000);
  }
  const resultWeight = Math.trunc(rough * LOG10_E);
  const scale = boundScale(
    Math.max(SIGNIFICANT_DIGITS_MIN - resultWeight, base.scale, exponent.scale),
  );
  const significant = Math.max(scale + resultWeight, 0);
  const lnScale = Math.max(significant - weight + 8, 0);
  const ln = naturalLogAt(base, lnScale).multiply(exponent).round(lnScale);
  return exponentialAt(ln, scale);
}

function powerOfSpecial(base: Numeric, exponent: Numeric): Numeric {
  if (base.isNaN) return exponent.isFinite && exponent.sign === 0 ? Numeric.one : base;
  if (exponent.isNaN) return base.isFinite && base.equals(Numeric.one) ? Numeric.one : exponent;
  if (base.equals(Numeric.one)) return Numeric.one;
  if (exponent.isFinite && exponent.sign === 0) return Numeric.one;
  if (base.isFinite && base.sign === 0) {
    if (exponent.sign > 0) return Numeric.zero;
    throw new StreamError('VALUE_INVALID_POWER', 'zero raised to a negative power is undefined');
  }
  if (!exponent.isFinite) {
    const size = base.isFinite ? base.abs().compare(Numeric.one) : 1;
    if (size === 0) return Numeric.one;
    return size > 0 === exponent.sign > 0 ? Numeric.infinity : Numeric.zero;
  }
  if (base.special === 'Infinity') return exponent.sign > 0 ? base : Numeric.zero;
  const whole = exponent.truncate(0);
  if (!whole.equals(exponent)) {
    throw new StreamError(
      'VALUE_INVALID_POWER',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (exponent.sign < 0) return Numeric.zero;
  return (whole.unscaled & 1n) === 1n ? base : Numeric.infinity;
}

/** power_var_int of numeric.c. */
function integerPower(base: Numeric, exponent: number, exponentScale: number): Numeric {
  let weight = 0;
  if (base.unscaled !== 0n) {
    const head = leadingDigits(base, 4);
    weight = exponent * (Math.log10(head.digits) + head.exponent);
  }
  if (weight > 32768 * 4) throw overflow();
  if (weight + 1 < -1000) return new Numeric(0n, 1000);
  const scale = boundScale(
    Math.max(SIGNIFICANT_DIGITS_MIN - Math.trunc(weight), base.scale, exponentScale),
  );
  if (exponent === 0) return new Numeric(powerOfTen(scale), scale);
  if (base.unscaled === 0n) {
    if (exponent < 0) throw divisionByZero();
    return new Numeric(0n, scale);
  }
  const significant = Math.max(scale + Math.ceil(weight), 0) + GUARD_DIGITS + 12;
  const raised = raise(base, Math.abs(exponent), significant);
  if (exponent > 0) return scaleTo(raised.mantissa, raised.exponent, scale);
  const digits = significant + digitCount(raised.mantissa);
  const quotient = powerOfTen(digits) / raised.mantissa;
  return scaleTo(quotient, -digits - raised.exponent, scale);
}

/** mantissa * 10^exponent, rounded to `scale` decimals. */
function scaleTo(mantissa: bigint, exponent: number, scale: number): Numeric {
  const shift = exponent + scale;
  const unscaled =
    shift >= 0 ? mantissa * powerOfTen(shift) : divideRounded(mantissa, powerOfTen(-shift));
  return Numeric.checked(unscaled, scale);
}

/** base^exponent by squaring, keeping `significant` digits of every intermediate product. */
function raise(
  base: Numeric,
  exponent: number,
  significant: number,
): { mantissa: bigint; exponent: number } {
  const trim = (mantissa: bigint, power: number): { mantissa: bigint; exponent: number } => {
    const excess = digitCount(mantissa) - significant;
    if (excess <= 0) return { mantissa, exponent: power };
    return { mantissa: mantissa / powerOfTen(excess), exponent: power + excess };
  };
  let result = { mantissa: 1n, exponent: 0 };
  let square = { mantissa: base.unscaled, exponent: -base.scale };
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      result = trim(result.mantissa * square.mantissa, result.exponent + square.exponent);
    }
    if (rest > 1) square = trim(square.mantissa * square.mantissa, square.exponent * 2);
  }
  return result;
}

/** value! @throws StreamError VALUE_OUT_OF_RANGE for negative and for huge arguments. */
export function factorial(value: bigint): Numeric {
  if (value < 0n) {
    throw new StreamError('VALUE_OUT_OF_RANGE', 'factorial of a negative number is undefined');
  }
  if (value > 32177n) throw overflow();
  let result = 1n;
  for (let factor = 2n; factor <= value; factor++) result *= factor;
  return Numeric.checked(result, 0);
}
