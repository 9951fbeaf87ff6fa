/** The embedded log on the storage that it runs on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { EmbeddedLog } from '../../../connectors/embedded/embedded-log.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Store } from '../../../engine/store/store.ts';
import { readRecords, values } from '../reading.ts';
import { earliest, record, topicLogContract } from '../topic-log-contract.ts';

const stores: Store[] = [];
const folder = mkdtempSync(join(tmpdir(), 'millrace-log-'));
after(async () => {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

topicLogContract('embedded on DuckDB', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  stores.push(store);
  return EmbeddedLog.open(store.log, { tailBytesMax: 0 });
});

it('keeps joined segments over a restart', async () => {
  const path = join(folder, 'data');
  let store = await openDuckdbStore({ path, readers: 1 });
  let log = await EmbeddedLog.open(store.log);
  await log.create('t', 1, new Map());
  const written: string[] = [];
  for (let i = 0; i < 600; i++) {
    written.push(`${i}`);
    await log.produce('t', [record(`${i}`)]);
  }
  await log.close();
  await store.close();
  store = await openDuckdbStore({ path, readers: 1 });
  stores.push(store);
  assert.ok((await store.log.read('t', 0, 0, 1000)).length < 100);
  log = await EmbeddedLog.open(store.log);
  const [place] = await log.produce('t', [record('next')]);
  assert.equal(place?.offset, 600);
  const reader = await log.open('t', earliest);
  assert.deepEqual(values(await readRecords(reader, 601)), [...written, 'next']);
  await log.close();
});
