/** What every TopicLog must do; run against the embedded log and against a real Kafka. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ProduceRecord, StartPosition, TopicLog } from '../../connectors/connector.ts';
import { partitionOfKey } from '../../connectors/partitioner.ts';
import { StreamError } from '../../sql/base/error.ts';
import { readRecords, sleep, values } from './reading.ts';

export const earliest: StartPosition = { offsets: new Map(), otherwise: 'earliest' };
export const latest: StartPosition = { offsets: new Map(), otherwise: 'latest' };
const none: ReadonlyMap<string, string> = new Map();

export function record(value: string | null, more: Partial<ProduceRecord> = {}): ProduceRecord {
  return { key: null, value: value === null ? null : Buffer.from(value), ...more };
}

let topicNumber = 0;
const runId = `${Date.now().toString(36)}-${process.pid}`;

/** A name that no other test and no earlier run used. */
export function freshTopic(): string {
  topicNumber++;
  return `test-${runId}-${topicNumber}`;
}

export async function rejectsWith(code: string, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof StreamError, `a StreamError, not ${error}`);
    assert.equal(error.code, code);
    return true;
  });
}

export function topicLogContract(
  name: string,
  start: () => Promise<TopicLog>,
  options: { readonly skip: boolean } = { skip: false },
): void {
  describe(`${name}: contract of TopicLog`, options, () => {
    let log: TopicLog;
    before(async () => {
      log = await start();
    });
    after(async () => {
      await log.close();
    });

    async function topic(partitions = 1): Promise<string> {
      const created = freshTopic();
      await log.create(created, partitions, none);
      return created;
    }

    it('creates, describes, lists and deletes topics', async () => {
      const created = await topic(3);
      assert.deepEqual(await log.describe(created), {
        name: created,
        partitions: 3,
        replication: 1,
      });
      assert.ok((await log.list()).some((info) => info.name === created));
      await rejectsWith('SQL_DUPLICATE_RELATION', log.create(created, 1, none));
      await log.delete(created);
      assert.equal(await log.describe(created), undefined);
      await rejectsWith('SOURCE_UNKNOWN_TOPIC', log.delete(created));
      await rejectsWith('SOURCE_UNKNOWN_TOPIC', log.produce(created, [record('x')]));
      await rejectsWith('SOURCE_UNKNOWN_TOPIC', log.open(created, earliest));
      await rejectsWith('SOURCE_UNKNOWN_TOPIC', log.read(created, 0, 0, 1));
      await rejectsWith('SOURCE_UNKNOWN_TOPIC', log.bounds(created));
    });

    it('refuses bad names and partition counts', async () => {
      await rejectsWith('REQUEST_INVALID', log.create('no spaces', 1, none));
      await rejectsWith('REQUEST_INVALID', log.create('..', 1, none));
      await rejectsWith('REQUEST_INVALID', log.create(freshTopic(), 0, none));
    });

    it('gives back what was written: keys, values, tombstones, headers, timestamps', async () => {
      const created = await topic();
      const written: ProduceRecord[] = [
        record('{"a":1}', { key: Buffer.from('k1'), timestampMs: 1_700_000_000_000 }),
        record(null, { key: Buffer.from('k1'), timestampMs: 1_700_000_000_123 }),
        record('', { timestampMs: 5 }),
        record('größer', {
          timestampMs: 1_700_000_000_001,
          headers: [
            { key: 'h', value: Buffer.from('v') },
            { key: 'ü', value: null },
            { key: 'h', value: Buffer.from('again') },
          ],
        }),
        record('last', { key: Buffer.from(''), timestampMs: 1_600_000_000_000 }),
      ];
      const places = await log.produce(created, written);
      assert.deepEqual(
        places,
        written.map((_, offset) => ({ partition: 0, offset })),
      );
      const expected = written.map((w, offset) => ({
        partition: 0,
        offset,
        timestampMs: w.timestampMs,
        key: w.key,
        value: w.value,
        headers: w.headers ?? [],
      }));
      assert.deepEqual(await log.read(created, 0, 0, 100), expected);
      assert.deepEqual(await log.read(created, 0, 2, 2), expected.slice(2, 4));
      assert.deepEqual(await log.read(created, 0, 99, 2), []);
      const reader = await log.open(created, earliest);
      assert.deepEqual(await readRecords(reader, 5), expected);
      await reader.close();
    });

    it('keeps the order of calls and gives a timestamp of now', async () => {
      const created = await topic();
      const before = Date.now();
      const calls = Array.from({ length: 50 }, (_, i) =>
        log.produce(created, [record(`${i}a`), record(`${i}b`)]),
      );
      const places = (await Promise.all(calls)).flat();
      assert.deepEqual(
        places.map((place) => place.offset),
        Array.from({ length: 100 }, (_, i) => i),
      );
      const records = await log.read(created, 0, 0, 1000);
      assert.deepEqual(
        values(records),
        Array.from({ length: 50 }, (_, i) => [`${i}a`, `${i}b`]).flat(),
      );
      for (const { timestampMs } of records) {
        assert.ok(timestampMs >= before - 1 && timestampMs <= Date.now() + 1);
      }
    });

    it('chooses partitions by key as Kafka does, and by number when told', async () => {
      const created = await topic(4);
      const keys = Array.from({ length: 64 }, (_, i) => Buffer.from(`key-${i}`));
      const places = await log.produce(
        created,
        keys.map((key) => record('v', { key })),
      );
      for (const [i, key] of keys.entries()) {
        assert.equal(places[i]?.partition, partitionOfKey(key, 4));
      }
      const [place] = await log.produce(created, [record('x', { partition: 2 })]);
      assert.equal(place?.partition, 2);
      await rejectsWith('REQUEST_INVALID', log.produce(created, [record('x', { partition: 4 })]));
    });

    it('spreads records without a key over all partitions', async () => {
      const created = await topic(3);
      const large = 'x'.repeat(5000);
      for (let i = 0; i < 30; i++) await log.produce(created, [record(large)]);
      const bounds = await log.bounds(created);
      for (const [, { end }] of bounds) assert.ok(end > 0, `spread over all: ${[...bounds]}`);
    });

    it('reads from given offsets, the earliest or the latest', async () => {
      const created = await topic(2);
      for (const partition of [0, 1]) {
        await log.produce(
          created,
          Array.from({ length: 10 }, (_, i) => record(`${partition}:${i}`, { partition })),
        );
      }
      const mixed = await log.open(created, {
        offsets: new Map([[1, 7]]),
        otherwise: 'earliest',
      });
      assert.equal(mixed.partitions(), 2);
      const read = await readRecords(mixed, 13);
      assert.deepEqual(values(read.filter((r) => r.partition === 1)), ['1:7', '1:8', '1:9']);
      await mixed.close();
      const tail = await log.open(created, latest);
      assert.deepEqual(tail.poll(1000), []);
      await log.produce(created, [record('new', { partition: 1 })]);
      assert.deepEqual(values(await readRecords(tail, 1)), ['new']);
      await tail.close();
    });

    it('tells bounds and ends', async () => {
      const created = await topic(2);
      await log.produce(created, [record('a', { partition: 1 }), record('b', { partition: 1 })]);
      const expected = [
        [0, { earliest: 0, end: 0 }],
        [1, { earliest: 0, end: 2 }],
      ];
      assert.deepEqual(sorted(await log.bounds(created)), expected);
      const reader = await log.open(created, latest);
      assert.deepEqual(sorted(await reader.endOffsets()), [
        [0, 0],
        [1, 2],
      ]);
      await reader.close();
    });

    it('announces records to a reader that waits at the head', async () => {
      const created = await topic();
      const reader = await log.open(created, earliest);
      assert.deepEqual(reader.poll(1000), []);
      const got: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      reader.onReadable(() => {
        for (const batch of reader.poll(1000)) {
          for (let r = 0; r < batch.length; r++) got.push(String(batch.offsets[r]));
        }
        if (got.length >= 3) resolve();
      });
      for (let i = 0; i < 3; i++) {
        await log.produce(created, [record(`${i}`)]);
        await sleep(2);
      }
      await promise;
      assert.deepEqual(got, ['0', '1', '2']);
      await reader.close();
    });

    it('gives a batch of about the bytes asked for, and never skips', async () => {
      const created = await topic();
      const body = 'y'.repeat(1000);
      for (let i = 0; i < 20; i++) {
        await log.produce(
          created,
          Array.from({ length: 100 }, () => record(body)),
        );
      }
      const reader = await log.open(created, earliest);
      const records = await readRecords(reader, 2000, 20_000, 50_000);
      assert.deepEqual(
        records.map((r) => r.offset),
        Array.from({ length: 2000 }, (_, i) => i),
      );
      await reader.close();
    });

    it('carries large records', async () => {
      const created = await topic();
      const large = 'z'.repeat(900_000);
      await log.produce(created, [record(large), record('small')]);
      const reader = await log.open(created, earliest);
      const [first, second] = await readRecords(reader, 2);
      assert.equal(first?.value?.length, 900_000);
      assert.equal(second?.value?.toString(), 'small');
      await reader.close();
    });

    it('opens a reader that goes on from an offset although the topic is gone', async () => {
      const position = { offsets: new Map([[0, 3]]), otherwise: 'earliest' } as const;
      const reader = await log.open(freshTopic(), position);
      assert.deepEqual(reader.poll(1000), []);
      assert.equal(reader.fault()?.code, 'SOURCE_UNKNOWN_TOPIC');
      await reader.close();
    });

    it('tells readers that their topic was deleted', async () => {
      const created = await topic();
      await log.produce(created, [record('x')]);
      const reader = await log.open(created, earliest);
      await readRecords(reader, 1);
      await log.delete(created);
      const deadline = Date.now() + 15_000;
      while (reader.fault()?.code !== 'SOURCE_UNKNOWN_TOPIC') {
        assert.ok(Date.now() < deadline, `fault is ${reader.fault()?.message}`);
        await sleep(20);
      }
      await reader.close();
    });
  });
}

function sorted<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}
