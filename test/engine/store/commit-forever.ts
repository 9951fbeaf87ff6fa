/** Commits epochs to the store in argv[2] until it is killed; prints each epoch once it is acknowledged. */
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { StoredRelation } from '../../../engine/store/store.ts';
import type { Datum } from '../../../sql/base/datum.ts';

const KEYS = 50;
const schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: false },
  { name: 'total', type: { kind: 'bigint' }, nullable: false },
] as const;
const sums: StoredRelation = { id: 1, schema, storage: { kind: 'keyed', key: [0] } };
const rows: StoredRelation = { id: 2, schema, storage: { kind: 'append' } };

const store = await openDuckdbStore({ path: process.argv[2] as string, readers: 1 });
let { epoch } = await store.status();
if (epoch === 0) {
  await store.changeCatalog({ put: [], remove: [], createTables: [sums, rows], dropTables: [] });
  await store.log.createTopic('t', 1, new Map());
}
const totals = new Map<Datum, bigint>();
for await (const batch of store.scan(sums)) {
  for (let row = 0; row < batch.length; row++) {
    const [k, total] = batch.row(row);
    totals.set(k as number, total as bigint);
  }
}
for (;;) {
  epoch++;
  const k = epoch % KEYS;
  const before = totals.get(k);
  const after = (before ?? 0n) + BigInt(epoch);
  totals.set(k, after);
  const change = new BatchBuilder(schema);
  if (before !== undefined) change.add([k, before], -1);
  change.add([k, after]);
  const added = new BatchBuilder(schema);
  added.add([k, BigInt(epoch)]);
  const commit = store.commit({
    epoch,
    views: [
      { relation: sums, changes: [change.take()], replace: false },
      { relation: rows, changes: [added.take()], replace: false },
    ],
    positions: [{ relationId: 9, partition: 0, offset: epoch }],
    watermarks: [],
    outbox: [
      { sinkId: 3, sequence: epoch, records: 1, createdMs: 1, data: Buffer.from(String(epoch)) },
    ],
  });
  const append = store.log.append([
    {
      topic: 't',
      partition: 0,
      baseOffset: epoch - 1,
      count: 1,
      firstTimestampMs: epoch,
      lastTimestampMs: epoch,
      data: Buffer.from(`segment ${epoch}`),
    },
  ]);
  await Promise.all([commit, append]);
  process.stdout.write(`${epoch}\n`);
}
