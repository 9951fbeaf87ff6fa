import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { bindStatement } from '../../sql/bind-statement.ts';
import type { BoundStatement } from '../../sql/bound-statement.ts';
import type { StatementContext } from '../../sql/catalog.ts';
import { explainLogical } from '../../sql/explain.ts';
import { parseStatement } from '../../sql/parser.ts';
import { optimize } from '../../sql/rewrite/all.ts';
import { catalog, statement } from './catalog-fixture.ts';

function bind(sql: string, context: StatementContext = statement): BoundStatement {
  return bindStatement(parseStatement(sql), catalog, context);
}

function bindAs<Kind extends BoundStatement['kind']>(
  kind: Kind,
  sql: string,
): BoundStatement & { readonly kind: Kind } {
  const bound = bind(sql);
  assert.equal(bound.kind, kind);
  return bound as BoundStatement & { readonly kind: Kind };
}

function failure(sql: string, context?: StatementContext): string {
  try {
    bind(sql, context);
  } catch (error) {
    if (error instanceof StreamError) return error.sqlstate;
    throw error;
  }
  return 'no error';
}

test('a view knows its key, whether it only grows, and what it reads', () => {
  const view = bindAs(
    'create-view',
    'CREATE MATERIALIZED VIEW v (a, n) AS SELECT auction, count(*) FROM bid, person GROUP BY auction',
  );
  assert.deepEqual(
    view.query.schema.map((column) => column.name),
    ['a', 'n'],
  );
  assert.deepEqual(view.key, [0]);
  assert.equal(view.appendOnly, false);
  assert.deepEqual(view.dependsOn, ['bid', 'person']);
  const plain = bindAs('create-view', 'CREATE VIEW v AS SELECT price FROM bid WHERE price > 1');
  assert.equal(plain.key, undefined);
  assert.equal(plain.appendOnly, true);
});

test('a view reads what its subqueries read', () => {
  const view = bindAs(
    'create-view',
    'CREATE VIEW v AS SELECT (SELECT max(id) FROM person) AS m FROM bid WHERE EXISTS (SELECT 1 FROM auction)',
  );
  assert.deepEqual(view.dependsOn, ['auction', 'bid', 'person']);
});

test('a sink takes a relation or a query', () => {
  const sink = bindAs('create-sink', `CREATE SINK s FROM bid WITH (connector = 'blackhole')`);
  assert.equal(sink.connector, 'blackhole');
  assert.deepEqual(sink.dependsOn, ['bid']);
  const query = bindAs('create-sink', `CREATE SINK s AS SELECT auction FROM bid`);
  assert.equal(query.appendOnly, true);
});

test('INSERT gives rows of all columns, converted, with defaults', () => {
  const rows = (sql: string): string => explainLogical(optimize(bindAs('insert', sql).rows));
  assert.equal(
    rows(`INSERT INTO account (balance, id) VALUES (2.345, '7'), (DEFAULT, 8)`),
    'Values (7, NULL::text, 2.35), (8, NULL::text, NULL::numeric(12,2))',
  );
  assert.equal(
    rows('INSERT INTO account DEFAULT VALUES'),
    'Values (NULL::integer, NULL::text, NULL::numeric(12,2))',
  );
  assert.equal(
    rows(`INSERT INTO account SELECT 1, 'x'`),
    `Project 1 AS id, 'x' AS owner, NULL::numeric(12,2) AS balance\n  Values ()`,
  );
  assert.equal(failure('INSERT INTO account (id) SELECT name FROM person'), '42804');
  assert.equal(failure('INSERT INTO account (id, id) VALUES (1, 2)'), '42701');
  assert.equal(failure('INSERT INTO account VALUES (1, 2, 3), (1, 2)'), '42601');
});

test('ON CONFLICT sees the existing row and the excluded one', () => {
  const { onConflict } = bindAs(
    'insert',
    `INSERT INTO account VALUES (1, 'a', 2) ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance WHERE excluded.owner = account.owner`,
  );
  assert.deepEqual(onConflict?.keys, [0]);
  assert.equal(onConflict?.action, 'update');
  assert.deepEqual(
    onConflict?.set.map(({ column }) => column),
    [2],
  );
  assert.equal(failure(`INSERT INTO account VALUES (1) ON CONFLICT (owner) DO NOTHING`), '42P10');
  assert.equal(failure(`INSERT INTO bid VALUES (1) ON CONFLICT (auction) DO NOTHING`), '42P10');
});

test('parameters are values, or holes with the type of their first use', () => {
  const withValues = {
    ...statement,
    params: ['5', 7n],
    paramTypes: [undefined, { kind: 'bigint' }],
  } as const;
  const bound = bind('SELECT price FROM bid WHERE price = $1 OR auction = $2', withValues);
  assert.equal(
    bound.kind === 'query' ? explainLogical(bound.plan) : '',
    'Project price\n  Filter price = 5 OR auction = 7\n    Scan bid',
  );
  const open = bind('SELECT price FROM bid WHERE price = $1');
  assert.match(open.kind === 'query' ? explainLogical(open.plan) : '', /price = \$1/);
  assert.equal(failure('SELECT $3', withValues), '42P02');
  assert.equal(
    failure(`SELECT price FROM bid WHERE price = $1`, { ...withValues, params: ['x'] }),
    '22P02',
  );
});

test('now() is the statement’s time in a query and refused in a view', () => {
  const bound = bind('SELECT now(), current_date, localtimestamp');
  assert.equal(
    bound.kind === 'query' ? explainLogical(bound.plan).split('\n')[0] : '',
    `Project '2023-11-14 22:13:20+00'::timestamp with time zone AS now, '2023-11-14'::date AS current_date, '2023-11-14 22:13:20'::timestamp without time zone AS localtimestamp`,
  );
  assert.equal(failure('CREATE MATERIALIZED VIEW v AS SELECT now() AS n'), '0A000');
  assert.equal(failure('CREATE MATERIALIZED VIEW v AS SELECT random() AS n'), '0A000');
  assert.equal(
    failure(
      'CREATE MATERIALIZED VIEW v AS SELECT auction FROM bid WHERE price IN (SELECT (random() * 10)::bigint)',
    ),
    '0A000',
  );
});

test('DROP finds the relations and their kind', () => {
  const drop = bindAs('drop', 'DROP TABLE IF EXISTS account, nothing CASCADE');
  assert.deepEqual(
    drop.relations.map((relation) => relation.name),
    ['account'],
  );
  assert.deepEqual(drop.missing, ['nothing']);
  assert.equal(failure('DROP TABLE nothing'), '42P01');
  assert.equal(failure('DROP TABLE bid'), '42809');
});

test('EXPLAIN, DESCRIBE and SUBSCRIBE hold what they are about', () => {
  const explain = bindAs('explain', 'EXPLAIN SELECT 1');
  assert.equal(explain.target.kind, 'query');
  assert.equal(bindAs('describe', 'DESCRIBE bid').relation.name, 'bid');
  const subscribe = bindAs('subscribe', 'SUBSCRIBE TO bid');
  assert.equal(subscribe.target.kind, 'stream');
  assert.equal(failure('DESCRIBE nothing'), '42P01');
});

test('statements without names pass through', () => {
  assert.equal(bind('FLUSH').kind, 'flush');
  assert.equal(bind('SHOW TABLES').kind, 'show');
});
