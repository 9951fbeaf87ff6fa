/** Functions of ksqlDB and Flink that PostgreSQL can say in other words, over random histories; and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, tableOf } from './history.ts';
import { boundOf } from './run-plan.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false)];

const pairs: Readonly<Record<string, readonly (readonly [dialect: string, postgres: string])[]>> = {
  'conditional functions': [
    ['ifnull(v, 7)', 'coalesce(v, 7)'],
    ['nvl(v, 2.5)', 'coalesce(v, 2.5)'],
    ["if(o, s, 'none')", "CASE WHEN o THEN s ELSE 'none' END"],
    ['if(v > 0, v, b)', 'CASE WHEN v > 0 THEN v ELSE b END'],
    ['as_value(k)', 'k'],
  ],
  'parts of times': [
    ...['year', 'quarter', 'month', 'week', 'hour', 'minute'].map((part): [string, string] => [
      `${part}(t)`,
      `extract(${part} FROM t)::bigint`,
    ]),
    ['second(t)', 'floor(extract(second FROM t))::bigint'],
    ['dayofyear(t)', 'extract(doy FROM t)::bigint'],
    ['dayofmonth(t)', 'extract(day FROM t)::bigint'],
    ['dayofweek(t)', 'extract(dow FROM t)::bigint + 1'],
  ],
  'times moved by units': [
    ['timestampadd(MONTH, 1, t)', "t + INTERVAL '1 month'"],
    ['timestampadd(QUARTER, k, t)', "t + k * INTERVAL '3 months'"],
    ['timestampadd(SECOND, -k, t)', "t - k * INTERVAL '1 second'"],
    ["timestampadd(DAY, k, DATE '2024-02-28')", "DATE '2024-02-28' + k * INTERVAL '1 day'"],
  ],
  'whole units between times': [
    ...(['second', 'minute', 'hour', 'day', 'week'] as const).map((unit): [string, string] => [
      `timestampdiff(${unit}, t, TIMESTAMP '2024-02-29 12:34:56.789')`,
      `trunc(extract(epoch FROM TIMESTAMP '2024-02-29 12:34:56.789' - t) / extract(epoch FROM INTERVAL '1 ${unit}'))::bigint`,
    ]),
  ],
  'joined arrays': [
    ["array_join(ARRAY[s, 'x'], '-', '?')", "array_to_string(ARRAY[s, 'x'], '-', '?')"],
  ],
};

for (const [name, list] of Object.entries(pairs)) {
  test(name, async () => {
    const select = (side: 0 | 1): string => {
      const items = list.map((pair, index) => `${pair[side]} AS c${index}`).join(', ');
      return `SELECT ${items} FROM l WHERE isfinite(t)`;
    };
    const shape = { name, query: select(0), postgres: select(1) };
    await checkQuery(shape, tables, Math.ceil(runs / 5));
  });
}

const refused: Readonly<Record<string, readonly [code: string, hint: RegExp]>> = {
  'latest_by_offset(v)': ['SQL_NOT_SUPPORTED', /max_by/],
  'earliest_by_offset(v)': ['SQL_NOT_SUPPORTED', /min_by/],
  'first_value(v)': ['SQL_WRONG_OBJECT_TYPE', /min_by/],
  'last_value(v ORDER BY t)': ['SQL_WRONG_OBJECT_TYPE', /max_by/],
  'topk(v, k)': ['VALUE_INVALID_PARAMETER', /^$/],
  'topk(v, 0)': ['VALUE_INVALID_PARAMETER', /^$/],
  'topk(v, 2) OVER ()': ['SQL_NOT_SUPPORTED', /^$/],
  'rand()': ['SQL_NOT_INCREMENTAL', /DEFAULT/],
  'uuid()': ['SQL_NOT_INCREMENTAL', /DEFAULT/],
  'unix_timestamp()': ['SQL_NOT_INCREMENTAL', /now/],
  'nvl(v)': ['SQL_UNKNOWN_FUNCTION', /nvl\(anyelement, anyelement\)/],
  'year(DISTINCT t)': ['SQL_UNKNOWN_FUNCTION', /year/],
  'timestampadd(FORTNIGHT, 1, t)': ['VALUE_INVALID_PARAMETER', /QUARTER/],
  'timestampadd(l.day, 1, t)': ['VALUE_INVALID_PARAMETER', /QUARTER/],
};

for (const [call, [code, hint]] of Object.entries(refused)) {
  test(`${call} is refused`, () => {
    assert.throws(
      () => boundOf(`SELECT ${call} FROM l`, tables),
      (error: unknown) => {
        assert.ok(error instanceof StreamError, String(error));
        assert.equal(error.code, code);
        assert.match(error.hint ?? '', hint);
        assert.ok(error.at !== undefined, 'has a place');
        return true;
      },
    );
  });
}
