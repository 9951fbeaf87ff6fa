/** Tables that are declared append-only are streams, whatever word made them; and what CREATE TABLE … AS made is called a table. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onDisk } from './on-disk.ts';

const database = onDisk('append-only');
const { rows } = database;

async function refused(sql: string, sqlstate: string): Promise<void> {
  const answer = await database.subject.run(sql);
  assert.equal(answer.kind === 'failed' && answer.sqlstate, sqlstate, JSON.stringify(answer));
}

it('rows become final by the watermark, and go with a table that is looked up', async () => {
  const made = await database.subject.run(
    `CREATE TABLE readings (at timestamp, v int, twice int AS v * 2, WATERMARK FOR at AS at - INTERVAL '5 minutes') APPEND ONLY`,
  );
  assert.equal(made.kind === 'answered' && made.tag, 'CREATE TABLE');
  await rows('CREATE TABLE names (v int PRIMARY KEY, name text)');
  await rows("INSERT INTO names VALUES (1, 'one')");
  await rows(
    `CREATE MATERIALIZED VIEW closed EMIT ON WINDOW CLOSE AS SELECT at, v, twice FROM readings`,
  );
  await rows(
    'CREATE MATERIALIZED VIEW spread AS SELECT at, v, unnest(ARRAY[1, 2]) AS copy FROM readings EMIT ON WINDOW CLOSE',
  );
  await rows(
    `CREATE MATERIALIZED VIEW best AS SELECT window_start, v FROM (
       SELECT *, row_number() OVER (PARTITION BY window_start ORDER BY v DESC) AS place
       FROM TUMBLE(readings, at, INTERVAL '1 hour')) AS q WHERE place = 1 EMIT ON WINDOW CLOSE`,
  );
  await rows(
    'CREATE MATERIALIZED VIEW named AS SELECT r.v, n.name FROM readings r LEFT JOIN names n FOR SYSTEM_TIME AS OF PROCTIME() ON r.v = n.v',
  );
  await rows(
    "INSERT INTO readings (at, v) VALUES ('2026-01-01 10:00', 1), ('2026-01-01 10:50', 7), ('2026-01-01 11:10', 2)",
  );
  await rows('WAIT');
  await rows("UPDATE names SET name = 'changed'");
  const check = async (): Promise<void> => {
    assert.deepEqual(await rows('SELECT v, twice FROM closed ORDER BY at'), [
      ['1', '2'],
      ['7', '14'],
    ]);
    assert.deepEqual(await rows('SELECT v, copy FROM spread ORDER BY at, copy'), [
      ...[
        ['1', '1'],
        ['1', '2'],
      ],
      ...[
        ['7', '1'],
        ['7', '2'],
      ],
    ]);
    assert.deepEqual(await rows('SELECT * FROM best'), [['2026-01-01 10:00:00', '7']]);
    assert.deepEqual(await rows('SELECT * FROM named ORDER BY v'), [
      ['1', 'one'],
      ['2', null],
      ['7', null],
    ]);
  };
  await check();
  await database.subject.reopen();
  await check();
  assert.equal((await rows('SHOW CREATE TABLE readings')).length, 1);
  const shown = async (what: string) => (await rows(`SHOW ${what}`)).map(([name]) => name);
  assert.deepEqual(await shown('TABLES'), ['readings', 'names']);
  assert.deepEqual(await shown('STREAMS'), ['readings']);
  await refused('DELETE FROM readings', '42809');
  await refused('UPDATE readings SET v = 1', '42809');
  await refused('DROP TABLE readings', '2BP01');
  await rows('DROP TABLE readings CASCADE');
});

it('a watermark over a connector says the same, a primary key the opposite', async () => {
  await rows(
    "CREATE TABLE taps (at timestamp, WATERMARK FOR at AS at) WITH ('connector' = 'embedded', 'topic' = 'taps')",
  );
  await rows('CREATE STREAM copy_of_taps AS SELECT * FROM taps');
  await rows(
    "CREATE TABLE last_taps (id int, at timestamp, PRIMARY KEY (id), WATERMARK FOR at AS at) WITH ('connector' = 'embedded', 'topic' = 'last')",
  );
  await refused('CREATE STREAM copy_of_last AS SELECT * FROM last_taps', '0A000');
  await rows("CREATE TABLE adds (v int) WITH ('appendonly' = true)");
  await rows('CREATE STREAM copy_of_adds AS SELECT * FROM adds');
});

it('the table of CREATE TABLE … AS is renamed and dropped as one', async () => {
  await rows('CREATE TABLE parts (n int)');
  await rows('CREATE TABLE sums AS SELECT sum(n) AS n FROM parts');
  await rows('CREATE MATERIALIZED VIEW maxima AS SELECT max(n) AS n FROM parts');
  await rows('ALTER TABLE sums RENAME TO totals');
  await refused('ALTER TABLE totals ADD COLUMN x int', '0A000');
  await refused('ALTER TABLE maxima RENAME TO x', '42809');
  await refused('DROP TABLE maxima', '42809');
  await database.subject.reopen();
  await rows('DROP TABLE totals');
  await refused('SELECT * FROM totals', '42P01');
});

it('a query that is answered once reads streams with a watermark, too', async () => {
  await rows(
    `CREATE STREAM ticks (at timestamp, v int, twice int AS v * 2, WATERMARK FOR at AS at)`,
  );
  await rows(
    "INSERT INTO ticks (at, v) VALUES ('2026-01-01 10:00', 1), ('2026-01-01 10:01', 3), ('2026-01-01 10:09', 2), ('2026-01-01 10:10', 5)",
  );
  await rows('FLUSH');
  const check = async (): Promise<void> => {
    assert.deepEqual(
      await rows(
        "SELECT window_start, sum(twice) FROM TUMBLE(ticks, at, INTERVAL '5 minutes') GROUP BY window_start ORDER BY 1",
      ),
      [
        ['2026-01-01 10:00:00', '8'],
        ['2026-01-01 10:05:00', '4'],
        ['2026-01-01 10:10:00', '10'],
      ],
    );
    assert.deepEqual(await rows('SELECT at, count(*) FROM ticks GROUP BY at HAVING max(v) > 3'), [
      ['2026-01-01 10:10:00', '1'],
    ]);
    assert.deepEqual(
      await rows(
        'SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY at MEASURES a.v AS low, b.v AS high PATTERN (a b) DEFINE b AS b.v > a.v) ORDER BY low',
      ),
      [
        ['1', '3'],
        ['2', '5'],
      ],
    );
  };
  // While nobody has read the stream there is no watermark; a view brings one.
  await check();
  await rows('CREATE MATERIALIZED VIEW all_ticks AS SELECT count(*) AS n FROM ticks');
  await check();
});
