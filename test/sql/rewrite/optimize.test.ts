/** Rewrites keep the meaning: plan, rewritten plan and PostgreSQL give the same rows over random tables. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import type { Query } from '../../../sql/ast.ts';
import type { Datum, Row } from '../../../sql/base/datum.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import { toText } from '../../../sql/base/text-output.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { bindQuery } from '../../../sql/binder.ts';
import { deriveKey } from '../../../sql/derive.ts';
import type { LogicalNode } from '../../../sql/logical-plan.ts';
import { parseStatement } from '../../../sql/parser.ts';
import { optimize } from '../../../sql/rewrite/all.ts';
import { orderJoins } from '../../../sql/rewrite/order-joins.ts';
import { openPglite } from '../../open-pglite.ts';
import { catalog, postgresTables, relations, statement } from '../catalog-fixture.ts';
import { interpret, type Tables } from '../interpreter.ts';
import { queries } from './query-corpus.ts';

const databases = Number(process.env.MILLRACE_TEST_RUNS ?? 6);

let postgres: PGlite;

before(async () => {
  postgres = await openPglite();
  await postgres.exec(postgresTables);
  // Window table functions, as PostgreSQL would have them; time columns are named date_time here.
  await postgres.exec(`set timezone = 'UTC'`);
});

after(() => postgres.close());

const SECOND = 1_000_000n;
const START = 1_704_067_200_000_000n;

/** Few distinct values, so that rows meet and repeat. */
const small = fc.option(fc.integer({ min: 0, max: 3 }), { freq: 6 });
const big = small.map((value) => (value === null ? null : BigInt(value)));
const time = fc
  .option(fc.integer({ min: 0, max: 30 }), { freq: 8 })
  .map((second) => (second === null ? null : START + BigInt(second) * SECOND));
const word = fc.option(fc.constantFrom('a', 'b'), { freq: 6 });
const money = fc.option(fc.integer({ min: 0, max: 300 }).map((n) => new Numeric(BigInt(n), 2)));

const withKeys = (rows: fc.Arbitrary<Row[]>): fc.Arbitrary<Row[]> =>
  rows.map((list) =>
    list.map((row, index) => [typeof row[0] === 'bigint' ? BigInt(index) : index, ...row.slice(1)]),
  );

/** Mostly many rows, sometimes none. */
const rowsOf = (row: fc.Arbitrary<Row>, most: number): fc.Arbitrary<Row[]> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(row, { minLength: most - 2, maxLength: most, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(row, { maxLength: 2 }) },
  );

const database = fc.record({
  person: withKeys(rowsOf(fc.tuple(fc.constant(0n), word, word, word, word, time), 5)),
  auction: withKeys(rowsOf(fc.tuple(fc.constant(0n), word, small, small, time, time, big, big), 6)),
  bid: rowsOf(fc.tuple(big, big, big, word, word, time), 16),
  account: withKeys(rowsOf(fc.tuple(fc.constant(0), word, money), 4)),
});

const schemaOf = (name: string): Schema =>
  relations.find((relation) => relation.name === name)?.schema ?? [];

const literal = (value: Datum | null, schema: Schema, index: number): string => {
  const type = schema[index]?.type;
  if (value === null || type === undefined) return 'NULL';
  return `'${toText(value, type)}'`;
};

async function fill(tables: Tables): Promise<void> {
  const statements = ['truncate person, auction, bid, account'];
  for (const [name, rows] of tables) {
    const schema = schemaOf(name);
    for (const row of rows) {
      const values = row.map((value, index) => literal(value, schema, index));
      statements.push(`insert into ${name} values (${values.join(', ')})`);
    }
  }
  await postgres.exec(statements.join(';'));
}

/** Rows as text, in no order. */
const textOf = (rows: readonly Row[], schema: Schema): readonly string[] =>
  rows.map((row) => toText(row, { kind: 'row', fields: schema })).sort();

/** TUMBLE and HOP in PostgreSQL's own means. */
function inPostgres(sql: string): string {
  return sql
    .replace(
      /tumble\(bid, date_time, interval '10 s'\)/,
      `(select b.*, date_bin('10 s', date_time, '1970-01-01') as window_start from bid b where date_time is not null) bid`,
    )
    .replace(
      /hop\(bid, date_time, interval '10 s', interval '20 s'\)/,
      `(select b.*, date_bin('10 s', date_time, '1970-01-01') - n * interval '10 s' as window_start from bid b, generate_series(0, 1) n where date_time is not null) bid`,
    );
}

interface Planned {
  readonly sql: string;
  readonly plan: LogicalNode;
  readonly rewritten: LogicalNode;
  /** As views are computed. */
  readonly ordered: LogicalNode;
}

const planned: readonly Planned[] = queries.map((sql) => {
  const plan = bindQuery(parseStatement(sql) as Query, catalog, statement, { purpose: 'pull' });
  const rewritten = optimize(plan, catalog);
  return { sql, plan, rewritten, ordered: orderJoins(rewritten, catalog) };
});

test('a rewritten plan has the columns of the plan', () => {
  for (const { sql, plan, rewritten, ordered } of planned) {
    const facts = (schema: Schema) => schema.map(({ name, type }) => ({ name, type }));
    assert.deepEqual(facts(rewritten.schema), facts(plan.schema), sql);
    assert.deepEqual(facts(ordered.schema), facts(plan.schema), sql);
  }
});

/** What a plan claims about its rows holds: a key is unique, and a column that is not nullable has no NULL. */
function checkFacts(sql: string, plan: LogicalNode, rows: readonly Row[]): void {
  const key = deriveKey(plan, catalog);
  if (key !== undefined) {
    const fields = key.flatMap((index) => plan.schema[index] ?? []);
    const keys = rows.map((row) =>
      toText(
        key.map((index) => row[index] ?? null),
        { kind: 'row', fields },
      ),
    );
    assert.equal(new Set(keys).size, keys.length, `key (${key.join()}) of ${sql}`);
  }
  for (const [index, column] of plan.schema.entries()) {
    if (column.nullable) continue;
    assert.ok(
      rows.every((row) => row[index] !== null),
      `column ${index} of ${sql} is NULL`,
    );
  }
}

test('plans and rewritten plans give the rows that PostgreSQL gives', async () => {
  const property = fc.asyncProperty(database, async (rows) => {
    const tables: Tables = new Map(Object.entries(rows));
    await fill(tables);
    for (const { sql, plan, rewritten, ordered } of planned) {
      checkFacts(sql, plan, interpret(plan, tables));
      checkFacts(sql, rewritten, interpret(rewritten, tables));
      checkFacts(sql, ordered, interpret(ordered, tables));
      const answer = await postgres.query<{ r: string }>(
        `select q::text as r from (${inPostgres(sql)}) q`,
      );
      const expected = answer.rows.map((row) => row.r).sort();
      assert.deepEqual(textOf(interpret(plan, tables), plan.schema), expected, `plan of ${sql}`);
      assert.deepEqual(
        textOf(interpret(rewritten, tables), plan.schema),
        expected,
        `rewritten plan of ${sql}`,
      );
      assert.deepEqual(
        textOf(interpret(ordered, tables), plan.schema),
        expected,
        `plan of ${sql} with its joins in order`,
      );
    }
  });
  await fc.assert(property, { numRuns: databases });
});
