/** CREATE SINK … INTO table: rows of queries in a table, by its primary key, as PostgreSQL would answer the queries. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asBag, Judge, type Subject } from '../differential/both-sides.ts';
import { onDisk } from './on-disk.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 8);
const disk = onDisk('table-sink');
const { rows } = disk;

async function failure(sql: string): Promise<{ sqlstate: string; message: string }> {
  const answer = await disk.subject.run(sql);
  assert.equal(answer.kind, 'failed', sql);
  return answer.kind === 'failed' ? answer : { sqlstate: '', message: '' };
}

const states = () => rows('SHOW SINKS').then((all) => all.map((row) => [row[0], row[3], row[12]]));

describe('against PostgreSQL', () => {
  const key = fc.option(fc.integer({ min: 0, max: 1 }), { nil: null });
  const value = fc.option(fc.integer({ min: -2, max: 2 }), { nil: null });
  const insert = fc
    .record({
      table: fc.constantFrom('a', 'b'),
      rows: fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 3 }),
    })
    .map(
      ({ table, rows }) =>
        `INSERT INTO ${table} VALUES ${rows.map(([k, v]) => `(${k}, ${v})`).join(', ')}`,
    );
  const step = fc.oneof(
    { weight: 4, arbitrary: insert },
    fc
      .record({ table: fc.constantFrom('a', 'b'), k: key, v: value })
      .map(({ table, k, v }) => `UPDATE ${table} SET v = ${v} WHERE k IS NOT DISTINCT FROM ${k}`),
    fc
      .record({ table: fc.constantFrom('a', 'b'), k: key, to: key })
      .map(({ table, k, to }) => `UPDATE ${table} SET k = ${to} WHERE k IS NOT DISTINCT FROM ${k}`),
    fc
      .record({ table: fc.constantFrom('a', 'b'), v: value })
      .map(({ table, v }) => `DELETE FROM ${table} WHERE v IS NOT DISTINCT FROM ${v}`),
    fc.constantFrom('FLUSH', 'reopen'),
  );
  // `sums` has a key of its own; rows of `b` share theirs, and one of them counts.
  const expected = `SELECT 'a' || k AS id, sum(v) AS total, -sum(v) AS negative FROM a WHERE k IS NOT NULL GROUP BY k
    UNION ALL SELECT id, v, -v FROM (SELECT DISTINCT ON (k) 'b' || k AS id, v FROM b WHERE k IS NOT NULL ORDER BY k, v DESC NULLS FIRST) AS last`;
  const setUp = ['CREATE TABLE a (k int, v int)', 'CREATE TABLE b (k int, v int)'];
  const sinks = [
    'CREATE TABLE both_ (id text PRIMARY KEY, total bigint, negative bigint GENERATED ALWAYS AS (-total) STORED)',
    "CREATE MATERIALIZED VIEW sums AS SELECT 'a' || k AS id, sum(v) AS total FROM a WHERE k IS NOT NULL GROUP BY k",
    'CREATE SINK from_a INTO both_ FROM sums',
    "CREATE SINK from_b INTO both_ (total, id) AS SELECT v, 'b' || k FROM b WHERE k IS NOT NULL",
    'CREATE MATERIALIZED VIEW over AS SELECT count(*) AS n, sum(total) AS total FROM both_',
  ];
  const tearDown = 'DROP TABLE IF EXISTS a, b, both_ CASCADE';

  async function play(subject: Subject, judge: Judge, steps: readonly string[]): Promise<void> {
    await judge.run(tearDown);
    await rows(tearDown);
    for (const sql of setUp) {
      await judge.run(sql);
      await rows(sql);
    }
    for (const [index, sql] of [...sinks, ...steps].entries()) {
      if (sql === 'reopen') await subject.reopen();
      else await rows(sql);
      if (index >= sinks.length && sql !== 'reopen' && sql !== 'FLUSH') await judge.run(sql);
    }
    await rows('FLUSH');
    const answer = await judge.run(expected);
    const found = await subject.run('SELECT * FROM both_');
    assert.deepEqual(asBag(found), asBag(answer));
    const over = await judge.run(`SELECT count(*), sum(total)::text FROM (${expected}) AS rows`);
    assert.deepEqual(await rows('SELECT * FROM over'), over.kind === 'answered' ? over.rows : over);
  }

  it('two sinks into one table, over restarts', async () => {
    const judge = await Judge.open();
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20, size: 'max' }), (steps) =>
          play(disk.subject, judge, steps),
        ),
        { numRuns: runs },
      );
    } finally {
      await judge.close();
    }
    await rows(tearDown);
  });
});

describe('columns', () => {
  it('that the query does not give have defaults, and keep what they have', async () => {
    await rows('CREATE TABLE origin (k int PRIMARY KEY, v int)');
    await rows(
      "CREATE TABLE kept (k int PRIMARY KEY, v bigint, note text DEFAULT 'new', double bigint GENERATED ALWAYS AS (v * 2) STORED, id serial, at timestamptz DEFAULT now())",
    );
    await rows('CREATE SINK keeps INTO kept FROM origin');
    await rows('INSERT INTO origin VALUES (1, 10), (2, 20); FLUSH');
    await rows("UPDATE kept SET note = 'mine' WHERE k = 1");
    await rows('UPDATE origin SET v = v + 1; FLUSH');
    const shown = 'SELECT k, v, note, double, id, at IS NULL FROM kept ORDER BY k';
    assert.deepEqual(await rows(shown), [
      ['1', '11', 'mine', '22', '1', 'f'],
      ['2', '21', 'new', '42', '2', 'f'],
    ]);
    await rows("ALTER TABLE kept ADD COLUMN more text DEFAULT 'later'");
    await rows('ALTER TABLE kept RENAME TO renamed');
    await disk.subject.reopen();
    await rows('INSERT INTO origin VALUES (3, 30); DELETE FROM origin WHERE k = 2; FLUSH');
    assert.deepEqual(await rows('SELECT k, v, more FROM renamed ORDER BY k'), [
      ['1', '11', 'later'],
      ['3', '30', 'later'],
    ]);
    assert.match(
      (await failure('ALTER TABLE renamed DROP COLUMN note')).message,
      /keeps_errors depends/,
    );
    await rows('DROP TABLE origin, renamed CASCADE');
  });

  it('of every type arrive as they were', async () => {
    await rows("CREATE TYPE mood AS ENUM ('sad', 'ok')");
    const columns =
      'k int PRIMARY KEY, m mood, a int[], n numeric, f float8, r float4, t timestamptz, i interval, j json, b bytea, u uuid, d date, c time, p map<text, int>, x text[], y boolean';
    await rows(`CREATE TABLE many (${columns}); CREATE TABLE same (${columns})`);
    await rows('CREATE SINK copies INTO same FROM many');
    await rows(`INSERT INTO many VALUES
      (1, 'ok', '{1,NULL,3}', 'NaN', '-0', 1.1e-10, '2020-01-01 00:00:00.123456+02', '1 mon -3 days 04:05:06.7', '{"a": [1]}', '\\x00ff',
       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '0044-03-15 BC', '24:00:00', MAP['a', 1], '{"a\\"b",NULL,"NULL",""}', true),
      (2, NULL, '{}', 1e-20, 'Infinity', NULL, 'infinity', NULL, NULL, '', NULL, '-infinity', NULL, NULL, '{}', false)`);
    await rows('FLUSH');
    assert.deepEqual(
      await rows('SELECT * FROM same ORDER BY k'),
      await rows('SELECT * FROM many ORDER BY k'),
    );
    await rows('DROP TABLE many, same CASCADE');
    await rows('DROP TYPE mood');
  });

  it('go by their places, and untyped literals by the columns', async () => {
    await rows('CREATE TABLE one (k int PRIMARY KEY, v text, w text); CREATE STREAM s (a int)');
    await rows("CREATE SINK placed INTO one AS SELECT a, '5', '6' FROM s");
    await rows("CREATE SINK named INTO one (w, k) AS SELECT a, '7' FROM s");
    await rows('INSERT INTO s VALUES (1), (2); FLUSH');
    assert.deepEqual(await rows('SELECT * FROM one ORDER BY k'), [
      ['1', '5', '6'],
      ['2', '5', '6'],
      ['7', null, '2'],
    ]);
    assert.match(
      (await failure('CREATE SINK x INTO one (k, v) AS SELECT a FROM s')).message,
      /gives 1 columns, its destination takes 2/,
    );
    assert.equal(
      (await failure('CREATE SINK x INTO one AS SELECT a, a, a, a FROM s')).sqlstate,
      '42601',
    );
    assert.equal(
      (await failure("CREATE SINK x INTO one AS SELECT 'a'::text FROM s")).sqlstate,
      '42804',
    );
    await rows('DROP TABLE one CASCADE; DROP STREAM s');
  });
});

describe('what a table refuses', () => {
  it('stops the sink, which goes on when the table takes the row', async () => {
    await rows(
      'CREATE TABLE small (k int PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED CHECK (twice < 200)); CREATE TABLE raw (k int, v int)',
    );
    await rows('CREATE SINK strict INTO small FROM raw');
    await rows(
      'INSERT INTO raw VALUES (1, 1), (2, 2); FLUSH; UPDATE raw SET v = 200 WHERE k = 2; INSERT INTO raw VALUES (3, 3); FLUSH',
    );
    const shown = 'SELECT k, v FROM small ORDER BY k';
    const before = [
      ['1', '1'],
      ['2', '2'],
    ];
    assert.deepEqual(await rows(shown), before);
    const [[name, state, error] = []] = await states();
    assert.deepEqual([name, state], ['strict', 'failed']);
    assert.match(
      String(error),
      /table "small" refuses a row of sink "strict": .*small_twice_check/,
    );
    await rows('ALTER TABLE small DROP CONSTRAINT small_twice_check');
    await rows('RESUME SINK strict; FLUSH');
    assert.deepEqual(await rows(shown), [
      ['1', '1'],
      ['2', '200'],
      ['3', '3'],
    ]);
    await rows('DROP TABLE small, raw CASCADE');
  });

  it('is left out with on_error = skip, and what it changed by foreign keys too', async () => {
    await rows(
      'CREATE TABLE parent (k int PRIMARY KEY); CREATE TABLE child (k int PRIMARY KEY, p int REFERENCES parent)',
    );
    await rows('CREATE TABLE raw (k int, p int); INSERT INTO parent VALUES (1)');
    await rows("CREATE SINK loose INTO child FROM raw WITH (on_error = 'skip')");
    await rows('INSERT INTO raw VALUES (1, 1), (2, 2), (3, NULL), (NULL, 1); FLUSH');
    assert.deepEqual(await rows('SELECT * FROM child ORDER BY k'), [
      ['1', '1'],
      ['3', null],
    ]);
    const [row] = await rows('SHOW SINKS');
    assert.deepEqual([row?.[2], row?.[3], row?.[7]], ['child', 'running', '2']);
    await rows('DROP TABLE parent, child, raw CASCADE');
  });
});

describe('beside other writers', () => {
  it('a transaction that changes the same row fails', async () => {
    await rows(
      'CREATE TABLE shared (k int PRIMARY KEY, v int); CREATE TABLE raw (k int PRIMARY KEY, v int)',
    );
    await rows('CREATE SINK writes INTO shared FROM raw');
    await rows('INSERT INTO raw VALUES (1, 1); FLUSH');
    await disk.subject.run('BEGIN', 'other');
    await disk.subject.run('UPDATE shared SET v = 5', 'other');
    await rows('UPDATE raw SET v = 2; FLUSH');
    const answer = await disk.subject.run('COMMIT', 'other');
    assert.equal(answer.kind === 'failed' && answer.sqlstate, '40001');
    assert.deepEqual(await rows('SELECT * FROM shared'), [['1', '2']]);
    await rows('DELETE FROM shared');
    await rows('DELETE FROM raw; FLUSH');
    assert.deepEqual(await rows('SELECT * FROM shared'), []);
    await rows('DROP TABLE shared, raw CASCADE');
  });

  it('changes of tables that a full sink reads wait, also through a table between', async () => {
    await rows('CREATE TABLE near (k int PRIMARY KEY); CREATE TABLE middle (k int PRIMARY KEY)');
    await rows('CREATE TABLE far (k int PRIMARY KEY); CREATE SINK first INTO middle FROM near');
    await rows('CREATE SINK second INTO far FROM middle WITH (outbox_bytes_max = 1)');
    await rows('PAUSE SINK second');
    await rows('INSERT INTO near VALUES (1); FLUSH');
    let isThere = false;
    const waiting = disk.subject.run('INSERT INTO near VALUES (2)', 'waits').then((answer) => {
      isThere = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(isThere, false);
    assert.deepEqual(await rows('SELECT * FROM near'), [['1']]);
    await rows('RESUME SINK second');
    assert.equal((await waiting).kind, 'answered');
    await rows('FLUSH');
    assert.deepEqual(await rows('SELECT * FROM far ORDER BY k'), [['1'], ['2']]);
    await rows('DROP TABLE near, middle, far CASCADE');
  });

  it('a sink goes at once, also while it delivers', async () => {
    await rows('CREATE TABLE big (k int PRIMARY KEY); CREATE STREAM numbers (k int)');
    await rows('CREATE SINK busy INTO big FROM numbers');
    const tookMs: number[] = [];
    const timed = async (sql: string): Promise<void> => {
      const startedMs = performance.now();
      await rows(sql);
      tookMs.push(performance.now() - startedMs);
    };
    for (let turn = 0; turn < 4; turn++) {
      await rows('INSERT INTO numbers SELECT * FROM generate_series(1, 2000)');
      await timed('DROP SINK busy');
      await rows('CREATE SINK busy INTO big FROM numbers');
    }
    await rows('INSERT INTO numbers SELECT * FROM generate_series(1, 2000)');
    await timed('DROP TABLE big CASCADE');
    await rows('DROP STREAM numbers');
    // A delivery that waits for the engine, which waits for it, is given up after three seconds.
    assert.ok(Math.max(...tookMs) < 2_500, String(tookMs));
  });
});

describe('refused', () => {
  it('what would feed itself', async () => {
    await rows(
      'CREATE TABLE first (k int PRIMARY KEY); CREATE TABLE second (k int PRIMARY KEY); CREATE TABLE third (k int PRIMARY KEY REFERENCES second ON DELETE CASCADE)',
    );
    await rows('CREATE SINK forth INTO second FROM first');
    await rows('CREATE VIEW plain AS SELECT k FROM second');
    for (const from of ['second', 'plain', 'third', 'first'])
      assert.match(
        (await failure(`CREATE SINK back INTO first FROM ${from}`)).message,
        /would feed itself/,
        from,
      );
    assert.match((await failure('DROP TABLE second')).message, /depend on it/);
    await rows('CREATE OR REPLACE SINK forth INTO second FROM first');
    await rows('DROP SINK forth');
    await rows('CREATE SINK back INTO first FROM second');
    await rows('DROP TABLE first, second, third CASCADE');
  });

  it('rows that go and cannot be found, and destinations that are no table of its own', async () => {
    await rows(
      'CREATE TABLE keyless (k int, v int); CREATE TABLE from_ (k int PRIMARY KEY, v json); CREATE STREAM topic (k int)',
    );
    assert.equal(
      (await failure('CREATE SINK x INTO keyless AS SELECT k FROM from_')).sqlstate,
      '0A000',
    );
    assert.equal(
      (await failure('CREATE SINK x INTO topic AS SELECT k FROM from_')).sqlstate,
      '0A000',
    );
    assert.equal((await failure('CREATE SINK x INTO nowhere FROM from_')).sqlstate, '42P01');
    assert.equal(
      (await failure("CREATE SINK x INTO keyless FROM topic WITH (connector = 'kafka')")).sqlstate,
      '22023',
    );
    assert.equal(
      (await failure("CREATE SINK x INTO keyless FROM topic WITH (on_error = 'maybe')")).sqlstate,
      '22023',
    );
    assert.equal(
      (
        await failure(
          "CREATE SINK x INTO from_ AS SELECT k, NULL FROM keyless WITH (force_append_only = 'true')",
        )
      ).sqlstate,
      '0A000',
    );
    assert.equal(
      (await failure('CREATE SINK x INTO keyless AS SELECT k FROM topic PARTITION BY k')).sqlstate,
      '0A000',
    );
    await rows(
      'CREATE SINK all_ INTO keyless FROM topic; INSERT INTO topic VALUES (1), (1); FLUSH',
    );
    assert.deepEqual(await rows('SELECT * FROM keyless'), [
      ['1', null],
      ['1', null],
    ]);
    await rows('DROP TABLE keyless, from_ CASCADE; DROP STREAM topic');
  });
});

describe('into relations over topics', () => {
  it('as the records that INSERT would write, over restarts', async () => {
    await rows(
      `CREATE STREAM near (k int, v int); CREATE STREAM far (v int DEFAULT 7, k int KEY, twice int GENERATED ALWAYS AS (v * 2) STORED)
         WITH (kafka_topic = 'far', format = 'json', partitions = 2);
       CREATE TABLE latest (k int PRIMARY KEY, n bigint) WITH (kafka_topic = 'latest', format = 'json')`,
    );
    await rows('CREATE STREAM fed AS SELECT k, v FROM near PARTITION BY k');
    await rows('CREATE SINK to_far INTO far (k, v) FROM near');
    await rows('CREATE SINK to_fed INTO fed AS SELECT k, v + 100 FROM far');
    await rows(
      'CREATE SINK to_latest INTO latest AS SELECT k, count(*) FROM far GROUP BY k HAVING count(*) < 3',
    );
    await rows('INSERT INTO near VALUES (1, 10), (2, 20), (2, 21); FLUSH');
    await disk.subject.reopen();
    await rows('INSERT INTO near VALUES (2, 22), (3, NULL); FLUSH');
    assert.deepEqual(await rows('SELECT k, v, twice FROM far ORDER BY k, v'), [
      ['1', '10', '20'],
      ['2', '20', '40'],
      ['2', '21', '42'],
      ['2', '22', '44'],
      ['3', null, null],
    ]);
    assert.deepEqual(await rows('SELECT k, v FROM fed WHERE v > 100 ORDER BY v'), [
      ['1', '110'],
      ['2', '120'],
      ['2', '121'],
      ['2', '122'],
    ]);
    assert.deepEqual(await rows('SELECT count(DISTINCT rowpartition) FROM fed WHERE k = 2'), [
      ['1'],
    ]);
    assert.deepEqual(await rows('SELECT * FROM latest ORDER BY k'), [
      ['1', '1'],
      ['3', '1'],
    ]);
    assert.match(
      (await failure('CREATE SINK x INTO near AS SELECT k, v FROM fed')).message,
      /stream "near" would feed itself/,
    );
    await rows('DROP STREAM near, far, fed CASCADE; DROP TABLE latest');
  });

  it('a record without a primary key is an error of the table, and stops nothing', async () => {
    await rows('CREATE STREAM ids (k int)');
    for (const [name, format] of [
      ['in_key', "key_format = 'json', value_format = 'json'"],
      ['in_value', "key_format = 'none', value_format = 'json'"],
    ]) {
      await rows(
        `CREATE TABLE ${name} (k int PRIMARY KEY, v int) WITH (kafka_topic = '${name}', ${format})`,
      );
      await rows(`CREATE SINK into_${name} INTO ${name} AS SELECT k, 1 FROM ids`);
      await rows(`INSERT INTO ${name} VALUES (9, 9)`);
    }
    await rows('INSERT INTO ids VALUES (1), (NULL), (2); FLUSH');
    for (const name of ['in_key', 'in_value']) {
      const shown = await rows(`SELECT k FROM ${name} ORDER BY k`);
      assert.deepEqual(shown.flat(), ['1', '2', '9'], name);
      assert.deepEqual(await rows(`SELECT count(*) FROM ${name}_errors`), [['1']], name);
    }
    await rows('DROP TABLE in_key, in_value CASCADE; DROP STREAM ids');
  });

  it('INSERT … EMIT CHANGES goes on as a sink', async () => {
    await rows('CREATE STREAM songs (id int, title text); CREATE STREAM rock (id int, title text)');
    await rows("INSERT INTO rock VALUES (1, 'one')");
    await rows(
      "INSERT INTO songs (title, id) SELECT title || '!', id FROM rock WHERE id > 0 EMIT CHANGES",
    );
    await rows(
      "INSERT INTO songs SELECT * FROM rock; FLUSH; INSERT INTO rock VALUES (2, 'two'), (-1, 'x')",
    );
    await disk.subject.reopen();
    await rows("INSERT INTO rock VALUES (3, 'three'); FLUSH");
    assert.deepEqual(await rows('SELECT * FROM songs ORDER BY id, title DESC'), [
      ['1', 'one!'],
      ['1', 'one'],
      ['2', 'two!'],
      ['3', 'three!'],
    ]);
    const [[name, target] = []] = (await rows('SHOW SINKS')).map((row) => [row[0], row[2]]);
    assert.match(String(name), /^insertquery_/);
    assert.equal(target, 'songs');
    for (const clause of ['RETURNING id', 'ON CONFLICT DO NOTHING'])
      assert.equal(
        (await failure(`INSERT INTO songs SELECT * FROM rock EMIT CHANGES ${clause}`)).sqlstate,
        '0A000',
        clause,
      );
    await rows('BEGIN');
    const within = await failure('INSERT INTO songs SELECT * FROM rock EMIT CHANGES');
    assert.match(within.message, /inside a transaction block/);
    await rows('ROLLBACK');
    assert.match((await failure('DROP STREAM songs')).message, /depend on it/);
    await rows(`DROP SINK ${name}; INSERT INTO rock VALUES (4, 'four'); FLUSH`);
    assert.deepEqual(await rows('SELECT max(id) FROM songs'), [['3']]);
    await rows('DROP STREAM songs, rock');
  });
});
