import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Producer } from '@platformatic/kafka';
import type { SinkChunk, SinkIdentity, SinkWriter } from '../../../connectors/connector.ts';
import { Cluster } from '../../../connectors/kafka/cluster.ts';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { parseKafkaOptions } from '../../../connectors/kafka/options.ts';
import { POSITIONS_TOPIC } from '../../../connectors/kafka/sink-position.ts';
import { TransactionalProducer } from '../../../connectors/kafka/transaction.ts';
import { needsKafka, startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { sleep } from '../reading.ts';
import { freshTopic, record, rejectsWith } from '../topic-log-contract.ts';

describe('kafka sink', needsKafka, () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  const opened: { close(): Promise<unknown> }[] = [];
  before(async () => {
    kafka = await startKafka();
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
    opened.push(log);
  });
  after(async () => {
    for (const each of opened.reverse()) await each.close();
    await kafka.stop();
  });

  async function topic(partitions: number): Promise<{ topic: string; sink: SinkIdentity }> {
    const name = freshTopic();
    await log.create(name, partitions, new Map());
    return { topic: name, sink: { id: 1, name: `sink-${name}` } };
  }

  async function open(place: { topic: string; sink: SinkIdentity }): Promise<SinkWriter> {
    const writer = await log.openSink(place.topic, place.sink);
    opened.push(writer);
    return writer;
  }

  async function content(name: string): Promise<string[]> {
    const texts: string[] = [];
    for (const [partition, { earliest }] of await log.bounds(name)) {
      const records = await log.read(name, partition, earliest, 100_000);
      texts.push(...records.map(({ value }) => String(value)));
    }
    return texts.sort();
  }

  it('writes each chunk once, and tells the next writer how far it came', async () => {
    const place = await topic(4);
    const first = await open(place);
    assert.equal(first.position, 0);
    await first.deliver([chunk(11, 'a', 'b'), chunk(12, 'c')]);
    await first.deliver([chunk(12, 'c'), chunk(13, 'd')]);
    await first.deliver([chunk(13, 'd')]);
    assert.deepEqual(await content(place.topic), ['a', 'b', 'c', 'd']);
    await first.close();
    const second = await open(place);
    assert.equal(second.position, 13);
    await second.deliver([chunk(13, 'd'), chunk(14, 'e')]);
    assert.deepEqual(await content(place.topic), ['a', 'b', 'c', 'd', 'e']);
    const other = await open({ ...place, sink: { id: 2, name: `${place.sink.name}-other` } });
    assert.equal(other.position, 0, 'each sink has its own position');
  });

  it('turns away a writer that another one has followed, whatever it was about to write', async () => {
    const place = await topic(2);
    const old = await open(place);
    await old.deliver([chunk(1, 'first')]);
    const young = await open(place);
    assert.equal(young.position, 1);
    await rejectsWith('SOURCE_UNREACHABLE', old.deliver([chunk(2, 'from the dead')]));
    await young.deliver([chunk(2, 'second')]);
    // It asks before it tries again, and learns why.
    await rejectsWith('SINK_FENCED', old.deliver([chunk(2, 'from the dead')]));
    await rejectsWith('SINK_FENCED', old.deliver([chunk(3, 'from the dead')]));
    await young.deliver([chunk(3, 'third')]);
    assert.deepEqual(await content(place.topic), ['first', 'second', 'third']);
  });

  it('finds its position behind an open transaction of somebody else', async () => {
    const place = await topic(1);
    const before = await open(place);
    const blocker = new Producer({
      clientId: 'test',
      bootstrapBrokers: [kafka.bootstrap],
      idempotent: true,
      transactionalId: freshTopic(),
    });
    opened.push(blocker);
    const transaction = await blocker.beginTransaction();
    await transaction.send({
      messages: [
        { topic: POSITIONS_TOPIC, partition: 0, key: Buffer.from('x'), value: Buffer.from('{}') },
      ],
    });
    await before.deliver([chunk(5, 'hidden')]);
    assert.deepEqual(
      await content(place.topic),
      ['hidden'],
      'its own topic has no open transaction',
    );
    const ended = sleep(1500).then(() => transaction.abort());
    const started = Date.now();
    const next = await open(place);
    assert.ok(Date.now() - started > 1000, 'it has waited');
    assert.equal(next.position, 5);
    await ended;
  });

  it('goes on after Kafka has ended its transaction because it took too long', async () => {
    const place = await topic(1);
    const writer = await open(place);
    await writer.deliver([chunk(1, 'a')]);
    // What a timeout does: the coordinator raises the epoch, and nobody else writes.
    const options = parseKafkaOptions(new Map([['bootstrap.servers', kafka.bootstrap]]));
    const cluster = new Cluster(options);
    opened.push(cluster, await TransactionalProducer.open(cluster, place.sink.name));
    await rejectsWith('SOURCE_UNREACHABLE', writer.deliver([chunk(2, 'b')]));
    await writer.deliver([chunk(2, 'b')]);
    assert.deepEqual(await content(place.topic), ['a', 'b']);
  });

  it('writes large chunks to many partitions at once', async () => {
    const place = await topic(16);
    const writer = await open(place);
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i} ${'pad'.repeat(50)}`);
    await writer.deliver([chunk(1, ...rows.slice(0, 9000)), chunk(2, ...rows.slice(9000))]);
    const found = await content(place.topic);
    assert.equal(found.length, rows.length);
    assert.ok(found.join() === rows.sort().join(), 'the same rows');
  });
});

function chunk(sequence: number, ...texts: string[]): SinkChunk {
  const records = texts.map((text) => record(text, { key: Buffer.from(text) }));
  return { sequence, records };
}
