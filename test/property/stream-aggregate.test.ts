/** Aggregates that users of ksqlDB and Flink know, in PostgreSQL's terms. */
import { after, before, test } from 'node:test';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, tableOf } from './history.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false), tableOf('e', true)];

const least = (value: string, key: string): string =>
  `(array_agg(${value} ORDER BY ${key}, ${value}) FILTER (WHERE ${key} IS NOT NULL))[1]`;
const greatest = (value: string, key: string): string =>
  `(array_agg(${value} ORDER BY ${key} DESC, ${value} DESC) FILTER (WHERE ${key} IS NOT NULL))[1]`;

const largest = (value: string, count: number, more = ''): string =>
  `coalesce((SELECT array_agg(${value}) FROM (SELECT ${value} FROM l AS i WHERE i.k IS NOT DISTINCT FROM l.k
     AND ${value} IS NOT NULL ${more} ORDER BY ${value} DESC LIMIT ${count}) AS d), '{}')`;

const shapes: Readonly<Record<string, readonly [query: string, postgres: string]>> = {
  'values of extreme rows': [
    'SELECT k, min_by(s, v), max_by(s, v), arg_min(v, t), arg_max(b, f) FROM l GROUP BY k',
    `SELECT k, ${least('s', 'v')}, ${greatest('s', 'v')}, ${least('v', 't')}, ${greatest('b', 'f')} FROM l GROUP BY k`,
  ],
  'values of extreme rows of a stream': [
    'SELECT max_by(v, t) FILTER (WHERE o), min_by(k, s) FROM e',
    `SELECT (array_agg(v ORDER BY t DESC, v DESC) FILTER (WHERE t IS NOT NULL AND o))[1], ${least('k', 's')} FROM e`,
  ],
  'counts of distinct values': [
    'SELECT k, approx_count_distinct(s), approx_count_distinct(n) FROM l GROUP BY k',
    'SELECT k, count(DISTINCT s), count(DISTINCT n) FROM l GROUP BY k',
  ],
  'counts of distinct values of ksqlDB': [
    'SELECT k, count_distinct(v) FROM l GROUP BY k',
    'SELECT k, count(DISTINCT v) FROM l GROUP BY k',
  ],
  'largest values': [
    'SELECT k, topk(v, 2), topkdistinct(b, 2), topk(s, 3) FILTER (WHERE o) FROM l GROUP BY k',
    `SELECT k, ${largest('v', 2)}, coalesce((SELECT array_agg(b) FROM (SELECT DISTINCT b FROM l AS i
       WHERE i.k IS NOT DISTINCT FROM l.k AND b IS NOT NULL ORDER BY b DESC LIMIT 2) AS d), '{}'),
       ${largest('s', 3, 'AND o')} FROM l GROUP BY k`,
  ],
  'how often values occur': [
    'SELECT k, CAST(histogram(s) AS text) FROM l GROUP BY k',
    `SELECT k, CASE WHEN count(s) > 0 THEN '{' || (SELECT string_agg(to_json(s)::text || ':' || n, ',' ORDER BY s)
       FROM (SELECT s, count(*) AS n FROM l AS i WHERE i.k IS NOT DISTINCT FROM l.k AND s IS NOT NULL GROUP BY s) AS d) || '}' END
     FROM l GROUP BY k`,
  ],
  'joined texts': [
    `SELECT k, listagg(s) WITHIN GROUP (ORDER BY s DESC), listagg(s, '; ' ORDER BY s), listagg(DISTINCT s) FROM l GROUP BY k`,
    `SELECT k, string_agg(s, ',' ORDER BY s DESC), string_agg(s, '; ' ORDER BY s), string_agg(DISTINCT s, ',') FROM l GROUP BY k`,
  ],
  'collected values': [
    'SELECT k, collect_set(v), collect_list(s ORDER BY s) FROM l GROUP BY k',
    'SELECT k, array_agg(DISTINCT v), array_agg(s ORDER BY s) FROM l GROUP BY k',
  ],
};

for (const [name, [query, postgres]] of Object.entries(shapes)) {
  test(name, async () => {
    await checkQuery({ name, query, postgres }, tables, Math.ceil(runs / 3));
  });
}
