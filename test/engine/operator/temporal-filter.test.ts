import { after, before, test } from 'node:test';
import {
  TemporalFilterOperator,
  type TemporalFilterShape,
} from '../../../engine/operator/temporal-filter.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { closeJudge, openJudge, runs, type TestTable } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

const time = { kind: 'timestamp' } as const;
const schema: Schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: true },
  { name: 'a', type: time, nullable: true },
  { name: 's', type: { kind: 'text' }, nullable: true },
  { name: 'b', type: time, nullable: true },
];
const times = [0n, 1n, 5n, 6n, 10n, 1_000_000n, -7n];
const rows: TestTable = {
  name: 'r',
  schema,
  domains: [
    [1, 2, null],
    [...times, null],
    ['', 'ab', null],
    [...times, null],
  ],
  appendOnly: false,
};
const clock = (name: string): TestTable => ({
  name,
  schema: [{ name: 'c', type: time, nullable: false }],
  domains: [times],
  appendOnly: true,
});

const none = { from: undefined, fromMicros: 0n, until: undefined, untilMicros: 0n };
const one = '(SELECT max(c) FROM c1)';
/** NULL until both have struck. */
const two =
  '(SELECT least(x.m, y.m) FROM (SELECT max(c) AS m FROM c1) AS x, (SELECT max(c) AS m FROM c2) AS y WHERE x.m IS NOT NULL AND y.m IS NOT NULL)';
const micros = (n: number): string => `interval '${n} microseconds'`;

const cases: readonly {
  readonly title: string;
  readonly shape: TemporalFilterShape;
  readonly query: string;
}[] = [
  {
    title: 'from a time on',
    shape: { ...none, from: 1, clocks: 1 },
    query: `SELECT * FROM r WHERE a <= ${one}`,
  },
  {
    title: 'from a time on, by the slower of two clocks',
    shape: { ...none, from: 1, fromMicros: 4n, clocks: 2 },
    query: `SELECT * FROM r WHERE a + ${micros(4)} <= ${two}`,
  },
  {
    title: 'until a time',
    shape: { ...none, until: 3, clocks: 1 },
    query: `SELECT * FROM r WHERE b IS NOT NULL AND coalesce(b > ${one}, true)`,
  },
  {
    title: 'between two times',
    shape: { from: 1, fromMicros: 1n, until: 3, untilMicros: 5n, clocks: 2 },
    query: `SELECT * FROM r WHERE a + ${micros(1)} <= ${two} AND b + ${micros(5)} > ${two}`,
  },
  {
    title: 'a time and a while after it',
    shape: { from: 1, fromMicros: 0n, until: 1, untilMicros: 5n, clocks: 1 },
    query: `SELECT * FROM r WHERE a <= ${one} AND a + ${micros(5)} > ${one}`,
  },
];

for (const { title, shape, query } of cases) {
  test(`rows ${title}`, () =>
    checkOperator({
      tables: [rows, ...['c1', 'c2'].slice(0, shape.clocks).map(clock)],
      operator: () => new TemporalFilterOperator(schema, shape),
      query,
      runs,
    }));
}
