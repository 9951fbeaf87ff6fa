/** Text of real and double precision, as float4in/float8in read and float4out/float8out print it. */
import { StreamError } from './error.ts';

const floatPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const hexPattern = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?\d+))?$/;
const infinityPattern = /^[+-]?inf(inity)?$/i;

/** PostgreSQL's shortest text that reads back as the same double: 1e+20, Infinity, -0. */
export function doubleToText(value: number): string {
  if (Number.isInteger(value) && value < 1e15 && value > -1e15) {
    return value === 0 && 1 / value < 0 ? '-0' : String(value);
  }
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 9007199254740992) return scientific(openShortest(value));
  const shortest = String(value);
  // From 1e-4 (inclusive) to 1e15 both print plain decimals; JavaScript does so down to 1e-6.
  if (magnitude >= 1e-4 && magnitude < 1e15) return shortest;
  return scientific(value.toExponential());
}

/** The same for real, whose plain form ends at 1e6. */
export function realToText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return 1 / value < 0 ? '-0' : '0';
  const exponential = shortestReal(value);
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
  if (exponent < -4 || exponent >= 6) return scientific(exponential);
  return String(Number(exponential));
}

/** `1.5e+7` as C prints it: two digits of exponent at least. */
function scientific(exponential: string): string {
  return exponential.replace(/e([+-])(\d)$/, 'e$10$2');
}

/**
 * Like toExponential(), but PostgreSQL's printer (Ryu) refuses a text that lies exactly between
 * two doubles, even where reading it back would round to the right one: 1e23 prints as 9.99…e+22.
 * Such texts exist only from 2^53 on.
 */
function openShortest(value: number): string {
  const shortest = value.toExponential();
  if (!isMidpoint(shortest, value)) return shortest;
  for (let digits = 0; digits < 17; digits++) {
    const text = value.toExponential(digits);
    if (Number(text) === value && !isMidpoint(text, value)) return text.replace(/\.?0+e/, 'e');
  }
  return shortest;
}

function isMidpoint(exponential: string, value: number): boolean {
  const decimal = BigInt(Math.abs(Number(exponential))) === 0n ? 0n : exactInteger(exponential);
  const exact = BigInt(Math.abs(value));
  if (decimal === exact) return false;
  const ulp = 1n << BigInt(exact.toString(2).length - 53);
  const distance = decimal > exact ? decimal - exact : exact - decimal;
  // Below a power of two the neighbour is only half as far away.
  const powerOfTwo = (exact & (exact - 1n)) === 0n;
  return distance * 2n === ulp || (powerOfTwo && distance * 4n === ulp && decimal < exact);
}

function exactInteger(exponential: string): bigint {
  const [mantissa = '0', exponent = '0'] = exponential.replace('-', '').split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  return power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
}

/** As many digits as toExponential can give; more than any tie needs. */
const DIGITS_MAX = 100;

/**
 * toExponential that rounds a value exactly between two texts to the even digit, as C's printf and
 * Ryu do, where JavaScript takes the larger one.
 */
export function toExponentialEven(value: number, digits: number): string {
  const text = value.toExponential(digits);
  const [mantissa = '', exponent = ''] = text.split('e');
  const last = Number(mantissa.at(-1));
  if (last % 2 === 0) return text;
  const exact = value.toExponential(DIGITS_MAX).split('e')[0] ?? '';
  const rest = exact.slice((exact.startsWith('-') ? 3 : 2) + digits);
  if (!/^50*$/.test(rest)) return text;
  // The exact digits end in 5, so the text was rounded up, and cutting them gives the even digit.
  const cut = exact.slice(0, exact.length - rest.length);
  return `${cut.endsWith('.') ? cut.slice(0, -1) : cut}e${exponent}`;
}

const realBits = new DataView(new ArrayBuffer(4));

function shortestReal(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = toExponentialEven(value, digits);
    const read = Number(text);
    if (Math.fround(read) === value && !isRealMidpoint(read, value)) {
      return digits > 0 ? text.replace(/\.?0+e/, 'e') : text;
    }
  }
  return value.toExponential(8);
}

function isRealMidpoint(read: number, value: number): boolean {
  if (read === value) return false;
  realBits.setFloat32(0, value);
  const bits = realBits.getInt32(0);
  realBits.setInt32(0, Math.abs(read) > Math.abs(value) ? bits + 1 : bits - 1);
  return Math.abs(read - value) === Math.abs(realBits.getFloat32(0) - read);
}

function invalid(text: string, typeName: string): StreamError {
  return new StreamError(
    'VALUE_INVALID_TEXT',
    `invalid input syntax for type ${typeName}: "${text}"`,
  );
}

function readFloat(text: string, typeName: string): { value: number; special: boolean } {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (floatPattern.test(trimmed)) return { value: Number(trimmed), special: false };
  if (/^[+-]?nan$/i.test(trimmed)) return { value: Number.NaN, special: true };
  if (infinityPattern.test(trimmed)) {
    const value = trimmed.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return { value, special: true };
  }
  const hex = hexPattern.exec(trimmed);
  if (hex === null || (hex[2] === '' && hex[3] === '')) throw invalid(text, typeName);
  const digits = Number.parseInt(`${hex[2]}${hex[3]}`, 16);
  const value = digits * 2 ** (Number(hex[4] ?? 0) - 4 * (hex[3] ?? '').length);
  return { value: hex[1] === '-' ? -value : value, special: false };
}

function checkRange(text: string, value: number, typeName: string): void {
  const underflow = value === 0 && /[1-9]/.test(text.replace(/[eE].*$/, ''));
  if (Number.isFinite(value) && !underflow) return;
  throw new StreamError(
    'VALUE_OUT_OF_RANGE',
    `"${text.trim()}" is out of range for type ${typeName}`,
  );
}

/** @throws StreamError VALUE_INVALID_TEXT, VALUE_OUT_OF_RANGE. */
export function doubleFromText(text: string): number {
  const { value, special } = readFloat(text, 'double precision');
  if (!special) checkRange(text, value, 'double precision');
  return value;
}

/** @throws StreamError VALUE_INVALID_TEXT, VALUE_OUT_OF_RANGE. */
export function realFromText(text: string): number {
  const { value, special } = readFloat(text, 'real');
  const rounded = Math.fround(value);
  if (!special) checkRange(text, rounded, 'real');
  return rounded;
}
