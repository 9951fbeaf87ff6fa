import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { EpochCommit, Store, StoredRelation } from '../../../engine/store/store.ts';
import type { Datum, Row } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import {
  DATE_INFINITY,
  type Schema,
  type SqlType,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../../sql/base/type.ts';
import { openFilesUnder } from '../../open-files.ts';

const directories: string[] = [];
after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-store-'));
  directories.push(directory);
  return directory;
}

async function opened(path = ':memory:'): Promise<Store> {
  return openDuckdbStore({ path, readers: 2 });
}

function column(name: string, type: SqlType, nullable = true) {
  return { name, type, nullable };
}

const pairs: Schema = [column('k', { kind: 'integer' }), column('v', { kind: 'text' })];
const keyed: StoredRelation = { id: 1, schema: pairs, storage: { kind: 'keyed', key: [0] } };
const bag: StoredRelation = { id: 2, schema: pairs, storage: { kind: 'bag' } };
const append: StoredRelation = { id: 3, schema: pairs, storage: { kind: 'append' } };

type WeightedRow = readonly [row: Row, weight: number];

function batch(schema: Schema, rows: readonly WeightedRow[]) {
  const builder = new BatchBuilder(schema);
  for (const [row, weight] of rows) builder.add(row, weight);
  return builder.take();
}

function epochOf(epoch: number, changes: Partial<EpochCommit>): EpochCommit {
  return { epoch, views: [], positions: [], watermarks: [], outbox: [], ...changes };
}

async function create(store: Store, ...relations: StoredRelation[]): Promise<void> {
  await store.changeCatalog({ put: [], remove: [], createTables: relations, dropTables: [] });
}

async function apply(
  store: Store,
  epoch: number,
  relation: StoredRelation,
  rows: readonly WeightedRow[],
  replace = false,
): Promise<void> {
  const changes = rows.length === 0 ? [] : [batch(relation.schema, rows)];
  await store.commit(epochOf(epoch, { views: [{ relation, changes, replace }] }));
}

/** The relation's rows with their weights, sorted by their text. */
async function content(store: Store, relation: StoredRelation): Promise<WeightedRow[]> {
  const rows: WeightedRow[] = [];
  for await (const part of store.scan(relation)) {
    for (let row = 0; row < part.length; row++) rows.push([part.row(row), part.weight(row)]);
  }
  return rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

async function answer(store: Store, sql: string, schema: Schema): Promise<Row[]> {
  const result = await store.query(sql, schema);
  const rows: Row[] = [];
  for await (const chunk of result.chunks) rows.push(...chunk);
  return rows;
}

test('a keyed relation holds one row per key, NULL keys included', async () => {
  const store = await opened();
  await create(store, keyed);
  await apply(store, 1, keyed, [
    [[1, 'one'], 1],
    [[null, 'none'], 1],
    [[2, 'two'], 1],
  ]);
  await apply(store, 2, keyed, [
    [[1, 'one'], -1],
    [[1, 'a text longer than twelve bytes'], 1],
    [[null, 'none'], -1],
    [[null, 'still none'], 1],
    [[2, 'two'], -1],
    [[3, null], 1],
  ]);
  assert.deepEqual(await content(store, keyed), [
    [[null, 'still none'], 1],
    [[1, 'a text longer than twelve bytes'], 1],
    [[3, null], 1],
  ]);
  await store.close();
});

test('a bag keeps counts; rows that sum up to nothing disappear', async () => {
  const store = await opened();
  await create(store, bag);
  await apply(store, 1, bag, [
    [[1, 'x'], 2],
    [[null, null], 1],
    [[1, 'x'], 1],
    [[2, 'y'], 1],
    [[3, 'z'], 1],
    [[3, 'z'], -1],
  ]);
  assert.deepEqual(await content(store, bag), [
    [[null, null], 1],
    [[1, 'x'], 3],
    [[2, 'y'], 1],
  ]);
  await apply(store, 2, bag, [
    [[null, null], -1],
    [[1, 'x'], -1],
    [[2, 'y'], 5],
  ]);
  assert.deepEqual(await content(store, bag), [
    [[1, 'x'], 2],
    [[2, 'y'], 6],
  ]);
  await store.close();
});

test('an append-only relation keeps duplicates; replace empties any relation first', async () => {
  const store = await opened();
  await create(store, append, bag, keyed);
  await apply(store, 1, append, [
    [[1, 'x'], 2],
    [[1, 'x'], 1],
  ]);
  assert.equal((await content(store, append)).length, 3);
  await apply(store, 2, append, [[[9, 'new'], 1]], true);
  assert.deepEqual(await content(store, append), [[[9, 'new'], 1]]);
  await apply(store, 3, append, [], true);
  assert.deepEqual(await content(store, append), []);
  for (const relation of [bag, keyed]) {
    await apply(store, 4, relation, [[[1, 'x'], 1]]);
    await apply(store, 5, relation, [[[1, 'y'], 1]], true);
    assert.deepEqual(await content(store, relation), [[[1, 'y'], 1]]);
  }
  await store.close();
});

const everyType: readonly (readonly [SqlType, readonly Datum[]])[] = [
  [{ kind: 'boolean' }, [true, false]],
  [{ kind: 'smallint' }, [-32768, 32767]],
  [{ kind: 'integer' }, [-2147483648, 2147483647]],
  [{ kind: 'bigint' }, [-9223372036854775808n, 9223372036854775807n]],
  [{ kind: 'real' }, [Math.fround(0.1), Number.NaN]],
  [{ kind: 'double' }, [0.1, Number.NEGATIVE_INFINITY]],
  [{ kind: 'numeric' }, [Numeric.parse('1.50'), Numeric.NaN]],
  [{ kind: 'numeric' }, [Numeric.parse('123456789012345678901234567890.000'), Numeric.infinity]],
  [{ kind: 'numeric', precision: 4, scale: 2 }, [Numeric.parse('-99.99'), Numeric.NaN]],
  [{ kind: 'numeric', precision: 8, scale: 2 }, [Numeric.parse('999999.99'), Numeric.NaN]],
  [{ kind: 'numeric', precision: 15, scale: 0 }, [Numeric.parse('-123456789012345'), Numeric.NaN]],
  [
    { kind: 'numeric', precision: 37, scale: 7 },
    [Numeric.parse('-123456789012345678901234567890.1234567'), Numeric.NaN],
  ],
  [{ kind: 'numeric', precision: 50, scale: 2 }, [Numeric.parse('1.00'), Numeric.NaN]],
  [{ kind: 'text' }, ['', 'ü𝄞 and more than twelve bytes, with NUL-free text']],
  [{ kind: 'varchar', length: 3 }, ['abc', "o'c"]],
  [{ kind: 'char', length: 5 }, ['ab   ', 'abcde']],
  [{ kind: 'bytea' }, [new Uint8Array([0, 255, 1]), new Uint8Array(40).fill(200)]],
  [{ kind: 'date' }, [DATE_INFINITY, -DATE_INFINITY]],
  [{ kind: 'time' }, [0n, 86_400_000_000n]],
  [{ kind: 'timestamp' }, [TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY]],
  [{ kind: 'timestamptz' }, [1_700_000_000_123_456n, TIMESTAMP_NEGATIVE_INFINITY]],
  [
    { kind: 'interval' },
    [
      { months: -1, days: 2, micros: -3n },
      { months: 0, days: 0, micros: 0n },
    ],
  ],
  [{ kind: 'jsonb' }, ['{"a": 1}', 'null']],
  [
    { kind: 'uuid' },
    ['00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ],
  [{ kind: 'array', element: { kind: 'integer' } }, [[1, null, 3], []]],
  [
    { kind: 'array', element: { kind: 'numeric', precision: 10, scale: 2 } },
    [[Numeric.parse('1.25')], [Numeric.NaN]],
  ],
  [
    {
      kind: 'row',
      fields: [
        column('a', { kind: 'bigint' }),
        column('b', { kind: 'array', element: { kind: 'text' } }),
      ],
    },
    [
      [1n, ['x', null, 'a text longer than twelve bytes']],
      [null, null],
    ],
  ],
];

test('every type comes back from storage as it went in, by scan and by query', async () => {
  const store = await opened();
  const schema = everyType.map(([type], i) => column(`x${i}`, type));
  const rows: Row[] = [
    everyType.map(([, values]) => values[0] ?? null),
    everyType.map(() => null),
    everyType.map(([, values]) => values[1] ?? null),
  ];
  for (const kind of ['append', 'bag'] as const) {
    const relation: StoredRelation = { id: kind === 'bag' ? 5 : 4, schema, storage: { kind } };
    await create(store, relation);
    await apply(
      store,
      1,
      relation,
      rows.map((row) => [row, 1]),
    );
    const stored: Row[] = [];
    for await (const part of store.scan(relation)) {
      for (let row = 0; row < part.length; row++) stored.push(part.row(row));
    }
    const order = (a: Row) => rows.findIndex((row) => String(row) === String(a));
    assert.deepEqual(
      stored.sort((a, b) => order(a) - order(b)),
      rows,
    );
    const names = schema.map((_, i) => `c${i}`).join(', ');
    const read = await answer(store, `SELECT ${names} FROM r${relation.id}`, schema);
    assert.deepEqual(
      read.sort((a, b) => order(a) - order(b)),
      rows,
    );
  }
  // What a bag has can be taken back.
  const taken: StoredRelation = { id: 5, schema, storage: { kind: 'bag' } };
  await apply(
    store,
    2,
    taken,
    rows.map((row) => [row, -1]),
  );
  assert.deepEqual(await content(store, taken), []);
  await store.close();
});

test('batches larger than a data chunk arrive whole, with text from scattered bytes', async () => {
  const store = await opened();
  await create(store, append);
  const rows = Array.from(
    { length: 5000 },
    (_, i): WeightedRow => [[i, i % 3 === 0 ? null : `value ${'x'.repeat(i % 40)} ${i}`], 1],
  );
  await apply(store, 1, append, rows);
  const found = await answer(store, 'SELECT c0, c1 FROM r3 ORDER BY c0', pairs);
  assert.deepEqual(
    found,
    rows.map(([row]) => row),
  );
  await store.close();
});

test('a store reopens with what was committed, and knows it', async () => {
  const path = temporaryDirectory();
  const first = await opened(path);
  await first.changeCatalog({
    put: [{ id: 1, name: 'v', kind: 'view', sql: "SELECT 'it''s'", detail: '{"a":1}' }],
    remove: [],
    createTables: [keyed],
    dropTables: [],
  });
  for (let epoch = 1; epoch <= 600; epoch++) {
    await first.commit(
      epochOf(epoch, {
        views:
          epoch % 100 === 0
            ? [{ relation: keyed, changes: [batch(pairs, [[[epoch, 'x'], 1]])], replace: false }]
            : [],
        positions: [{ relationId: 1, partition: epoch % 3, offset: epoch * 10 }],
      }),
    );
  }
  const before = await first.status();
  await first.close();
  const second = await opened(path);
  assert.deepEqual(await second.status(), before);
  assert.equal(before.epoch, 600);
  assert.deepEqual(before.positions.map((p) => p.offset).sort(), [5980, 5990, 6000]);
  assert.equal(before.versions.get(1), 600);
  assert.equal((await content(second, keyed)).length, 6);
  await second.changeCatalog({ put: [], remove: [1], createTables: [], dropTables: [1] });
  await second.close();
  const third = await opened(path);
  const status = await third.status();
  assert.deepEqual([status.positions, status.catalog, status.versions.size], [[], [], 0]);
  await third.close();
});

test('a closed store has let go of its files, however its statements ended', async () => {
  const path = temporaryDirectory();
  const store = await opened(path);
  await create(store, append);
  const rows = Array.from({ length: 20_000 }, (_, i): WeightedRow => [[i, 'x'], 1]);
  await apply(store, 1, append, rows);
  const schema = [column('n', { kind: 'integer' })];
  for await (const _ of store.scan(append)) break;
  const snapshot = await store.snapshot();
  for await (const _ of snapshot.scan(append)) break;
  await snapshot.close();
  const early = await store.query('SELECT c0 FROM r3', schema);
  for await (const _ of early.chunks) break;
  const unread = await store.query('SELECT c0 FROM r3', schema);
  await unread.chunks[Symbol.asyncIterator]().return?.();
  const controller = new AbortController();
  const canceled = await store.query('SELECT c0 FROM r3', schema, controller.signal);
  await canceled.chunks[Symbol.asyncIterator]().next();
  controller.abort();
  const failing = "SELECT CASE WHEN c0 = 19999 THEN error('late') ELSE c0 END FROM r3";
  await assert.rejects(answer(store, failing, schema));
  await assert.rejects(answer(store, 'SELECT missing FROM r3', schema));
  const slow = 'SELECT count(*)::INTEGER FROM range(100000) a, range(100000) b';
  await assert.rejects(
    async () => {
      const late = await store.query(slow, schema, AbortSignal.timeout(50));
      for await (const _ of late.chunks);
    },
    { code: 'STATEMENT_CANCELED' },
  );
  await store.close();
  assert.deepEqual(openFilesUnder(`${path}/`), []);
  const again = await opened(path);
  assert.equal((await content(again, append)).length, rows.length);
  await again.close();
});

test('a directory in use is refused', async () => {
  const path = temporaryDirectory();
  const store = await opened(path);
  await assert.rejects(opened(path), (error) => {
    assert.ok(error instanceof StreamError);
    assert.equal(error.code, 'STORE_FAILED');
    assert.match(error.message, /is in use/);
    return true;
  });
  await store.close();
  await (await opened(path)).close();
});

test('a failed commit changes nothing and the next one works', async () => {
  const store = await opened();
  await create(store, keyed);
  await apply(store, 1, keyed, [[[1, 'a'], 1]]);
  await assert.rejects(
    store.commit(
      epochOf(2, {
        views: [
          { relation: keyed, changes: [batch(pairs, [[[2, 'b'], 1]])], replace: false },
          { relation: bag, changes: [batch(pairs, [[[2, 'b'], 1]])], replace: false },
        ],
        positions: [{ relationId: 1, partition: 0, offset: 5 }],
      }),
    ),
    { code: 'STORE_FAILED' },
  );
  assert.deepEqual(await content(store, keyed), [[[1, 'a'], 1]]);
  assert.equal((await store.status()).epoch, 1);
  await apply(store, 2, keyed, [[[3, 'c'], 1]]);
  assert.deepEqual(await content(store, keyed), [
    [[1, 'a'], 1],
    [[3, 'c'], 1],
  ]);
  await store.close();
});

test('outbox chunks travel with the epoch', async () => {
  const store = await opened();
  await store.commit(
    epochOf(1, {
      outbox: [1, 2, 3].map((sequence) => ({
        sinkId: 4,
        sequence,
        records: 10 * sequence,
        createdMs: 1.5,
        data: Buffer.from([sequence]),
      })),
    }),
  );
  const chunks = await store.outbox(4, 1, 10);
  assert.deepEqual(
    chunks.map((chunk) => [chunk.sequence, chunk.records, chunk.createdMs, [...chunk.data]]),
    [
      [2, 20, 1.5, [2]],
      [3, 30, 1.5, [3]],
    ],
  );
  assert.deepEqual([...(await store.outboxSizes())], [[4, { records: 60, bytes: 3 }]]);
  await store.acknowledge(4, 2);
  assert.deepEqual([...(await store.outboxSizes())], [[4, { records: 30, bytes: 1 }]]);
  assert.deepEqual(
    (await store.outbox(4, 0, 10)).map((chunk) => chunk.sequence),
    [3],
  );
  await store.close();
});

test('what is appended to the log for a sink leaves its outbox in the same transaction', async () => {
  const store = await opened();
  await store.log.createTopic('t', 1, new Map());
  const outbox = [1, 2, 3].map((sequence) => ({
    sinkId: 4,
    sequence,
    records: 1,
    createdMs: 1,
    data: Buffer.from('x'),
  }));
  await store.commit(epochOf(1, { outbox }));
  const segment = (topic: string) => ({
    topic,
    partition: 0,
    baseOffset: 0,
    count: 1,
    firstTimestampMs: 1,
    lastTimestampMs: 1,
    data: Buffer.from('y'),
  });
  await assert.rejects(store.log.append([segment('none')], [{ sinkId: 4, upTo: 3 }]), {
    code: 'SOURCE_UNKNOWN_TOPIC',
  });
  await store.log.append([segment('t')], [{ sinkId: 5, upTo: 3 }]);
  assert.equal((await store.outbox(4, 0, 10)).length, 3, 'nothing was delivered for this sink');
  await store.log.append([segment('t')], [{ sinkId: 4, upTo: 2 }]);
  assert.deepEqual(
    (await store.outbox(4, 0, 10)).map((chunk) => chunk.sequence),
    [3],
  );
  await store.close();
});

test('the log keeps segments in order, its ends over a restart, and forgets what is trimmed', async () => {
  const path = temporaryDirectory();
  const store = await opened(path);
  await store.log.createTopic('t', 2, new Map([['retention.ms', "it's 1"]]));
  const segment = (partition: number, baseOffset: number, count: number) => ({
    topic: 't',
    partition,
    baseOffset,
    count,
    firstTimestampMs: 1,
    lastTimestampMs: 2,
    data: Buffer.alloc(count, baseOffset),
  });
  await Promise.all(
    [0, 10, 20, 30].map((base) =>
      store.log.append([segment(0, base, 10), segment(1, base / 10, 1)]),
    ),
  );
  await assert.rejects(store.log.append([{ ...segment(0, 0, 1), topic: 'none' }]), {
    code: 'SOURCE_UNKNOWN_TOPIC',
  });
  const bases = async (from: number, max: number) =>
    (await store.log.read('t', 0, from, max)).map((found) => found.baseOffset);
  assert.deepEqual(await bases(0, 2), [0, 10]);
  assert.deepEqual(await bases(19, 10), [10, 20, 30]);
  assert.deepEqual(await bases(40, 10), []);
  assert.deepEqual((await store.log.read('t', 0, 20, 1))[0], segment(0, 20, 10));
  await store.log.trim('t', 0, 25);
  assert.deepEqual(await bases(0, 10), [20, 30]);
  await store.log.trim('t', 0, 40);
  await store.close();
  const again = await opened(path);
  assert.deepEqual(await again.log.topics(), [
    {
      name: 't',
      partitions: 2,
      options: new Map([['retention.ms', "it's 1"]]),
      starts: [40, 0],
      ends: [40, 4],
    },
  ]);
  await again.log.deleteTopic('t');
  assert.deepEqual(await again.log.topics(), []);
  assert.deepEqual(await again.log.read('t', 1, 0, 10), []);
  await again.close();
});

test('a query is canceled by its signal, before, while and after it starts', async () => {
  const store = await opened();
  const schema = [column('n', { kind: 'bigint' })];
  await assert.rejects(store.query('SELECT 1', schema, AbortSignal.abort()), {
    code: 'STATEMENT_CANCELED',
  });
  const slow =
    'SELECT count(*) FROM range(100000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3';
  await assert.rejects(
    (async () => {
      const result = await store.query(slow, schema, AbortSignal.timeout(50));
      for await (const _ of result.chunks);
    })(),
    { code: 'STATEMENT_CANCELED' },
  );
  const controller = new AbortController();
  const result = await store.query('SELECT * FROM range(100000)', schema, controller.signal);
  const rows = result.chunks[Symbol.asyncIterator]();
  assert.equal((await rows.next()).value?.length, 2048);
  controller.abort();
  await assert.rejects(rows.next(), { code: 'STATEMENT_CANCELED' });
  // Both connections are usable again.
  const counts = await Promise.all([1, 2, 3].map(() => answer(store, 'SELECT 1::BIGINT', schema)));
  assert.deepEqual(counts, [[[1n]], [[1n]], [[1n]]]);
  await store.close();
});

test('a result keeps its snapshot while commits go on, and stopping early frees the connection', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  await create(store, append);
  const rows = Array.from({ length: 6000 }, (_, i): WeightedRow => [[i, 'x'], 1]);
  await apply(store, 1, append, rows);
  const result = await store.query('SELECT c0 FROM r3', [column('n', { kind: 'integer' })]);
  const chunks = result.chunks[Symbol.asyncIterator]();
  let read = (await chunks.next()).value?.length ?? 0;
  await apply(store, 2, append, rows);
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) break;
    read += next.value.length;
  }
  assert.equal(read, 6000);
  const early = await store.query('SELECT c0 FROM r3', [column('n', { kind: 'integer' })]);
  for await (const _ of early.chunks) break;
  const unread = await store.query('SELECT c0 FROM r3', [column('n', { kind: 'integer' })]);
  await unread.chunks[Symbol.asyncIterator]().return?.();
  assert.equal((await content(store, append)).length, 12_000);
  await store.close();
});
