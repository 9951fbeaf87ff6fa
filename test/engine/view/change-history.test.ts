/** Readers of every pace hold the view's rows at the version that they were told last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberedRandom } from '../../../connectors/generator/random.ts';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { HISTORY_ROWS_MAX, MERGED_CHANGES_MAX } from '../../../engine/view/change-history.ts';
import { FanOut } from '../../../engine/view/fan-out.ts';
import type { VersionedChanges } from '../../../engine/view/row-change.ts';
import { type FeedSubscription, ViewFeed } from '../../../engine/view/subscription.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { RUN_SEED } from '../../run-seed.ts';

const schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: false },
  { name: 'n', type: { kind: 'integer' }, nullable: false },
] as const;
const KEYS = 400;
const CHANGED = 100;
const READERS = 40;
/** Of the second test: few versions fill the history. */
const MANY = 2_500;

type Rows = Map<number, number>;

/** A reader that applies what it is told, and refuses what does not fit what it has. */
class Reader {
  readonly subscription: FeedSubscription;
  readonly #events: AsyncIterator<VersionedChanges>;
  readonly rows: Rows;
  version: number;
  messages = 0;

  constructor(feed: ViewFeed, since: number, rows: Rows) {
    this.subscription = feed.subscribe(since, new FanOut());
    this.#events = this.subscription[Symbol.asyncIterator]();
    this.rows = new Map(rows);
    this.version = since;
  }

  async read(): Promise<void> {
    const next = await this.#events.next();
    assert.ok(next.done !== true);
    const { version, changes } = next.value;
    assert.ok(version > this.version);
    this.version = version;
    this.messages++;
    for (const change of changes) {
      const [key, n] = change.row as [number, number];
      if (change.op === 'insert') assert.ok(!this.rows.has(key), `${key} is there already`);
      else {
        const before = change.op === 'delete' ? change.row : change.before;
        assert.equal(this.rows.get(key), before[1]);
      }
      if (change.op === 'delete') this.rows.delete(key);
      else this.rows.set(key, n);
    }
  }
}

test('readers of every pace, and those that resume, hold what the view held', async () => {
  const random = new NumberedRandom(RUN_SEED);
  const below = (limit: number): number => random.below(limit);
  const feed = new ViewFeed(schema, [0], 0);
  const view: Rows = new Map();
  const states: Rows[] = [new Map()];
  const readers = Array.from({ length: READERS }, () => new Reader(feed, 0, view));
  const versions = Math.ceil((3 * HISTORY_ROWS_MAX) / CHANGED);
  for (let version = 1; version <= versions; version++) {
    const batch = new BatchBuilder(schema);
    for (let i = 0; i < CHANGED; i++) {
      const key = below(KEYS);
      const before = view.get(key);
      if (before !== undefined) batch.add([key, before], -1);
      if (random.fraction() < 0.2) view.delete(key);
      else {
        view.set(key, below(1000));
        batch.add([key, view.get(key) ?? 0], 1);
      }
    }
    feed.publish(version, [batch.take()], false);
    states.push(new Map(view));
    for (const [index, reader] of readers.entries()) {
      // The first reads nearly always, the last nearly never.
      if (reader.version === version || random.fraction() > 1 / (1 + index * index)) continue;
      await reader.read();
      assert.deepEqual(reader.rows, states[reader.version]);
    }
    if (version % 50 === 0) {
      const since = version - below(20);
      readers.push(new Reader(feed, since, states[since] as Rows));
    }
  }
  for (const reader of readers) {
    while (reader.version < versions) await reader.read();
    assert.deepEqual(reader.rows, view);
  }
  const [quick] = readers;
  assert.equal(quick?.messages, versions, 'a reader that keeps up gets every version');
});

test('many slow readers, each at a version of its own, together keep no more than their bound', async () => {
  const feed = new ViewFeed(schema, [], 0);
  const readers: Reader[] = [];
  const publish = (version: number): void => {
    const batch = new BatchBuilder(schema);
    for (let i = 0; i < MANY; i++) batch.add([version, i], 1);
    feed.publish(version, [batch.take()], false);
  };
  const versions = (2 * MERGED_CHANGES_MAX) / MANY;
  for (let version = 1; version <= versions; version++) {
    readers.push(new Reader(feed, version - 1, new Map()));
    publish(version);
  }
  let refused = 0;
  for (const { subscription } of readers) {
    let told = 0;
    try {
      for await (const { version, changes } of subscription) {
        told += changes.length;
        if (version === versions) break;
      }
      assert.equal(told % MANY, 0);
    } catch (error) {
      assert.ok(error instanceof StreamError && error.code === 'PRESSURE', String(error));
      assert.equal(told, 0);
      refused++;
    }
  }
  assert.ok(refused > 0 && refused < readers.length, `${refused} of ${readers.length}`);
});
