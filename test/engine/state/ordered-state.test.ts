import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnOf } from '../../../engine/delta/builder.ts';
import { OrderedState } from '../../../engine/state/ordered-state.ts';

const NONE = -1;

test('a tree is the sorted list of its rows after any additions and removals', () => {
  const changes = fc.array(fc.record({ value: fc.nat(20), weight: fc.constantFrom(1, 1, 2, -1) }), {
    maxLength: 200,
    size: 'max',
  });
  fc.assert(
    fc.property(changes, (list) => {
      const state = new OrderedState(
        [{ kind: 'integer' }],
        [{ column: 0, descending: true, nullsFirst: false }],
      );
      const weights = new Map<number, number>();
      let root = NONE;
      for (const { value, weight } of list) {
        const row = state.rows.allocate();
        state.ensure();
        state.rows.put([columnOf('i32', [value])], new Int32Array([0]), new Int32Array([row]), 1);
        root = state.add(root, row, weight);
        const sum = (weights.get(value) ?? 0) + weight;
        if (sum === 0) weights.delete(value);
        else weights.set(value, sum);
      }
      state.releaseRetired();
      const rows: number[] = [];
      state.walk(root, (row) => {
        rows.push(row);
        return true;
      });
      const column = state.rows.columns[0]?.gather(Int32Array.from(rows), rows.length);
      const found = rows.map((row, i) => [
        column?.physical === 'i32' ? column.values[i] : undefined,
        state.weights.get(row),
      ]);
      assert.deepEqual(
        found,
        [...weights].sort(([a], [b]) => b - a),
      );
      assert.equal(state.count, weights.size);
      assert.equal(state.first(root), rows[0] ?? NONE);
      assert.equal(state.last(root), rows.at(-1) ?? NONE);
    }),
  );
});

test('a tree over ascending rows stays shallow', () => {
  const state = new OrderedState(
    [{ kind: 'integer' }],
    [{ column: 0, descending: false, nullsFirst: false }],
  );
  const COUNT = 50_000;
  const rows = Int32Array.from({ length: COUNT }, () => state.rows.allocate());
  state.ensure();
  const values = Array.from({ length: COUNT }, (_, i) => i);
  state.rows.put([columnOf('i32', values)], Int32Array.from(values), rows, COUNT);
  let root = NONE;
  const startedMs = performance.now();
  for (const row of rows) root = state.add(root, row, 1);
  // A list instead of a tree would take some 10^9 steps.
  assert.ok(performance.now() - startedMs < 5000);
  assert.equal(state.last(root), rows.at(-1));
});
