import { after, before, test } from 'node:test';
import { TopNOperator, type TopNShape } from '../../../engine/operator/top-n.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { closeJudge, openJudge, runs, tableOf } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

const { schema } = tableOf('t', false);
const columnOf = (name: string): number => schema.findIndex((column) => column.name === name);

const base: TopNShape = {
  partitionBy: [],
  orderBy: [{ column: columnOf('v'), descending: true, nullsFirst: false }],
  rank: 'row_number',
  limit: 2,
  offset: 0,
  emitRank: false,
  withTies: false,
  appendOnly: false,
};
const order = 'v DESC NULLS LAST';
/** Ties in the operator's order: whole rows, ascending, numerics of equal value by their scale. */
const ties = schema.map(({ name }) => (name === 'n' ? 'n, scale(n)' : name)).join(', ');
const partitionBy = [columnOf('k')];
const textOrder = [
  { column: columnOf('s'), descending: false, nullsFirst: true },
  { column: columnOf('n'), descending: true, nullsFirst: true },
];
const all = schema.map((column) => column.name).join(', ');

const cases: readonly {
  readonly title: string;
  readonly shape: TopNShape;
  readonly query: string;
}[] = [
  {
    title: 'first two rows',
    shape: base,
    query: `SELECT * FROM t ORDER BY ${order}, ${ties} LIMIT 2`,
  },
  {
    title: 'rows 3 to 5',
    shape: { ...base, limit: 3, offset: 2 },
    query: `SELECT * FROM t ORDER BY ${order}, ${ties} LIMIT 3 OFFSET 2`,
  },
  {
    title: 'all but the first two rows',
    shape: { ...base, limit: Number.POSITIVE_INFINITY, offset: 2 },
    query: `SELECT * FROM t ORDER BY ${order}, ${ties} OFFSET 2`,
  },
  {
    title: 'no row',
    shape: { ...base, limit: 0 },
    query: 'SELECT * FROM t LIMIT 0',
  },
  {
    title: 'rows with ties',
    shape: { ...base, limit: 2, offset: 1, withTies: true },
    query: `SELECT * FROM t ORDER BY ${order} OFFSET 1 FETCH FIRST 2 ROWS WITH TIES`,
  },
  {
    title: 'first row with its peers',
    shape: { ...base, limit: 1, withTies: true },
    query: `SELECT * FROM t ORDER BY ${order} FETCH FIRST 1 ROWS WITH TIES`,
  },
  {
    title: 'one row per key',
    shape: { ...base, partitionBy, limit: 1 },
    query: `SELECT ${all} FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ${order}, ${ties}) AS p FROM t) AS q WHERE p <= 1`,
  },
  {
    title: 'numbered rows per key by text and numeric',
    shape: { ...base, partitionBy, limit: 3, emitRank: true, orderBy: textOrder },
    query: `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY s NULLS FIRST, n DESC NULLS FIRST, ${ties}) AS p FROM t) AS q WHERE p <= 3`,
  },
  {
    title: 'ranks per key',
    shape: { ...base, partitionBy, rank: 'rank', emitRank: true },
    query: `SELECT * FROM (SELECT *, rank() OVER (PARTITION BY k ORDER BY ${order}) AS p FROM t) AS q WHERE p <= 2`,
  },
  {
    title: 'second dense rank per key',
    shape: { ...base, partitionBy, rank: 'dense_rank', emitRank: true, limit: 1, offset: 1 },
    query: `SELECT * FROM (SELECT *, dense_rank() OVER (PARTITION BY k ORDER BY ${order}) AS p FROM t) AS q WHERE p = 2`,
  },
];

/** WITH TIES beyond an offset may cut a run of peers: which of them PostgreSQL skips is its own choice. */
const tieColumns = ['v'];

for (const { title, shape, query } of cases) {
  for (const appendOnly of [false, true]) {
    test(`${title} over ${appendOnly ? 'appended' : 'changed'} rows`, () => {
      const table = tableOf('t', appendOnly);
      const narrow = shape.withTies && shape.offset > 0;
      const kept = narrow
        ? schema.flatMap((column, i) => (tieColumns.includes(column.name) ? [i] : []))
        : schema.map((_, i) => i);
      const input: Schema = kept.map((i) => schema[i] as Schema[number]);
      const output: Schema = shape.emitRank
        ? [...input, { name: 'p', type: { kind: 'bigint' }, nullable: false }]
        : input;
      const own =
        shape.withTies && shape.offset > 0
          ? { ...shape, orderBy: [{ column: 0, descending: true, nullsFirst: false }] }
          : shape;
      return checkOperator({
        tables: [{ ...table, schema: input, domains: kept.map((i) => table.domains[i] ?? []) }],
        operator: () => new TopNOperator(output, input, { ...own, appendOnly }),
        query,
        runs: Math.ceil(runs / 3),
      });
    });
  }
}
