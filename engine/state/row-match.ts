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
import type { RowStore } from './row-store.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, wordsOf } from './segments.ts';
import type { StoredColumn } from './stored-column.ts';
import type { StoredNumerics } from './stored-numerics.ts';
import { ARENA_CHUNK_SHIFT } from './string-arena.ts';

export type Equality = 'sql' | 'exact';

export interface RowMatch {
  /** Writes to out[r] the row of `stored` that equals batch row r, or NONE, for r < length. */
  find(
    columns: readonly BatchColumn[],
    length: number,
    hashes: Int32Array,
    stored: readonly StoredColumn[],
    index: HashIndex,
    out: Int32Array,
  ): void;
  /**
   * For i < count: out[i] = the row that equals batch row rows[i]; where there is none, fresh[i], which holds a
   * copy of the batch row, enters the index and is the answer.
   */
  enter(
    columns: readonly BatchColumn[],
    rows: Int32Array,
    count: number,
    hashes: Int32Array,
    stored: readonly StoredColumn[],
    index: HashIndex,
    fresh: Int32Array,
    out: Int32Array,
  ): void;
  /**
   * For i < count: fresh[i], which holds a copy of batch row rows[i], takes the place in the index of the row with its key, which is
   * written to out[i], or NONE where there was none.
   */
  push(
    columns: readonly BatchColumn[],
    rows: Int32Array,
    count: number,
    hashes: Int32Array,
    stored: readonly StoredColumn[],
    index: HashIndex,
    fresh: Int32Array,
    out: Int32Array,
  ): void;
  /**
   * Writes to out[r] the row that equals batch row r, for r < length. Where there is none a row is taken from `rows`,
   * whose first columns are `stored`, is filled with a copy, enters the index and is the answer: one pass, one probe.
   * @returns how many rows were taken; the batch rows that they copy are in `created`, in order.
   */
  claim(
    columns: readonly BatchColumn[],
    length: number,
    hashes: Int32Array,
    stored: readonly StoredColumn[],
    index: HashIndex,
    rows: RowStore,
    out: Int32Array,
    created: Int32Array,
  ): number;
}

/** Enters `found` at the free slot where the search for it ended. */
const ADD = 'if (table.isFull) index.add(hash, found); else index.put(table, slot, hash, found);';

const compiled = new Map<string, RowMatch>();

export function compileMatch(physicals: readonly Physical[], equality: Equality): RowMatch {
  const signature = `${equality} ${physicals.join(' ')}`;
  const known = compiled.get(signature);
  if (known !== undefined) return known;
  const prelude: string[] = [];
  const tests: string[] = [];
  const copies: string[] = [];
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
    copies.push(copyOf(physical, i));
  });
  const same = (then: string): string => `same: {
    const g = s >>> ${SEGMENT_SHIFT}, o = s & ${SEGMENT_MASK};
    ${tests.join('\n')}
    ${then}
  }`;
  // First every row's home slot is read, then the rows found there are compared: loads that do not wait for one
  // another overlap, which saves a quarter on state larger than the caches.
  const loops = (count: string, source: string, before: string, missing = ''): string => `
    ${prelude.join('\n')}
    ${sureOf(physicals, count, source, missing !== '')}
    for (let i = 0; i < ${count}; i++) {
      const hash = hashes[${source}];
      const table = index.directory[(hash >>> 1) >>> index.shift];
      const slots = table.slots, slot = 2 * (hash & table.mask);
      out[i] = slots[slot] === hash ? slots[slot + 1] - 1 : -1;
    }
    for (let i = 0; i < ${count}; i++) {
      const r = ${source}, hash = hashes[r];
      ${before}
      const table = index.directory[(hash >>> 1) >>> index.shift];
      const slots = table.slots, mask = table.mask;
      let found = -1, slot = hash & mask;
      for (; ; slot = (slot + 1) & mask) {
        const entry = slots[2 * slot + 1];
        if (entry === 0) break;
        if (slots[2 * slot] !== hash) continue;
        const s = entry - 1;
        if (sure) { found = s; break; }
        ${same('found = s; break;')}
      }
      ${missing}
      out[i] = found;
    }`;
  // The row of the home slot, if it is the one, is the answer.
  const home = `const s = out[i]; if (s !== -1) { if (sure) continue; ${same('continue;')} }`;
  const body = `return {
    find(columns, length, hashes, stored, index, out) {${loops('length', 'i', home)}},
    enter(columns, rows, count, hashes, stored, index, fresh, out) {${loops(
      'count',
      'rows[i]',
      home,
      `if (found === -1) { found = fresh[i]; ${ADD} }`,
    )}},
    push(columns, rows, count, hashes, stored, index, fresh, out) {${loops(
      'count',
      'rows[i]',
      '',
      `if (found !== -1) slots[2 * slot + 1] = fresh[i] + 1;
       else { found = fresh[i]; ${ADD} found = -1; }`,
    )}},
    claim(columns, length, hashes, stored, index, rows, out, created) {
      let count = 0;
      ${loops(
        'length',
        'i',
        home,
        `if (found === -1) {
          found = rows.allocate();
          ${ADD}
          const g = found >>> ${SEGMENT_SHIFT}, o = found & ${SEGMENT_MASK};
          ${copies.join('\n')}
          created[count++] = r;
        }`,
      )}
      return count;
    },
  };`;
  const match = new Function(...Object.keys(helpers), body)(...Object.values(helpers)) as RowMatch;
  compiled.set(signature, match);
  return match;
}

/**
 * Defines `sure`: equal hashes are equal keys, so that stored keys need not be read. It holds for keys of one integer of at most 32
 * bits, of which the hash is a permutation, as long as the index has no others.
 */
function sureOf(
  physicals: readonly Physical[],
  count: string,
  source: string,
  enters: boolean,
): string {
  const [only, ...others] = physicals;
  if (others.length > 0 || (only !== 'i32' && only !== 'bool' && only !== 'i64')) {
    return 'const sure = false;';
  }
  const high = only === 'i64' ? `odd |= w0[2 * (${source}) + 1];` : '';
  return `
    let odd = 0;
    for (let i = 0; i < ${count}; i++) { ${high} if (n0 !== null) odd |= n0[${source}]; }
    ${enters ? 'if (odd !== 0) index.isInjective = false;' : ''}
    const sure = odd === 0 && index.isInjective;`;
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

/** Copies batch row r to row `found`, cell o of segment g. */
function copyOf(physical: Physical, i: number): string {
  const copyNull = `if (n${i} !== null || d${i}.nulls !== null) d${i}.putNull(n${i} !== null && n${i}[r] === 1, found);`;
  switch (physical) {
    case 'bool':
    case 'i32':
    case 'f64':
      return `k${i}[g][o] = v${i}[r]; ${copyNull}`;
    case 'i64':
      return `k${i}[g][2 * o] = w${i}[2 * r]; k${i}[g][2 * o + 1] = w${i}[2 * r + 1]; ${copyNull}`;
    case 'num':
    case 'str':
    case 'obj':
      return `d${i}.putOne(c${i}, r, found);`;
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
