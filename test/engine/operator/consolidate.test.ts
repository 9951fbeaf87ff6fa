import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../engine/delta/batch.ts';
import { ConsolidateOperator } from '../../../engine/operator/consolidate.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { Bag, batchOf, histories, tableOf } from '../../property/history.ts';

test('every epoch comes out with the same sum, and no row of it twice or with weight 0', () => {
  const table = tableOf('t', false);
  fc.assert(
    fc.property(histories([table]), (history) => {
      const operator = new ConsolidateOperator(table.schema);
      for (const epoch of history) {
        const came = new Bag(table.schema);
        const went = new Bag(table.schema);
        for (const changes of epoch[0] ?? []) {
          if (changes.length === 0) continue;
          const batch = batchOf(table.schema, changes);
          came.take(batch);
          operator.push(0, batch, went.take);
        }
        const rows = new Set<string>();
        operator.flush((batch: Batch) => {
          went.take(batch);
          for (let r = 0; r < batch.length; r++) {
            const one = new Bag(table.schema);
            assert.notEqual(batch.weight(r), 0);
            one.add(batch.row(r), 1);
            const [text = ''] = one.rows();
            assert.ok(!rows.has(text));
            rows.add(text);
          }
        });
        assert.deepEqual(went.weights(), came.weights());
        assert.equal(operator.stateEntries(), 0);
      }
    }),
    { numRuns: 200 },
  );
});

test('more equal rows than are entered at once', () => {
  const { schema, domains } = tableOf('t', false);
  const operator = new ConsolidateOperator(schema);
  const rowOf = (i: number): Row => domains.map((domain) => domain[i % domain.length] ?? null);
  for (let epoch = 0; epoch < 3; epoch++) {
    const changes = Array.from({ length: 2000 }, (_, i) => ({ row: rowOf(i + epoch), weight: 1 }));
    operator.push(0, batchOf(schema, changes), () => {});
    let total = 0;
    operator.flush((batch) => {
      for (let r = 0; r < batch.length; r++) total += batch.weight(r);
    });
    assert.equal(total, 2000);
  }
});
