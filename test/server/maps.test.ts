/** Columns that are maps: in records, views, sinks and tables, and over restarts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onDisk } from './on-disk.ts';

const database = onDisk('maps');
const { rows } = database;

const TOTALS = 'SELECT tags, n FROM totals ORDER BY tags';

it('records, views, sinks and restarts keep them', async () => {
  await rows(`CREATE STREAM readings (id int, tags MAP<STRING, INT>, days MAP<DATE, STRUCT<v DOUBLE>>)
    WITH (topic = 'readings')`);
  await rows(
    'CREATE MATERIALIZED VIEW totals AS SELECT tags, count(*) AS n FROM readings GROUP BY tags',
  );
  await rows("CREATE MATERIALIZED VIEW parts AS SELECT id, tags['b'] AS b, days FROM readings");
  await rows("CREATE SINK totals_out FROM totals WITH (topic = 'totals')");
  const records = [
    '{"id": 1, "tags": {"b": 2, "a": 1}, "days": {"2026-01-02": {"v": 1.5}, "2025-12-31": null}}',
    '{"id": 2, "tags": {"a": 1, "b": 9, "b": 2}}',
    '{"id": 3, "tags": {"a": "x"}}',
    '{"id": 4, "tags": [1]}',
    '{"id": 5, "tags": {}, "days": {"soon": null}}',
    '{"id": 6, "tags": null}',
  ];
  await database.subject.database.produce(
    'readings',
    records.map((text) => ({
      ...{ key: null, partition: 0, timestampMs: undefined, headers: [] },
      value: Buffer.from(text),
    })),
  );
  await rows('FLUSH');
  const check = async (): Promise<void> => {
    assert.deepEqual(await rows(TOTALS), [
      ['{"a":1,"b":2}', '2'],
      [null, '1'],
    ]);
    assert.deepEqual(await rows('SELECT * FROM parts ORDER BY id'), [
      ['1', '2', '{"2025-12-31":null,"2026-01-02":{"v":1.5}}'],
      ['2', '2', null],
      ['6', null, null],
    ]);
  };
  await check();
  assert.deepEqual(await rows('SELECT "offset", sqlstate FROM readings_errors ORDER BY 1'), [
    ['2', '22P02'],
    ['3', '22P02'],
    ['4', '22007'],
  ]);
  await database.subject.reopen();
  await check();
  await rows("INSERT INTO readings VALUES (7, MAP('b' := 2, 'a' := 1), NULL)");
  await rows('FLUSH');
  assert.deepEqual((await rows(TOTALS))[0], ['{"a":1,"b":2}', '3']);
  const sent = await database.subject.database.readTopic('totals', 0, 0, 100);
  const last = sent.findLast(({ value }) => String(value).includes('"a":1'));
  assert.equal(String(last?.value), '{"tags":{"a":1,"b":2},"n":3}');
});

it('a table holds them, and the whole may be a condition', async () => {
  await rows('CREATE TABLE settings (id int PRIMARY KEY, m map<text, int[]>)');
  await rows(
    `INSERT INTO settings VALUES (1, MAP('a' := ARRAY[1, 2])), (2, '{"b": [3], "a": null}')`,
  );
  await rows("UPDATE settings SET m = map_union(m, MAP('c' := ARRAY[id])) WHERE m['a'][2] = 2");
  assert.deepEqual(await rows("SELECT id, m, m['c'][1] FROM settings ORDER BY id"), [
    ['1', '{"a":[1,2],"c":[1]}', '1'],
    ['2', '{"a":null,"b":[3]}', null],
  ]);
  assert.deepEqual(await rows(`SELECT id FROM settings WHERE m = '{"b": [3], "a": null}'`), [
    ['2'],
  ]);
  assert.deepEqual(
    await rows(
      'SELECT s.id, e.key, e.value FROM settings s, unnest(m) AS e(key, value) ORDER BY 1, 2',
    ),
    [
      ['1', 'a', '{1,2}'],
      ['1', 'c', '{1}'],
      ['2', 'a', null],
      ['2', 'b', '{3}'],
    ],
  );
});

it('functions of elements are computed row by row, so that a stream may have them', async () => {
  await rows('CREATE STREAM lists (id int, a int[], m map<text, int[]>)');
  await rows(`CREATE STREAM made AS SELECT id, TRANSFORM(a, x => x + id) AS t,
    TRANSFORM(m, (k, v) => UCASE(k), (k, v) => FILTER(v, x => x IS NOT NULL)) AS f, REDUCE(a, 0, (s, x) => s + x) AS r FROM lists`);
  await rows(
    'CREATE MATERIALIZED VIEW added AS SELECT REDUCE(a, 0, (s, x) => s + x) AS r FROM lists',
  );
  await rows(
    'CREATE MATERIALIZED VIEW taken AS SELECT REDUCE(a, 0, (s, x) => s - x) AS r FROM lists',
  );
  await rows(
    "INSERT INTO lists VALUES (1, ARRAY[2, 3], MAP('b' := ARRAY[NULL, 4])), (2, NULL, NULL)",
  );
  await rows('FLUSH');
  const check = async (): Promise<void> => {
    assert.deepEqual(await rows('SELECT * FROM made ORDER BY id'), [
      ['1', '{3,4}', '{"B":[4]}', '5'],
      ['2', null, null, '0'],
    ]);
    // One operator each: their functions differ by nothing but the body.
    assert.deepEqual(await rows('SELECT r FROM added ORDER BY r'), [['0'], ['5']]);
    assert.deepEqual(await rows('SELECT r FROM taken ORDER BY r'), [['-5'], ['0']]);
  };
  await check();
  await database.subject.reopen();
  await check();
});

it('the lists in a map are rows of unnest', async () => {
  await rows('CREATE TABLE grouped (m map<text, int[]>)');
  await rows("INSERT INTO grouped VALUES (MAP('a' := ARRAY[1, NULL], 'b' := ARRAY[2]))");
  await rows(
    'CREATE MATERIALIZED VIEW spread AS SELECT k, v FROM grouped, unnest(map_keys(m), map_values(m)) AS u(k, v)',
  );
  for (const from of [
    'spread',
    '(SELECT k, v FROM grouped, unnest(map_keys(m), map_values(m)) AS u(k, v)) AS q',
  ]) {
    assert.deepEqual(await rows(`SELECT * FROM ${from} ORDER BY k`), [
      ['a', '{1,NULL}'],
      ['b', '{2}'],
    ]);
  }
});

it('lists of maps are lists, whatever keys their maps have', async () => {
  await rows('CREATE TABLE listed (id int PRIMARY KEY, l ARRAY<MAP<STRING, INT>>)');
  await rows(
    `INSERT INTO listed VALUES (1, ARRAY[MAP('a' := 1), MAP('a' := 2, 'b' := 3)]), (2, ARRAY[NULL, MAP('c' := 4)]), (3, NULL)`,
  );
  const queries = [
    "SELECT id, l, l[2]['a'] AS a, l[1] AS first FROM listed",
    'SELECT array_agg(m ORDER BY id) AS all_maps FROM (SELECT id, l[1] AS m FROM listed) AS q',
    "SELECT id, transform(l, m => m['a']) AS a, filter(l, m => m['b'] IS NULL) AS without FROM listed",
    'SELECT id, to_jsonb(l) AS j FROM listed',
    'SELECT id, ARRAY[l[1], l[2]] AS again FROM listed',
  ];
  for (const [i, query] of queries.entries()) {
    await rows(`CREATE MATERIALIZED VIEW of_lists${i} AS ${query}`);
    const answered = (await rows(query)).toSorted();
    assert.deepEqual((await rows(`SELECT * FROM of_lists${i}`)).toSorted(), answered, query);
    if (i === 0) {
      assert.deepEqual(answered[0], [
        '1',
        '{"{\\"a\\":1}","{\\"a\\":2,\\"b\\":3}"}',
        '2',
        '{"a":1}',
      ]);
    }
  }
  assert.deepEqual(await rows('SELECT m FROM listed, unnest(l) AS m WHERE id = 2'), [
    [null],
    ['{"c":4}'],
  ]);
});

it('subscripts of an array of collected arrays are those of its dimensions', async () => {
  assert.deepEqual(
    await rows(
      'SELECT (array_agg(a ORDER BY a))[2][1] FROM (VALUES (ARRAY[1, 2]), (ARRAY[3, 4])) AS v(a)',
    ),
    [['3']],
  );
});
