/** Window functions over random histories, PostgreSQL asked after every epoch. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { ReportRowError } from '../../../engine/operator/operator.ts';
import type { Row } from '../../../sql/base/datum.ts';
import {
  type Change,
  closeJudge,
  type History,
  histories,
  openJudge,
  postgresRows,
  runs,
  Tables,
  tableOf,
} from '../../property/history.ts';
import { PlanRunner, planOf } from '../../property/run-plan.ts';

before(openJudge);
after(closeJudge);

const changed = tableOf('l', false);
const tables = [changed, tableOf('e', true)];

/** All columns in PostgreSQL's order of them: equal rows under it print alike but for numerics, told apart by scale. */
const total = 'v, k, s, b, n, scale(n), f, t, o, x';
/** The same order in ours, where ties are broken so by themselves. */
const byRow = `ORDER BY ${total}`;
const perKey = `PARTITION BY k ${byRow}`;

/** Calls by what they have in common; PostgreSQL is asked for all of a family at once. */
const families: Readonly<Record<string, readonly string[]>> = {
  ranks: [
    `row_number() OVER (${perKey})`,
    `row_number() OVER (${byRow})`,
    'rank() OVER (PARTITION BY k ORDER BY v)',
    'rank() OVER (PARTITION BY s ORDER BY v DESC NULLS LAST)',
    'dense_rank() OVER (PARTITION BY k ORDER BY v NULLS FIRST)',
    'percent_rank() OVER (PARTITION BY k ORDER BY v)',
    'cume_dist() OVER (PARTITION BY k ORDER BY s DESC)',
    `ntile(3) OVER (${perKey})`,
    `ntile(nullif(abs(k), 0)) OVER (PARTITION BY k ${byRow})`,
  ],
  values: [
    `lag(v) OVER (${perKey})`,
    `lag(s, 2) OVER (${perKey})`,
    `lag(v, 2, -7) OVER (${byRow})`,
    `lag(b, 1, k::bigint) OVER (${perKey})`,
    `lag(v, k) OVER (${byRow})`,
    `lag(v, NULL) OVER (${perKey})`,
    `lag(v, -1) OVER (${perKey})`,
    `lead(v) OVER (${perKey})`,
    `lead(n, 3) OVER (${byRow})`,
  ],
  'frames from the first row': [
    `first_value(v) OVER (${perKey})`,
    `last_value(s) OVER (${perKey})`,
    `nth_value(b, 2) OVER (${perKey})`,
    `nth_value(b, nullif(abs(k), 0)) OVER (PARTITION BY k ${byRow})`,
    `count(*) OVER (${perKey})`,
    `count(v) OVER (${perKey} ROWS UNBOUNDED PRECEDING)`,
    'sum(v) OVER (PARTITION BY k ORDER BY v)',
    `sum(b) OVER (${perKey})`,
    `sum(n) OVER (${perKey} ROWS UNBOUNDED PRECEDING)`,
    `avg(v) OVER (${perKey})`,
    `min(v) OVER (${perKey})`,
    `max(s) OVER (${byRow} ROWS UNBOUNDED PRECEDING)`,
    'max(b) OVER (PARTITION BY k ORDER BY s)',
    `sum(f) OVER (${perKey})`,
    `bool_or(o) OVER (${perKey})`,
    `array_agg(v) OVER (${perKey})`,
    `string_agg(s, '-') OVER (${byRow} ROWS UNBOUNDED PRECEDING)`,
    `stddev_pop(k) OVER (${byRow})`,
    `count(*) FILTER (WHERE v > 0) OVER (${perKey})`,
    `sum(k) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)`,
    `sum(k) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING)`,
    `array_agg(s) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`,
    `min(b) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`,
    `max(b) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)`,
    `last_value(v) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)`,
  ],
  partitions: [
    'sum(v) OVER (PARTITION BY k)',
    'count(*) OVER ()',
    'max(v) OVER (PARTITION BY s, k)',
  ],
  rows: [
    `sum(v) FILTER (WHERE o) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
    `sum(v) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
    `avg(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)`,
    `sum(b) OVER (${byRow} ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING)`,
    `count(*) OVER (${byRow} ROWS BETWEEN 4 PRECEDING AND 2 PRECEDING)`,
    `count(*) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND 3 PRECEDING)`,
    `sum(k) OVER (${byRow} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`,
    `min(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
    `max(s) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING)`,
    `max(x) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)`,
    `array_agg(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
    `first_value(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
    `last_value(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)`,
    `nth_value(v, 2) OVER (${byRow} ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING)`,
  ],
  'groups and ranges': [
    'sum(b) OVER (ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING)',
    'count(*) OVER (PARTITION BY k ORDER BY s GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING)',
    'max(v) OVER (ORDER BY k DESC GROUPS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)',
    'count(*) OVER (ORDER BY v GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)',
    'sum(k) OVER (ORDER BY v GROUPS CURRENT ROW)',
    'sum(k) OVER (PARTITION BY o ORDER BY v RANGE CURRENT ROW)',
    'sum(b) OVER (ORDER BY v RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING)',
    'count(*) OVER (ORDER BY v DESC NULLS FIRST RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING)',
    'count(*) OVER (PARTITION BY k ORDER BY v NULLS FIRST RANGE BETWEEN 4 PRECEDING AND 1 PRECEDING)',
    'count(*) OVER (ORDER BY b RANGE BETWEEN 9223372036854775807 PRECEDING AND 1 FOLLOWING)',
    'count(*) OVER (ORDER BY n RANGE BETWEEN 3.5 PRECEDING AND CURRENT ROW)',
    'count(*) OVER (ORDER BY f DESC RANGE BETWEEN 1.5 PRECEDING AND 0.25 FOLLOWING)',
    "sum(v) OVER (ORDER BY t RANGE BETWEEN '1.5 seconds' PRECEDING AND CURRENT ROW)",
    "min(v) OVER (PARTITION BY k ORDER BY t RANGE BETWEEN '1 microsecond' FOLLOWING AND '1 month' FOLLOWING)",
    "count(*) OVER (ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND '1 second' PRECEDING)",
    "count(*) OVER (ORDER BY (date '2024-02-27' + k) DESC RANGE BETWEEN '1 day' PRECEDING AND '1 month' FOLLOWING)",
  ],
  exclusions: [
    `sum(v) OVER (${perKey} RANGE UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
    'count(*) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE GROUP)',
    'sum(k) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE TIES)',
    'min(b) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE TIES)',
    `array_agg(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW)`,
    `array_agg(v) OVER (${byRow} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
    `first_value(v) OVER (${byRow} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
    `last_value(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES)`,
  ],
};

/** Rows that are nothing but k and v, many of them equal: each copy is a row of its own. */
const narrow = 'ORDER BY v, k';
const narrowCalls: readonly string[] = [
  `row_number() OVER (${narrow})`,
  `row_number() OVER (PARTITION BY k ${narrow})`,
  `lag(v) OVER (${narrow})`,
  `lead(v, 2, 99) OVER (${narrow})`,
  `ntile(2) OVER (${narrow})`,
  `count(*) OVER (${narrow} ROWS UNBOUNDED PRECEDING)`,
  `sum(k) OVER (${narrow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `count(*) OVER (${narrow} ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING EXCLUDE CURRENT ROW)`,
  `nth_value(v, 2) OVER (${narrow} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`,
];

/** Several windows, and windows over and under other operators. */
const wholeQueries: readonly string[] = [
  `SELECT k, v, lag(v) OVER a, sum(b) OVER (a ROWS 2 PRECEDING), rank() OVER (ORDER BY s), count(*) OVER () FROM l WINDOW a AS (${perKey})`,
  'SELECT k, count(*), sum(count(*)) OVER (ORDER BY k), rank() OVER (ORDER BY sum(v) DESC) FROM l GROUP BY k',
  `SELECT l.k, e.v, row_number() OVER (PARTITION BY l.k ORDER BY l.v, e.v) FROM l JOIN e ON l.k = e.k`,
  'SELECT DISTINCT k, max(v) OVER (PARTITION BY k) - min(v) OVER (PARTITION BY k) FROM l WHERE v < 100',
  `SELECT w, count(*) FROM (SELECT dense_rank() OVER (PARTITION BY k ORDER BY v) AS w FROM l) AS q GROUP BY w`,
  'SELECT k, v FROM l ORDER BY rank() OVER (PARTITION BY k ORDER BY v)',
  `SELECT k, r, lag(r) OVER (PARTITION BY k ORDER BY r, v) FROM (SELECT k, v, row_number() OVER (${narrow}) AS r FROM l) AS q`,
  'SELECT k, v, v - avg(v) OVER (PARTITION BY k) AS d FROM l WHERE v < 1000 AND k > 0',
  'SELECT k, w FROM (SELECT k, sum(v) OVER (PARTITION BY k ORDER BY v) AS w FROM l) AS q WHERE w > 0',
  `SELECT DISTINCT ON (k) k, w FROM (SELECT k, row_number() OVER (${narrow}) AS w FROM l) AS q ORDER BY k, w DESC`,
  'SELECT w FROM (SELECT count(*) OVER (PARTITION BY k) AS w FROM l) AS q ORDER BY w DESC FETCH FIRST 2 ROWS WITH TIES',
  'SELECT w FROM (SELECT sum(k) OVER (PARTITION BY s) AS w FROM l) AS q ORDER BY w LIMIT 2 OFFSET 1',
];

/** Rows without a value leave the plan both ways. */
const failing: readonly (readonly [query: string, postgres: string])[] = [
  [
    `SELECT k, v, nth_value(b, k) OVER (PARTITION BY s ${byRow}) FROM l`,
    `SELECT * FROM (SELECT k, v, nth_value(b, nullif(k, 0)) OVER (PARTITION BY s ${byRow}) FROM l) AS q WHERE k IS DISTINCT FROM 0`,
  ],
  [
    `SELECT k, v, count(*) OVER (${byRow}), sum(b * 2) OVER (${byRow}) FROM l`,
    `SELECT k, v, count(*) OVER (${byRow}), sum(nullif(b, 9223372036854775807) * 2) OVER (${byRow}) FROM (SELECT * FROM l WHERE b <> 9223372036854775807 OR b IS NULL) AS l`,
  ],
  [
    'SELECT s, v, sum(w) OVER (PARTITION BY s ORDER BY v) FROM (SELECT s, v, b::numeric::bigint AS w FROM l) AS l',
    'SELECT s, v, sum(b) OVER (PARTITION BY s ORDER BY v) FROM l',
  ],
];

/** One plan a call, so that each call alone decides what is computed again. */
function checkFamily(name: string, calls: readonly string[], table: 'l' | 'e'): void {
  test(`${name} over ${table === 'l' ? 'changed' : 'appended'} rows`, async () => {
    const plans = calls.map((call) => planOf(`SELECT k, v, ${call} AS w FROM ${table}`, tables));
    const all = `SELECT k, v, ${calls.map((call, i) => `${call} AS w${i}`).join(', ')} FROM ${table}`;
    const check = async (history: History): Promise<void> => {
      const runners = plans.map((plan) => new PlanRunner(plan, tables, fail));
      const present = new Tables(tables);
      for (const epoch of history) {
        present.apply(epoch);
        const answer = (await postgresRows(present, all, 2 + calls.length)).map(
          (row) => JSON.parse(row) as readonly (string | null)[],
        );
        runners.forEach((runner, i) => {
          runner.run(epoch);
          const expected = answer.map(([k, v, ...w]) => JSON.stringify([k, v, w[i]])).sort();
          assert.deepEqual(runner.bag.rows(), expected, calls[i]);
        });
      }
      for (const runner of runners) takeAllBack(runner, history);
    };
    await fc.assert(fc.asyncProperty(histories(tables), check), { numRuns: Math.ceil(runs / 3) });
  });
}

function fail(error: Error): never {
  throw error;
}

function checkQuery(query: string, postgres: string, report: ReportRowError): void {
  test(query, async () => {
    const plan = planOf(query, tables);
    const check = async (history: History): Promise<void> => {
      const runner = new PlanRunner(plan, tables, report);
      const present = new Tables(tables);
      for (const epoch of history) {
        present.apply(epoch);
        runner.run(epoch);
        const expected = await postgresRows(present, postgres, plan.schema.length);
        assert.deepEqual(runner.bag.rows(), expected);
      }
      takeAllBack(runner, history);
    };
    await fc.assert(fc.asyncProperty(histories(tables), check), { numRuns: Math.ceil(runs / 4) });
  });
}

/** When all rows have been taken back nothing of them is left, neither below nor in the state. */
function takeAllBack(runner: PlanRunner, history: History): void {
  const back = tables.map((_, port) => [
    history.flatMap((epoch) =>
      (epoch[port] ?? []).flat().map(({ row, weight }) => ({ row, weight: -weight })),
    ),
  ]);
  runner.run(back);
  for (const [node, operator] of runner.operators) {
    if (node.kind === 'window')
      assert.equal(operator.stateEntries(), 0, 'the state is empty again');
  }
}

for (const [name, calls] of Object.entries(families)) {
  checkFamily(name, calls, 'l');
  checkFamily(name, calls, 'e');
}
checkFamily('equal rows', narrowCalls, 'l');
for (const query of wholeQueries) checkQuery(query, query, fail);
for (const [query, postgres] of failing) checkQuery(query, postgres, () => {});

const rowWith = (v: number): Row =>
  changed.domains.map((domain, i) => (i === 2 ? v : (domain[0] ?? null)));

test('a row may be taken back before it comes, in an earlier epoch', () => {
  const plan = planOf(
    'SELECT v, row_number() OVER (ORDER BY v) AS w, count(*) OVER () FROM l',
    tables,
  );
  const runner = new PlanRunner(plan, tables, fail);
  const run = (...changes: readonly (readonly [v: number, weight: number])[]): string[] => {
    runner.run([[changes.map(([v, weight]) => ({ row: rowWith(v), weight }))], [[]]]);
    return runner.bag.rows();
  };
  assert.deepEqual(run([7, -2], [5, 1]), ['["5","1","1"]']);
  assert.deepEqual(run([7, 1]), ['["5","1","1"]']);
  assert.deepEqual(run([7, 2]), ['["5","1","2"]', '["7","2","2"]']);
  assert.deepEqual(run([7, -2], [5, -1]), []);
  assert.deepEqual(run([7, 1]), []);
});

test('a copy of a row that is there is seen behind an earlier change', () => {
  const plan = planOf('SELECT v, lag(v) OVER (ORDER BY v) FROM l', tables);
  const runner = new PlanRunner(plan, tables, fail);
  const change = (v: number): Change => ({ row: rowWith(v), weight: 1 });
  runner.run([[[change(0)]], [[]]]);
  runner.run([[[change(-3), change(0)]], [[]]]);
  assert.deepEqual(runner.bag.rows(), ['["-3",null]', '["0","-3"]', '["0","0"]']);
});
