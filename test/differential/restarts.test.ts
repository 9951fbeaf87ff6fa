/**
 * A restart reads the operators' state back: views over streams whose records are gone, over tables and over one another go
 * on exactly, whatever was saved, logged, paused, dropped or in common when the database was closed. PostgreSQL holds the
 * same rows and is asked each view's query.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Judge, Subject } from './both-sides.ts';
import { assertNoneFailed, reopenWithout, stateSaved } from './forget-records.ts';
import { generator } from './view-history.ts';

const histories = Math.max(1, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 50));
const STEPS = 30;

const EAGER = {
  logBytesMin: 1,
  logToStateRatio: 0,
  idleMs: 0,
  idleLogBytesMin: 500,
  copyBytesAStep: 1,
};

interface View {
  readonly name: string;
  readonly query: string;
  /** What PostgreSQL is asked; a view's name in it stands for its query. */
  readonly postgres?: string;
}

const VIEWS: readonly View[] = [
  {
    name: 'totals',
    query: 'SELECT k, count(*) AS n, sum(v) AS total, avg(n) AS mean FROM s GROUP BY k',
  },
  {
    name: 'alike',
    query: 'SELECT k, count(*) AS n, sum(v) AS total, avg(n) AS mean FROM s GROUP BY k',
  },
  // Rows that fail, which other views read like any relation.
  {
    name: 'quotients',
    query: 'SELECT k, 10 / v AS q FROM s',
    postgres: 'SELECT k, 10 / v AS q FROM s WHERE v <> 0',
  },
  { name: 'most', query: 'SELECT max(total) AS most, count(*) AS groups FROM totals' },
  { name: 'joined', query: 'SELECT s.v, s.x, d.name FROM s LEFT JOIN d ON s.k = d.k' },
  {
    name: 'paired',
    query: 'SELECT a.v, b.v AS w FROM s AS a JOIN s AS b ON a.k = b.k AND a.v < b.v',
  },
  { name: 'best', query: 'SELECT v, x FROM s ORDER BY v DESC NULLS LAST, x LIMIT 3' },
  { name: 'kinds', query: 'SELECT DISTINCT x, k FROM s' },
  {
    name: 'lists',
    query: 'SELECT k, array_agg(v ORDER BY v) AS list, stddev_pop(v) AS spread FROM s GROUP BY k',
  },
  { name: 'rest', query: 'SELECT name FROM d EXCEPT SELECT x FROM s' },
  { name: 'named', query: 'SELECT name, count(*) AS n, min(k) AS least FROM d GROUP BY name' },
  { name: 'either', query: 'SELECT name FROM named UNION ALL SELECT x FROM kinds WHERE k > 0' },
  { name: 'count', query: 'SELECT count(*) AS n FROM joined WHERE name IS NOT NULL' },
  { name: 'plain', query: 'SELECT k + 1 AS k, upper(x) AS x FROM s WHERE v > 1' },
  {
    name: 'hops',
    query:
      "SELECT window_start, k, count(*) AS n FROM HOP(s, t, INTERVAL '2 s', INTERVAL '4 s') GROUP BY window_start, k",
    postgres: `SELECT at AS window_start, k, count(*) AS n FROM s, LATERAL (SELECT date_bin('2 s', t, timestamp '1970-01-01')
      - i * interval '2 s' AS at FROM generate_series(0, 1) AS i) AS x GROUP BY at, k`,
  },
  {
    name: 'failures',
    query: 'SELECT sqlstate, count(*) AS n FROM quotients_errors GROUP BY sqlstate',
    postgres:
      "SELECT text '22012' AS sqlstate, count(*) AS n FROM s WHERE v = 0 HAVING count(*) > 0",
  },
  {
    name: 'places',
    query: `SELECT k, v, row_number() OVER a AS place, sum(v) OVER a AS up_to, lag(v) OVER a AS before,
      count(*) OVER (PARTITION BY k) AS n FROM s WINDOW a AS (PARTITION BY k ORDER BY v, x, n, t)`,
  },
  {
    name: 'reached',
    query: `WITH RECURSIVE r(k) AS (SELECT k FROM s UNION SELECT r.k + d.k FROM r JOIN d ON d.k > 0 WHERE r.k < 9)
      SELECT k FROM r`,
  },
  {
    name: 'middles',
    query:
      'SELECT k, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS middle, regr_count(v, k) AS n FROM s GROUP BY k',
  },
  {
    name: 'grouped',
    query: 'SELECT t.n, d.name FROM totals AS t JOIN d ON d.k = t.k',
  },
  {
    name: 'counted',
    query:
      'SELECT c.n, d.name FROM (SELECT k, count(*) AS n FROM s GROUP BY k) AS c JOIN d ON d.k = c.k',
  },
];
/** Over tables alone, so that it can be computed anew when the stream's records are gone. */
const OVER_TABLES = 'rest_of_d';

const TABLES = [
  'CREATE TABLE d (k int, name text)',
  "INSERT INTO d VALUES (1, 'a'), (2, 'b'), (2, 'c')",
];
const COLUMNS = 'k int, v int, x text, n numeric, t timestamp';

function rowOf(random: (below: number) => number): string {
  const k = random(6) === 0 ? 'NULL' : String(random(4));
  const x = ["''", "'a'", "'b'", "'zä€'", 'NULL'][random(5)];
  const n = ['1.0', '1.00', '-2.5', '99999999999999999999.5', 'NULL'][random(5)];
  return `(${k}, ${random(9)}, ${x}, ${n}, '2024-01-01 00:00:0${random(9)}.5')`;
}

function change(random: (below: number) => number): string {
  const rows = Array.from({ length: 1 + random(5) }, () => rowOf(random)).join(', ');
  const changes = [
    `INSERT INTO s VALUES ${rows}`,
    `INSERT INTO s VALUES ${rows}`,
    `INSERT INTO d VALUES (${random(4)}, 'a'), (${random(4)}, '${'bcd'[random(3)]}')`,
    `UPDATE d SET name = 'a' WHERE k = ${random(4)}`,
    `DELETE FROM d WHERE k = ${random(4)}`,
  ];
  return changes[random(changes.length)] ?? '';
}

class Play {
  readonly #judge: Judge;
  readonly #subject: Subject;
  readonly #folder: string;
  readonly #past: string[] = [];

  constructor(judge: Judge, subject: Subject, folder: string) {
    this.#judge = judge;
    this.#subject = subject;
    this.#folder = folder;
  }

  async both(sql: string): Promise<void> {
    assert.equal((await this.#judge.run(sql)).kind, 'answered', sql);
    await this.subject(sql);
  }

  async subject(sql: string): Promise<void> {
    this.#past.push(sql);
    const answer = await this.#subject.run(sql);
    assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  }

  async create(view: View): Promise<void> {
    const postgres = await this.#judge.run(
      `CREATE VIEW ${view.name} AS ${view.postgres ?? view.query}`,
    );
    assert.equal(postgres.kind, 'answered', JSON.stringify(postgres));
    await this.subject(`CREATE MATERIALIZED VIEW ${view.name} AS ${view.query}`);
  }

  async check(views: readonly string[]): Promise<void> {
    await this.subject('FLUSH');
    for (const name of views) {
      const sql = `SELECT * FROM ${name}`;
      const expected = asBag(await this.#judge.run(sql));
      assert.deepEqual(
        asBag(await this.#subject.run(sql)),
        expected,
        `${name}\n${this.#past.join(';\n')}`,
      );
    }
  }

  /** @param forgets  the stream's records are gone when the database is opened again. */
  async restart(forgets: boolean): Promise<void> {
    this.#past.push(forgets ? '-- restarted without records' : '-- restarted');
    if (forgets) await reopenWithout(this.#subject, this.#folder, 's');
    else await this.#subject.reopen();
    assertNoneFailed(this.#subject);
  }
}

for (let seed = 1; seed <= histories; seed++) {
  test(`history ${seed}: restarts lose nothing, also without the records`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-restarts-'));
    const judge = await Judge.open();
    // State is saved all the time, node by node over many epochs, in every second history; else once a plan.
    const subject = await Subject.open(folder, seed % 2 === 1 ? EAGER : undefined);
    const random = generator(seed);
    const play = new Play(judge, subject, folder);
    try {
      await judge.run(`CREATE TABLE s (${COLUMNS})`);
      await play.subject(`CREATE STREAM s (${COLUMNS})`);
      for (const sql of TABLES) await play.both(sql);
      const late = VIEWS.filter((_, i) => i % 2 === seed % 2 && i > 10);
      for (const view of VIEWS) if (!late.includes(view)) await play.create(view);
      await play.create({ name: OVER_TABLES, query: 'SELECT k, count(*) AS n FROM d GROUP BY k' });
      let names = [
        ...VIEWS.filter((view) => !late.includes(view)).map(({ name }) => name),
        OVER_TABLES,
      ];
      for (let step = 1; step <= STEPS; step++) {
        await play.both(change(random));
        if (step === 8) {
          for (const view of late) await play.create(view);
          names = [...VIEWS.map(({ name }) => name), OVER_TABLES];
        }
        if (step % 5 === 0) await play.check(names);
        if (step === 12) await play.restart(false);
        if (step === 16) await play.subject(`PAUSE ${OVER_TABLES}`);
        if (step === 18) {
          // What was saved of the view before the pause is not its state any more.
          await play.subject(`RESUME ${OVER_TABLES}; FLUSH`);
          await play.both(change(random));
          await play.restart(false);
        }
        if (step === 17 || step === 22 || step === 24 || step === 27) {
          await play.subject('FLUSH');
          await stateSaved(subject);
          // A few more changes, which only the log has.
          for (let i = random(4); i > 0; i--) await play.both(change(random));
          await play.subject('FLUSH');
          await play.restart(true);
        }
        if (step === 20) {
          await play.subject('DROP MATERIALIZED VIEW alike');
          names = names.filter((name) => name !== 'alike');
        }
        if (step === 21) {
          await play.subject('DROP MATERIALIZED VIEW paired');
          names = names.filter((name) => name !== 'paired');
        }
      }
      await play.check(names);
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('what goes into a view with state is kept also where an older view without state has the node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-shared-'));
  const subject = await Subject.open(folder);
  const run = async (sql: string): Promise<void> => {
    const answer = await subject.run(sql);
    assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  };
  const both = 'SELECT k FROM first WHERE k > 0 UNION ALL SELECT k FROM second';
  const views = {
    least: `SELECT k FROM (${both}) AS u ORDER BY k LIMIT 2`,
    counted: `SELECT k, count(*) AS n FROM (${both}) AS u GROUP BY k`,
  };
  try {
    await run('CREATE TABLE first (k int)');
    await run('CREATE TABLE second (k int)');
    await run(`CREATE MATERIALIZED VIEW shared AS ${both}`);
    await run('INSERT INTO second VALUES (20)');
    for (const [name, query] of Object.entries(views)) {
      await run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    }
    for (const step of ['INSERT INTO first VALUES (10)', 'INSERT INTO first VALUES (1), (10)']) {
      await run(step);
      await subject.reopen();
    }
    await run('DELETE FROM first WHERE k = 10');
    for (const [name, query] of Object.entries(views)) {
      const held = asBag(await subject.run(`SELECT * FROM ${name}`));
      assert.deepEqual(held, asBag(await subject.run(query)), name);
    }
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true });
  }
});
