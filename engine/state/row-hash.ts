/**
 * Hashes of whole keys, generated per list of physical forms. Equal keys have equal hashes in both senses of
 * equality that state knows (row-match.ts): numerics hash independently of their scale, -0 as 0, every NaN alike,
 * NULL like NULL, strings by their UTF-8 bytes, 64-bit integers by their 32-bit words.
 */

import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import {
  type BatchColumn,
  type NumericColumn,
  type Physical,
  WIDE_SCALE,
} from '../delta/column.ts';
import { objectKey } from './object-key.ts';
import { wordsOf } from './segments.ts';

/** Writes the hash of row r of the columns to out[r], for r < length. */
export type HashRows = (columns: readonly BatchColumn[], length: number, out: Int32Array) => void;

const compiled = new Map<string, HashRows>();

export function compileHash(physicals: readonly Physical[]): HashRows {
  const signature = physicals.join(' ');
  const known = compiled.get(signature);
  if (known !== undefined) return known;
  const prelude: string[] = [];
  const steps: string[] = [];
  physicals.forEach((physical, i) => {
    prelude.push(`const c${i} = columns[${i}], n${i} = c${i}.nulls;`, preludeOf(physical, i));
    steps.push(
      `if (n${i} !== null && n${i}[r] === 1) { h = Math.imul(h ^ 0x2c1b3c6d, 0x297a2d39); } else { ${stepOf(physical, i)} }`,
      'h ^= h >>> 15;',
    );
  });
  const body = `return function hashRows(columns, length, out) {
    ${prelude.join('\n')}
    for (let r = 0; r < length; r++) {
      let h = ${physicals.length};
      ${steps.join('\n')}
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      out[r] = h ^ (h >>> 16);
    }
  };`;
  const names = Object.keys(helpers);
  const hash = new Function(...names, body)(...Object.values(helpers)) as HashRows;
  compiled.set(signature, hash);
  return hash;
}

function preludeOf(physical: Physical, i: number): string {
  switch (physical) {
    case 'bool':
    case 'i32':
    case 'f64':
    case 'obj':
      return `const v${i} = c${i}.values;`;
    case 'i64':
      return `const w${i} = wordsOf(c${i}.values);`;
    case 'num':
      return `const w${i} = wordsOf(c${i}.values);`;
    case 'str':
      return `const b${i} = c${i}.bytes, s${i} = c${i}.starts, l${i} = c${i}.lengths;`;
    default:
      return assertNever(physical);
  }
}

function stepOf(physical: Physical, i: number): string {
  const mix = (word: string): string => `h = Math.imul(h ^ ${word}, 0x85ebca6b);`;
  switch (physical) {
    case 'bool':
    case 'i32':
      return mix(`v${i}[r]`);
    case 'i64':
      return `${mix(`w${i}[2 * r]`)} h ^= h >>> 13; ${mix(`w${i}[2 * r + 1]`)}`;
    case 'f64':
      return mix(`hashDouble(v${i}[r])`);
    case 'num':
      return mix(`hashNumeric(c${i}, w${i}, r)`);
    case 'str':
      return `h = hashBytes(h, b${i}, s${i}[r], l${i}[r]);`;
    case 'obj':
      return mix(`hashObject(v${i}[r])`);
    default:
      return assertNever(physical);
  }
}

const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);

function hashDouble(value: number): number {
  if (Number.isNaN(value)) return 0x7ff80000;
  // -0 + 0 is 0.
  double[0] = value + 0;
  return Math.imul(doubleWords[0] as number, 0x9e3779b1) ^ (doubleWords[1] as number);
}

function hashBytes(seed: number, bytes: Buffer, start: number, length: number): number {
  let h = seed ^ length;
  const end = start + length;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    h = Math.imul(h ^ word, 0x85ebca6b);
    h ^= h >>> 15;
  }
  for (; i < end; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  return h;
}

function hashText(text: string): number {
  let h = text.length;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * value / 10^scale as the nearest double wherever both are exact doubles: the division rounds the same rational
 * number, so 1.0 and 1.00 agree. Other values take the text without trailing zeros; which of both ways a value
 * goes is decided after trimming, so it does not depend on the scale either.
 */
function hashNumeric(column: NumericColumn, words: Int32Array, row: number): number {
  const scale = column.scales[row] as number;
  const high = words[2 * row + 1] as number;
  if (scale >= 0 && scale <= 22 && high < 0x200000 && high >= -0x200000) {
    const unscaled = high * 4294967296 + ((words[2 * row] as number) >>> 0);
    return hashDouble(unscaled / (POWERS[scale] as number));
  }
  const value =
    scale === WIDE_SCALE
      ? (column.wide?.[row] as Numeric)
      : new Numeric(column.values[row] as bigint, scale);
  const trimmed = value.trimScale();
  const { unscaled } = trimmed;
  if (
    trimmed.isFinite &&
    trimmed.scale <= 22 &&
    unscaled < 9007199254740992n &&
    unscaled >= -9007199254740992n
  ) {
    return hashDouble(Number(unscaled) / (POWERS[trimmed.scale] as number));
  }
  return hashText(trimmed.toString());
}

function hashObject(value: Datum): number {
  return hashText(objectKey(value));
}

const helpers = { wordsOf, hashDouble, hashNumeric, hashBytes, hashObject };
