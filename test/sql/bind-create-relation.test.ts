import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { typeName } from '../../sql/base/type.ts';
import type { SourceEnvironment } from '../../sql/bind-create-relation.ts';
import { bindStatement } from '../../sql/bind-statement.ts';
import type { BoundCreateRelation } from '../../sql/bound-statement.ts';
import { printExpression } from '../../sql/expression-print.ts';
import { parseStatement } from '../../sql/parser.ts';
import { catalog, statement } from './catalog-fixture.ts';

const sources: SourceEnvironment = {
  defaultConnector: 'kafka',
  schemaOf: (connector) =>
    connector === 'nexmark'
      ? [{ name: 'auction', type: { kind: 'bigint' }, nullable: false }]
      : undefined,
};

function create(sql: string): BoundCreateRelation {
  const bound = bindStatement(parseStatement(sql), catalog, statement, sources);
  assert.equal(bound.kind, 'create-relation');
  return bound as BoundCreateRelation;
}

const columnsOf = (sql: string): readonly string[] =>
  create(sql).relation.schema.map(
    ({ name, type, nullable }) => `${name} ${typeName(type)}${nullable ? '' : ' not null'}`,
  );

const originsOf = (sql: string): readonly unknown[] =>
  create(sql).relation.columns.map((column) => column.from);

function failure(sql: string): string {
  try {
    create(sql);
  } catch (error) {
    if (error instanceof StreamError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
  return 'no error';
}

test('types of all dialects are PostgreSQL types', () => {
  assert.deepEqual(
    columnsOf(`CREATE STREAM s (a INT, b BIGINT, c DOUBLE, d STRING, e VARCHAR, f DECIMAL(10, 2), g BYTES,
      h ARRAY<INT>, i STRUCT<x INT, y STRING>, j TIMESTAMP(3), k TIMESTAMP_LTZ(3), l VARCHAR(2147483647), m numeric NOT NULL,
      n MAP<STRING, ARRAY<INT>>)`),
    [
      'a integer',
      'b bigint',
      'c double precision',
      'd text',
      'e character varying',
      'f numeric(10,2)',
      'g bytea',
      'h integer[]',
      'i record',
      'j timestamp(3) without time zone',
      'k timestamp(3) with time zone',
      'l text',
      'm numeric not null',
      'n map<text, integer[]>',
    ],
  );
  assert.match(
    failure('CREATE STREAM s (a MULTISET<INT>)'),
    /^0A000 type multiset is not supported/,
  );
  assert.match(failure('CREATE STREAM s (a strng)'), /^42704 type "strng" does not exist/);
});

test('a stream reads its topic; options are text', () => {
  const { relation, options, partitions } = create(
    `CREATE STREAM bid (a int) WITH (kafka_topic = 'bids', VALUE_FORMAT = 'JSON', partitions = 4, "properties.y" = true)`,
  );
  assert.equal(relation.kind, 'stream');
  assert.equal(partitions, 4);
  assert.equal(relation.input?.connector, 'kafka');
  assert.equal(relation.input?.topic, 'bids');
  assert.equal(relation.input?.valueFormat, 'json');
  assert.deepEqual(
    [...options],
    [
      ['kafka_topic', 'bids'],
      ['value_format', 'JSON'],
      ['partitions', '4'],
      ['properties.y', 'true'],
    ],
  );
  assert.equal(create('CREATE STREAM s (a int)').relation.input?.topic, 's');
});

test('a table without options lives in Millrace only', () => {
  const { relation } = create('CREATE TABLE t (id int PRIMARY KEY, a text)');
  assert.equal(relation.kind, 'table');
  assert.equal(relation.input, undefined);
  assert.deepEqual(relation.primaryKey, [0]);
  assert.deepEqual(columnsOf('CREATE TABLE t (id int, a text, PRIMARY KEY (a, id))'), [
    'id integer not null',
    'a text not null',
  ]);
});

test('key columns are where ksqlDB has them: in the record’s key', () => {
  assert.deepEqual(originsOf(`CREATE STREAM s (id int KEY, a text) WITH (topic = 'x')`), [
    { kind: 'key', field: undefined },
    { kind: 'value', field: 'a' },
  ]);
  assert.deepEqual(originsOf(`CREATE TABLE t (id int PRIMARY KEY, a text) WITH (topic = 'x')`), [
    { kind: 'key', field: undefined },
    { kind: 'value', field: 'a' },
  ]);
  const two = `CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) WITH (topic = 'x')`;
  assert.deepEqual(originsOf(two), [
    { kind: 'key', field: 'a' },
    { kind: 'key', field: 'b' },
  ]);
  assert.equal(create(two).relation.input?.keyFormat, 'json');
  const inValue = `CREATE TABLE t (id int PRIMARY KEY) WITH (topic = 'x', 'value.fields-include' = 'ALL')`;
  assert.deepEqual(originsOf(inValue), [{ kind: 'value', field: 'id' }]);
});

test('metadata, headers and generated columns', () => {
  const sql = `CREATE STREAM s (a int, t timestamptz METADATA FROM 'timestamp', p int METADATA FROM 'partition',
    "offset" bigint METADATA, h bytea HEADER('trace'), hs array<struct<key string, value bytes>> HEADERS, b AS a * 2) WITH (topic = 'x')`;
  const { relation } = create(sql);
  const origins = relation.columns.map((column) => column.from);
  assert.deepEqual(origins.slice(0, 6), [
    { kind: 'value', field: 'a' },
    { kind: 'metadata', item: 'timestamp' },
    { kind: 'metadata', item: 'partition' },
    { kind: 'metadata', item: 'offset' },
    { kind: 'header', header: 'trace' },
    { kind: 'header', header: undefined },
  ]);
  const generated = origins[6];
  assert.equal(generated?.kind, 'generated');
  if (generated?.kind === 'generated') {
    assert.equal(printExpression(generated.expression, [relation.schema]), 'a * 2');
  }
  assert.equal(relation.schema[6]?.type.kind, 'integer');
});

test('defaults and checks are bound and converted', () => {
  const { relation } = create(
    `CREATE TABLE t (a numeric(10, 2) DEFAULT 1, b timestamptz DEFAULT now(), c int CHECK (c > 0), CHECK (a > c))`,
  );
  const [a, b] = relation.columns;
  const show = (expression: Parameters<typeof printExpression>[0] | undefined): string =>
    expression === undefined ? '' : printExpression(expression, [relation.schema]);
  assert.equal(show(a?.default), '1::numeric(10,2)');
  assert.equal(show(b?.default), 'now()');
  const checks = relation.checks?.map(({ name, expression }) => [name, show(expression)]);
  assert.deepEqual(checks, [
    ['t_c_check', 'c > 0'],
    ['t_check', 'a > c::numeric'],
  ]);
});

test('a watermark names a time column', () => {
  const { relation } = create(
    `CREATE STREAM s (a int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)`,
  );
  assert.equal(relation.watermark?.column, 1);
  assert.match(failure('CREATE STREAM s (a int, WATERMARK FOR b AS b)'), /^42703/);
  assert.match(failure('CREATE STREAM s (a int, WATERMARK FOR a AS a)'), /^42804/);
});

test('a connector may know the columns; a source is read-only', () => {
  assert.deepEqual(columnsOf(`CREATE STREAM bid WITH (connector = 'nexmark')`), ['auction bigint']);
  assert.match(
    failure(`CREATE STREAM s WITH (topic = 'x')`),
    /^42P16 a relation needs at least one column/,
  );
  const source = create(`CREATE SOURCE s (id int, a text, PRIMARY KEY (id)) WITH (topic = 'x')`);
  assert.equal(source.relation.kind, 'table');
  assert.equal(source.relation.readOnly, true);
});

test('CREATE STREAM … AS needs rows that never change; CREATE TABLE … AS has the plan’s key', () => {
  const { relation } = create('CREATE STREAM s AS SELECT auction, price * 2 AS p FROM bid');
  assert.equal(relation.kind, 'stream');
  assert.deepEqual(relation.dependsOn, ['bid']);
  const table = create('CREATE TABLE t AS SELECT auction, count(*) AS n FROM bid GROUP BY auction');
  assert.deepEqual(table.relation.primaryKey, [0]);
  assert.match(failure('CREATE STREAM s AS SELECT count(*) FROM bid'), /^0A000/);
});
