import { StreamError } from './error.ts';
import { toExponentialEven } from './float-text.ts';

/** Limits of PostgreSQL's numeric.c, in decimal digits. */
const DISPLAY_SCALE_MAX = 1000;
const SCALE_MAX = 16383;
const INTEGER_DIGITS_MAX = 131072;
/** Significant digits that PostgreSQL aims at where a result is not exact. */
export const SIGNIFICANT_DIGITS_MIN = 16;

/** Far below the limit of the format, which is 10^131072. */
const SMALL_ENOUGH = 1n << 4096n;

const powersOfTen: bigint[] = [1n];

/** 10^exponent, kept for reuse while small. */
export function powerOfTen(exponent: number): bigint {
  if (exponent > 512) return 10n ** BigInt(exponent);
  for (let next = powersOfTen.length; next <= exponent; next++) {
    powersOfTen.push(10n * (powersOfTen[next - 1] as bigint));
  }
  return powersOfTen[exponent] as bigint;
}

/** numerator / denominator, rounded half away from zero as numeric.c rounds; denominator > 0. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest >= 0n) return rest * 2n >= denominator ? quotient + 1n : quotient;
  return -rest * 2n >= denominator ? quotient - 1n : quotient;
}

/** How many decimal digits a magnitude has; 0 for zero. */
export function digitCount(magnitude: bigint): number {
  if (magnitude === 0n) return 0;
  return (magnitude < 0n ? -magnitude : magnitude).toString().length;
}

function overflow(): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', 'value overflows numeric format');
}

const numericPattern = /^([+-]?)(?:(\d[\d_]*)?(?:\.(\d[\d_]*)?)?)(?:[eE]([+-]?\d[\d_]*))?$/;
const radixPattern = /^([+-]?)0([xXoObB])(_?[0-9a-fA-F](?:_?[0-9a-fA-F])*)$/;

/**
 * A PostgreSQL numeric. A finite value is `unscaled / 10^scale`; `scale` is the display scale
 * (0..16383) and part of the value's text, not of its identity: 1.0 and 1.00 are equal.
 * `unscaled` is 0n for the three special values. Result scales follow numeric.c.
 */
export class Numeric {
  readonly special: 'finite' | 'NaN' | 'Infinity' | '-Infinity';
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(
    unscaled: bigint,
    scale: number,
    special: 'finite' | 'NaN' | 'Infinity' | '-Infinity' = 'finite',
  ) {
    this.special = special;
    this.unscaled = unscaled;
    this.scale = scale;
  }

  static readonly NaN = new Numeric(0n, 0, 'NaN');
  static readonly infinity = new Numeric(0n, 0, 'Infinity');
  static readonly negativeInfinity = new Numeric(0n, 0, '-Infinity');
  static readonly zero = new Numeric(0n, 0);
  static readonly one = new Numeric(1n, 0);

  static fromInt(value: number | bigint): Numeric {
    return new Numeric(BigInt(value), 0);
  }

  /** As the cast from double precision: 15 significant digits, shorter where they end in zeros. */
  static fromDouble(value: number): Numeric {
    return fromBinary(value, 15);
  }

  /** As the cast from real: 6 significant digits. */
  static fromReal(value: number): Numeric {
    return fromBinary(value, 6);
  }

  /** Reads what numeric_in reads, or gives undefined where that refuses the text. */
  static tryParse(text: string): Numeric | undefined {
    const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
    const match = numericPattern.exec(trimmed);
    if (match === null || (match[2] === undefined && match[3] === undefined)) {
      return parseUnusual(trimmed);
    }
    const parts = [match[2] ?? '', match[3] ?? '', match[4] ?? ''] as const;
    if (parts.some((part) => /_(_|$)/.test(part))) return undefined;
    return fromParts(match[1] === '-', ...parts);
  }

  /** @throws StreamError VALUE_INVALID_TEXT, VALUE_OUT_OF_RANGE as numeric_in does. */
  static parse(text: string): Numeric {
    const value = Numeric.tryParse(text);
    if (value === undefined) {
      throw new StreamError(
        'VALUE_INVALID_TEXT',
        `invalid input syntax for type numeric: "${text}"`,
      );
    }
    return value;
  }

  /** Checks the limits of the format and cuts a scale that it cannot hold. */
  static checked(unscaled: bigint, scale: number): Numeric {
    if (scale > SCALE_MAX) {
      return new Numeric(divideRounded(unscaled, powerOfTen(scale - SCALE_MAX)), SCALE_MAX);
    }
    // The cheap bound keeps digit counting off the common path.
    if (unscaled > SMALL_ENOUGH || unscaled < -SMALL_ENOUGH) {
      if (digitCount(unscaled) - scale > INTEGER_DIGITS_MAX) throw overflow();
    }
    return new Numeric(unscaled, scale);
  }

  get isFinite(): boolean {
    return this.special === 'finite';
  }

  get isNaN(): boolean {
    return this.special === 'NaN';
  }

  /** -1, 0 or 1; NaN has no sign and answers 0. */
  get sign(): -1 | 0 | 1 {
    if (this.special === 'Infinity') return 1;
    if (this.special === '-Infinity') return -1;
    if (this.unscaled > 0n) return 1;
    return this.unscaled < 0n ? -1 : 0;
  }

  toString(): string {
    if (this.special !== 'finite') return this.special;
    const digits = this.unscaled.toString();
    if (this.scale === 0) return digits;
    const negative = this.unscaled < 0n;
    const magnitude = (negative ? digits.slice(1) : digits).padStart(this.scale + 1, '0');
    const point = magnitude.length - this.scale;
    return `${negative ? '-' : ''}${magnitude.slice(0, point)}.${magnitude.slice(point)}`;
  }

  /** The nearest double; the cast to double precision checks for overflow itself. */
  toNumber(): number {
    if (this.special !== 'finite') return Number(this.special);
    if (this.scale === 0) return Number(this.unscaled);
    return Number(this.toString());
  }

  /** The integral part after rounding half away from zero; only for finite values. */
  toBigInt(): bigint {
    if (this.scale === 0) return this.unscaled;
    return divideRounded(this.unscaled, powerOfTen(this.scale));
  }

  negate(): Numeric {
    if (this.special === 'finite') return new Numeric(-this.unscaled, this.scale);
    if (this.special === 'NaN') return this;
    return this.special === 'Infinity' ? Numeric.negativeInfinity : Numeric.infinity;
  }

  abs(): Numeric {
    return this.sign < 0 ? this.negate() : this;
  }

  add(other: Numeric): Numeric {
    if (this.special !== 'finite' || other.special !== 'finite') return addSpecial(this, other);
    if (this.scale === other.scale) {
      return Numeric.checked(this.unscaled + other.unscaled, this.scale);
    }
    const scale = Math.max(this.scale, other.scale);
    return Numeric.checked(this.unscaledAt(scale) + other.unscaledAt(scale), scale);
  }

  subtract(other: Numeric): Numeric {
    return this.add(other.negate());
  }

  multiply(other: Numeric): Numeric {
    if (this.special === 'finite' && other.special === 'finite') {
      return Numeric.checked(this.unscaled * other.unscaled, this.scale + other.scale);
    }
    if (this.isNaN || other.isNaN) return Numeric.NaN;
    const sign = this.sign * other.sign;
    if (sign === 0) return Numeric.NaN;
    return sign > 0 ? Numeric.infinity : Numeric.negativeInfinity;
  }

  /** @throws StreamError VALUE_DIVISION_BY_ZERO. */
  divide(other: Numeric): Numeric {
    if (this.special !== 'finite' || other.special !== 'finite') return divideSpecial(this, other);
    if (other.unscaled === 0n) throw divisionByZero();
    return this.divideAt(other, divisionScale(this, other));
  }

  /** The quotient of finite values rounded to `scale` digits. */
  divideAt(other: Numeric, scale: number): Numeric {
    const shift = scale - this.scale + other.scale;
    let numerator = this.unscaled;
    let denominator = other.unscaled;
    if (shift >= 0) numerator *= powerOfTen(shift);
    else denominator *= powerOfTen(-shift);
    if (denominator < 0n) {
      numerator = -numerator;
      denominator = -denominator;
    }
    return Numeric.checked(divideRounded(numerator, denominator), scale);
  }

  /** The quotient truncated toward zero, as div(). */
  divideTruncated(other: Numeric): Numeric {
    if (this.special !== 'finite' || other.special !== 'finite') return divideSpecial(this, other);
    if (other.unscaled === 0n) throw divisionByZero();
    const scale = Math.max(this.scale, other.scale);
    return Numeric.checked(this.unscaledAt(scale) / other.unscaledAt(scale), 0);
  }

  /** The rest with the sign of the dividend, as mod() and %. */
  remainder(other: Numeric): Numeric {
    if (this.special === 'finite' && other.special === 'finite') {
      if (other.unscaled === 0n) throw divisionByZero();
      const scale = Math.max(this.scale, other.scale);
      return new Numeric(this.unscaledAt(scale) % other.unscaledAt(scale), scale);
    }
    if (this.isNaN || other.isNaN) return Numeric.NaN;
    if (this.special === 'finite') return this;
    if (other.sign === 0) throw divisionByZero();
    return Numeric.NaN;
  }

  /** Rounds half away from zero; `digits` may be negative. The display scale becomes max(digits, 0). */
  round(digits: number): Numeric {
    if (this.special !== 'finite') return this;
    const wanted = clampScale(digits);
    if (wanted >= this.scale) return new Numeric(this.unscaledAt(wanted), wanted);
    const rounded = divideRounded(this.unscaled, powerOfTen(this.scale - wanted));
    if (wanted >= 0) return Numeric.checked(rounded, wanted);
    return Numeric.checked(rounded * powerOfTen(-wanted), 0);
  }

  /** Cuts toward zero, with the display scale of round(). */
  truncate(digits: number): Numeric {
    if (this.special !== 'finite') return this;
    const wanted = clampScale(digits);
    if (wanted >= this.scale) return new Numeric(this.unscaledAt(wanted), wanted);
    const cut = this.unscaled / powerOfTen(this.scale - wanted);
    return wanted >= 0 ? new Numeric(cut, wanted) : new Numeric(cut * powerOfTen(-wanted), 0);
  }

  ceil(): Numeric {
    if (this.special !== 'finite') return this;
    const cut = this.truncate(0);
    const exact = cut.unscaledAt(this.scale) === this.unscaled;
    return exact || this.unscaled < 0n ? cut : new Numeric(cut.unscaled + 1n, 0);
  }

  floor(): Numeric {
    return this.negate().ceil().negate();
  }

  /** Order of numeric_cmp: -Infinity < numbers < Infinity < NaN, and NaN equals NaN. */
  compare(other: Numeric): -1 | 0 | 1 {
    if (this.special !== 'finite' || other.special !== 'finite') {
      const left = specialRank(this);
      const right = specialRank(other);
      if (left === right) return 0;
      return left < right ? -1 : 1;
    }
    let left = this.unscaled;
    let right = other.unscaled;
    if (this.scale < other.scale) left = this.unscaledAt(other.scale);
    else if (other.scale < this.scale) right = other.unscaledAt(this.scale);
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }

  equals(other: Numeric): boolean {
    return this.compare(other) === 0;
  }

  /** `unscaled` written at a scale not below the own one. */
  unscaledAt(scale: number): bigint {
    return scale === this.scale ? this.unscaled : this.unscaled * powerOfTen(scale - this.scale);
  }

  /** The same value without zeros at the end of its fraction, as trim_scale(). */
  trimScale(): Numeric {
    if (this.special !== 'finite' || this.scale === 0) return this;
    if (this.unscaled === 0n) return Numeric.zero;
    const digits = this.unscaled.toString();
    let zeros = 0;
    while (zeros < this.scale && digits.charCodeAt(digits.length - 1 - zeros) === 48) zeros++;
    if (zeros === 0) return this;
    return new Numeric(this.unscaled / powerOfTen(zeros), this.scale - zeros);
  }

  /** Equal for equal values, whatever their scale. */
  hashKey(): string {
    return this.scale === 0 ? this.toString() : this.trimScale().toString();
  }

  /**
   * Converts to numeric(precision, scale).
   * @throws StreamError VALUE_OUT_OF_RANGE when the rounded value needs more integral digits.
   */
  coerce(precision: number, scale: number): Numeric {
    if (this.special === 'NaN') return this;
    if (this.special === 'finite') {
      const rounded = this.round(scale);
      const limit = powerOfTen(Math.max(precision - scale, 0));
      const bound = scale > precision ? powerOfTen(precision) : limit * powerOfTen(rounded.scale);
      const magnitude = rounded.unscaled < 0n ? -rounded.unscaled : rounded.unscaled;
      if (magnitude < bound) return rounded;
    }
    const size = precision - scale;
    const bound = size === 0 ? '1' : `10^${size}`;
    const detail =
      this.special === 'finite'
        ? `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${bound}.`
        : `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`;
    throw new StreamError('VALUE_OUT_OF_RANGE', 'numeric field overflow', { detail });
  }
}

export function divisionByZero(): StreamError {
  return new StreamError('VALUE_DIVISION_BY_ZERO', 'division by zero');
}

function clampScale(digits: number): number {
  return Math.min(Math.max(digits, -INTEGER_DIGITS_MAX), SCALE_MAX);
}

function specialRank(value: Numeric): number {
  if (value.special === 'finite') return 1;
  if (value.special === '-Infinity') return 0;
  return value.special === 'Infinity' ? 2 : 3;
}

function addSpecial(left: Numeric, right: Numeric): Numeric {
  if (left.isNaN || right.isNaN) return Numeric.NaN;
  if (left.isFinite) return right;
  if (right.isFinite) return left;
  return left.special === right.special ? left : Numeric.NaN;
}

function divideSpecial(left: Numeric, right: Numeric): Numeric {
  if (left.isNaN || right.isNaN) return Numeric.NaN;
  if (left.isFinite) return Numeric.zero;
  if (!right.isFinite) return Numeric.NaN;
  if (right.sign === 0) throw divisionByZero();
  return left.sign * right.sign > 0 ? Numeric.infinity : Numeric.negativeInfinity;
}

/** The first base-10000 digit of a value and its weight, in which numeric.c estimates sizes. */
export function leadingDigit(value: Numeric): { readonly weight: number; readonly digit: number } {
  if (value.unscaled === 0n) return { weight: 0, digit: 0 };
  const text = (value.unscaled < 0n ? -value.unscaled : value.unscaled).toString();
  const exponent = text.length - value.scale - 1;
  const weight = Math.floor(exponent / 4);
  const length = exponent - weight * 4 + 1;
  return { weight, digit: Number(text.slice(0, length).padEnd(length, '0')) };
}

/** select_div_scale of numeric.c. */
function divisionScale(left: Numeric, right: Numeric): number {
  const dividend = leadingDigit(left);
  const divisor = leadingDigit(right);
  let weight = dividend.weight - divisor.weight;
  if (dividend.digit <= divisor.digit) weight--;
  return boundScale(Math.max(SIGNIFICANT_DIGITS_MIN - weight * 4, left.scale, right.scale));
}

/** The scale limits of results that are not exact. */
export function boundScale(scale: number): number {
  return Math.min(Math.max(scale, 0), DISPLAY_SCALE_MAX);
}

function fromBinary(value: number, significantDigits: number): Numeric {
  if (Number.isNaN(value)) return Numeric.NaN;
  if (value === Number.POSITIVE_INFINITY) return Numeric.infinity;
  if (value === Number.NEGATIVE_INFINITY) return Numeric.negativeInfinity;
  if (Number.isInteger(value) && Math.abs(value) < 10 ** significantDigits) {
    return new Numeric(BigInt(value), 0);
  }
  const [mantissa = '0', exponent = '0'] = toExponentialEven(value, significantDigits - 1).split(
    'e',
  );
  const negative = mantissa.startsWith('-');
  const digits = mantissa.replace(/^-/, '').replace('.', '').replace(/0+$/, '');
  return fromParts(negative, digits.slice(0, 1) || '0', digits.slice(1), exponent);
}

function fromParts(negative: boolean, whole: string, fraction: string, exponent: string): Numeric {
  const integral = whole.replaceAll('_', '');
  const decimals = fraction.replaceAll('_', '');
  const power = Number(exponent.replaceAll('_', ''));
  if (Math.abs(power) > 1_073_741_823) throw overflow();
  const digits = BigInt(integral + decimals);
  const unscaled = negative ? -digits : digits;
  const scale = decimals.length - power;
  if (scale > SCALE_MAX) throw overflow();
  if (digits === 0n) return new Numeric(0n, Math.max(scale, 0));
  if (digitCount(digits) - scale > INTEGER_DIGITS_MAX) throw overflow();
  return scale >= 0 ? new Numeric(unscaled, scale) : new Numeric(unscaled * powerOfTen(-scale), 0);
}

function parseUnusual(text: string): Numeric | undefined {
  const match = radixPattern.exec(text);
  if (match === null) {
    const word = text.toLowerCase();
    if (word === 'nan') return Numeric.NaN;
    if (/^\+?inf(inity)?$/.test(word)) return Numeric.infinity;
    return /^-inf(inity)?$/.test(word) ? Numeric.negativeInfinity : undefined;
  }
  const radix = (match[2] ?? 'x').toLowerCase();
  const digits = (match[3] ?? '').replaceAll('_', '');
  if (radix === 'o' && !/^[0-7]+$/.test(digits)) return undefined;
  if (radix === 'b' && !/^[01]+$/.test(digits)) return undefined;
  const magnitude = BigInt(`0${radix}${digits}`);
  return Numeric.checked(match[1] === '-' ? -magnitude : magnitude, 0);
}
