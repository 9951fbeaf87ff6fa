import { after, before, test } from 'node:test';
import { JoinOperator, type JoinShape, type KeepPairs } from '../../../engine/operator/join.ts';
import type { Schema } from '../../../sql/base/type.ts';
import type { JoinType } from '../../../sql/logical-plan.ts';
import { closeJudge, openJudge, runs, tableOf } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

const left = tableOf('l', false);
const right = tableOf('r', false);
const width = left.schema.length;
const columnOf = (name: string): number => left.schema.findIndex((column) => column.name === name);
const V = columnOf('v');

/** l.v < r.v, as PostgreSQL sees NULLs. */
const keepSmaller: KeepPairs = {
  columns: [V, width + V],
  select: (pairs) => {
    const rows = new Int32Array(pairs.length);
    let count = 0;
    for (let i = 0; i < pairs.length; i++) {
      const [a = null, b = null] = pairs.row(i);
      if (a !== null && b !== null && a < b) rows[count++] = i;
    }
    return { rows, count };
  },
};

interface Case {
  readonly title: string;
  readonly keys: readonly string[];
  readonly nullSafe?: boolean;
  readonly residual?: boolean;
  readonly appendOnly?: boolean;
}

const cases: readonly Case[] = [
  { title: 'an integer', keys: ['k'] },
  { title: 'an integer, over rows that are only added', keys: ['k'], appendOnly: true },
  { title: 'a text and a bigint', keys: ['s', 'b'] },
  { title: 'a numeric of any scale', keys: ['n'] },
  { title: 'a double and bytes', keys: ['f', 'x'] },
  { title: 'an integer that may be NULL on both sides', keys: ['k'], nullSafe: true },
  { title: 'an integer and a further condition', keys: ['k'], residual: true },
  { title: 'a further condition alone', keys: [], residual: true },
  { title: 'nothing', keys: [] },
];

const types: readonly JoinType[] = ['inner', 'left', 'right', 'full', 'semi', 'anti'];

for (const type of types) {
  for (const { title, keys, nullSafe = false, residual = false, appendOnly = false } of cases) {
    // PostgreSQL cannot answer these full joins itself.
    if (type === 'full' && (residual || keys.length === 0 || nullSafe)) continue;
    test(`${type} join on ${title}`, async () => {
      const onlyLeft = type === 'semi' || type === 'anti';
      const output = onlyLeft
        ? [0, V]
        : [0, V, columnOf('s'), width, width + V, width + columnOf('n')];
      const both: Schema = [...left.schema, ...right.schema];
      const shape: JoinShape = {
        type,
        left: left.schema,
        right: right.schema,
        leftKeys: keys.map(columnOf),
        rightKeys: keys.map(columnOf),
        nullSafe: keys.map(() => nullSafe),
        keep: residual ? keepSmaller : undefined,
        output,
      };
      const equal = nullSafe ? 'IS NOT DISTINCT FROM' : '=';
      const conditions = keys.map((key) => `l.${key} ${equal} r.${key}`);
      if (residual) conditions.push('l.v < r.v');
      const on = conditions.length === 0 ? 'true' : conditions.join(' AND ');
      const query = onlyLeft
        ? `SELECT k, v FROM l WHERE ${type === 'anti' ? 'NOT ' : ''}EXISTS (SELECT FROM r WHERE ${on})`
        : `SELECT l.k, l.v, l.s, r.k, r.v, r.n FROM l ${type} JOIN r ON ${on}`;
      await checkOperator({
        tables: [
          { ...left, appendOnly },
          { ...right, appendOnly },
        ],
        operator: () =>
          new JoinOperator(
            output.map((column) => both[column] as Schema[number]),
            shape,
          ),
        query,
        runs: Math.ceil(runs / 5),
      });
    });
  }
}
