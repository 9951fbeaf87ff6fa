import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnOf } from '../../../engine/delta/builder.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
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
