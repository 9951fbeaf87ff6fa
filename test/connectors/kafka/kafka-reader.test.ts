import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Connection, createPartitionsV3, Producer } from '@platformatic/kafka';
import type { ProduceRecord } from '../../../connectors/connector.ts';
import { nexmarkBatches } from '../../../connectors/generator/nexmark.ts';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { codecs } from '../../../connectors/kafka/record-encoder.ts';
import { storedRecord } from '../../../connectors/record-batch.ts';
import { needsKafka, startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { readRecords, sleep, values } from '../reading.ts';
import { earliest, freshTopic, record, rejectsWith } from '../topic-log-contract.ts';

describe('kafka', needsKafka, () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  const opened: { close(): Promise<unknown> }[] = [];
  before(async () => {
    kafka = await startKafka();
    log = client();
  });
  after(async () => {
    for (const each of opened) await each.close();
    await kafka.stop();
  });

  function client(options: Record<string, string> = {}): KafkaLog {
    const made = new KafkaLog(
      new Map(Object.entries({ 'bootstrap.servers': kafka.bootstrap, ...options })),
    );
    opened.push(made);
    return made;
  }

  async function topic(partitions = 1, options: Record<string, string> = {}): Promise<string> {
    const name = freshTopic();
    await log.create(name, partitions, new Map(Object.entries(options)));
    return name;
  }

  it('reads what was compressed with each codec, by us and by another client', async () => {
    const name = await topic();
    const expected: string[] = [];
    for (const codec of codecs) {
      const ours = client({ 'compression.type': codec });
      const texts = Array.from({ length: 300 }, (_, i) => `${codec} ours ${i} ${'pad'.repeat(20)}`);
      await ours.produce(
        name,
        texts.map((text) => record(text)),
      );
      expected.push(...texts);
      const theirs = new Producer({ clientId: 'test', bootstrapBrokers: [kafka.bootstrap] });
      opened.push(theirs);
      await theirs.send({
        compression: codec,
        messages: [{ topic: name, value: Buffer.from(`${codec} theirs`), partition: 0 }],
      });
      expected.push(`${codec} theirs`);
    }
    const reader = await log.open(name, earliest);
    assert.deepEqual(values(await readRecords(reader, expected.length)), expected);
    await reader.close();
  });

  it('makes one batch per fetched partition, over the fetched bytes', async () => {
    const name = await topic(4);
    await produceBids(log, name, 20_000);
    const reader = await log.open(name, earliest);
    let batches = 0;
    let count = 0;
    while (count < 20_000) {
      for (const batch of reader.poll(64 * 1024 * 1024)) {
        batches++;
        count += batch.length;
      }
      await sleep(5);
    }
    assert.equal(count, 20_000);
    assert.ok(batches < 60, `${batches} batches`);
    await reader.close();
  });

  it('notices new partitions and reads them from their start', async () => {
    const name = await topic(1);
    const attentive = client({ 'metadata.max.age.ms': '200' });
    const reader = await attentive.open(name, { offsets: new Map(), otherwise: 'latest' });
    const [host = '', port = ''] = kafka.bootstrap.split(',')[0]?.split(':') ?? [];
    const connection = new Connection('test');
    opened.push(connection);
    await connection.connect(host, Number(port));
    await createPartitionsV3.api.async(connection, [{ name, count: 3 }], 5000, false);
    const writer = client();
    await writer.produce(name, [record('in the new one', { partition: 2 })]);
    const [read] = await readRecords(reader, 1);
    assert.equal(read?.partition, 2);
    assert.equal(reader.partitions(), 3);
    await reader.close();
  });

  it('reads a compacted topic over its gaps', async () => {
    const name = await topic(1, {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.001',
      'segment.ms': '100',
      'max.compaction.lag.ms': '100',
    });
    for (let round = 0; round < 4; round++) {
      const keyed = ['a', 'b', 'c'].map((key) =>
        record(`${key}${round}`, { key: Buffer.from(key) }),
      );
      await log.produce(name, keyed);
      await sleep(120);
    }
    const deadline = Date.now() + 30_000;
    for (;;) {
      const reader = await log.open(name, earliest);
      const end = (await reader.endOffsets()).get(0) ?? 0;
      const read = await readUntil(reader, end);
      await reader.close();
      assert.deepEqual(read.slice(-3), ['9:a3', '10:b3', '11:c3']);
      if (read.length < 12) break;
      assert.ok(Date.now() < deadline, 'the cleaner has not come by');
      await sleep(500);
    }
  });

  it('goes on at the earliest record when its position was dropped, and says so', async () => {
    const name = await topic(1, {
      'retention.ms': '1',
      'segment.ms': '50',
      'file.delete.delay.ms': '1',
    });
    await log.produce(name, [
      record('old', { timestampMs: 1000 }),
      record('old too', { timestampMs: 1000 }),
    ]);
    const deadline = Date.now() + 30_000;
    while ((await log.bounds(name)).get(0)?.earliest !== 2) {
      assert.ok(Date.now() < deadline, `bounds ${JSON.stringify([...(await log.bounds(name))])}`);
      await sleep(100);
    }
    const reader = await log.open(name, { offsets: new Map([[0, 1]]), otherwise: 'earliest' });
    while (reader.fault()?.code !== 'SOURCE_RECORDS_GONE') {
      assert.ok(Date.now() < deadline);
      await sleep(20);
    }
    await log.produce(name, [record('new', { timestampMs: Date.now() + 60_000 })]);
    assert.deepEqual(values(await readRecords(reader, 1)), ['new']);
    await reader.close();
  });

  it('sees committed transactions only, and an end without their markers', async () => {
    const name = await topic();
    const producer = new Producer({
      clientId: 'test',
      bootstrapBrokers: [kafka.bootstrap],
      idempotent: true,
      transactionalId: freshTopic(),
      retryDelay: 5,
    });
    opened.push(producer);
    for (const [i, outcome] of ['commit', 'abort', 'commit'].entries()) {
      const transaction = await producer.beginTransaction();
      await transaction.send({
        messages: [{ topic: name, partition: 0, value: Buffer.from(`${outcome} ${i}`) }],
      });
      if (outcome === 'commit') await transaction.commit();
      else await transaction.abort();
    }
    const reader = await log.open(name, earliest);
    const endBefore = (await reader.endOffsets()).get(0);
    const read = await readRecords(reader, 2);
    assert.deepEqual(values(read), ['commit 0', 'commit 2']);
    assert.equal(endBefore, (read[1]?.offset ?? 0) + 1);
    assert.equal((await reader.endOffsets()).get(0), endBefore);
    assert.deepEqual((await log.bounds(name)).get(0), { earliest: 0, end: endBefore });
    await reader.close();
    const all = await client({ 'isolation.level': 'read_uncommitted' }).open(name, earliest);
    assert.equal((await readRecords(all, 3)).length, 3);
    await all.close();
  });

  it('gives a record to a waiting reader within milliseconds', async () => {
    const name = await topic();
    const reader = await log.open(name, earliest);
    reader.poll(1);
    const latencies: number[] = [];
    for (let i = 0; i < 60; i++) {
      const started = performance.now();
      void log.produce(name, [record(`${i}`)]);
      await readRecords(reader, 1);
      latencies.push(performance.now() - started);
      await sleep(5);
    }
    latencies.sort((a, b) => a - b);
    const median = latencies[30] ?? 0;
    assert.ok(median < 40, `median ${median} ms`);
    await reader.close();
  });

  it('lets many readers share a partition and its connections', async () => {
    const name = await topic();
    const readers = await Promise.all(Array.from({ length: 12 }, () => log.open(name, earliest)));
    await log.produce(name, [record('a'), record('b')]);
    for (const reader of readers) {
      assert.deepEqual(values(await readRecords(reader, 2)), ['a', 'b']);
      await reader.close();
    }
  });

  it('says clearly when a record or a batch is too large for the topic', async () => {
    const name = await topic(1, { 'max.message.bytes': '20000' });
    const fitting = Array.from({ length: 100 }, () => record('x'.repeat(1000)));
    const places = await log.produce(name, fitting);
    assert.deepEqual(
      places.map((place) => place.offset),
      Array.from({ length: 100 }, (_, i) => i),
    );
    await rejectsWith('REQUEST_TOO_LARGE', log.produce(name, [record('x'.repeat(30_000))]));
    const [place] = await log.produce(name, [record('next')]);
    assert.equal(place?.offset, 100);
  });

  it('says that no broker can be reached', async () => {
    const lost = client({ 'bootstrap.servers': '127.0.0.1:1', 'default.api.timeout.ms': '300' });
    await rejectsWith('SOURCE_UNREACHABLE', lost.list());
    await rejectsWith('SOURCE_UNREACHABLE', lost.produce('t', [record('x')]));
  });
});

async function readUntil(
  reader: Awaited<ReturnType<KafkaLog['open']>>,
  end: number,
): Promise<string[]> {
  const read: string[] = [];
  const deadline = Date.now() + 10_000;
  let next = 0;
  while (next < end) {
    for (const batch of reader.poll(1_000_000)) {
      for (let r = 0; r < batch.length; r++) {
        const one = storedRecord(batch, r);
        read.push(`${one.offset}:${one.value?.toString()}`);
        next = one.offset + 1;
      }
    }
    assert.ok(Date.now() < deadline, `${next} of ${end}`);
    await sleep(5);
  }
  return read;
}

async function produceBids(log: KafkaLog, name: string, count: number): Promise<void> {
  for (const batch of nexmarkBatches('bid', count)) {
    const records: ProduceRecord[] = [];
    for (let r = 0; r < batch.length; r++) {
      records.push({ key: Buffer.from(`${r}`), value: storedRecord(batch, r).value });
    }
    await log.produce(name, records);
  }
}
