/** ON ERROR, REPLAY ERRORS and ALTER STREAM: what becomes of records that are no rows, over restarts too. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Answer, Subject } from '../differential/both-sides.ts';

const data = mkdtempSync(join(tmpdir(), 'millrace-error-policy-'));
let db: Subject;
before(async () => {
  db = await Subject.open(data);
});
after(async () => {
  await db.database.close();
  rmSync(data, { recursive: true, force: true });
});

async function rows(sql: string): Promise<readonly string[]> {
  const answer: Answer = await db.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows.map((row) => row.join('|')) : [];
}

async function failure(sql: string): Promise<string> {
  const answer = await db.run(sql);
  assert.equal(answer.kind, 'failed', sql);
  return answer.kind === 'failed' ? `${answer.sqlstate} ${answer.message}` : '';
}

const produce = (topic: string, ...values: readonly (string | null)[]) =>
  db.database.produce(
    topic,
    values.map((value, n) => ({
      key: Buffer.from(`k${n}`),
      value: value === null ? null : Buffer.from(value),
      headers: [{ key: 'trace', value: Buffer.from(`t${n}`) }],
    })),
  );

describe('ON ERROR FAIL', () => {
  it('stops at the record, keeps what came before, and says why', async () => {
    await rows(`CREATE STREAM f (a int) ON ERROR FAIL;
      CREATE MATERIALIZED VIEW fs AS SELECT sum(a) AS s, count(*) AS n FROM f`);
    await produce('f', '{"a":1}', '{"a":2}', '{"a":"x"}', '{"a":4}', '{"a":"y"}', '{"a":8}');
    assert.match(
      await failure('FLUSH'),
      /^55000 stream "f" stopped at partition 0 offset 2: .*"x"/,
    );
    assert.deepEqual(await rows('SELECT * FROM fs'), ['3|2']);
    assert.deepEqual(await rows('SELECT * FROM f_errors'), []);
    const [shown] = await rows("SHOW STREAMS LIKE 'f'");
    assert.match(shown ?? '', /\|fail\|0\|stopped\|partition 0 offset 2: .*"x"$/);
    assert.equal(db.database.status().streams.find(({ name }) => name === 'f')?.stopped, true);
  });

  it('stands there after a restart and after RESUME, which tries again', async () => {
    await db.reopen();
    assert.match(await failure('FLUSH'), /offset 2/);
    await rows('RESUME f');
    assert.match(await failure('FLUSH'), /offset 2/);
    assert.deepEqual(await rows('SELECT * FROM fs'), ['3|2']);
  });

  it('goes on after SKIP RECORD, which puts the record into the error table, up to the next one', async () => {
    await rows('ALTER STREAM f SKIP RECORD');
    assert.match(await failure('FLUSH'), /offset 4: .*"y"/);
    assert.deepEqual(await rows('SELECT * FROM fs'), ['7|3']);
    assert.deepEqual(await rows('SELECT "offset", sqlstate FROM f_errors'), ['2|22P02']);
    await db.reopen();
    assert.match(await failure('FLUSH'), /offset 4/);
    await rows('ALTER STREAM f SKIP RECORD; FLUSH');
    assert.deepEqual(await rows('SELECT * FROM fs'), ['15|4']);
    assert.deepEqual(await rows('SELECT "offset" FROM f_errors ORDER BY 1'), ['2', '4']);
    assert.match(await failure('ALTER STREAM f SKIP RECORD'), /has not stopped/);
  });

  it('is no matter for a view that is created later and reads all again', async () => {
    await rows('CREATE MATERIALIZED VIEW fl AS SELECT a FROM f; FLUSH');
    assert.deepEqual(await rows('SELECT * FROM fl ORDER BY a'), ['1', '2', '4', '8']);
    assert.deepEqual(await rows('SELECT count(*) FROM f_errors'), ['2']);
  });

  it('becomes another policy by ALTER', async () => {
    await produce('f', '{"a":"z"}', '{"a":16}');
    assert.match(await failure('FLUSH'), /offset 6/);
    await rows("ALTER STREAM f SET (on_error = 'skip'); FLUSH");
    assert.deepEqual(await rows('SELECT * FROM fs'), ['31|5']);
    assert.deepEqual(await rows('SELECT "offset" FROM f_errors ORDER BY 1'), ['2', '4', '6']);
    await db.reopen();
    await produce('f', '{"a":"z"}');
    await rows('FLUSH');
    assert.match((await rows("SHOW STREAMS LIKE 'f'"))[0] ?? '', /\|skip\|4\|running\|$/);
  });
});

describe('ON ERROR DLQ', () => {
  it('puts the whole record with its key and headers into the topic, as often as it is committed', async () => {
    const long = `{"a":"${'x'.repeat(200_000)}"}`;
    await rows(`CREATE STREAM d (a int) ON ERROR DLQ 'dead';
      CREATE MATERIALIZED VIEW ds AS SELECT sum(a) AS s FROM d`);
    await produce('d', '{"a":1}', '{"a":"x"}', long, '{"a":2}');
    await rows('FLUSH');
    await db.reopen();
    await rows('FLUSH');
    const letters = await db.database.readTopic('dead', 0, 0, 10);
    assert.deepEqual(
      letters.map(({ key, value }) => [String(key), value?.length]),
      [
        ['k1', 9],
        ['k2', long.length],
      ],
    );
    const headers = letters[0]?.headers.map(({ key, value }) => [key, String(value)]);
    assert.deepEqual(Object.fromEntries(headers ?? []), {
      trace: 't1',
      'millrace.stream': 'd',
      'millrace.topic': 'd',
      'millrace.partition': '0',
      'millrace.offset': '1',
      'millrace.sqlstate': '22P02',
      'millrace.reason': 'field "a" (integer): invalid input syntax for type integer: "x"',
    });
    assert.deepEqual(await rows('SELECT s FROM ds'), ['3']);
    assert.deepEqual(
      await rows('SELECT "offset", length(raw), cut, key FROM d_errors ORDER BY 1'),
      ['1|9|f|\\x6b31', '2|65536|t|\\x6b32'],
    );
  });

  it('needs a topic, and not its own', async () => {
    assert.match(
      await failure("CREATE STREAM e (a int) WITH (on_error = 'dlq')"),
      /^22023 .*topic/,
    );
    assert.match(await failure("CREATE STREAM e (a int) ON ERROR DLQ 'e'"), /^22023 .*own topic/);
    assert.match(await failure("CREATE STREAM e (a int) WITH (on_error = 'x')"), /^22023 .*"x"/);
    assert.match(await failure("ALTER STREAM d SET (dlq_topic = 'other')"), /^22023 .*altered/);
    await rows('DROP STREAM d CASCADE');
  });
});

describe('REPLAY ERRORS', () => {
  it('reads the records again that a mended definition takes, into every view, in one commit', async () => {
    await rows(`CREATE STREAM r (a int CHECK (a < 10), at bigint METADATA FROM 'offset', trace bytea HEADER('trace'));
      CREATE MATERIALIZED VIEW rs AS SELECT sum(a) AS s, count(*) AS n FROM r;
      CREATE MATERIALIZED VIEW rl AS SELECT a, at, trace FROM r`);
    await produce('r', '{"a":1}', '{"a":11}', '{"a":"x"}', '{"a":12}', '{"a":2}', '{"a":13}');
    await rows('FLUSH');
    assert.deepEqual(await rows('SELECT * FROM rs'), ['3|2']);
    assert.deepEqual(await rows('REPLAY ERRORS FROM r'), []);
    assert.deepEqual(await rows('SELECT count(*) FROM r_errors'), ['4'], 'nothing was mended');
    await rows('ALTER STREAM r DROP CONSTRAINT r_a_check; FLUSH');
    // A view that is created between must see what the others see.
    await rows('CREATE MATERIALIZED VIEW later AS SELECT sum(a) AS s FROM r; FLUSH');
    assert.deepEqual(await rows('SELECT s FROM later'), ['3']);
    assert.deepEqual(await rows('SELECT sum(a) FROM r'), ['3']);
    await rows('REPLAY ERRORS FROM r WHERE "offset" < 5');
    assert.deepEqual(await rows('SELECT * FROM rs'), ['26|4']);
    assert.deepEqual(await rows('SELECT s FROM later'), ['26']);
    assert.deepEqual(await rows('SELECT a, at, trace FROM rl ORDER BY a'), [
      '1|0|\\x7430',
      '2|4|\\x7434',
      '11|1|\\x7431',
      '12|3|\\x7433',
    ]);
    assert.deepEqual(await rows('SELECT "offset" FROM r_errors ORDER BY 1'), ['2', '5']);
  });

  it('counts nothing twice after restarts, new views and another replay', async () => {
    for (let restart = 0; restart < 2; restart++) {
      await db.reopen();
      await rows('FLUSH');
      assert.deepEqual(await rows('SELECT * FROM rs'), ['26|4']);
      await rows(`CREATE MATERIALIZED VIEW again${restart} AS SELECT sum(a) AS s FROM r; FLUSH`);
      assert.deepEqual(await rows(`SELECT s FROM again${restart}`), ['26']);
    }
    await produce('r', '{"a":100}');
    await rows('REPLAY ERRORS; FLUSH');
    for (const view of ['rs', 'later', 'again0', 'again1']) {
      assert.deepEqual(await rows(`SELECT s FROM ${view}`), ['139'], view);
    }
    assert.deepEqual(await rows('SELECT "offset" FROM r_errors'), ['2']);
    await db.reopen();
    await rows('FLUSH');
    assert.deepEqual(await rows('SELECT * FROM rs'), ['139|6']);
  });

  it('is late for what the watermark has passed meanwhile, also after a restart', async () => {
    await rows(`CREATE STREAM w (a int CHECK (a < 10), ts timestamp, WATERMARK FOR ts AS ts) WITH (idle_timeout = '0');
      CREATE MATERIALIZED VIEW wn AS SELECT window_end, count(*) AS n FROM TUMBLE(w, ts, INTERVAL '10 s') GROUP BY window_end;
      CREATE MATERIALIZED VIEW wa AS SELECT sum(a) AS s FROM w`);
    const at = (a: number, seconds: number): string =>
      JSON.stringify({ a, ts: `2024-01-01 00:00:${seconds}` });
    await produce('w', at(1, 11), at(12, 12), at(2, 13), at(3, 30), at(14, 31), at(4, 30));
    await rows('FLUSH; ALTER STREAM w DROP CONSTRAINT w_a_check; FLUSH');
    const closed = ['2024-01-01 00:00:20|2', '2024-01-01 00:00:40|2'];
    assert.deepEqual(await rows('SELECT * FROM wn ORDER BY window_end'), closed);
    await db.reopen();
    await rows('REPLAY ERRORS FROM w; FLUSH');
    assert.deepEqual(await rows('SELECT * FROM wn ORDER BY window_end'), [
      '2024-01-01 00:00:20|2',
      '2024-01-01 00:00:40|3',
    ]);
    assert.deepEqual(await rows('SELECT * FROM wa'), ['24']);
    assert.deepEqual(await rows('SELECT a, ts FROM w_late'), ['12|2024-01-01 00:00:12']);
    assert.deepEqual(await rows('SELECT count(*) FROM w_errors'), ['0']);
  });

  it('is not for plans that began after the record, nor for changelogs', async () => {
    await rows(`CREATE STREAM l (a int CHECK (a < 10)) WITH ('auto.offset.reset' = 'latest');
      CREATE MATERIALIZED VIEW l1 AS SELECT sum(a) AS s FROM l`);
    await produce('l', '{"a":11}', '{"a":1}');
    await rows('FLUSH');
    await rows('CREATE MATERIALIZED VIEW l2 AS SELECT sum(a) AS s FROM l');
    await produce('l', '{"a":2}');
    await rows('FLUSH; ALTER STREAM l DROP CONSTRAINT l_a_check; REPLAY ERRORS FROM l');
    for (let restart = 0; restart < 2; restart++) {
      assert.deepEqual(await rows('SELECT s FROM l1; '), ['14']);
      assert.deepEqual(await rows('SELECT s FROM l2'), ['2']);
      await db.reopen();
      await rows('FLUSH');
    }
    await rows("CREATE TABLE c (id int PRIMARY KEY, a int) WITH (kafka_topic = 'c')");
    assert.match(await failure('REPLAY ERRORS FROM c'), /^42809 /);
    assert.match(await failure('REPLAY ERRORS FROM nothing'), /^42P01 /);
    assert.match(await failure('REPLAY ERRORS FROM rs'), /^42809 /);
  });
});

it('a relation cannot take the name that another needs for its errors', async () => {
  await rows('CREATE TABLE x_errors (a int)');
  assert.match(await failure('CREATE STREAM x (a int)'), /^42P07 /);
  assert.match(await failure('CREATE MATERIALIZED VIEW x AS SELECT 1'), /^42P07 /);
  assert.match(await failure('CREATE OR REPLACE TABLE r_errors (a int)'), /^2BP01 /);
  assert.match(await failure('DROP TABLE r_errors'), /^2BP01 /);
});
