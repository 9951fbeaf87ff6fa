/** State behind a watermark goes in steps, without a word downstream; the queries are in test/differential/event-time.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../../engine/delta/batch.ts';
import { AggregateOperator } from '../../../engine/operator/aggregate.ts';
import { ForgettingOperator } from '../../../engine/operator/forgetting.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { restarted } from '../../property/restart.ts';

const GROUPS = 50_000;
const STEP = 16_384;
const schema: Schema = [{ name: 't', type: { kind: 'timestamp' }, nullable: true }];

const operator = (): ForgettingOperator => {
  const rule = { column: 0, micros: 5n, endsNulls: false };
  const inner = new AggregateOperator(schema, schema, [0], [], true, () => {}, rule);
  return new ForgettingOperator(inner, 1, 1);
};

const times = (values: readonly (bigint | null)[]): Batch => {
  const nulls = Uint8Array.from(values.map((value) => (value === null ? 1 : 0)));
  const cells = BigInt64Array.from(values.map((value) => value ?? 0n));
  return new Batch(values.length, [{ physical: 'i64', values: cells, nulls }], null);
};

test('a flush drops a bounded number of entries, and only when something was pushed', () => {
  let subject = operator();
  let rows = 0;
  const emit = (batch: Batch): void => {
    rows += batch.length;
  };
  for (let at = 0; at < GROUPS; at += 10_000) {
    const batch = Array.from({ length: 10_000 }, (_, i) => BigInt(at + i));
    subject.push(0, times(batch), emit);
  }
  subject.push(0, times([null, 1_000_000n]), emit);
  subject.flush(emit);
  assert.equal(rows, GROUPS + 2);
  assert.equal(subject.isBehind, false, 'no clock has struck');
  let left = GROUPS;
  for (let strike = 0; left > 0; strike++) {
    assert.ok(strike < 10, 'it ends');
    subject.push(1, times([BigInt(GROUPS + 10)]), emit);
    subject.flush(emit);
    const kept = subject.stateEntries() - 2;
    assert.ok(left - kept > 0 && left - kept <= STEP, `${left - kept} at once`);
    left = kept;
    assert.equal(subject.isBehind, left > 0);
    subject.flush(emit);
    assert.equal(subject.stateEntries() - 2, left, 'a flush without a push changes nothing');
    subject = restarted(subject, operator()) as ForgettingOperator;
    assert.equal(subject.isBehind, left > 0, 'also after a restart');
  }
  assert.equal(rows, GROUPS + 2, 'what came out stays downstream');
  // The open group and the one without a time are those from before.
  subject.push(0, times([null, 1_000_000n, 2_000_000n]), emit);
  subject.flush(emit);
  assert.equal(subject.stateEntries(), 3);
  assert.equal(rows, GROUPS + 3);
});

test('a row is dropped when the clock reaches its time and the rest of it, not before', () => {
  const subject = operator();
  subject.push(0, times([10n, 11n]), () => {});
  for (const [clock, kept] of [
    [14n, 2],
    [15n, 1],
    [15n, 1],
    [16n, 0],
  ] as const) {
    subject.push(1, times([clock]), () => {});
    subject.flush(() => {});
    assert.equal(subject.stateEntries(), kept, `at ${clock}`);
  }
});
