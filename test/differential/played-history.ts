/** Statements of a random history, played to Millrace and PostgreSQL: each has the same answer, and views hold what PostgreSQL answers for their queries. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';

const RUNS_A_HISTORY = 100;
const histories = Math.max(
  1,
  Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_HISTORY),
);

export interface PlayedHistory {
  /** Relations and first rows. */
  readonly start: readonly string[];
  /** Each is a view, and is asked anew at every check. */
  readonly queries: readonly string[];
  readonly statements: number;
  readonly statementsACheck: number;
  /** After how many statements the database is closed and opened. */
  readonly reopenAt: readonly number[];
  /** Gives the statements that follow one another. */
  readonly history: (seed: number) => () => string;
}

const withoutMessage = (answer: Answer): unknown =>
  answer.kind === 'failed' ? { failed: answer.sqlstate } : answer;

async function play(
  judge: Judge,
  subject: Subject,
  { start, queries, statements, statementsACheck, reopenAt }: PlayedHistory,
  next: () => string,
): Promise<void> {
  const past: string[] = [];
  const both = async (sql: string): Promise<void> => {
    past.push(sql);
    const expected = withoutMessage(await judge.run(sql));
    assert.deepEqual(withoutMessage(await subject.run(sql)), expected, past.join(';\n'));
  };
  for (const sql of start) await both(sql);
  for (const [i, query] of queries.entries()) {
    assert.equal((await judge.run(`CREATE VIEW v${i} AS ${query}`)).kind, 'answered', query);
    const made = await subject.run(`CREATE MATERIALIZED VIEW v${i} AS ${query}`);
    assert.equal(made.kind, 'answered', `${query} ${JSON.stringify(made)}`);
  }
  for (let done = 1; done <= statements; done++) {
    await both(next());
    if (reopenAt.includes(done)) await subject.reopen();
    if (done % statementsACheck !== 0) continue;
    await subject.run('FLUSH');
    for (const [i, query] of queries.entries()) {
      const expected = asBag(await judge.run(`SELECT * FROM v${i}`));
      const actual = asBag(await subject.run(`SELECT * FROM v${i}`));
      assert.deepEqual(actual, expected, `${query}\n${past.join(';\n')}`);
      // The same query of the moment, rendered to DuckDB.
      assert.deepEqual(asBag(await subject.run(query)), asBag(await judge.run(query)), query);
    }
  }
}

/** One history with every `npm test`, more with more MILLRACE_TEST_RUNS. */
export function testHistories(what: string, played: PlayedHistory): void {
  for (const seed of seedsOf(histories)) {
    test(`history ${seed}: ${what}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-history-'));
      const judge = await Judge.open();
      const subject = await Subject.open(folder);
      try {
        await play(judge, subject, played, played.history(seed));
      } finally {
        await subject.close();
        await judge.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
