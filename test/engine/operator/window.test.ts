/** Window functions over random histories, PostgreSQL asked after every epoch. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
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

/** What is asked of each row, and how it is asked of PostgreSQL where that differs. */
const calls: readonly string[] = [
  `row_number() OVER (${perKey})`,
  `row_number() OVER (${byRow})`,
  'rank() OVER (PARTITION BY k ORDER BY v)',
  'rank() OVER (PARTITION BY s ORDER BY v DESC NULLS LAST)',
  'dense_rank() OVER (PARTITION BY k ORDER BY v NULLS FIRST)',
  'percent_rank() OVER (PARTITION BY k ORDER BY v)',
  'cume_dist() OVER (PARTITION BY k ORDER BY s DESC)',
  `ntile(3) OVER (${perKey})`,
  `ntile(nullif(abs(k), 0)) OVER (PARTITION BY k ${byRow})`,
  `lag(v) OVER (${perKey})`,
  `lag(s, 2) OVER (${perKey})`,
  `lag(v, 2, -7) OVER (${byRow})`,
  `lag(b, 1, k::bigint) OVER (${perKey})`,
  `lag(v, k) OVER (${byRow})`,
  `lag(v, NULL) OVER (${perKey})`,
  `lag(v, -1) OVER (${perKey})`,
  `lead(v) OVER (${perKey})`,
  `lead(n, 3) OVER (${byRow})`,
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
  'sum(v) OVER (PARTITION BY k)',
  'count(*) OVER ()',
  'max(v) OVER (PARTITION BY s, k)',
  `count(*) FILTER (WHERE v > 0) OVER (${perKey})`,
  `sum(v) FILTER (WHERE o) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `sum(v) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `avg(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)`,
  `sum(b) OVER (${byRow} ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING)`,
  `count(*) OVER (${byRow} ROWS BETWEEN 4 PRECEDING AND 2 PRECEDING)`,
  `count(*) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND 3 PRECEDING)`,
  `sum(k) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)`,
  `sum(k) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING)`,
  `sum(k) OVER (${byRow} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`,
  `array_agg(s) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`,
  `min(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `max(s) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING)`,
  `max(x) OVER (${perKey} ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)`,
  `min(b) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`,
  `max(b) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)`,
  `array_agg(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `first_value(v) OVER (${byRow} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)`,
  `last_value(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)`,
  `nth_value(v, 2) OVER (${byRow} ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING)`,
  `last_value(v) OVER (${byRow} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)`,
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
  `sum(v) OVER (${perKey} RANGE UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
  'count(*) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE GROUP)',
  'sum(k) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE TIES)',
  'min(b) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE TIES)',
  `array_agg(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW)`,
  `array_agg(v) OVER (${byRow} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
  `first_value(v) OVER (${byRow} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW)`,
  `last_value(v) OVER (${byRow} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES)`,
];

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
    `SELECT k, v, count(*) OVER (${byRow}), sum(b * 2) OVER (${byRow}) FROM (SELECT * FROM l WHERE b <> 9223372036854775807 OR b IS NULL) AS l`,
  ],
  [
    'SELECT s, v, sum(w) OVER (PARTITION BY s ORDER BY v) FROM (SELECT s, v, b::numeric::bigint AS w FROM l) AS l',
    'SELECT s, v, sum(b) OVER (PARTITION BY s ORDER BY v) FROM l',
  ],
];

function checkQuery(query: string, postgres: string, isFailing: boolean): void {
  test(query, async () => {
    const plan = planOf(query, tables);
    const check = (history: History): Promise<void> =>
      replayQuery(plan, postgres, history, isFailing);
    await fc.assert(fc.asyncProperty(histories(tables), check), { numRuns: Math.ceil(runs / 10) });
  });
}

for (const call of calls) {
  checkQuery(`SELECT k, v, ${call} AS w FROM l`, `SELECT k, v, ${call} AS w FROM l`, false);
  checkQuery(`SELECT v, ${call} AS w FROM e`, `SELECT v, ${call} AS w FROM e`, false);
}
for (const call of narrowCalls) {
  checkQuery(`SELECT k, v, ${call} AS w FROM l`, `SELECT k, v, ${call} AS w FROM l`, false);
}
for (const query of wholeQueries) checkQuery(query, query, false);
for (const [query, postgres] of failing) checkQuery(query, postgres, true);

async function replayQuery(
  plan: ReturnType<typeof planOf>,
  postgres: string,
  history: History,
  isFailing: boolean,
): Promise<void> {
  const runner = new PlanRunner(plan, tables, (error) => {
    if (!isFailing) throw error;
  });
  const present = new Tables(tables);
  for (const epoch of history) {
    present.apply(epoch);
    runner.run(epoch);
    assert.deepEqual(runner.bag.rows(), await postgresRows(present, postgres, plan.schema.length));
  }
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
