import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UpsertOperator } from '../../../engine/operator/upsert.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { Bag, batchOf, type Change } from '../../property/history.ts';

const schema: Schema = [
  { name: 'v', type: { kind: 'text' }, nullable: true },
  { name: 'k', type: { kind: 'text' }, nullable: false },
  { name: 'n', type: { kind: 'numeric' }, nullable: true },
  { name: 'j', type: { kind: 'integer' }, nullable: false },
];
const KEY = [1, 3];

const change: fc.Arbitrary<Change> = fc
  .record({
    v: fc.constantFrom('a', 'b', '', null),
    k: fc.constantFrom('x', 'y'),
    n: fc.constantFrom('1.0', '1.00', '99999999999999999999', null),
    j: fc.constantFrom(0, 1),
    removes: fc.nat(2),
  })
  .map(({ v, k, n, j, removes }) => ({
    row: removes === 0 ? [null, k, null, j] : [v, k, n === null ? null : Numeric.parse(n), j],
    weight: removes === 0 ? -1 : 1,
  }));

test('the last change of a key decides, and every epoch emits the difference', () => {
  const epochs = fc.array(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 3 }), {
    maxLength: 8,
    size: 'max',
  });
  fc.assert(
    fc.property(epochs, (history) => {
      const operator = new UpsertOperator(schema, KEY);
      const bag = new Bag(schema);
      const current = new Map<string, Row>();
      for (const epoch of history) {
        for (const changes of epoch) {
          if (changes.length === 0) continue;
          operator.push(0, batchOf(schema, changes), bag.take);
          for (const { row, weight } of changes) {
            const key = `${row[1]} ${row[3]}`;
            if (weight < 0) current.delete(key);
            else current.set(key, row);
          }
        }
        let emitted = 0;
        operator.flush((batch) => {
          emitted += batch.length;
          bag.take(batch);
        });
        const expected = new Bag(schema);
        for (const row of current.values()) expected.add(row, 1);
        assert.deepEqual(bag.rows(), expected.rows());
        assert.ok(emitted <= 8, 'at most one row back and one row out a key');
        assert.equal(operator.stateEntries(), current.size);
      }
    }),
    { numRuns: 300 },
  );
});

test('strings of rows that were replaced do not pile up', () => {
  const operator = new UpsertOperator(schema, KEY);
  for (let round = 0; round < 200; round++) {
    const changes = Array.from({ length: 100 }, (_, i): Change => {
      return { row: [`${round} `.repeat(100), `key ${i} `.repeat(10), null, 0], weight: 1 };
    });
    operator.push(0, batchOf(schema, changes), () => {});
    operator.flush(() => {});
  }
  assert.equal(operator.stateEntries(), 100);
  assert.ok(operator.stateBytes() < 2_000_000, `${operator.stateBytes()} bytes`);
});
