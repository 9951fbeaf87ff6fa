/** Canonical text: what it looks like, and that it means the tree it was written from. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { loadModule, parseSync } from 'libpg-query';
import type { Expression } from '../../sql/ast.ts';
import { deparse, deparseExpression, deparseTypeName } from '../../sql/deparse.ts';
import { quoteIdentifier } from '../../sql/deparse-name.ts';
import { parseExpression, parseStatement, parseTypeName } from '../../sql/parser.ts';
import { millraceExpression } from './normal-form-millrace.ts';
import { type Json, postgresStatement } from './normal-form-postgres.ts';
import { withoutPlaces } from './without-places.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100) * 10;
const span = { start: 0, end: 0 };
const name = (text: string): { name: string; quoted: boolean; span: typeof span } => ({
  name: text,
  quoted: false,
  span,
});

describe('canonical text', () => {
  const statements: readonly (readonly [string, string])[] = [
    ['select A b from T', 'SELECT a AS b FROM t'],
    [
      'select "A", "b", "select", "a b", "x""y", value',
      'SELECT "A", b, "select", "a b", "x""y", value',
    ],
    [
      'select a!=b, not(a)and(b)or(c), (a+b)*c, a+(b*c), a-(b-c)',
      'SELECT a <> b, NOT a AND b OR c, (a + b) * c, a + b * c, a - (b - c)',
    ],
    [
      "select cast(a as int), 'it''s', interval '1' minute, date '2024-01-01'",
      "SELECT a::integer, 'it''s', interval '1' MINUTE, date '2024-01-01'",
    ],
    ['select - - 1, -(-a), 2 ^ -1, (-2)::int', 'SELECT - -1, - -a, 2 ^ -1, (-2)::integer'],
    [
      'select * from a join (b left join c using (x)) on true, (select 1) d',
      'SELECT * FROM a JOIN (b LEFT JOIN c USING (x)) ON TRUE, (SELECT 1) AS d',
    ],
    [
      '(select 1) union all (select 2 order by 1) limit 3',
      'SELECT 1 UNION ALL (SELECT 2 ORDER BY 1) LIMIT 3',
    ],
    ['select 1 union select 2 intersect select 3', 'SELECT 1 UNION SELECT 2 INTERSECT SELECT 3'],
    [
      '(select 1 union select 2) intersect select 3',
      '(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3',
    ],
    [
      'create table t(a int primary key,b text default 1+2)with(k=1)',
      'CREATE TABLE t (a integer PRIMARY KEY, b text DEFAULT 1 + 2) WITH (k = 1)',
    ],
  ];
  for (const [sql, text] of statements) {
    it(sql, () => assert.equal(deparse(parseStatement(sql)), text));
  }

  it('types', () => {
    const types = [
      'integer[]',
      'numeric(10, 2)',
      'char(3)',
      'timestamptz(3)',
      'interval DAY TO SECOND(3)',
      'map<text, struct<a integer>>',
      '"char"',
      'bpchar',
      'my_schema."My Type"',
    ];
    for (const type of types) assert.equal(deparseTypeName(parseTypeName(type)), type);
  });

  it('names are quoted when they must be', () => {
    const names = ['a', 'A', 'value', 'user', 'left', 'timestamp', '1a', 'a b', 'é', 'a$', ''];
    assert.deepEqual(names.map(quoteIdentifier), [
      'a',
      '"A"',
      'value',
      '"user"',
      '"left"',
      '"timestamp"',
      '"1a"',
      '"a b"',
      '"é"',
      '"a$"',
      '""',
    ]);
  });
});

/** Random expressions of every operator and predicate, as trees that no text was written for. */
const { expression } = fc.letrec<{ expression: Expression; operand: Expression }>((tie) => ({
  operand: fc.oneof(
    fc
      .constantFrom('a', 'value', 'user', 'Mixed')
      .map(
        (column): Expression => ({ kind: 'column', name: { parts: [name(column)], span }, span }),
      ),
    fc.constantFrom('1', '2.5').map((text): Expression => ({ kind: 'number', text, span })),
    fc.constantFrom('', "it's").map((value): Expression => ({ kind: 'string', value, span })),
    fc.constant<Expression>({ kind: 'null', span }),
  ),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('operand'),
    fc
      .tuple(
        fc.constantFrom('+', '-', '*', '/', '^', '=', '<', '<>', '||', '->', '@>'),
        tie('expression'),
        tie('expression'),
      )
      .map(([op, left, right]): Expression => ({ kind: 'binary', op, left, right, span })),
    fc
      .tuple(fc.constantFrom('-', '+', '~', '@'), tie('expression'))
      // A negated number is a number to PostgreSQL; ours keeps the sign as an operator.
      .map(([op, operand]): Expression => ({ kind: 'unary', op, operand, span })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), tie('expression'), tie('expression'))
      .map(([kind, left, right]): Expression => ({ kind, left, right, span })),
    tie('expression').map((operand): Expression => ({ kind: 'not', operand, span })),
    fc
      .tuple(
        fc.constantFrom('null' as const, 'true' as const, 'unknown' as const),
        fc.boolean(),
        tie('expression'),
      )
      .map(
        ([test, negated, operand]): Expression => ({ kind: 'is', test, negated, operand, span }),
      ),
    fc.tuple(fc.boolean(), tie('expression'), tie('expression')).map(
      ([negated, left, right]): Expression => ({
        kind: 'is-distinct',
        negated,
        left,
        right,
        span,
      }),
    ),
    fc
      .tuple(fc.boolean(), fc.boolean(), tie('expression'), tie('expression'), tie('expression'))
      .map(
        ([negated, symmetric, operand, low, high]): Expression => ({
          kind: 'between',
          negated,
          symmetric,
          operand,
          low,
          high,
          span,
        }),
      ),
    fc
      .tuple(
        fc.constantFrom('like' as const, 'ilike' as const, 'similar' as const),
        fc.boolean(),
        tie('expression'),
        tie('expression'),
        fc.option(tie('expression'), { nil: undefined }),
      )
      .map(
        ([op, negated, operand, pattern, escapedBy]): Expression => ({
          kind: 'like',
          op,
          negated,
          operand,
          pattern,
          escape: escapedBy,
          span,
        }),
      ),
    fc
      .tuple(
        fc.boolean(),
        tie('expression'),
        fc.array(tie('expression'), { minLength: 1, maxLength: 3 }),
      )
      .map(
        ([negated, operand, items]): Expression => ({
          kind: 'in-list',
          negated,
          operand,
          items,
          span,
        }),
      ),
    fc
      .tuple(
        fc.constantFrom('=', '<', '~'),
        fc.constantFrom('any' as const, 'all' as const),
        tie('expression'),
        tie('expression'),
      )
      .map(
        ([op, quantifier, operand, array]): Expression => ({
          kind: 'quantified',
          op,
          quantifier,
          operand,
          right: { kind: 'array', array },
          span,
        }),
      ),
    fc.tuple(tie('expression'), fc.constantFrom('integer', 'text[]', 'numeric(10, 2)')).map(
      ([operand, type]): Expression => ({
        kind: 'cast',
        operand,
        type: parseTypeName(type),
        try: false,
        span,
      }),
    ),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([operand, zone]): Expression => ({ kind: 'at-time-zone', operand, zone, span })),
    tie('expression').map(
      (operand): Expression => ({
        kind: 'collate',
        operand,
        collation: { parts: [name('C')], span },
        span,
      }),
    ),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([operand, index]): Expression => ({ kind: 'subscript', operand, index, span })),
    tie('expression').map(
      (operand): Expression => ({ kind: 'field', operand, field: name('f'), span }),
    ),
    fc
      .array(tie('expression'), { minLength: 2, maxLength: 3 })
      .map((items): Expression => ({ kind: 'row', items, explicit: false, span })),
    fc
      .array(tie('expression'), { maxLength: 2 })
      .map((items): Expression => ({ kind: 'array', items, span })),
    fc
      .tuple(tie('expression'), tie('expression'), fc.option(tie('expression'), { nil: undefined }))
      .map(
        ([when, result, otherwise]): Expression => ({
          kind: 'case',
          operand: undefined,
          whens: [arm(when, result)],
          otherwise,
          span,
        }),
      ),
  ),
}));

/** One WHEN of a CASE, made so because an object literal with `then` looks like a promise. */
function arm(when: Expression, result: Expression): { when: Expression; then: Expression } {
  return Object.fromEntries([
    ['when', when],
    ['then', result],
  ]) as { when: Expression; then: Expression };
}

const postgresTree = (sql: string): Json => postgresStatement(parseSync(sql).stmts?.[0]?.stmt);
const millraceTree = (node: Expression): Json => [millraceExpression(node), ''];

/** The first select item. */
const firstItem = (tree: Json): Json => {
  const at = (node: Json, index: number): Json =>
    Array.isArray(node) ? (node[index] ?? null) : null;
  return at(at(at(tree, 2), 2), 0);
};

describe('random expressions', () => {
  before(loadModule);

  it(`${runs} trees come back from their text, and PostgreSQL reads the same from it`, () => {
    fc.assert(
      fc.property(expression, (tree) => {
        const text = deparseExpression(tree);
        assert.deepEqual(withoutPlaces(parseExpression(text)), withoutPlaces(tree), text);
        assert.deepEqual(firstItem(postgresTree(`select ${text}`)), millraceTree(tree), text);
      }),
      { numRuns: runs },
    );
  });
});
