/** PGlite judges names, types and errors of the binder. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PGlite } from '@electric-sql/pglite';
import type { Query } from '../../sql/ast.ts';
import { StreamError } from '../../sql/base/error.ts';
import { typeName } from '../../sql/base/type.ts';
import { bindQuery } from '../../sql/binder.ts';
import { parseStatement } from '../../sql/parser.ts';
import { withoutModifiers } from '../../sql/type-category.ts';
import { openPglite } from '../open-pglite.ts';
import { accepted, refused } from './bind-corpus.ts';
import { catalog, postgresTables, relations, statement } from './catalog-fixture.ts';

let postgres: PGlite;
const typeNames = new Map<number, string>();

before(async () => {
  postgres = await openPglite();
  await postgres.exec(postgresTables);
  await postgres.exec(`
    insert into kinds default values;
    create function outcome(expression text) returns text language plpgsql as $$
    declare result text;
    begin
      execute 'select pg_typeof(' || expression || ')::text from kinds' into result;
      return result;
    exception when others then return sqlstate;
    end $$`);
  const types = await postgres.query<{ oid: number; name: string }>(
    'select oid, format_type(oid, null) as name from pg_type',
  );
  for (const { oid, name } of types.rows) typeNames.set(oid, name);
});

after(() => postgres.close());

const shown = (type: string): string => (type === 'bpchar' ? 'character' : type);

/** Names and types of the columns, or the SQLSTATE. */
function ourAnswer(sql: string): string {
  try {
    const query = parseStatement(sql);
    assert.equal(query.kind, 'query');
    const plan = bindQuery(query as Query, catalog, statement, { purpose: 'pull' });
    return plan.schema
      .map(({ name, type }) => `${name} ${shown(typeName(withoutModifiers(type)))}`)
      .join(', ');
  } catch (error) {
    if (error instanceof StreamError) return error.sqlstate;
    throw error;
  }
}

async function theirAnswer(sql: string): Promise<string> {
  try {
    const { resultFields } = await postgres.describeQuery(sql);
    return resultFields
      .map(({ name, dataTypeID }) => `${name} ${typeNames.get(dataTypeID)}`)
      .join(', ');
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

/** A whole row has the type record here and the table's own type there; regtype does not exist here. */
const differing = new Set(['select p from person p', 'select pg_typeof(1)']);

test('columns have the names and types that PostgreSQL gives them', async () => {
  for (const sql of accepted) {
    if (!differing.has(sql)) assert.equal(ourAnswer(sql), await theirAnswer(sql), sql);
  }
});

test('errors have the SQLSTATE of PostgreSQL', async () => {
  for (const sql of refused) assert.equal(ourAnswer(sql), await theirAnswer(sql), sql);
});

/** The type of each expression over one all-NULL row of `kinds`, or the SQLSTATE. */
async function theirTypes(expressions: readonly string[]): Promise<readonly string[]> {
  const answer = await postgres.query<{ r: string }>(
    'select outcome(e) as r from unnest($1::text[]) with ordinality as u(e, n) order by n',
    [expressions],
  );
  return answer.rows.map((row) => row.r);
}

function ourType(expression: string): string {
  const answer = ourAnswer(`select ${expression} as x from kinds`);
  return answer.startsWith('x ') ? answer.slice(2) : answer;
}

const columns = relations.find((relation) => relation.name === 'kinds')?.schema ?? [];
const operands = [...columns.map((column) => column.name), "'1'", 'null', '1', '1.5', '3000000000'];

/** Others have overloads over types that do not exist here (ranges), so that PostgreSQL's answer differs. */
const operators = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '=',
  '<>',
  '<',
  '||',
  '&',
  '<<',
  '->',
  '->>',
  '#>',
  '?',
];

/** Text || bytea and text || jsonb are not among the functions. */
const binaryText = /^(?:[tvc] \|\| (?:y|jb)|(?:y|jb) \|\| [tvc])$/;

test('every operator over every pair of types gives the type that PostgreSQL gives', async () => {
  const expressions = operators
    .flatMap((op) => operands.flatMap((left) => operands.map((right) => `${left} ${op} ${right}`)))
    .filter((expression) => !binaryText.test(expression));
  const expected = await theirTypes(expressions);
  assert.deepEqual(differences(expressions, expected), []);
});

/** A computed error of PostgreSQL says nothing about types; `bpchar[]` is its own name of `character[]`. */
function differences(
  expressions: readonly string[],
  expected: readonly string[],
): readonly string[] {
  return expressions.flatMap((expression, index) => {
    const ours = ourType(expression).replace('bpchar[]', 'character[]');
    const theirs = expected[index] ?? '';
    return ours === theirs || theirs === '22003' ? [] : [`${expression}: ${ours}, not ${theirs}`];
  });
}

/** Functions with several overloads, where the choice is the point. */
const functions = [
  ...['abs', 'ceil', 'floor', 'round', 'sqrt', 'sign', 'exp', 'ln'],
  ...['lower', 'length', 'btrim', 'ascii', 'md5', 'sum', 'avg', 'min', 'max', 'count', 'bool_and'],
  ...[
    'text',
    'float8',
    'int4',
    'date',
    'numeric',
    'coalesce',
    'to_char',
    'mod',
    'power',
    'substring',
  ],
  ...[
    'date_trunc',
    'date_part',
    'strpos',
    'left',
    'repeat',
    'nullif',
    'array_append',
    'array_length',
  ],
];

const unary = new Set(functions.slice(0, functions.indexOf('coalesce')));

/** PostgreSQL 18 has overloads over bytea and over types that do not exist here. */
const foreign =
  /\(y|'1'\)$|null\)$|, y\)|^array_length\((?:'1'|null)|^array_append\((?:'1'|null), a/;

test('overloads are chosen as PostgreSQL chooses them', async () => {
  const expressions = functions
    .flatMap((name) =>
      operands.flatMap((first) =>
        unary.has(name)
          ? [`${name}(${first})`]
          : operands.map((second) => `${name}(${first}, ${second})`),
      ),
    )
    .filter((expression) => !foreign.test(expression));
  const expected = await theirTypes(expressions);
  assert.deepEqual(differences(expressions, expected), []);
});
