/**
 * Finding rows of state that equal rows of a batch, generated per list of physical forms. Two senses of "equal":
 * - 'sql': as GROUP BY and `=` see it: 1.0 equals 1.00, -0 equals 0, NaN equals NaN, and NULL equals NULL;
 * - 'exact': the same in every digit that is printed, for finding the row that a deletion takes back.
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
import type { HashIndex } from './hash-index.ts';
import { exactObjectKey, objectKey } from './object-key.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, wordsOf } from './segments.ts';
import type { StoredColumn } from './stored-column.ts';
import type { StoredNumerics } from './stored-numerics.ts';
import { ARENA_CHUNK_SHIFT } from './string-arena.ts';

export type Equality = 'sql' | 'exact';

/**
 * Writes to out[r] the row of `stored` that equals batch row r, else what `missing(r, hash)` answers
 * (a row that was just created and indexed, or NONE). `missing` undefined = NONE.
 */
export type MatchRows = (
  columns: readonly BatchColumn[],
  length: number,
  hashes: Int32Array,
  stored: readonly StoredColumn[],
  index: HashIndex,
  out: Int32Array,
  missing: ((row: number, hash: number) => number) | undefined,
) => void;

const compiled = new Map<string, MatchRows>();

export function compileMatch(physicals: readonly Physical[], equality: Equality): MatchRows {
  const signature = `${equality} ${physicals.join(' ')}`;
  const known = compiled.get(signature);
  if (known !== undefined) return known;
  const prelude: string[] = [];
  const tests: string[] = [];
  physicals.forEach((physical, i) => {
    prelude.push(
      `const c${i} = columns[${i}], n${i} = c${i}.nulls, d${i} = stored[${i}];`,
      preludeOf(physical, i),
    );
    tests.push(
      `const z${i} = d${i}.nulls !== null && d${i}.nulls.arrays[g][o] === 1;`,
      `if (n${i} !== null && n${i}[r] === 1) { if (!z${i}) break same; }`,
      `else if (z${i} || !(${testOf(physical, i, equality)})) break same;`,
    );
  });
  const same = (then: string): string => `same: {
    const g = s >>> ${SEGMENT_SHIFT}, o = s & ${SEGMENT_MASK};
    ${tests.join('\n')}
    ${then}
  }`;
  // First every row's home slot is read, then the keys found there are compared: loads that do not wait for one
  // another overlap, which halves the time on state larger than the caches.
  const body = `return function matchRows(columns, length, hashes, stored, index, out, missing) {
    ${prelude.join('\n')}
    for (let r = 0; r < length; r++) {
      const hash = hashes[r];
      const table = index.directory[(hash >>> 1) >>> index.shift];
      const slots = table.slots, i = 2 * (hash & table.mask);
      out[r] = slots[i] === hash ? slots[i + 1] - 1 : -1;
    }
    for (let r = 0; r < length; r++) {
      const home = out[r];
      if (home !== -1) { const s = home; ${same('continue')} }
      const hash = hashes[r];
      const table = index.directory[(hash >>> 1) >>> index.shift];
      const slots = table.slots, mask = table.mask;
      let found = -1;
      for (let i = hash & mask; ; i = (i + 1) & mask) {
        const entry = slots[2 * i + 1];
        if (entry === 0) break;
        if (slots[2 * i] !== hash) continue;
        const s = entry - 1;
        ${same('{ found = s; break; }')}
      }
      if (found === -1 && missing !== undefined) found = missing(r, hash);
      out[r] = found;
    }
  };`;
  const match = new Function(...Object.keys(helpers), body)(...Object.values(helpers)) as MatchRows;
  compiled.set(signature, match);
  return match;
}

function preludeOf(physical: Physical, i: number): string {
  switch (physical) {
    case 'bool':
    case 'i32':
    case 'f64':
      return `const v${i} = c${i}.values, k${i} = d${i}.values.segments.arrays;`;
    case 'obj':
      return `const v${i} = c${i}.values, k${i} = d${i}.values.arrays;`;
    case 'i64':
      return `const w${i} = wordsOf(c${i}.values), k${i} = d${i}.values.segments.words;`;
    case 'num':
      return `const w${i} = wordsOf(c${i}.values), k${i} = d${i}.values.segments.words, a${i} = c${i}.scales, p${i} = d${i}.values.scales.arrays;`;
    case 'str':
      return `const b${i} = c${i}.bytes, t${i} = c${i}.starts, l${i} = c${i}.lengths,
        k${i} = d${i}.values.addresses.arrays, m${i} = d${i}.values.lengths.arrays;`;
    default:
      return assertNever(physical);
  }
}

function testOf(physical: Physical, i: number, equality: Equality): string {
  switch (physical) {
    case 'bool':
    case 'i32':
      return `k${i}[g][o] === v${i}[r]`;
    case 'f64':
      return equality === 'exact'
        ? `Object.is(k${i}[g][o], v${i}[r])`
        : `k${i}[g][o] === v${i}[r] || (k${i}[g][o] !== k${i}[g][o] && v${i}[r] !== v${i}[r])`;
    case 'i64':
      return `k${i}[g][2 * o] === w${i}[2 * r] && k${i}[g][2 * o + 1] === w${i}[2 * r + 1]`;
    case 'num': {
      const sameWords = `k${i}[g][2 * o] === w${i}[2 * r] && k${i}[g][2 * o + 1] === w${i}[2 * r + 1]`;
      return `p${i}[g][o] === a${i}[r] && a${i}[r] !== ${WIDE_SCALE} ? ${sameWords} : ${equality}Numeric(c${i}, r, d${i}.values, s)`;
    }
    case 'str':
      return `m${i}[g][o] === l${i}[r] && (l${i}[r] === 0 || sameBytes(d${i}.values.arena.chunks, k${i}[g][o], b${i}, t${i}[r], l${i}[r]))`;
    case 'obj':
      return `${equality}Object(k${i}[g][o], v${i}[r])`;
    default:
      return assertNever(physical);
  }
}

function sameBytes(
  chunks: readonly Buffer[],
  address: number,
  bytes: Buffer,
  start: number,
  length: number,
): boolean {
  const chunk = chunks[address >>> ARENA_CHUNK_SHIFT] as Buffer;
  const offset = (address & ((1 << ARENA_CHUNK_SHIFT) - 1)) << 2;
  for (let i = 0; i < length; i++) if (chunk[offset + i] !== bytes[start + i]) return false;
  return true;
}

function numericAt(column: NumericColumn, row: number): Numeric {
  const scale = column.scales[row] as number;
  if (scale === WIDE_SCALE) return column.wide?.[row] as Numeric;
  return new Numeric(column.values[row] as bigint, scale);
}

function sqlNumeric(
  column: NumericColumn,
  row: number,
  stored: StoredNumerics,
  twin: number,
): boolean {
  return numericAt(column, row).equals(stored.get(twin));
}

function exactNumeric(
  column: NumericColumn,
  row: number,
  stored: StoredNumerics,
  twin: number,
): boolean {
  const left = numericAt(column, row);
  const right = stored.get(twin);
  return left.scale === right.scale && left.equals(right);
}

function sqlObject(left: Datum | null, right: Datum | null): boolean {
  return left === right || objectKey(left) === objectKey(right);
}

function exactObject(left: Datum | null, right: Datum | null): boolean {
  return left === right || exactObjectKey(left) === exactObjectKey(right);
}

const helpers = { wordsOf, sameBytes, sqlNumeric, exactNumeric, sqlObject, exactObject };
