/** A benchmark's tables and views on PostgreSQL and on Millrace, side by side: the same changes, the same rows after each batch. */
import assert from 'node:assert/strict';
import { type Answer, asBag, Judge, Subject } from '../differential/both-sides.ts';

/** A query of a benchmark, and what PostgreSQL is asked instead where it does not know the spelling. */
export interface SuiteQuery {
  readonly sql: string;
  readonly postgres: string;
}

export type Cell = string | number | null;

const ROWS_A_STATEMENT = 2_000;

export class Suite {
  readonly judge: Judge;
  readonly subject: Subject;
  readonly #queries: ReadonlyMap<string, SuiteQuery>;
  /** Of each view, its rows at the last check. */
  readonly #last = new Map<string, string>();
  /** Checks at which a view had other rows than at the one before. */
  readonly #changes = new Map<string, number>();

  private constructor(
    judge: Judge,
    subject: Subject,
    queries: Readonly<Record<string, string | SuiteQuery>>,
  ) {
    this.judge = judge;
    this.subject = subject;
    this.#queries = new Map(
      Object.entries(queries).map(([name, query]) => [
        name,
        typeof query === 'string' ? { sql: query, postgres: query } : query,
      ]),
    );
  }

  static async open(queries: Readonly<Record<string, string | SuiteQuery>>): Promise<Suite> {
    const judge = await Judge.open();
    return new Suite(judge, await Subject.open(), queries);
  }

  async close(): Promise<void> {
    await this.subject.close();
    await this.judge.close();
  }

  /** One statement on both sides, which change the same number of rows. */
  async both(sql: string): Promise<void> {
    const expected = await this.onJudge(sql);
    const actual = await this.onSubject(sql);
    assert.equal(tagOf(actual), tagOf(expected), sql.slice(0, 200));
  }

  async onJudge(sql: string): Promise<Answer> {
    return answered(await this.judge.run(sql), sql);
  }

  async onSubject(sql: string): Promise<Answer> {
    return answered(await this.subject.run(sql), sql);
  }

  async insert(table: string, rows: readonly (readonly Cell[])[]): Promise<void> {
    for (const sql of insertsOf(table, rows)) await this.both(sql);
  }

  async createViews(): Promise<void> {
    for (const [name, { sql, postgres }] of this.#queries) {
      await this.onJudge(`CREATE VIEW ${name} AS ${postgres}`);
      await this.onSubject(`CREATE MATERIALIZED VIEW ${name} AS ${sql}`);
    }
  }

  /**
   * Every view holds PostgreSQL's rows, of its types.
   * @returns the number of rows of all views.
   */
  async check(): Promise<number> {
    let rows = 0;
    for (const name of this.#queries.keys()) {
      const sql = `SELECT * FROM ${name}`;
      const expected = asBag(await this.onJudge(sql));
      assert.deepEqual(asBag(await this.onSubject(sql)), expected, name);
      if (expected.kind !== 'answered') continue;
      rows += expected.rows.length;
      const text = JSON.stringify(expected.rows);
      const last = this.#last.get(name);
      if (last !== undefined && last !== text) {
        this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
      }
      this.#last.set(name, text);
    }
    return rows;
  }

  /** Every view had other rows at some check than at the one before: no query is over data that it finds nothing in. */
  assertAllChanged(): void {
    const still = [...this.#queries.keys()].filter((name) => !this.#changes.has(name));
    assert.deepEqual(still, [], 'views that never changed');
  }
}

export function insertsOf(table: string, rows: readonly (readonly Cell[])[]): readonly string[] {
  const statements: string[] = [];
  for (let first = 0; first < rows.length; first += ROWS_A_STATEMENT) {
    const some = rows.slice(first, first + ROWS_A_STATEMENT);
    statements.push(`INSERT INTO ${table} VALUES ${some.map(rowText).join(', ')}`);
  }
  return statements;
}

const tagOf = (answer: Answer): string => (answer.kind === 'answered' ? answer.tag : '');

function answered(answer: Answer, sql: string): Answer {
  assert.equal(answer.kind, 'answered', `${sql.slice(0, 500)}: ${JSON.stringify(answer)}`);
  return answer;
}

export const rowText = (row: readonly Cell[]): string => `(${row.map(literal).join(', ')})`;

function literal(value: Cell): string {
  if (value === null) return 'NULL';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** 1 to `count`. */
export const keysTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => i + 1);
