/** Ranges in the operators: as keys, in conditions and in aggregates, over random histories with restarts. */
import { after, before, test } from 'node:test';
import { fromText } from '../../sql/base/text-input.ts';
import type { RangeName, SqlType } from '../../sql/base/type.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, type TestTable } from './history.ts';

before(openJudge);
after(closeJudge);

const rangeOf = (name: RangeName): SqlType => ({ kind: 'range', name });
const column = (name: string, type: SqlType) => ({ name, type, nullable: true });
const valuesOf = (name: RangeName, texts: readonly string[]) => [
  ...texts.map((text) => fromText(text, rangeOf(name))),
  null,
];

function tableOf(name: string, appendOnly: boolean): TestTable {
  return {
    name,
    appendOnly,
    schema: [
      column('k', { kind: 'integer' }),
      column('r', rangeOf('int4range')),
      column('n', rangeOf('numrange')),
    ],
    domains: [
      [0, 1, 2, null],
      valuesOf('int4range', ['[0,2)', '[1,4)', '[1,3]', '(,1]', '[2,)', 'empty', '(,)']),
      valuesOf('numrange', ['[1,2)', '[1.0,2.00)', '(1,2]', '[1.50,)', 'empty']),
    ],
  };
}

const tables = [tableOf('l', false), tableOf('m', false), tableOf('e', true)];

/** Of equal ranges of numerics any may be shown for all, so bounds are shown as doubles. */
const queries: Readonly<Record<string, string>> = {
  grouped: 'SELECT r, count(*), sum(k) FROM l GROUP BY r',
  'grouped by ranges that print differently':
    'SELECT lower(n)::float8, upper(n)::float8, isempty(n), count(*) FROM l GROUP BY n',
  'counted once': 'SELECT k, count(DISTINCT n), count(DISTINCT r) FROM l GROUP BY k',
  'joined by a key': 'SELECT l.k, m.k FROM l JOIN m ON l.n = m.n AND l.r = m.r',
  'joined by what they have in common':
    'SELECT l.r, m.r, l.r * m.r FROM l LEFT JOIN m ON l.k = m.k AND l.r && m.r',
  'joined by an element': 'SELECT l.k, m.r FROM l FULL JOIN m ON l.k = m.k AND m.r @> l.k',
  'joined to what is only added': 'SELECT l.k, e.k FROM l JOIN e ON l.r <@ e.r AND l.n < e.n',
  'in common': 'SELECT k, range_intersect_agg(r) FROM l WHERE NOT isempty(r) GROUP BY k',
  'in order': 'SELECT k, r, rank() OVER (PARTITION BY k ORDER BY r DESC NULLS LAST) FROM l',
  'the first ones': 'SELECT r FROM l ORDER BY r LIMIT 3',
  'without those of another': 'SELECT r FROM l EXCEPT SELECT r FROM m',
  'not in': 'SELECT k FROM l WHERE r NOT IN (SELECT m.r FROM m WHERE m.k = l.k)',
};

for (const [name, query] of Object.entries(queries)) {
  test(name, () => checkQuery({ name, query }, tables, Math.ceil(runs / 8)));
}
