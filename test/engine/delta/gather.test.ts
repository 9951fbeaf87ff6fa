import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batch } from '../../../engine/delta/batch.ts';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { StringColumn } from '../../../engine/delta/column.ts';
import { concat, gather } from '../../../engine/delta/gather.ts';
import type { Datum } from '../../../sql/base/datum.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import type { Schema, SqlType } from '../../../sql/base/type.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);

const columns: readonly (readonly [SqlType['kind'], fc.Arbitrary<Datum>])[] = [
  ['boolean', fc.boolean()],
  ['integer', fc.integer()],
  ['bigint', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)],
  ['double', fc.double({ noNaN: true })],
  ['numeric', fc.bigInt(-(2n ** 70n), 2n ** 70n).map((unscaled) => new Numeric(unscaled, 2))],
  ['text', fc.string({ unit: 'grapheme', maxLength: 5 })],
  ['interval', fc.constant({ months: 1, days: 0, micros: 2n })],
];
const schema: Schema = columns.map(([kind], i) => ({
  name: `c${i}`,
  type: { kind } as SqlType,
  nullable: true,
}));
const row = fc.tuple(
  fc.constantFrom(1, 1, 1, -2),
  ...columns.map(([, values]) => fc.option(values, { freq: 4 })),
);
type Entry = readonly [number, ...(Datum | null)[]];

/** @param encoded  makes the strings bytes, as a decoder's are. */
function batchOf(entries: readonly Entry[], encoded: boolean): Batch {
  const builder = new BatchBuilder(schema);
  for (const [weight, ...values] of entries) builder.add(values, weight);
  const batch = builder.take();
  for (const column of batch.columns) if (encoded && column instanceof StringColumn) column.bytes;
  return batch;
}

const entriesOf = (batch: Batch): Entry[] =>
  Array.from({ length: batch.length }, (_, r) => [batch.weight(r), ...batch.row(r)]);

test('gather picks rows in any order, any number of times', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1 }),
      fc.array(fc.nat()),
      fc.boolean(),
      (entries, picks, encoded) => {
        const rows = Int32Array.from(picks, (pick) => pick % entries.length);
        const gathered = gather(batchOf(entries, encoded), rows, rows.length);
        assert.deepEqual(
          entriesOf(gathered),
          [...rows].map((r) => entries[r]),
        );
      },
    ),
    { numRuns: runs },
  );
});

test('gather takes other weights', () => {
  const batch = batchOf([[1, ...columns.map(() => null)]], false);
  assert.equal(gather(batch, new Int32Array(2), 2, Int32Array.of(-1, 5)).weight(1), 5);
  assert.equal(gather(batch, new Int32Array(2), 2, null).weights, null);
});

test('concat puts rows one behind the other, whatever their strings lie in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(row), fc.boolean()), { minLength: 1, maxLength: 4 }),
      (parts) => {
        const batches = parts.map(([entries, encoded]) => batchOf(entries, encoded));
        assert.deepEqual(
          entriesOf(concat(batches)),
          parts.flatMap(([entries]) => entries),
        );
      },
    ),
    { numRuns: runs },
  );
});

test('concat copies a few strings out of large buffers', () => {
  const text = (start: number) =>
    StringColumn.ofBytes(Buffer.alloc(1000, 'ab'), Int32Array.of(start), Int32Array.of(2), null);
  const make = (start: number) => new Batch(1, [text(start)], null);
  const joined = concat([make(0), make(1), make(2)]);
  assert.deepEqual(entriesOf(joined), [
    [1, 'ab'],
    [1, 'ba'],
    [1, 'ab'],
  ]);
  assert.ok((joined.columns[0] as StringColumn).bytes.length < 100);
});
