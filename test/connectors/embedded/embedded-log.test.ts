import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EmbeddedLog } from '../../../connectors/embedded/embedded-log.ts';
import { MemoryLogStorage } from '../memory-log-storage.ts';
import { readRecords, values } from '../reading.ts';
import { earliest, record, rejectsWith, topicLogContract } from '../topic-log-contract.ts';

topicLogContract('embedded', () => EmbeddedLog.open(new MemoryLogStorage()));
topicLogContract('embedded without memory for the newest segments', () =>
  EmbeddedLog.open(new MemoryLogStorage(), { tailBytesMax: 0 }),
);

const none: ReadonlyMap<string, string> = new Map();

describe('embedded log', () => {
  it('goes on where it was after a restart', async () => {
    const storage = new MemoryLogStorage();
    const first = await EmbeddedLog.open(storage);
    await first.create('t', 2, none);
    await first.produce('t', [record('a', { partition: 1 }), record('b', { partition: 1 })]);
    await first.close();
    const second = await EmbeddedLog.open(storage);
    const [place] = await second.produce('t', [record('c', { partition: 1 })]);
    assert.deepEqual(place, { partition: 1, offset: 2 });
    const reader = await second.open('t', { offsets: new Map([[1, 1]]), otherwise: 'earliest' });
    assert.deepEqual(values(await readRecords(reader, 2)), ['b', 'c']);
    await second.close();
  });

  it('puts what many callers write meanwhile into one append', async () => {
    const storage = new MemoryLogStorage();
    const log = await EmbeddedLog.open(storage);
    await log.create('t', 1, none);
    await Promise.all(Array.from({ length: 500 }, (_, i) => log.produce('t', [record(`${i}`)])));
    assert.ok(storage.appends <= 3, `${storage.appends} appends`);
    await log.close();
  });

  it('never asks the store for readers at the head', async () => {
    const storage = new MemoryLogStorage();
    const log = await EmbeddedLog.open(storage);
    await log.create('t', 1, none);
    const reader = await log.open('t', earliest);
    for (let i = 0; i < 100; i++) {
      await log.produce('t', [record(`${i}`)]);
      assert.deepEqual(values(await readRecords(reader, 1)), [`${i}`]);
    }
    assert.equal(storage.reads, 0);
    await log.close();
  });

  it('joins small segments into one batch for a reader that is behind', async () => {
    const log = await EmbeddedLog.open(new MemoryLogStorage());
    await log.create('t', 1, none);
    for (let i = 0; i < 200; i++) {
      const headers = i % 3 === 0 ? [{ key: 'n', value: Buffer.from(`${i}`) }] : [];
      const key = i % 2 === 0 ? Buffer.from(`k${i}`) : null;
      await log.produce('t', [record(`${i}`, { key, headers })]);
    }
    const reader = await log.open('t', { offsets: new Map([[0, 10]]), otherwise: 'earliest' });
    const batches = reader.poll(1024 * 1024);
    assert.equal(batches.length, 1);
    const second = await log.open('t', { offsets: new Map([[0, 10]]), otherwise: 'earliest' });
    assert.deepEqual(await readRecords(second, 190), await log.read('t', 0, 10, 1000));
    await log.close();
  });

  it('refuses more bytes in flight than its bound, and takes them later', async () => {
    const log = await EmbeddedLog.open(new MemoryLogStorage(), { inFlightBytesMax: 1000 });
    await log.create('t', 1, none);
    const first = log.produce('t', [record('x'.repeat(900))]);
    await rejectsWith('PRESSURE', log.produce('t', [record('y'.repeat(200))]));
    await first;
    await log.produce('t', [record('z'.repeat(5000))]);
    assert.equal((await log.read('t', 0, 0, 10)).length, 2);
    await log.close();
  });

  it('refuses a record over the limit', async () => {
    const log = await EmbeddedLog.open(new MemoryLogStorage(), { recordBytesMax: 100 });
    await log.create('t', 1, none);
    await rejectsWith('REQUEST_TOO_LARGE', log.produce('t', [record('x'.repeat(101))]));
    await log.close();
  });

  it('reports a failed write and gives its offsets to the next', async () => {
    const storage = new MemoryLogStorage();
    const log = await EmbeddedLog.open(storage);
    await log.create('t', 1, none);
    storage.failure = new Error('disk full');
    await rejectsWith('STORE_FAILED', log.produce('t', [record('lost')]));
    storage.failure = undefined;
    const [place] = await log.produce('t', [record('kept')]);
    assert.equal(place?.offset, 0);
    await log.close();
  });

  it('goes on reading after a fault of the store, and tells it meanwhile', async () => {
    const storage = new MemoryLogStorage();
    const log = await EmbeddedLog.open(storage, { tailBytesMax: 0 });
    await log.create('t', 1, none);
    await log.produce('t', [record('a')]);
    storage.failure = new Error('disk gone');
    const reader = await log.open('t', earliest);
    reader.poll(100);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(reader.fault()?.code, 'STORE_FAILED');
    storage.failure = undefined;
    assert.deepEqual(values(await readRecords(reader, 1)), ['a']);
    assert.equal(reader.fault(), undefined);
    await log.close();
  });

  it('drops segments by age and by size, also those of an earlier run', async () => {
    const storage = new MemoryLogStorage();
    let now = 1_000_000;
    const first = await EmbeddedLog.open(storage, { now: () => now });
    await first.create('age', 1, new Map([['retention.ms', '1000']]));
    await first.create('size', 1, new Map([['retention.bytes', '3000']]));
    for (let i = 0; i < 10; i++) {
      now += 200;
      await first.produce('age', [record(`${i}`)]);
      await first.produce('size', [record('s'.repeat(1000))]);
    }
    await first.close();
    const log = await EmbeddedLog.open(storage, { now: () => now });
    const reader = await log.open('age', earliest);
    await log.enforceRetention();
    assert.equal((await log.bounds('age')).get(0)?.earliest, 4);
    assert.equal((await log.bounds('size')).get(0)?.earliest, 8);
    assert.deepEqual(values(await readRecords(reader, 6)), ['4', '5', '6', '7', '8', '9']);
    assert.equal(reader.fault()?.code, 'SOURCE_RECORDS_GONE');
    const late = await log.open('age', { offsets: new Map([[0, 2]]), otherwise: 'earliest' });
    assert.equal((await late.endOffsets()).get(0), 10);
    now += 5000;
    await log.enforceRetention();
    assert.deepEqual(late.poll(1000), []);
    assert.equal((await late.endOffsets()).get(0), 2, 'no record is left that could move it on');
    assert.deepEqual([...(await log.bounds('age'))], [[0, { earliest: 10, end: 10 }]]);
    const [place] = await log.produce('age', [record('next')]);
    assert.equal(place?.offset, 10);
    await log.close();
  });

  it('joins what small writes left behind, under readers and limits', async () => {
    const storage = new MemoryLogStorage();
    const limits = new Map([['retention.bytes', '5000']]);
    const log = await EmbeddedLog.open(storage, { tailBytesMax: 0 });
    await log.create('t', 1, none);
    await log.create('limited', 1, limits);
    const reader = await log.open('t', earliest);
    const read: (string | null)[] = [];
    for (let i = 0; i < 1100; i++) {
      const headers = [{ key: 'n', value: Buffer.from(`${i}`) }];
      await log.produce('t', [record(`${i}`, { key: Buffer.from(`k${i}`), headers })]);
      await log.produce('limited', [record(`${i}`)]);
      if (i % 100 === 0) read.push(...values(await readRecords(reader, i + 1 - read.length)));
    }
    await log.close();
    assert.ok(storage.segments('t', 0) < 100, `${storage.segments('t', 0)} segments`);
    const again = await EmbeddedLog.open(storage);
    const all = await again.read('t', 0, 0, 2000);
    const expected = Array.from({ length: 1100 }, (_, i) => `${i}`);
    assert.deepEqual(values(all), expected);
    assert.deepEqual(read, expected.slice(0, read.length));
    assert.deepEqual(all[700]?.headers, [{ key: 'n', value: Buffer.from('700') }]);
    assert.deepEqual(values(await again.read('t', 0, 300, 2)), ['300', '301']);
    await again.enforceRetention();
    const start = (await again.bounds('limited')).get(0)?.earliest ?? 0;
    assert.ok(start > 256 && start < 1100, `starts at ${start}`);
    assert.equal((await again.read('limited', 0, 0, 1))[0]?.offset, start);
    await again.close();
  });

  it('refuses options that are no numbers', async () => {
    const log = await EmbeddedLog.open(new MemoryLogStorage());
    await rejectsWith('SQL_INVALID_OPTION', log.create('t', 1, new Map([['retention.ms', 'x']])));
    await log.close();
  });
});
