import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnOf } from '../../../engine/delta/builder.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
import { compileHash } from '../../../engine/state/row-hash.ts';
import { Numeric } from '../../../sql/base/numeric.ts';

const NONE = -1;

/** Keys of three forms, different for different i. */
function keyColumns(from: number, count: number): ReturnType<typeof columnOf>[] {
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  return [
    columnOf(
      'i64',
      numbers.map((i) => BigInt(i % 1000) * 4294967296n),
    ),
    columnOf(
      'str',
      numbers.map((i) => (i % 7 === 0 ? null : `key ${i} `.repeat(1 + (i % 5)))),
    ),
    columnOf(
      'num',
      numbers.map((i) => new Numeric(BigInt(i), 3)),
    ),
  ];
}

test('finds every key again over segment, table and chunk boundaries', () => {
  const state = new KeyedState(['i64', 'str', 'num']);
  const COUNT = 10_000;
  const BATCHES = 6;
  const rows: number[] = [];
  const out = new Int32Array(COUNT);
  for (let b = 0; b < BATCHES; b++) {
    const created = state.claim(keyColumns(b * COUNT, COUNT), COUNT, out);
    assert.equal(created, COUNT);
    rows.push(...out);
  }
  assert.equal(new Set(rows).size, COUNT * BATCHES);
  for (let b = 0; b < BATCHES; b++) {
    state.find(keyColumns(b * COUNT, COUNT), COUNT, out);
    assert.deepEqual([...out], rows.slice(b * COUNT, (b + 1) * COUNT));
  }
  for (let i = 0; i < rows.length; i += 2) state.release(rows[i] as number);
  assert.equal(state.count, (COUNT * BATCHES) / 2);
  state.rows.compact();
  for (let b = 0; b < BATCHES; b++) {
    state.find(keyColumns(b * COUNT, COUNT), COUNT, out);
    for (let i = 0; i < COUNT; i++) {
      const row = rows[b * COUNT + i];
      assert.equal(out[i], (b * COUNT + i) % 2 === 0 ? NONE : row);
    }
  }
});

test('keys are equal as GROUP BY sees them, or exactly', () => {
  const numerics = ['1.0', '1.00', '1', 'NaN', 'NaN', '100000000000000000000', '1e20', '0.10'];
  const doubles = [0, -0, Number.NaN, Number.NaN, 1, null, null, 2];
  const columns = [
    columnOf(
      'num',
      numerics.map((text) => Numeric.parse(text)),
    ),
    columnOf('f64', doubles),
  ];
  const groups = (column: number, equality: 'sql' | 'exact'): number => {
    const one = columns[column] as ReturnType<typeof columnOf>;
    const state = new KeyedState([one.physical], [], equality);
    state.claim([one], 8, new Int32Array(8));
    return state.count;
  };
  assert.equal(groups(0, 'sql'), 4);
  assert.equal(groups(0, 'exact'), 6);
  assert.equal(groups(1, 'sql'), 5);
  assert.equal(groups(1, 'exact'), 6);
});

test('equal numerics of any size and scale share a hash', () => {
  const values = ['12345678901234567890.5', '0.000000000000000000000001', '-7', '9007199254740993'];
  for (const text of values) {
    const value = Numeric.parse(text);
    const spellings = [0, 1, 5, 30].map((more) => {
      const scale = value.scale + more;
      return new Numeric(value.unscaledAt(scale), scale);
    });
    const state = new KeyedState(['num']);
    state.claim([columnOf('num', spellings)], spellings.length, new Int32Array(spellings.length));
    assert.equal(state.count, 1, text);
  }
});

test('strings that come and go do not pile up', () => {
  const state = new KeyedState(['str']);
  const out = new Int32Array(1000);
  for (let round = 0; round < 100; round++) {
    const texts = Array.from({ length: 1000 }, (_, i) => `${round} ${i} ${'x'.repeat(100)}`);
    state.claim([columnOf('str', texts)], 1000, out);
    for (const row of out) state.release(row);
    state.rows.compact();
  }
  assert.equal(state.count, 0);
  assert.ok(state.bytes() < 2_000_000, `${state.bytes()} bytes`);
});

/** What the hash multiplies by first, and what undoes that: Newton's iteration modulo 2^32. */
const FACTOR = 0x85ebca6b;
const inverse = [1, 2, 3, 4, 5].reduce((x) => Math.imul(x, 2 - Math.imul(FACTOR, x)), FACTOR);

/** The integer of more than 32 bits that has the hash of a small one. */
function twinOf(small: number): bigint {
  let h = Math.imul(1 ^ small, FACTOR);
  h ^= h >>> 13;
  // The next word, 1, is mixed in.
  h ^= 1;
  h ^= h >>> 13;
  h ^= h >>> 26;
  return (1n << 32n) + BigInt((1 ^ Math.imul(h, inverse)) >>> 0);
}

/** The integer that has the hash of NULL. */
const twinOfNull = 1 ^ Math.imul(Math.imul(1 ^ 0x2c1b3c6d, 0x297a2d39), inverse);

for (const [physical, one, other] of [
  ['i64', 5n, twinOf(5)],
  ['i32', twinOfNull, null],
] as const) {
  test(`keys with one hash are two: ${one} and ${other}`, () => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      const state = new KeyedState([physical]);
      const both = columnOf(physical, [first, second]);
      const hashes = new Int32Array(2);
      compileHash([physical])([both], 2, hashes);
      assert.equal(hashes[0], hashes[1], 'the hashes are equal');
      const out = new Int32Array(2);
      assert.equal(state.claim([columnOf(physical, [first])], 1, out), 1);
      state.find([columnOf(physical, [second])], 1, out);
      assert.equal(out[0], NONE);
      assert.equal(state.claim([both], 2, out), 1);
      assert.notEqual(out[0], out[1]);
      const expected = [...out];
      for (const [key, row] of [first, second].map((value, i) => [value, expected[i]] as const)) {
        state.find([columnOf(physical, [key])], 1, out);
        assert.equal(out[0], row);
      }
    }
  });
}
