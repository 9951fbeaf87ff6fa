/** User-defined types over restarts, in streams, answers and errors, and what keeps them from being changed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, it } from 'node:test';
import { type Answer, Subject } from '../differential/both-sides.ts';

let folder: string;
let subject: Subject;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-types-'));
  subject = await Subject.open(folder);
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const sink of ['counted_out']) await subject.run(`DROP SINK IF EXISTS ${sink}`);
  for (const view of ['counted', 'listed', 'shown']) {
    await subject.run(`DROP MATERIALIZED VIEW IF EXISTS ${view} CASCADE`);
  }
  await subject.run('DROP STREAM IF EXISTS readings CASCADE DELETE TOPIC');
  await subject.run('DROP TABLE IF EXISTS persons CASCADE');
  await subject.run('DROP TYPE IF EXISTS mood CASCADE');
});

async function rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

function failure(answer: Answer): string {
  return answer.kind === 'failed' ? `${answer.sqlstate} ${answer.message}` : answer.tag;
}

const refusal = async (sql: string): Promise<string> => failure(await subject.run(sql));

const MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')";

it('a restart keeps types, their labels in order, and what is made of them', async () => {
  // The table is older than the type of its second column.
  await rows('CREATE TABLE persons (id integer PRIMARY KEY)');
  await rows(MOOD);
  await rows("ALTER TABLE persons ADD COLUMN m mood DEFAULT 'ok'");
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT m, count(*) AS n FROM persons GROUP BY m');
  await rows("INSERT INTO persons VALUES (1, 'sad'), (2, 'happy'), (3, 'sad')");
  await rows("ALTER TYPE mood ADD VALUE 'meh' AFTER 'sad'");
  await rows("INSERT INTO persons VALUES (4, 'meh')");
  await subject.reopen();
  await rows('INSERT INTO persons (id) VALUES (5)');
  await rows("DELETE FROM persons WHERE m < 'meh' AND id = 3");
  await rows("ALTER TYPE mood ADD VALUE 'lost' BEFORE 'sad'");
  await subject.reopen();
  await rows("INSERT INTO persons VALUES (6, 'lost')");
  assert.deepEqual(await rows('SELECT m, n FROM counted ORDER BY m'), [
    ['lost', '1'],
    ['sad', '1'],
    ['meh', '1'],
    ['ok', '1'],
    ['happy', '1'],
  ]);
  assert.deepEqual(await rows('SHOW TYPES'), [
    [
      'mood',
      'enum',
      '{lost,sad,meh,ok,happy}',
      "CREATE TYPE mood AS ENUM ('lost', 'sad', 'meh', 'ok', 'happy')",
    ],
  ]);
  const all = await rows('SHOW CREATE ALL');
  assert.deepEqual(
    all.map(([name]) => name),
    ['mood', 'persons', 'counted'],
  );
  assert.deepEqual((await rows('SHOW CREATE TYPE mood'))[0], all[0]);
});

it('a label that a record should not have is an error until the type has it', async () => {
  await rows(MOOD);
  await rows("CREATE STREAM readings (id integer, m mood, ms mood[]) WITH (kafka_topic = 'moods')");
  await rows(
    'CREATE MATERIALIZED VIEW counted AS SELECT m, count(*) AS n FROM readings GROUP BY m',
  );
  await rows("CREATE SINK counted_out FROM counted WITH (kafka_topic = 'counted')");
  const values = [
    { id: 1, m: 'happy', ms: ['sad', null] },
    { id: 2, m: 'fine' },
    { id: 3, m: 3 },
    { id: 4, m: null, ms: ['fine'] },
    { id: 5, m: 'happy' },
  ];
  const made = values.map((value) => ({
    ...{ key: null, partition: undefined, timestampMs: undefined, headers: [] },
    value: Buffer.from(JSON.stringify(value)),
  }));
  await subject.database.produce('moods', made);
  await rows('FLUSH');
  const errors = 'SELECT "offset", sqlstate, reason FROM readings_errors ORDER BY "offset"';
  const bad = (field: string, type: string, label: string): string =>
    `field "${field}" (${type}): invalid input value for enum mood: "${label}"`;
  assert.deepEqual(await rows(errors), [
    ['1', '22P02', bad('m', 'mood', 'fine')],
    ['2', '22P02', bad('m', 'mood', '3')],
    ['3', '22P02', bad('ms', 'mood[]', 'fine')],
  ]);
  await rows("ALTER TYPE mood ADD VALUE 'fine' BEFORE 'happy'");
  await rows('REPLAY ERRORS FROM readings');
  await rows("INSERT INTO readings (m) VALUES ('fine')");
  await rows('FLUSH');
  assert.deepEqual(await rows(errors), [['2', '22P02', bad('m', 'mood', '3')]]);
  assert.deepEqual(await rows('SELECT m, n FROM counted ORDER BY m'), [
    ['fine', '2'],
    ['happy', '2'],
    [null, '1'],
  ]);
  const [delivered] = await subject.database.readTopic('counted', 0, 0, 1);
  assert.equal(String(delivered?.key), 'happy');
  assert.equal(String(delivered?.value), '{"m":"happy","n":2}');
  await subject.reopen();
  await rows('CREATE MATERIALIZED VIEW listed AS SELECT m FROM readings');
  assert.deepEqual(await rows('SELECT count(*), max(m) FROM listed'), [['5', 'happy']]);
});

it('labels that somebody has read as text are not changed under them', async () => {
  await rows(MOOD);
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, m mood)');
  await rows("INSERT INTO persons VALUES (1, 'ok')");
  await rows("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
  assert.deepEqual(await rows('SELECT m FROM persons'), [['fine']]);
  await rows('CREATE MATERIALIZED VIEW shown AS SELECT id, m::text AS m FROM persons');
  const because = (what: string, view: string): string =>
    `2BP01 cannot ${what} because materialized view ${view} depends on it`;
  assert.equal(
    await refusal("ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'"),
    because('rename a value of type mood', 'shown'),
  );
  await rows("ALTER TYPE mood ADD VALUE 'glad'");
  await rows(
    "CREATE MATERIALIZED VIEW listed AS SELECT id, ('gl' || 'ad')::text::mood AS m FROM persons",
  );
  assert.equal(
    await refusal("ALTER TYPE mood ADD VALUE 'bored'"),
    because('add a value to type mood', 'listed'),
  );
  await rows('DROP MATERIALIZED VIEW listed');
  await rows('CREATE MATERIALIZED VIEW listed AS SELECT id, enum_range(m, NULL) AS m FROM persons');
  assert.equal(
    await refusal("ALTER TYPE mood ADD VALUE 'bored'"),
    because('add a value to type mood', 'listed'),
  );
  await rows('DROP MATERIALIZED VIEW listed');
  await rows(
    `CREATE MATERIALIZED VIEW listed AS SELECT r.m FROM persons, jsonb_to_recordset('[{"m": "sad"}]') AS r (m mood)`,
  );
  assert.equal(
    await refusal("ALTER TYPE mood ADD VALUE 'bored'"),
    because('add a value to type mood', 'listed'),
  );
  await rows('DROP MATERIALIZED VIEW listed');
  await rows("ALTER TYPE mood ADD VALUE 'bored'");
  assert.equal(
    await refusal('ALTER TYPE mood RENAME TO feeling'),
    '2BP01 cannot rename type mood because table persons depends on it',
  );
});

it('a renamed label is a new version of the rows that show it', async () => {
  await rows(MOOD);
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, m mood)');
  await rows("INSERT INTO persons VALUES (1, 'ok'), (2, 'sad'), (3, 'ok')");
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT m, count(*) AS n FROM persons GROUP BY m');
  const { database } = subject;
  const relations = ['persons', 'counted'];
  const before = relations.map((name) => database.viewVersion(name));
  const request = { view: 'counted', since: undefined, snapshot: false };
  const following = await database.subscribe(request);
  await rows("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
  await rows('FLUSH');
  for (const [i, name] of relations.entries()) {
    assert.ok(database.viewVersion(name) > (before[i] ?? 0), name);
  }
  await assert.rejects(async () => {
    for await (const _ of following.events);
  }, /was rebuilt/);
  await rows("DELETE FROM persons WHERE id = 3 AND m = 'fine'");
  assert.deepEqual(await rows('SELECT * FROM counted ORDER BY m'), [
    ['sad', '1'],
    ['fine', '1'],
  ]);
  await rows("CREATE SINK counted_out FROM counted WITH (kafka_topic = 'renamed')");
  assert.match(await refusal("ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'"), /^2BP01.*sink/);
});

it('a default that names a label keeps it from being renamed', async () => {
  await rows(MOOD);
  await rows("CREATE TABLE persons (id integer, m mood DEFAULT 'ok')");
  assert.equal(
    await refusal("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'"),
    '2BP01 cannot rename a value of type mood because table persons depends on it',
  );
  await rows("ALTER TYPE mood RENAME VALUE 'sad' TO 'low'");
  await rows("CREATE DOMAIN good AS mood CHECK (VALUE > 'low')");
  assert.match(await refusal("ALTER TYPE mood RENAME VALUE 'low' TO 'sad'"), /^2BP01.*domain good/);
  assert.match(await refusal('ALTER TYPE good RENAME TO better'), /^0A000/);
  await subject.reopen();
  assert.match(await refusal("SELECT 'low'::good"), /^23514/);
  await rows('INSERT INTO persons (id) VALUES (1)');
  assert.deepEqual(await rows("SELECT m, m > 'low' FROM persons"), [['ok', 't']]);
});

it('a type goes with what uses it, or not at all', async () => {
  await rows(MOOD);
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, m mood, ms mood[])');
  await rows('CREATE MATERIALIZED VIEW shown AS SELECT id FROM persons');
  await rows('CREATE MATERIALIZED VIEW listed AS SELECT id, m FROM persons');
  assert.match(await refusal('DROP TYPE mood'), /^2BP01 cannot drop type mood because/);
  // What reads the table would lose a column.
  assert.match(await refusal('DROP TYPE mood CASCADE'), /^2BP01 cannot drop column m of table/);
  assert.deepEqual(await rows('SELECT count(*) FROM listed'), [['0']]);
  await rows('DROP MATERIALIZED VIEW shown');
  await rows('DROP TYPE mood CASCADE');
  assert.match(await refusal('SELECT * FROM listed'), /^42P01/);
  await rows('INSERT INTO persons VALUES (1)');
  await subject.reopen();
  assert.deepEqual(await rows('SELECT * FROM persons'), [['1']]);
  assert.match(await refusal("SELECT 'ok'::mood"), /^42704/);
});

it('a rule that names a type keeps it', async () => {
  await rows(MOOD);
  await rows(
    "CREATE TABLE persons (id integer, m mood DEFAULT 'ok'::mood, t text CHECK (t::mood > 'sad'))",
  );
  assert.match(await refusal('DROP TYPE mood CASCADE'), /^2BP01.*table persons/);
  await rows('ALTER TABLE persons DROP COLUMN t');
  await rows('DROP TYPE mood CASCADE');
  await subject.reopen();
  assert.deepEqual(await rows('SELECT * FROM persons'), []);
});

it('values of domains and composite types, from records and over restarts', async () => {
  await rows(MOOD);
  await rows('CREATE SCHEMA kinds');
  await rows('SET search_path = kinds, public');
  await rows('CREATE TYPE place AS (street text, zip integer, m mood)');
  await rows('CREATE DOMAIN percent AS numeric(5, 2) DEFAULT 50 CHECK (VALUE BETWEEN 0 AND 100)');
  await rows('CREATE DOMAIN named AS text NOT NULL CONSTRAINT not_empty CHECK (VALUE <> $$$$)');
  await rows(
    "CREATE STREAM readings (id integer, at place, p percent, n named) WITH (kafka_topic = 'places')",
  );
  await rows(
    'CREATE MATERIALIZED VIEW shown AS SELECT id, (at).zip + 1 AS z, (at).m AS m, p, at FROM readings',
  );
  const values = [
    { id: 1, at: { street: 'High St', zip: 12, m: 'ok' }, p: 12.5, n: 'a' },
    { id: 2, at: { zip: '7' }, p: '101', n: 'a' },
    { id: 3, at: { m: 'lost' }, p: 1, n: 'a' },
    { id: 4, p: 101, n: 'a' },
    { id: 5, p: 1 },
    { id: 6, n: '' },
  ];
  await subject.database.produce(
    'places',
    values.map((value) => ({ key: null, value: Buffer.from(JSON.stringify(value)) })),
  );
  await rows("INSERT INTO readings (id, at, n) VALUES (7, ROW('Low St', 1, 'happy'), 'b')");
  await rows('FLUSH');
  assert.deepEqual(await rows('SELECT "offset", sqlstate FROM readings_errors ORDER BY 1'), [
    ['1', '23514'],
    ['2', '22P02'],
    ['3', '23514'],
    ['4', '23502'],
    ['5', '23514'],
  ]);
  const expected = [
    ['1', '13', 'ok', '12.50', '("High St",12,ok)'],
    ['7', '2', 'happy', '50.00', '("Low St",1,happy)'],
  ];
  assert.deepEqual(await rows('SELECT * FROM shown ORDER BY id'), expected);
  await rows('RESET search_path');
  await subject.reopen();
  assert.deepEqual(await rows('SELECT * FROM kinds.shown ORDER BY id'), expected);
  assert.match(await refusal('SELECT 100.01::kinds.percent'), /^23514/);
  assert.deepEqual(await rows("SELECT ('(a,1,ok)'::kinds.place).m > 'sad'"), [['t']]);
  assert.deepEqual(
    (await rows('SHOW TYPES')).slice(1).map(([name, kind]) => [name, kind]),
    [
      ['kinds.place', 'composite'],
      ['kinds.percent', 'domain'],
      ['kinds.named', 'domain'],
    ],
  );
  assert.match(await refusal('DROP TYPE mood'), /^2BP01/);
  await rows('SET search_path = kinds, public');
  await rows('CREATE TYPE spot AS (at place)');
  await rows('RESET search_path');
  assert.match(await refusal('DROP TYPE kinds.place'), /^2BP01/);
  assert.match(await refusal('CREATE TABLE t (a kinds.percent[])'), /^0A000/);
  await rows('DROP STREAM kinds.readings CASCADE DELETE TOPIC');
  await rows('DROP SCHEMA kinds CASCADE');
  await subject.reopen();
  assert.deepEqual((await rows('SHOW TYPES')).length, 1);
});

it('a domain has its new rules after a restart, and keeps those that something has computed by', async () => {
  await rows('CREATE DOMAIN level AS integer');
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, l level)');
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT l, count(*) AS n FROM persons GROUP BY l');
  await rows('INSERT INTO persons VALUES (1, 3)');
  await rows('ALTER DOMAIN level ADD CHECK (VALUE < 10)');
  await rows('ALTER DOMAIN level SET DEFAULT 4');
  await rows('ALTER DOMAIN level SET NOT NULL');
  await subject.reopen();
  await rows('INSERT INTO persons (id) VALUES (2)');
  assert.equal(
    await refusal('INSERT INTO persons VALUES (3, 11)'),
    '23514 value for domain level violates check constraint "level_check"',
  );
  assert.equal(
    await refusal('UPDATE persons SET l = NULL'),
    '23502 domain level does not allow null values',
  );
  assert.deepEqual(await rows('SELECT l, n FROM counted ORDER BY l'), [
    ['3', '1'],
    ['4', '1'],
  ]);
  assert.match(
    await refusal('ALTER DOMAIN level RENAME TO rank'),
    /^2BP01 .* table persons depends/,
  );
  await rows('CREATE MATERIALIZED VIEW listed AS SELECT (id + 1)::level AS l FROM persons');
  const tighter = 'ALTER DOMAIN level ADD CHECK (VALUE < 9)';
  assert.match(await refusal(tighter), /^2BP01 .* materialized view listed depends/);
  await rows('DROP MATERIALIZED VIEW listed');
  await rows(
    'CREATE FUNCTION leveled(i integer) RETURNS integer LANGUAGE sql AS $$ SELECT i::level $$',
  );
  await rows('CREATE MATERIALIZED VIEW listed AS SELECT leveled(id) AS l FROM persons');
  assert.match(await refusal(tighter), /^2BP01 .* materialized view listed depends/);
  await rows('DROP MATERIALIZED VIEW listed');
  await rows(tighter);
  await rows('CREATE STREAM readings (id integer, l level)');
  assert.match(
    await refusal('ALTER DOMAIN level DROP NOT NULL'),
    /^2BP01 .* stream readings depends/,
  );
  await rows('ALTER DOMAIN level DROP DEFAULT');
  assert.match(await refusal('DROP DOMAIN level CASCADE'), /^2BP01 cannot drop type level/);
  await rows('DROP FUNCTION leveled(integer)');
  await rows('DROP STREAM readings CASCADE DELETE TOPIC');
  await rows('DROP TABLE persons CASCADE');
  await rows('DROP DOMAIN level');
});

it('a function over a type keeps its labels and its name', async () => {
  await rows(MOOD);
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, m mood)');
  await rows(
    "CREATE FUNCTION good(m mood) RETURNS boolean LANGUAGE javascript IMMUTABLE AS $$ return m === 'ok' || m === 'happy' $$",
  );
  await rows(
    'CREATE MATERIALIZED VIEW counted AS SELECT good(m) AS g, count(*) AS n FROM persons GROUP BY 1',
  );
  await rows("INSERT INTO persons VALUES (1, 'ok'), (2, 'sad'), (3, 'happy'), (4, NULL)");
  await subject.reopen();
  await rows("UPDATE persons SET m = 'happy' WHERE id = 2");
  assert.deepEqual(await rows('SELECT * FROM counted ORDER BY g'), [
    ['f', '1'],
    ['t', '3'],
  ]);
  assert.match(
    await refusal("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'"),
    /^2BP01 .* materialized view counted depends/,
  );
  assert.match(
    await refusal('ALTER TYPE mood RENAME TO feeling'),
    /^2BP01 cannot rename type mood/,
  );
  await rows('DROP FUNCTION good(mood) CASCADE');
  await rows("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
});

it('an array of several dimensions is computed with, and is an error where it would be stored', async () => {
  await rows('CREATE TABLE persons (id integer PRIMARY KEY, a integer[], t text)');
  await rows(
    'CREATE MATERIALIZED VIEW shown AS SELECT id, (ARRAY[a, ARRAY[id, id]])[2][1] AS x, array_ndims(t::integer[]) AS d FROM persons',
  );
  await rows(
    'CREATE MATERIALIZED VIEW listed AS SELECT id, u FROM (SELECT id, t::integer[] AS u FROM persons) AS s',
  );
  await rows(
    "INSERT INTO persons VALUES (1, '{1,2}', '{{1,2},{3,4}}'), (2, '{3,4}', '{5}'), (3, '{1}', NULL)",
  );
  assert.match(await refusal("INSERT INTO persons VALUES (4, '{{1},{2}}', NULL)"), /^0A000/);
  assert.deepEqual(await rows('SELECT * FROM shown ORDER BY id'), [
    ['1', '1', '2'],
    ['2', '2', '1'],
  ]);
  assert.deepEqual(await rows('SELECT sqlstate FROM shown_errors'), [['2202E']]);
  assert.deepEqual(await rows('SELECT * FROM listed ORDER BY id'), [
    ['2', '{5}'],
    ['3', null],
  ]);
  assert.deepEqual(await rows('SELECT sqlstate FROM listed_errors'), [['0A000']]);
  await rows("UPDATE persons SET t = '{6,7}' WHERE id = 1");
  assert.deepEqual(await rows('SELECT u FROM listed WHERE id = 1'), [['{6,7}']]);
  assert.deepEqual(await rows('SELECT sqlstate FROM listed_errors'), []);
  await rows("CREATE STREAM readings (a integer[]) WITH (kafka_topic = 'lists')");
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT a FROM readings');
  await subject.database.produce(
    'lists',
    ['{"a": [1]}', '{"a": [[1]]}', '{"a": "{{1}}"}'].map((value) => ({
      ...{ key: null, value: Buffer.from(value) },
    })),
  );
  await rows('FLUSH');
  assert.deepEqual(await rows('SELECT * FROM counted'), [['{1}']]);
  assert.deepEqual(await rows('SELECT sqlstate FROM readings_errors ORDER BY "offset"'), [
    ['22P02'],
    ['0A000'],
  ]);
});
