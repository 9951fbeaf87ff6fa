/** Random MATCH_RECOGNIZE clauses over the columns k, v and t. */
import fc from 'fast-check';

const VARIABLES = ['a', 'b', 'c', 'd'] as const;

const quantifiers = ['*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{,2}', '{2,}', '{0,2}?'];

const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...VARIABLES),
    fc
      .tuple(tie('pattern'), fc.constantFrom(...quantifiers))
      .map(([part, quantifier]) => `(${part})${quantifier}`),
    fc.array(tie('pattern'), { minLength: 2, maxLength: 3 }).map((parts) => parts.join(' ')),
    fc
      .array(tie('pattern'), { minLength: 2, maxLength: 3 })
      .map((parts) => `(${parts.join(' | ')})`),
    tie('pattern').map((part) => `{- ${part} -}`),
    fc
      .array(tie('pattern'), { minLength: 2, maxLength: 3 })
      .map((parts) => `PERMUTE(${parts.join(', ')})`),
    fc.constantFrom('()', '(^ a)', '(b $)'),
  ),
}));

/** Conditions of a variable x. */
const conditions: readonly string[] = [
  'x.v > 0',
  'x.v IS NULL',
  'v <= 1',
  'x.v < PREV(x.v)',
  'x.v > PREV(x.v, 2)',
  'x.v >= NEXT(x.v)',
  'NEXT(v, 2) IS NULL',
  'x.v <> a.v',
  'x.v = FIRST(x.v)',
  'FIRST(x.v, 1) IS NULL OR x.v > FIRST(x.v, 1)',
  'count(x.v) < 3',
  'count(*) <= 4',
  'count(x.*) < 3',
  'sum(x.v) < 3',
  'sum(v) <= 4',
  'avg(a.v) >= x.v',
  'coalesce(LAST(x.v, 1), 7) <> x.v',
  'FIRST(v) <= x.v',
  'LAST(v, 2) IS NOT NULL',
  'PREV(LAST(a.v), 1) < x.v',
  'coalesce(NEXT(FIRST(u.v, 1)), 0) < 2',
  "CLASSIFIER() = 'x' AND v > 0",
  "coalesce(LAST(CLASSIFIER(), 1), 'a') = 'a'",
  "PREV(CLASSIFIER()) IS DISTINCT FROM 'b'",
  "coalesce(CLASSIFIER(u), 'b') = 'b'",
  'MATCH_NUMBER() < 3',
  'count(u.v) <= 2',
  'min(b.v) IS DISTINCT FROM x.v',
  'count(DISTINCT v) <= 2',
  'count(v) FILTER (WHERE v > 0) <= 2',
  "string_agg(CLASSIFIER(), '') NOT LIKE '%ab'",
  'CASE WHEN x.v > 0 THEN PREV(10 / nullif(v, 0)) > 3 ELSE true END',
  'k IS NOT NULL',
];

const measures: readonly string[] = [
  'a.v',
  'FINAL LAST(a.v)',
  'RUNNING LAST(b.v)',
  'FIRST(v)',
  'FINAL FIRST(u.v, 1)',
  'LAST(v, 1)',
  'PREV(a.v, 2)',
  'NEXT(b.v)',
  'NEXT(FINAL LAST(v), 1)',
  'PREV(FIRST(u.v, 1), 1)',
  'count(*)',
  'FINAL count(*)',
  'count(u.*)',
  'sum(a.v)',
  'FINAL sum(b.v)',
  'avg(u.v)',
  'RUNNING min(v)',
  'FINAL max(a.v + 1)',
  'count(DISTINCT u.v)',
  'count(v) FILTER (WHERE v > 0)',
  'FINAL array_agg(CLASSIFIER())',
  'array_agg(v)',
  'CLASSIFIER()',
  'CLASSIFIER(u)',
  'FINAL LAST(CLASSIFIER(), 1)',
  'PREV(CLASSIFIER())',
  'NEXT(CLASSIFIER())',
  'MATCH_NUMBER()',
  "coalesce(upper(CLASSIFIER()), '-') || MATCH_NUMBER()",
  'sum(a.v) - count(b.v)',
  '42',
];

const rowsPerMatch = [
  'ONE ROW PER MATCH',
  'ALL ROWS PER MATCH',
  'ALL ROWS PER MATCH OMIT EMPTY MATCHES',
  'ALL ROWS PER MATCH WITH UNMATCHED ROWS',
];

const skips = ['PAST LAST ROW', 'PAST LAST ROW', 'TO NEXT ROW', 'TO FIRST b', 'TO LAST b', 'TO u'];

const partitions = ['', 'PARTITION BY k', 'PARTITION BY k'];

const withins = ['', '', "WITHIN INTERVAL '2' SECOND", "WITHIN INTERVAL '3.5' SECOND"];

/** @param orders  of which one is taken; WITHIN only goes with a time first. */
export function matchQueries(relation: string, orders: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      pattern,
      defined: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...conditions)), {
        minLength: 1,
        maxLength: 3,
      }),
      measured: fc.array(fc.constantFrom(...measures), { minLength: 1, maxLength: 4 }),
      rows: fc.constantFrom(...rowsPerMatch),
      skip: fc.constantFrom(...skips),
      partition: fc.constantFrom(...partitions),
      order: fc.constantFrom(...orders),
      within: fc.constantFrom(...withins),
    })
    .map(({ pattern: wanted, defined, measured, rows, skip, partition, order, within }) => {
      // Every variable that a condition or a measure may name is somewhere in the pattern.
      const missing = VARIABLES.filter((name) => !new RegExp(`\\b${name}\\b`).test(wanted));
      const whole = missing.length === 0 ? wanted : `${wanted} (${missing.join(' ')})??`;
      const isWhole = rows.includes('UNMATCHED');
      const text = isWhole ? whole.replaceAll('{-', '(').replaceAll('-}', ')') : whole;
      const definitions = new Map(defined);
      const define = [...definitions].map(
        ([name, condition]) =>
          `${name} AS ${condition.replace(/\bx\./g, `${name}.`).replace("'x'", `'${name}'`)}`,
      );
      return `SELECT * FROM ${relation} MATCH_RECOGNIZE (${partition} ORDER BY ${order}
        MEASURES ${measured.map((measure, i) => `${measure} AS m${i}`).join(', ')}
        ${rows} AFTER MATCH SKIP ${skip} PATTERN (${text})
        ${/^t\b(?! DESC)/.test(order) ? within : ''} SUBSET u = (a, b) DEFINE ${define.join(', ')}) AS m`;
    });
}
