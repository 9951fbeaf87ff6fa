/** Plays a case on both sides: tables, commits and views in some order; after every commit the views are compared. */
import { type Answer, asBag, type Judge, type Subject } from '../differential/both-sides.ts';
import { Context } from './context.ts';
import { Dice } from './dice.ts';
import { randomQuery } from './query.ts';
import { Changes, createTable, randomTables, relationOf, type TestTable } from './schema.ts';

export type Step =
  | { readonly kind: 'commit'; readonly statements: readonly string[] }
  | { readonly kind: 'view'; readonly name: string; readonly query: string };

export interface FuzzCase {
  readonly tables: readonly TestTable[];
  readonly steps: readonly Step[];
}

export interface Finding {
  readonly view: string;
  readonly query: string;
  /** `view` and `pull`: what is there is not PostgreSQL's answer; `refused`: only PostgreSQL answers. */
  readonly kind: 'view' | 'pull' | 'refused';
  readonly detail: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly views: number;
  /** Queries that PostgreSQL refuses too. */
  readonly invalid: number;
  /** Answers compared. */
  readonly compared: number;
  /** Answers without any row. */
  readonly empty: number;
  /** Answers that PostgreSQL fails to give: over some rows, a value has an error. */
  readonly failed: number;
  /** Views that grew too large on the way. */
  readonly dropped: number;
}

const INSERTS_FIRST = 4;
/** Larger answers are left out: nothing is found in them that smaller ones would not show. */
const ROWS_MAX = 3000;
/** Joins upon joins grow with every commit: past so many rows, or so long for PostgreSQL, a view is dropped. */
const HOPELESS_ROWS = 30_000;
const HOPELESS_MS = 500;

export function randomCase(seed: number, views: number, commits: number): FuzzCase {
  const dice = new Dice(seed);
  const tables = randomTables(dice);
  const changes = new Changes(dice, tables);
  const context = new Context(dice, tables.map(relationOf));
  const steps: Step[] = [];
  const addView = (i: number): void => {
    const { sql, columns } = randomQuery(context);
    const view = { kind: 'view', name: `view${i}`, query: sql } as const;
    steps.push(view);
    // One view in three can be read by later ones.
    if (dice.chance(33)) context.relations.unshift({ name: view.name, columns });
  };
  for (let i = 0; i < views / 3; i++) addView(i);
  for (const table of tables) {
    const statements = dice.times(INSERTS_FIRST, () => changes.insert(table));
    for (const sql of statements) steps.push({ kind: 'commit', statements: [sql] });
  }
  for (let i = Math.ceil(views / 3); i < views; i++) addView(i);
  for (let i = 0; i < commits; i++) steps.push({ kind: 'commit', statements: changes.commit() });
  return { tables, steps };
}

export class Play {
  readonly #judge: Judge;
  readonly #subject: Subject;
  readonly #pullEvery: number;
  readonly #views = new Map<string, string>();
  /** Views whose type modifiers PostgreSQL describes by its plan, see `difference`. */
  readonly #planned = new Set<string>();
  readonly #findings: Finding[] = [];
  #commits = 0;
  #compared = 0;
  #invalid = 0;
  #failed = 0;
  #empty = 0;
  #dropped = 0;

  /** @param pullEvery  after how many commits the queries are also asked anew. */
  constructor(judge: Judge, subject: Subject, pullEvery: number) {
    this.#judge = judge;
    this.#subject = subject;
    this.#pullEvery = pullEvery;
  }

  async run({ tables, steps }: FuzzCase): Promise<Outcome> {
    for (const table of tables) {
      await required(this.#judge, createTable(table, true));
      await required(this.#subject, createTable(table, false));
    }
    const streams = tables.some(({ isStream }) => isStream);
    const total = steps.filter(({ kind }) => kind === 'view').length;
    for (const step of steps) {
      if (step.kind === 'view') await this.#create(step.name, step.query);
      else await this.#commit(step.statements, streams);
    }
    return {
      findings: this.#findings,
      views: total,
      invalid: this.#invalid,
      compared: this.#compared,
      empty: this.#empty,
      failed: this.#failed,
      dropped: this.#dropped,
    };
  }

  async #create(name: string, query: string): Promise<void> {
    const postgres = await this.#judge.run(`CREATE VIEW ${name} AS ${query}`);
    if (postgres.kind === 'failed') {
      this.#invalid++;
      return;
    }
    const millrace = await this.#subject.run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    if (millrace.kind === 'failed') {
      const detail = `${millrace.sqlstate} ${millrace.message}`;
      this.#findings.push({ view: name, query, kind: 'refused', detail });
      return;
    }
    // PostgreSQL plans once; planning takes longer than a few rows do.
    await required(this.#judge, `PREPARE ${name} AS SELECT * FROM ${name}`);
    this.#views.set(name, query);
    if (/\b(EXCEPT|INTERSECT)\b/.test(query) || readsAny(query, this.#planned))
      this.#planned.add(name);
    await this.#compare(name, query, this.#pullEvery === 1);
  }

  async #commit(statements: readonly string[], streams: boolean): Promise<void> {
    const sql =
      statements.length === 1
        ? (statements[0] as string)
        : `BEGIN; ${statements.join('; ')}; COMMIT`;
    await required(this.#judge, sql);
    await required(this.#subject, sql);
    if (streams) await required(this.#subject, 'FLUSH');
    this.#commits++;
    for (const [name, query] of [...this.#views]) {
      if (!this.#views.has(name)) continue;
      await this.#compare(name, query, this.#commits % this.#pullEvery === 0);
    }
  }

  async #compare(name: string, query: string, pull: boolean): Promise<void> {
    const startedMs = performance.now();
    const expected = await this.#judge.run(`EXECUTE ${name}`);
    if (expected.kind === 'failed') {
      this.#failed++;
      return;
    }
    const tookMs = performance.now() - startedMs;
    if (expected.rows.length > HOPELESS_ROWS || tookMs > HOPELESS_MS) {
      await this.#leaveOut(name);
      return;
    }
    if (expected.rows.length > ROWS_MAX) return;
    const asked = [
      ['view', `SELECT * FROM ${name}`] as const,
      ...(pull ? [['pull', query] as const] : []),
    ];
    for (const [kind, sql] of asked) {
      this.#compared++;
      if (expected.rows.length === 0) this.#empty++;
      const actual = await this.#subject.run(sql);
      const detail = difference(expected, actual, !this.#planned.has(name));
      if (detail === undefined) continue;
      if (actual.kind === 'failed' && kind === 'pull' && actual.sqlstate.startsWith('22')) continue;
      if (kind === 'view' && (await this.#hasErrors(name))) continue;
      if (!(await isSettled(this.#judge, query, expected))) continue;
      this.#findings.push({ view: name, query, kind, detail });
      this.#views.delete(name);
      return;
    }
  }

  /** Drops a view and those over it, which then have no more commits. */
  async #leaveOut(name: string): Promise<void> {
    const gone = new Set([name]);
    for (const [view, query] of this.#views) {
      if (readsAny(query, gone)) gone.add(view);
    }
    for (const view of gone) this.#views.delete(view);
    this.#dropped += gone.size;
    await required(this.#judge, `DROP VIEW ${name} CASCADE`);
    await required(this.#subject, `DROP MATERIALIZED VIEW ${name} CASCADE`);
  }

  /** Which rows an expression is computed for depends on the plan, where conditions and joins are reordered. */
  async #hasErrors(name: string): Promise<boolean> {
    const errors = await this.#subject.run(`SELECT sqlstate FROM ${name}_errors`);
    return errors.kind === 'answered' && errors.rows.length > 0;
  }
}

/** Settings under which PostgreSQL plans differently. */
const PLANS: readonly string[] = [
  'SET enable_hashagg = off; SET enable_hashjoin = off',
  'SET enable_sort = off; SET enable_mergejoin = off; SET enable_nestloop = off',
];

/** Whether PostgreSQL's answer is the only one: it is the same by other plans and over the rows in reverse order. */
async function isSettled(judge: Judge, query: string, expected: Answer): Promise<boolean> {
  const wanted = JSON.stringify(asBag(expected));
  try {
    for (const settings of PLANS) {
      await required(judge, settings);
      if (JSON.stringify(asBag(await judge.run(query))) !== wanted) return false;
      await required(judge, 'RESET ALL');
    }
    const tables = await judge.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    await required(judge, 'CREATE SCHEMA reverse');
    for (const [name] of tables.kind === 'answered' ? tables.rows : []) {
      await required(
        judge,
        `CREATE TABLE reverse.${name} AS SELECT * FROM public.${name} ORDER BY ctid DESC`,
      );
    }
    await required(judge, 'SET search_path = reverse, public');
    return JSON.stringify(asBag(await judge.run(query))) === wanted;
  } finally {
    await required(judge, "RESET ALL; DROP SCHEMA IF EXISTS reverse CASCADE; SET timezone = 'UTC'");
  }
}

async function required(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  if (answer.kind === 'failed') throw new Error(`${sql}: ${answer.sqlstate} ${answer.message}`);
}

const readsAny = (query: string, views: ReadonlySet<string>): boolean =>
  (query.match(/\bview\d+\b/g) ?? []).some((read) => views.has(read));

const withoutModifiers = (columns: string): string => columns.replace(/\(\d+(,\d+)?\)/g, '');

/**
 * @param modifiers  type modifiers count. What PostgreSQL calls varchar(6) after EXCEPT and INTERSECT, and what varchar, depends on its
 *   plan: whether something is computed above them.
 * @returns  what differs, or nothing.
 */
function difference(expected: Answer, actual: Answer, modifiers: boolean): string | undefined {
  const [left, right] = [asBag(expected), asBag(actual)];
  if (left.kind === 'failed') return undefined;
  if (right.kind === 'failed') return `${right.sqlstate} ${right.message}`;
  for (const part of ['columns', 'rows'] as const) {
    const [wanted, got] = [left, right].map((side) => {
      const text = JSON.stringify(side[part]);
      return part === 'rows' || modifiers ? text : withoutModifiers(text);
    });
    if (wanted !== got) return `PostgreSQL ${wanted}\n  Millrace   ${got}`;
  }
  return undefined;
}

/** Leaves PostgreSQL empty. */
export async function emptyJudge(judge: Judge): Promise<void> {
  await required(judge, 'DEALLOCATE ALL');
  await required(judge, 'DROP SCHEMA public CASCADE');
  await required(judge, 'CREATE SCHEMA public');
}
