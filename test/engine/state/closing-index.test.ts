import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosingIndex } from '../../../engine/state/closing-index.ts';
import { Int64Segments } from '../../../engine/state/segments.ts';
import { generator } from '../../differential/view-history.ts';

const NULL_ROW = 0;

function indexOver(
  rows: number,
  endsNulls = false,
): { readonly cells: Int64Segments; readonly index: ClosingIndex } {
  const cells = new Int64Segments();
  cells.ensure(rows);
  const index = new ClosingIndex({ segments: cells, isNull: (row) => row === NULL_ROW }, endsNulls);
  return { cells, index };
}

function takeAll(index: ClosingIndex, limit: bigint): number[] {
  const out = new Int32Array(100);
  const taken: number[] = [];
  while (index.isDue(limit)) {
    const { looked, count } = index.take(limit, out, out.length);
    assert.ok(looked > 0 && looked <= out.length && count <= looked);
    taken.push(...out.subarray(0, count));
  }
  return taken;
}

test('rows come when their time has, a little later where there are many times, and never twice', () => {
  const random = generator(7);
  const COUNT = 30_000;
  const SPAN = 1_000_000_000;
  const { cells, index } = indexOver(COUNT + 1);
  const due = new Map<number, number>();
  for (let row = 1; row <= COUNT; row++) {
    const time = random(SPAN) - SPAN / 10;
    cells.set(row, BigInt(time));
    due.set(row, time);
    index.add(Int32Array.of(row), 1);
  }
  index.add(Int32Array.of(NULL_ROW), 1);
  for (let limit = 0; limit <= SPAN; limit += SPAN / 100) {
    for (const row of takeAll(index, BigInt(limit))) {
      assert.ok((due.get(row) ?? Number.POSITIVE_INFINITY) <= limit, 'not before its time');
      due.delete(row);
    }
    for (const time of due.values()) assert.ok(time > limit - SPAN / 256, 'not long after it');
  }
  takeAll(index, BigInt(2 * SPAN));
  assert.equal(index.bytes, 0);
});

test('few times are exact; infinity never comes, a row without a time when it should', () => {
  const { cells, index } = indexOver(4, true);
  cells.set(1, 10n);
  cells.set(2, 2n ** 63n - 1n);
  cells.set(3, 11n);
  index.add(Int32Array.of(NULL_ROW, 1, 2, 3), 4);
  assert.deepEqual(takeAll(index, 0n), [NULL_ROW]);
  assert.deepEqual(takeAll(index, 9n), []);
  assert.deepEqual(takeAll(index, 10n), [1]);
  assert.deepEqual(takeAll(index, 2n ** 62n), [3]);
});

test('a number that stands for a later row by now is left to that', () => {
  const { cells, index } = indexOver(2);
  cells.set(1, 10n);
  index.add(Int32Array.of(1), 1);
  cells.set(1, 50n);
  index.add(Int32Array.of(1), 1);
  assert.deepEqual(takeAll(index, 20n), []);
  assert.deepEqual(takeAll(index, 50n), [1]);
});
