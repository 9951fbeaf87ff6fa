/** Brokers that die with kill -9: nothing acknowledged is lost, nothing is read twice. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SourceReader } from '../../../connectors/connector.ts';
import { KafkaLog } from '../../../connectors/kafka/kafka-log.ts';
import { storedRecord } from '../../../connectors/record-batch.ts';
import { startKafka, type TestKafka } from '../../kafka/start-kafka.ts';
import { nextReadable, sleep } from '../reading.ts';
import { earliest, freshTopic, record } from '../topic-log-contract.ts';

describe('kafka after kill -9 of its node', () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  before(async () => {
    kafka = await startKafka({ own: true });
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  });
  after(async () => {
    await log.close();
    await kafka.stop();
  });

  it('goes on reading and writing, each record once', async () => {
    const name = freshTopic();
    await log.create(name, 3, new Map());
    const reader = await log.open(name, earliest);
    const seen = new Map<string, string>();
    const reading = { on: true };
    const reads = collect(reader, seen, reading);
    const acknowledged: string[] = [];
    const writing = { on: true };
    const writes = write(log, name, acknowledged, writing);
    await until(() => acknowledged.length > 200);
    await kafka.kill(1);
    await until(() => reader.fault()?.code === 'SOURCE_UNREACHABLE');
    await kafka.restart(1);
    const before = acknowledged.length;
    await until(() => acknowledged.length > before + 200);
    writing.on = false;
    await writes;
    await until(() => acknowledged.every((text) => seen.has(text)));
    assert.equal(reader.fault(), undefined);
    reading.on = false;
    await reads;
    const values = [...seen.keys()];
    assert.equal(new Set(seen.values()).size, values.length, 'every record has a place of its own');
    await reader.close();
  });
});

/** Writes small batches until told to stop; a failure ends the test. */
async function write(
  log: KafkaLog,
  topic: string,
  acknowledged: string[],
  state: { on: boolean },
): Promise<void> {
  for (let i = 0; state.on; i++) {
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
  state: { on: boolean },
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
