/** When epochs end whose source delivers more slowly than it is read: soon if it is level, after a while if it is far behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceConnector } from '../../../connectors/connector.ts';
import type { ByteWriter } from '../../../connectors/generator/byte-writer.ts';
import { GeneratedReader } from '../../../connectors/generator/generated-reader.ts';
import type { Database } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';

const EVENTS = 400_000;
const DELIVERY_MS = 2;
/** By then the engine has asked where the source ends, which it does once a second. */
const FIRST_DELIVERY_MS = 2_500;
const RECORD_BYTES = 16;

/** A source of EVENTS records, so many with each delivery; after `stuckAt` it has none. */
function slowSource(recordsAtOnce: number, stuckAt = EVENTS): SourceConnector {
  const writer = {
    recordBytesMax: RECORD_BYTES,
    write: (offset: number, out: ByteWriter): number => {
      out.text(`{"n":${String(offset).padStart(6, '1')}}`);
      return Date.now();
    },
  };
  return {
    type: 'slow',
    schema: () => undefined,
    validate: () => {},
    open: async (_options, _schema, from) => {
      const pace = { recordsPerSecond: 0, now: () => 0 };
      const all = new GeneratedReader(writer, from.offsets.get(0) ?? 0, EVENTS, pace);
      let taken = 0;
      let isWaiting = false;
      let listener = (): void => {};
      const wait = (ms: number): void => {
        isWaiting = true;
        setTimeout(() => {
          isWaiting = false;
          listener();
        }, ms);
      };
      wait(FIRST_DELIVERY_MS);
      return {
        partitions: () => 1,
        poll: () => {
          if (isWaiting || taken >= stuckAt) return [];
          wait(DELIVERY_MS);
          const batches = all.poll(recordsAtOnce * 12);
          for (const batch of batches) taken += batch.length;
          return batches;
        },
        onReadable: (listen) => {
          listener = listen;
        },
        endOffsets: () => all.endOffsets(),
        fault: () => undefined,
        close: () => all.close(),
      };
    },
  };
}

async function rows(database: Database, sql: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const { signal } = new AbortController();
  for await (const result of database.session(undefined).execute(sql, [], signal)) {
    if (result.kind !== 'rows') continue;
    for await (const chunk of result.chunks) found.push(...chunk.flat());
  }
  return found;
}

async function readTo(source: SourceConnector, wanted: number, waitMs: number): Promise<number> {
  const database = await openMillrace({ data: ':memory:', sources: [source] });
  try {
    await rows(database, "CREATE STREAM slow (n int) WITH (connector = 'slow')");
    await rows(database, 'CREATE MATERIALIZED VIEW read AS SELECT count(*) AS n FROM slow');
    const deadlineMs = performance.now() + waitMs;
    for (let n = 0; n < wanted; ) {
      assert.ok(performance.now() < deadlineMs, `${n} of ${wanted} after ${waitMs} ms`);
      await sleep(5);
      n = Number((await rows(database, 'SELECT n FROM read'))[0] ?? 0);
    }
    return database.status().epochs.committed;
  } finally {
    await database.close();
  }
}

test('far behind, an epoch gathers many deliveries', async () => {
  const recordsAtOnce = 4_000;
  const deliveries = EVENTS / recordsAtOnce;
  const epochs = await readTo(slowSource(recordsAtOnce), EVENTS, 60_000);
  assert.ok(epochs < deliveries / 3, `${epochs} epochs for ${deliveries} deliveries`);
});

test('what a source has delivered that then has no more is committed all the same', async () => {
  await readTo(slowSource(4_000, 20_000), 20_000, 10_000);
});
