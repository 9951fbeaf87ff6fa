/**
 * A power cut in the middle of a commit leaves DuckDB's write-ahead log cut anywhere behind the last acknowledged commit: the
 * store opens as that commit left it, and goes on. A file system that leaves zeros or other bytes where the rest should be is
 * another matter: DuckDB cannot tell those from a damaged log, and refuses it with the place, at which it can be cut by hand.
 */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NumberedRandom } from '../../../connectors/generator/random.ts';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Store, StoredRelation } from '../../../engine/store/store.ts';
import { RUN_SEED } from '../../run-seed.ts';

const EPOCHS = 12;
const CUTS_A_TAIL = Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 10);
const DATA = 'millrace.duckdb';
const LOG = 'millrace.duckdb.wal';
/** Length and checksum of an entry of the log; DuckDB names the place behind them. */
const ENTRY_HEADER_BYTES = 16;

const schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: false },
  { name: 'epoch', type: { kind: 'bigint' }, nullable: false },
] as const;
const last: StoredRelation = { id: 1, schema, storage: { kind: 'keyed', key: [0] } };
const all: StoredRelation = { id: 2, schema, storage: { kind: 'append' } };
const folder = mkdtempSync(join(tmpdir(), 'millrace-torn-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function commit(store: Store, epoch: number): Promise<void> {
  const changed = new BatchBuilder(schema);
  if (epoch > 1) changed.add([7, BigInt(epoch - 1)], -1);
  changed.add([7, BigInt(epoch)]);
  const added = new BatchBuilder(schema);
  for (let i = 0; i < 50; i++) added.add([i, BigInt(epoch)]);
  await store.commit({
    epoch,
    views: [
      { relation: last, changes: [changed.take()], replace: false },
      { relation: all, changes: [added.take()], replace: false },
    ],
    positions: [{ relationId: 9, partition: 0, offset: epoch }],
    watermarks: [],
    outbox: [{ sinkId: 3, sequence: epoch, records: 1, createdMs: 1, data: Buffer.from('row') }],
  });
}

async function check(store: Store, epoch: number): Promise<void> {
  const status = await store.status();
  assert.equal(status.epoch, epoch);
  assert.deepEqual(status.positions, [{ relationId: 9, partition: 0, offset: epoch }]);
  const rows: unknown[] = [];
  for await (const batch of store.scan(last)) rows.push(batch.row(0));
  assert.deepEqual(rows, [[7, BigInt(epoch)]]);
  let count = 0;
  for await (const batch of store.scan(all)) count += batch.length;
  assert.equal(count, 50 * epoch);
  assert.equal((await store.outbox(3, 0, 1_000)).length, epoch);
}

/** @param mayBeRefused  then the log is cut where the refusal says, and opened again. */
async function openCut(path: string, mayBeRefused: boolean): Promise<Store> {
  try {
    return await openDuckdbStore({ path, readers: 1 });
  } catch (error) {
    const place = /\.wal": Corrupt WAL file: .* byte position (\d+)/.exec(String(error))?.[1];
    if (!mayBeRefused || place === undefined) throw error;
    truncateSync(join(path, LOG), Number(place) - ENTRY_HEADER_BYTES);
    return openDuckdbStore({ path, readers: 1 });
  }
}

test('a write-ahead log that is cut within a commit gives the commit before', async (t) => {
  const origin = join(folder, 'origin');
  const kept = join(folder, 'kept');
  mkdirSync(kept);
  const store = await openDuckdbStore({ path: origin, readers: 1 });
  await store.changeCatalog({ put: [], remove: [], createTables: [last, all], dropTables: [] });
  /** Bytes of the log when epoch i was acknowledged. */
  const ends: number[] = [readFileSync(join(origin, LOG)).length];
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    await commit(store, epoch);
    ends.push(readFileSync(join(origin, LOG)).length);
  }
  copyFileSync(join(origin, DATA), join(kept, DATA));
  const log = readFileSync(join(origin, LOG));
  await store.close();

  const random = new NumberedRandom(RUN_SEED);
  const tails: Readonly<Record<string, (length: number) => Buffer>> = {
    nothing: () => Buffer.alloc(0),
    zeros: (length) => Buffer.alloc(length),
    'other bytes': (length) => Buffer.from(Array.from({ length }, () => random.below(256))),
  };
  for (const [name, tailOf] of Object.entries(tails)) {
    for (let i = 0; i < CUTS_A_TAIL; i++) {
      random.start(i);
      const epoch = 1 + random.below(EPOCHS - 1);
      const [end = 0, next = 0] = ends.slice(epoch);
      const cut = i === 0 ? end : end + random.below(next - end);
      await t.test(`${name} from byte ${cut - end} of ${next - end} on`, async () => {
        const path = join(folder, `${name}-${i}`);
        mkdirSync(path);
        copyFileSync(join(kept, DATA), join(path, DATA));
        writeFileSync(join(path, LOG), Buffer.concat([log.subarray(0, cut), tailOf(next - cut)]));
        const opened = await openCut(path, name !== 'nothing');
        await check(opened, epoch);
        await commit(opened, epoch + 1);
        await opened.close();
        const again = await openDuckdbStore({ path, readers: 1 });
        await check(again, epoch + 1);
        await again.close();
        rmSync(path, { recursive: true });
      });
    }
  }
});
