import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FUTURE_MICROS_MAX, WatermarkTracker } from '../../../engine/runtime/watermark.ts';

const IDLE_MS = 1_000;
const WALL = 10n ** 12n;

/** Rows whose watermark is their time less 5. */
function observe(
  tracker: WatermarkTracker,
  partition: number,
  times: readonly (number | bigint)[],
  nowMs: number,
): readonly (readonly [row: number, watermark: bigint])[] {
  const late: [number, bigint][] = [];
  const values = BigInt64Array.from(times.map(BigInt));
  const marks = values.map((time) => time - 5n);
  tracker.observe(partition, { times: values, marks, nulls: null }, nowMs, WALL, (row, watermark) =>
    late.push([row, watermark]),
  );
  return late;
}

test('a row below the watermark of its partition is late, and names what it missed', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  assert.deepEqual(observe(tracker, 0, [10, 20, 15, 14, 30, 24], 0), [
    [3, 15n],
    [5, 25n],
  ]);
});

test('rows without a time move nothing', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  const times = BigInt64Array.of(100n, 10n);
  tracker.observe(0, { times, marks: times, nulls: Uint8Array.of(1, 0) }, 0, WALL, () =>
    assert.fail('no row is late'),
  );
  assert.equal(tracker.publish(0), 10n);
});

test('the least partition holds the stream back until it is idle', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  tracker.expect([0, 1], 0);
  observe(tracker, 0, [100], 0);
  assert.equal(tracker.publish(0), undefined, 'partition 1 has said nothing');
  observe(tracker, 1, [50], 10);
  assert.equal(tracker.publish(10), 45n);
  observe(tracker, 0, [200], 900);
  assert.equal(tracker.publish(900), undefined, 'partition 1 still holds it');
  assert.equal(tracker.isDue(1_009), false);
  assert.equal(tracker.isDue(1_010), true);
  assert.equal(tracker.publish(1_010), 195n);
  assert.deepEqual(observe(tracker, 1, [150, 195], 1_020), [[0, 195n]], 'the stream has moved on');
});

test('a partition without any record stops holding the others when it is idle', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  tracker.expect([0, 1], 0);
  observe(tracker, 0, [100], 500);
  assert.equal(tracker.publish(999), undefined);
  assert.equal(tracker.publish(1_000), 95n);
});

test('when all are idle, time goes on by the clock', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  observe(tracker, 0, [100], 0);
  assert.equal(tracker.publish(0), 95n);
  assert.equal(tracker.publish(999), undefined);
  assert.equal(tracker.publish(1_000), 95n + 1_000_000n);
  assert.equal(tracker.publish(3_000), 95n + 3_000_000n);
  const patient = new WatermarkTracker(0);
  observe(patient, 0, [100], 0);
  patient.publish(0);
  assert.equal(patient.publish(1_000_000), undefined, 'a timeout of 0 waits for ever');
});

test('a clock that runs far ahead does not make other rows late', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  const ahead = WALL + FUTURE_MICROS_MAX;
  assert.deepEqual(observe(tracker, 0, [100, ahead + 1n, 99], 0), []);
  assert.equal(tracker.clamped, 1);
  observe(tracker, 0, [ahead], 0);
  assert.equal(tracker.publish(0), ahead - 5n);
});

test('what a commit holds is taken up again', () => {
  const tracker = new WatermarkTracker(IDLE_MS);
  tracker.expect([0, 1], 0);
  observe(tracker, 0, [100], 0);
  observe(tracker, 1, [60], 0);
  tracker.publish(0);
  const next = new WatermarkTracker(IDLE_MS);
  next.restore(tracker.marks(), 5_000);
  assert.equal(next.published, 55n);
  assert.deepEqual(observe(next, 0, [94, 95], 5_000), [[0, 95n]]);
  assert.equal(next.publish(5_000), undefined);
});
