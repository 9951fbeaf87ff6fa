/** examples/sensor-threshold against a real broker: its one SQL file, two kill -9 on the way, the result read from the topic. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StoredRecord } from '../../connectors/connector.ts';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { sleep } from '../connectors/reading.ts';
import { needsKafka, startKafka } from '../kafka/start-kafka.ts';
import { ServerProcess } from './server-process.ts';

const script = 'examples/sensor-threshold/sensor-threshold.sql';
const READINGS = 40_000;
const PER_BATCH = 1_000;
/** The server is killed after these many readings, and comes back while more are written. */
const KILLS: readonly number[] = [10_000, 24_000];
const DOWN_FOR_READINGS = 3_000;
const SENSORS = 100;
const FIRST_SECOND = 1_767_225_600;
const ARRIVAL_MS_MAX = 60_000;

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

  it('turns high readings into processed data', { timeout: 240_000 }, async () => {
    // A broker of its own: the example's topics have fixed names.
    const kafka = await startKafka({ own: true });
    const log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
    const start = (): Promise<ServerProcess> =>
      ServerProcess.start({ data, kafka: kafka.bootstrap });
    let server = await start();
    try {
      runScript(server);
      let comesBackAt = Number.POSITIVE_INFINITY;
      for (let from = 0; from < READINGS; from += PER_BATCH) {
        if (KILLS.includes(from)) {
          await server.kill();
          comesBackAt = from + DOWN_FOR_READINGS;
        }
        if (from === comesBackAt) server = await start();
        await log.produce('sensor-data', records(from));
      }
      const expected = expectedRows();
      await checkTopic(log, expected);
      await checkViews(server, expected);
    } finally {
      await server.stop();
      await log.close();
      await kafka.stop();
    }
  });
});

/** As its README says: `millrace run`. */
function runScript(server: ServerProcess): void {
  const args = ['server/main.ts', 'run', script, '--url', server.url];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

/** Reading n: every (sensor, timestamp) once, values spread over 20 to 100 in steps of 0.01. */
function reading(n: number): Reading {
  return {
    sensor_id: (n % SENSORS) + 1,
    timestamp: FIRST_SECOND + Math.floor(n / SENSORS),
    value: (2_000 + ((n * 7919) % 8_001)) / 100,
  };
}

function records(from: number) {
  return Array.from({ length: PER_BATCH }, (_, i) => {
    const one = reading(from + i);
    return { key: Buffer.from(String(one.sensor_id)), value: Buffer.from(JSON.stringify(one)) };
  });
}

/** What must come out, per sensor in the order of its readings. */
function expectedRows(): ReadonlyMap<number, readonly Processed[]> {
  const rows = new Map<number, Processed[]>();
  for (let n = 0; n < READINGS; n++) {
    const { sensor_id, timestamp, value } = reading(n);
    if (value <= 50) continue;
    const own = rows.get(sensor_id) ?? [];
    own.push({ sensor_id, timestamp, processed_value: value * 1.1 });
    rows.set(sensor_id, own);
  }
  return rows;
}

/** Every row is there once, in order, with all its digits. */
async function checkTopic(
  log: KafkaLog,
  expected: ReadonlyMap<number, readonly Processed[]>,
): Promise<void> {
  const want = [...expected.values()].reduce((sum, rows) => sum + rows.length, 0);
  const info = await log.describe('processed-data');
  assert.equal(info?.partitions, 4);
  const deadline = Date.now() + ARRIVAL_MS_MAX;
  for (;;) {
    const found = await readPartitions(log, info.partitions);
    const distinct = new Set(found.flat().map(({ value }) => value?.toString()));
    if (distinct.size >= want) {
      checkPartitions(found, expected);
      return;
    }
    assert.ok(Date.now() < deadline, `${distinct.size} of ${want} rows`);
    await sleep(200);
  }
}

async function readPartitions(log: KafkaLog, count: number): Promise<readonly StoredRecord[][]> {
  return Promise.all(
    Array.from({ length: count }, async (_, partition) => [
      ...(await log.read('processed-data', partition, 0, READINGS)),
    ]),
  );
}

function checkPartitions(
  partitions: readonly (readonly StoredRecord[])[],
  expected: ReadonlyMap<number, readonly Processed[]>,
): void {
  const seen = new Map<number, Map<number, Processed>>();
  const home = new Map<number, number>();
  for (const { partition, key, value } of partitions.flat()) {
    const row = JSON.parse(String(value)) as Processed;
    assert.equal(String(key), String(row.sensor_id));
    assert.equal(home.get(row.sensor_id) ?? partition, partition, 'a sensor has one partition');
    home.set(row.sensor_id, partition);
    const own = seen.get(row.sensor_id) ?? new Map<number, Processed>();
    seen.set(row.sensor_id, own);
    assert.equal(own.get(row.timestamp), undefined, 'a row comes once');
    own.set(row.timestamp, row);
  }
  assert.equal(seen.size, expected.size);
  for (const [sensor, rows] of expected) {
    // A Map keeps the order in which its keys came: this compares the order in the partition, too.
    assert.deepEqual([...(seen.get(sensor)?.values() ?? [])], rows, `sensor ${sensor}`);
  }
}

async function checkViews(
  server: ServerProcess,
  expected: ReadonlyMap<number, readonly Processed[]>,
): Promise<void> {
  const all = Array.from({ length: READINGS }, (_, n) => reading(n));
  const load = await server.rows('FLUSH; SELECT * FROM sensor_load ORDER BY sensor_id');
  const expectedLoad = Array.from({ length: SENSORS }, (_, i) => {
    const own = all.filter((one) => one.sensor_id === i + 1);
    const highest = Math.max(...own.map((one) => one.value));
    return [i + 1, own.length, expected.get(i + 1)?.length ?? 0, highest];
  });
  assert.deepEqual(load, expectedLoad);
  const minutes = await server.rows('SELECT minute, readings FROM high_per_minute ORDER BY minute');
  const perMinute = SENSORS * 60;
  assert.deepEqual(
    minutes,
    Array.from({ length: Math.ceil(READINGS / perMinute) }, (_, i) => [
      new Date((FIRST_SECOND + i * 60) * 1000).toISOString().replace('.000Z', 'Z'),
      Math.min(perMinute, READINGS - i * perMinute),
    ]),
  );
}
