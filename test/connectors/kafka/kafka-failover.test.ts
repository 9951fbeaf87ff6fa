/** Brokers that die with kill -9: nothing acknowledged is lost, nothing is read twice. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SourceReader } from '../../../connectors/connector.ts';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { storedRecord } from '../../../connectors/record-batch.ts';
import { needsKafka, startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { nextReadable, readRecords, sleep, values } from '../reading.ts';
import { earliest, freshTopic, record } from '../topic-log-contract.ts';

for (const nodes of [1, 3] as const) {
  describe(`kafka after kill -9 of a node of ${nodes}`, needsKafka, () => {
    let kafka: TestKafka;
    let log: KafkaLog;
    before(async () => {
      kafka = await startKafka({ own: true, nodes });
      log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
    });
    after(async () => {
      await log.close();
      await kafka.stop();
    });

    it('goes on reading and writing, each record once', async () => {
      const name = freshTopic();
      await log.create(name, 6, new Map());
      const reader = await log.open(name, earliest);
      const seen = new Map<string, string>();
      const state = { on: true, writing: true };
      const reads = collect(reader, seen, state);
      const acknowledged: string[] = [];
      const writes = write(log, name, acknowledged, state);
      await until(() => acknowledged.length > 200);
      await kafka.kill(1);
      await until(() => reader.fault()?.code === 'SOURCE_UNREACHABLE');
      const atFault = acknowledged.length;
      // With replicas, new leaders take over while the node is away.
      if (nodes === 3) await until(() => acknowledged.length > atFault + 200);
      await kafka.restart(1);
      const atRestart = acknowledged.length;
      await until(() => acknowledged.length > atRestart + 200);
      state.writing = false;
      await writes;
      await until(() => acknowledged.every((text) => seen.has(text)));
      await until(() => reader.fault() === undefined);
      state.on = false;
      await reads;
      assert.equal(new Set(seen.values()).size, seen.size, 'every record has its own place');
      await reader.close();
    });

    it('opens while no broker is there, and reads when one comes', async () => {
      if (nodes > 1) return;
      const name = freshTopic();
      await log.create(name, 1, new Map());
      await log.produce(name, [record('a'), record('b')]);
      await kafka.kill(1);
      const other = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
      const reader = await other.open(name, { offsets: new Map([[0, 1]]), otherwise: 'earliest' });
      assert.equal(reader.fault()?.code, 'SOURCE_UNREACHABLE');
      assert.equal(reader.partitions(), 1);
      await kafka.restart(1);
      assert.deepEqual(values(await readRecords(reader, 1)), ['b']);
      assert.equal(reader.fault(), undefined);
      await other.close();
    });
  });
}

/** Writes small batches until told to stop; a failure ends the test. */
async function write(
  log: KafkaLog,
  topic: string,
  acknowledged: string[],
  state: { readonly writing: boolean },
): Promise<void> {
  for (let i = 0; state.writing; i++) {
    const texts = Array.from({ length: 5 }, (_, k) => `${i}.${k}`);
    await log.produce(
      topic,
      texts.map((text) => record(text, { key: Buffer.from(text) })),
    );
    acknowledged.push(...texts);
    await sleep(2);
  }
}

/** Records what is read; the same value twice fails. */
async function collect(
  reader: SourceReader,
  seen: Map<string, string>,
  state: { readonly on: boolean },
): Promise<void> {
  while (state.on) {
    const readable = nextReadable(reader);
    for (const batch of reader.poll(1_000_000)) {
      for (let r = 0; r < batch.length; r++) {
        const { value, partition, offset } = storedRecord(batch, r);
        const text = value?.toString() ?? '';
        assert.ok(!seen.has(text), `${text} twice: ${seen.get(text)} and ${partition}/${offset}`);
        seen.set(text, `${partition}/${offset}`);
      }
    }
    await Promise.race([readable, sleep(50)]);
  }
}

async function until(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition is not met in time');
    await sleep(10);
  }
}
