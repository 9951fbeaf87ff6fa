/**
 * Materialized views of a whole database over random histories: after every few statements each view holds the rows that
 * PostgreSQL answers for its query. Half of the views are created in the middle, some are dropped and created again, and
 * the database is closed and opened twice.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';
import { generator, historyOf, TABLES } from './view-history.ts';
import { refusedQueries, type ViewQuery, viewQueries } from './view-queries.ts';

const RUNS_A_HISTORY = 50;
const histories = Math.max(
  1,
  Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_HISTORY),
);
const STATEMENTS = 60;
const STATEMENTS_A_CHECK = 10;
const LATE_VIEWS_AT = 20;
const RECREATE_AT = 40;
const REOPEN_AT: readonly number[] = [30, 45];

class Play {
  readonly #judge: Judge;
  readonly #subject: Subject;
  readonly #views: ViewQuery[] = [];
  readonly #past: string[] = [];

  constructor(judge: Judge, subject: Subject) {
    this.#judge = judge;
    this.#subject = subject;
  }

  /** Both answer the same: tag, rows, or SQLSTATE. */
  async statement(sql: string): Promise<void> {
    this.#past.push(sql);
    const expected = withoutMessage(await this.#judge.run(sql));
    assert.deepEqual(withoutMessage(await this.#subject.run(sql)), expected, this.#history());
  }

  async create(view: ViewQuery): Promise<void> {
    const postgres = await this.#judge.run(`CREATE VIEW ${view.name} AS ${view.postgres}`);
    assert.equal(postgres.kind, 'answered', view.query);
    const sql = `CREATE MATERIALIZED VIEW ${view.name} AS ${view.query}`;
    assert.deepEqual(withoutMessage(await this.#subject.run(sql)), {
      kind: 'answered',
      tag: 'CREATE MATERIALIZED VIEW',
      columns: [],
      rows: [],
    });
    this.#views.push(view);
  }

  /** The dropped view comes back from the rows that its tables hold now. */
  async recreate(view: ViewQuery): Promise<void> {
    const dropped = await this.#subject.run(`DROP MATERIALIZED VIEW ${view.name}`);
    assert.equal(dropped.kind, 'answered', view.name);
    const created = await this.#subject.run(
      `CREATE MATERIALIZED VIEW ${view.name} AS ${view.query}`,
    );
    assert.equal(created.kind, 'answered', view.name);
  }

  async reopen(): Promise<void> {
    this.#past.push('-- reopened');
    await this.#subject.reopen();
  }

  async check(): Promise<void> {
    for (const { name, query } of this.#views) {
      const sql = `SELECT * FROM ${name}`;
      const expected = asBag(await this.#judge.run(sql));
      const actual = asBag(await this.#subject.run(sql));
      assert.deepEqual(actual, expected, `${query}\n${this.#history()}`);
    }
  }

  #history(): string {
    return this.#past.join(';\n');
  }
}

function withoutMessage(answer: Answer): unknown {
  return answer.kind === 'failed' ? { failed: answer.sqlstate } : answer;
}

const isLate = (view: ViewQuery, index: number): boolean => index % 2 === 1 && isLeaf(view);
/** No other view reads it. */
const isLeaf = (view: ViewQuery): boolean => view.name.startsWith('view_');

for (const seed of seedsOf(histories)) {
  test(`history ${seed}: views hold what PostgreSQL answers`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-views-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    try {
      const play = new Play(judge, subject);
      const random = generator(-seed);
      for (const sql of TABLES) await play.statement(sql);
      for (const view of viewQueries.filter((one, i) => !isLate(one, i))) await play.create(view);
      for (const [index, sql] of historyOf(seed, STATEMENTS).entries()) {
        await play.statement(sql);
        const done = index + 1;
        if (done === LATE_VIEWS_AT) {
          for (const view of viewQueries.filter(isLate)) await play.create(view);
        }
        if (done === RECREATE_AT) {
          for (const view of viewQueries)
            if (isLeaf(view) && random(10) === 0) await play.recreate(view);
        }
        if (REOPEN_AT.includes(done)) await play.reopen();
        if (done % STATEMENTS_A_CHECK === 0) await play.check();
      }
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('what cannot be kept up to date is refused when it is created', async () => {
  const subject = await Subject.open();
  try {
    for (const sql of TABLES) await subject.run(sql);
    for (const query of refusedQueries) {
      const answer = await subject.run(`CREATE MATERIALIZED VIEW refused AS ${query}`);
      assert.equal(answer.kind === 'failed' ? answer.sqlstate : answer.tag, '0A000', query);
    }
    assert.equal((await subject.run('SELECT * FROM refused')).kind, 'failed');
  } finally {
    await subject.close();
  }
});
