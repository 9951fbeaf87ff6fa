/** EMIT EVERY against a list of what waits: changes add up, come out together, and not more often than they may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batch } from '../../../engine/delta/batch.ts';
import { EmitEveryOperator } from '../../../engine/operator/emit-every.ts';
import type { Operator } from '../../../engine/operator/operator.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { runs } from '../../property/history.ts';
import { restarted } from '../../property/restart.ts';

const EVERY = 10n;
const schema: Schema = [{ name: 'v', type: { kind: 'bigint' }, nullable: true }];

const batchOf = (rows: readonly (readonly [bigint | null, number])[]): Batch => {
  const values = BigInt64Array.from(rows.map(([value]) => value ?? 0n));
  const nulls = Uint8Array.from(rows.map(([value]) => (value === null ? 1 : 0)));
  const weights = Int32Array.from(rows.map(([, weight]) => weight));
  return new Batch(rows.length, [{ physical: 'i64', values, nulls }], weights);
};

type Bag = Map<bigint | null, number>;

function addTo(bag: Bag, value: bigint | null, weight: number): void {
  const sum = (bag.get(value) ?? 0) + weight;
  if (sum === 0) bag.delete(value);
  else bag.set(value, sum);
}

const epoch = fc.record({
  rows: fc.array(fc.tuple(fc.constantFrom(null, 1n, 2n, 3n), fc.constantFrom(1, 1, 2, -1)), {
    maxLength: 4,
  }),
  passed: fc.constantFrom(undefined, 1n, 4n, 9n, 30n),
  restarts: fc.boolean(),
});

test('changes wait, add up, and come out together', () => {
  fc.assert(
    fc.property(fc.array(epoch, { size: 'max', maxLength: 40 }), (epochs) => {
      let operator: Operator = new EmitEveryOperator(schema, EVERY);
      const waiting: Bag = new Map();
      let now = 0n;
      let last: bigint | undefined;
      for (const { rows, passed, restarts } of epochs) {
        if (restarts) operator = restarted(operator, new EmitEveryOperator(schema, EVERY));
        const out: Bag = new Map();
        let batches = 0;
        const emit = (batch: Batch): void => {
          batches++;
          for (let row = 0; row < batch.length; row++) {
            addTo(out, batch.row(row)[0] as bigint | null, batch.weight(row));
          }
        };
        for (const [value, weight] of rows) addTo(waiting, value, weight);
        if (rows.length > 0) operator.push(0, batchOf(rows), emit);
        if (passed !== undefined) {
          now += passed;
          operator.push(1, batchOf([[now, 1]]), emit);
        }
        assert.equal(batches, 0, 'nothing comes before the flush');
        operator.flush(emit);
        const isDue = now > 0n && waiting.size > 0 && (last === undefined || now >= last + EVERY);
        const due = isDue ? new Map(waiting) : new Map();
        assert.deepEqual(new Map([...out].sort()), new Map([...due].sort()));
        if (isDue) {
          last = now;
          waiting.clear();
        }
        assert.equal(operator.stateEntries(), waiting.size);
        const next = last === undefined ? 0n : last + EVERY;
        assert.equal(operator.dueMicros, waiting.size === 0 ? undefined : next);
      }
    }),
    { numRuns: runs },
  );
});
