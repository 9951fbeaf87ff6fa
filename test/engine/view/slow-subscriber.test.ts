import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { MERGED_CHANGES_MAX, PENDING_CHANGES_MAX } from '../../../engine/view/change-history.ts';
import { FanOut } from '../../../engine/view/fan-out.ts';
import { ViewFeed } from '../../../engine/view/subscription.ts';
import { StreamError } from '../../../sql/base/error.ts';

const schema = [{ name: 'n', type: { kind: 'integer' }, nullable: false }] as const;
const ROWS = 1_000;

function publish(feed: ViewFeed, version: number, first: number, weight: 1 | -1): void {
  const builder = new BatchBuilder(schema);
  for (let n = first; n < first + ROWS; n++) builder.add([n], weight);
  feed.publish(version, [builder.take()], false);
}

test('what waits for a slow reader is merged to its net effect', async () => {
  const feed = new ViewFeed(schema, [], 0);
  const subscription = feed.subscribe(0, new FanOut());
  const rounds = Math.ceil(PENDING_CHANGES_MAX / ROWS);
  for (let n = 0; n < rounds; n++) {
    publish(feed, 2 * n + 1, 0, 1);
    publish(feed, 2 * n + 2, 0, -1);
  }
  publish(feed, 2 * rounds + 1, 0, 1);
  let rows = 0;
  let last = 0;
  for await (const { version, changes } of subscription) {
    for (const { op } of changes) rows += op === 'insert' ? 1 : -1;
    last = version;
    if (version === 2 * rounds + 1) break;
  }
  assert.deepEqual([rows, last], [ROWS, 2 * rounds + 1]);
});

test('a reader of a view that was rebuilt is told so', async () => {
  const feed = new ViewFeed(schema, [], 0);
  const subscription = feed.subscribe(0, new FanOut());
  publish(feed, 1, 0, 1);
  feed.publish(2, [], true);
  await assert.rejects(
    async () => {
      for await (const _ of subscription) assert.fail('nothing is left to give');
    },
    (error) => error instanceof StreamError && error.code === 'VIEW_VERSION_GONE',
  );
});

test('a reader for whom too much waits begins anew, and others are not touched', async () => {
  const feed = new ViewFeed(schema, [], 0);
  const slow = feed.subscribe(0, new FanOut());
  const rounds = MERGED_CHANGES_MAX / ROWS + 1;
  for (let n = 0; n < rounds; n++) publish(feed, n + 1, n * ROWS, 1);
  const other = feed.subscribe(rounds, new FanOut());
  publish(feed, rounds + 1, 0, -1);
  await assert.rejects(
    async () => {
      for await (const _ of slow) assert.fail('nothing is left to give');
    },
    (error) => error instanceof StreamError && error.code === 'PRESSURE',
  );
  for await (const { changes } of other) {
    assert.equal(changes.length, ROWS);
    break;
  }
});
