/** examples/sensor-threshold against a real broker: its SQL, a kill -9 on the way, the result read from the output topic. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { sleep } from '../connectors/reading.ts';
import { needsKafka, startKafka } from '../kafka/start-kafka.ts';
import { ServerProcess } from './server-process.ts';

const READINGS = 20_000;
const PER_BATCH = 1000;
const KILL_AFTER = 10_000;

interface Reading {
  readonly sensor_id: number;
  readonly timestamp: number;
  readonly value: number;
}

interface Processed {
  readonly sensor_id: number;
  readonly timestamp: number;
  readonly processed_value: number;
}

describe('sensor-threshold', needsKafka, () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-sensors-'));
  after(() => rmSync(data, { recursive: true, force: true }));

  it('turns high readings into processed data', { timeout: 120_000 }, async () => {
    // A broker of its own: the example's topics have fixed names.
    const kafka = await startKafka({ own: true });
    const log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
    const start = (): Promise<ServerProcess> =>
      ServerProcess.start({ data, kafka: kafka.bootstrap });
    let server: ServerProcess | undefined;
    try {
      server = await start();
      await server.sql(
        readFileSync(
          new URL('../../examples/sensor-threshold/sensor-threshold.sql', import.meta.url),
          'utf8',
        ),
      );
      const expected = new Map<string, number>();
      for (let from = 0; from < READINGS; from += PER_BATCH) {
        const readings = Array.from({ length: PER_BATCH }, (_, i) => reading(from + i));
        for (const { sensor_id, timestamp, value } of readings) {
          if (value > 50) expected.set(`${sensor_id}@${timestamp}`, value * 1.1);
        }
        await log.produce(
          'sensor-data',
          readings.map((one) => ({
            key: Buffer.from(String(one.sensor_id)),
            value: Buffer.from(JSON.stringify(one)),
          })),
        );
        if (from + PER_BATCH === KILL_AFTER) {
          await server.kill();
          server = await start();
        }
      }
      const processed = await readProcessed(log, expected.size);
      assert.equal(processed.size, expected.size);
      for (const [key, value] of expected) assert.equal(processed.get(key), value, key);
      await checkLoad(server);
    } finally {
      await server?.stop();
      await log.close();
      await kafka.stop();
    }
  });
});

/** Reading n: every (sensor, timestamp) once, values spread over 20 to 100. */
function reading(n: number): Reading {
  return {
    sensor_id: (n % 100) + 1,
    timestamp: 1_767_225_600 + Math.floor(n / 100),
    value: 20 + ((n * 7919) % 8001) / 100,
  };
}

/** Rows by sensor and time; a row that is repeated after the crash must say the same again. */
async function readProcessed(log: KafkaLog, count: number): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const reader = await log.open('processed-data', { offsets: new Map(), otherwise: 'earliest' });
  const deadline = Date.now() + 60_000;
  while (found.size < count) {
    for (const batch of reader.poll(4_000_000)) {
      for (let r = 0; r < batch.length; r++) {
        const start = batch.valueStarts[r] ?? 0;
        const text = batch.bytes.toString('utf8', start, start + (batch.valueLengths[r] ?? 0));
        const row = JSON.parse(text) as Processed;
        assert.deepEqual(Object.keys(row), ['sensor_id', 'timestamp', 'processed_value']);
        const key = `${row.sensor_id}@${row.timestamp}`;
        assert.equal(found.get(key) ?? row.processed_value, row.processed_value);
        found.set(key, row.processed_value);
      }
    }
    assert.ok(Date.now() < deadline, `${found.size} of ${count} rows`);
    await sleep(20);
  }
  await reader.close();
  return found;
}

async function checkLoad(server: ServerProcess): Promise<void> {
  const [row] = await server.rows(
    'FLUSH; SELECT sum(readings)::bigint, sum(high)::bigint, count(*) FROM sensor_load',
  );
  const all = Array.from({ length: READINGS }, (_, n) => reading(n));
  const high = all.filter((one) => one.value > 50).length;
  assert.deepEqual(row?.map(Number), [READINGS, high, 100]);
}
