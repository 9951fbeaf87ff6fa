import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { storedRecordErrors, storedRowErrors } from '../../../engine/runtime/error-schema.ts';
import { ErrorTable } from '../../../engine/runtime/error-table.ts';
import type { Row } from '../../../sql/base/datum.ts';

const failure = (n: number): Row => [
  'project',
  null,
  '22012',
  'division by zero',
  `{"n":${n}}`,
  false,
  null,
  null,
  null,
];
const record = (offset: number, raw = 'x'): Row => [
  't',
  0,
  BigInt(offset),
  0n,
  '22P02',
  'bad',
  Buffer.from(raw),
  null,
  null,
  false,
];
const wide = { rowsMax: 1000, bytesMax: 1e9 };

/** What the stored relation holds: the sum of everything drained. */
class Stored {
  readonly rows = new Map<string, number>();

  take(table: ErrorTable): void {
    const batch = table.drain();
    for (let i = 0; i < (batch?.length ?? 0); i++) {
      const text = String(batch?.row(i).slice(2, 5));
      const weight = (this.rows.get(text) ?? 0) + (batch?.weight(i) ?? 0);
      if (weight === 0) this.rows.delete(text);
      else this.rows.set(text, weight);
    }
  }
}

test('what is stored is the sum of what failed, in any order within an epoch', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom(1, 1, 2)), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(changes, fc.integer({ min: 1, max: 5 }), (adds, perEpoch) => {
      const table = new ErrorTable(storedRowErrors(1), 0, wide);
      const stored = new Stored();
      const sums = new Map<number, number>();
      for (const [at, [n, weight]] of adds.entries()) {
        const now = sums.get(n) ?? 0;
        // Every third change takes back what is there, and does so before something comes in.
        if (at % 3 === 2 && now > 0) {
          table.add(failure(n), -now);
          sums.delete(n);
        } else {
          table.add(failure(n), weight);
          sums.set(n, now + weight);
        }
        if (at % perEpoch === 0) stored.take(table);
      }
      stored.take(table);
      const total = [...sums.values()].reduce((sum, weight) => sum + weight, 0);
      assert.equal(table.count, total);
      assert.deepEqual(
        [...stored.rows.values()].reduce((sum, weight) => sum + weight, 0),
        total,
      );
      assert.equal(stored.rows.size, sums.size);
      assert.equal([...table.rows()].length, sums.size, 'nothing is held that holds no longer');
    }),
  );
});

test('a failure that is taken back before it comes leaves nothing', () => {
  const table = new ErrorTable(storedRowErrors(1), 0, wide);
  table.add(failure(1), -1);
  table.add(failure(1), 1);
  assert.equal(table.drain(), undefined);
  assert.equal(table.count, 0);
});

test('past the limit the oldest leave, and are counted until they are taken back', () => {
  const table = new ErrorTable(storedRowErrors(1), 0, { rowsMax: 3, bytesMax: 1e9 });
  const stored = new Stored();
  for (let n = 0; n < 5; n++) {
    table.add(failure(n), 1);
    stored.take(table);
  }
  assert.deepEqual([table.count, table.evicted, stored.rows.size], [5, 2, 3]);
  assert.equal(table.takeEvicted(), 2);
  assert.equal(table.takeEvicted(), undefined, 'it is told once');
  table.add(failure(0), -1);
  stored.take(table);
  assert.deepEqual([table.count, table.evicted, stored.rows.size], [4, 1, 3]);
  table.add(failure(4), -1);
  stored.take(table);
  assert.deepEqual([table.count, table.evicted, stored.rows.size], [3, 1, 2]);
  table.clear();
  stored.take(table);
  assert.deepEqual([table.count, table.evicted, stored.rows.size], [0, 0, 0]);
});

test('one epoch of any size stays within the limit', () => {
  const table = new ErrorTable(storedRowErrors(1), 0, { rowsMax: 10, bytesMax: 1e9 });
  const stored = new Stored();
  for (let n = 0; n < 1000; n++) table.add(failure(n), 1);
  stored.take(table);
  assert.deepEqual([table.count, table.evicted, stored.rows.size], [1000, 990, 10]);
  assert.ok(stored.rows.has(String(failure(999).slice(2, 5))), 'the newest are kept');
});

test('bytes are bounded too, and a record is one failure however often it is told', () => {
  const table = new ErrorTable(storedRecordErrors(1), 0, { rowsMax: 100, bytesMax: 5_000 });
  const stored = new Stored();
  for (let offset = 0; offset < 9; offset++) table.add(record(offset, 'x'.repeat(1_000)), 1);
  stored.take(table);
  assert.equal(table.count, 9);
  assert.equal(stored.rows.size, 4);
  assert.ok(table.has(record(8)) && !table.has(record(0)));
});

test('after a restart it goes on from the stored rows and the count of the others', () => {
  const before = new ErrorTable(storedRowErrors(1), 0, wide);
  before.add(failure(1), 2);
  const batch = before.drain();
  assert.ok(batch !== undefined);
  const after = new ErrorTable(storedRowErrors(1), 7, wide);
  after.restore(batch);
  assert.equal(after.count, 9);
  assert.equal(after.drain(), undefined, 'nothing is new');
});
