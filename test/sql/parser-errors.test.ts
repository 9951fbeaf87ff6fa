/** Syntax errors: PostgreSQL's messages and places, and what we say beyond them. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadModule, parseSync } from 'libpg-query';
import { StreamError } from '../../sql/base/error.ts';
import { characterPosition } from '../../sql/caret.ts';
import {
  parseExpression,
  parseStatement,
  parseStatements,
  parseTypeName,
} from '../../sql/parser.ts';
import { NESTING_MAX, STATEMENT_LENGTH_MAX } from '../../sql/parser-cursor.ts';
import { readLines } from './corpus.ts';

function errorOf(parse: () => unknown): StreamError {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof StreamError, `${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: 'was accepted' });
}

interface PostgresError {
  readonly message: string;
  readonly sqlDetails: { readonly cursorPosition: number };
}

function postgresErrorOf(sql: string): PostgresError {
  try {
    parseSync(sql);
  } catch (error) {
    return error as PostgresError;
  }
  throw new assert.AssertionError({ message: `PostgreSQL accepts ${sql}` });
}

describe("PostgreSQL's message and place", () => {
  before(loadModule);

  for (const sql of readLines('refused.sql')) {
    it(sql, () => {
      const ours = errorOf(() => parseStatements(sql));
      const theirs = postgresErrorOf(sql);
      assert.equal(ours.message, theirs.message);
      assert.equal(
        characterPosition(sql, ours.at?.start ?? 0) - 1,
        theirs.sqlDetails.cursorPosition,
      );
    });
  }
});

describe('literals that PostgreSQL refuses later, or libpg-query does not see', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["select U&'\\d800'", 'invalid Unicode surrogate pair'],
    ["select E'\\ud800x'", 'invalid Unicode surrogate pair'],
    ["select U&'a' uescape '+'", 'invalid Unicode escape character'],
    ["select B'12'", 'invalid digit in binary string at or near "B\'12\'"'],
    ["select X'1G'", 'invalid digit in hexadecimal string at or near "X\'1G\'"'],
    ['select $1a', 'trailing junk after parameter at or near "$1a"'],
    ['select $99999999999', 'parameter number too large at or near "$99999999999"'],
    ['select t.*.a', 'improper use of "*"'],
  ];
  for (const [sql, message] of cases) {
    it(sql, () => assert.ok(errorOf(() => parseStatements(sql)).message.startsWith(message)));
  }

  it('bytes that are no UTF-8 have an error of their own', () => {
    assert.equal(errorOf(() => parseStatements("select E'\\xff'")).sqlstate, '22021');
  });
});

describe('what was expected, and what may have been meant', () => {
  const hints: readonly (readonly [string, string])[] = [
    ['SELECT * FORM t', 'Did you mean FROM?'],
    ['SELECT a FORM t', 'Did you mean FROM?'],
    ['SELCT 1', 'Did you mean SELECT?'],
    ['SELECT * FROM t WEHRE a = 1', 'Did you mean WHERE?'],
    ['SELECT * FROM t WHERE a = 1 ADN b = 2', 'Did you mean AND?'],
    ['SELECT a FROM t GRUOP BY a', 'Did you mean GROUP?'],
    ['SELECT a FROM t ORDER YB a', 'Did you mean BY?'],
    ['CREATE STERAM s (a INT)', 'Did you mean STREAM?'],
    ['CREATE MATERIALISED VIEW v AS SELECT 1', 'Did you mean MATERIALIZED?'],
    ['INSERT INTO t VALEUS (1)', 'Did you mean VALUES?'],
    ['DROP STREEM s', 'Did you mean STREAM?'],
    ['SELECT CASE WHEN a THNE 1 END', 'Did you mean THEN?'],
    ['SELECT * FROM a JION b ON true', 'Did you mean JOIN?'],
    ['SELECT * FROM s EMIT CHANGE', 'Did you mean CHANGES?'],
    ['SELECT a FROM s WINDOW TUMBLING (SZE 1 HOUR)', 'Did you mean SIZE?'],
  ];
  for (const [sql, hint] of hints) {
    it(sql, () => assert.equal(errorOf(() => parseStatements(sql)).hint, hint));
  }

  const details: readonly (readonly [string, string])[] = [
    ['SELECT cast(a int)', 'Expected AS.'],
    ['INSERT t VALUES (1)', 'Expected INTO.'],
    ['SELECT (1', 'Expected "," or ")".'],
    ['SELECT 1 +', 'Expected an expression.'],
    ['CREATE TABLE t (a', 'Expected a type.'],
    ['SELECT sum(a) OVER (PARTITION a)', 'Expected BY.'],
    ['CREATE SINK k FROM', 'Expected a name.'],
  ];
  for (const [sql, detail] of details) {
    it(sql, () => assert.equal(errorOf(() => parseStatements(sql)).detail, detail));
  }

  it('no hint where nothing is near', () => {
    assert.equal(errorOf(() => parseStatements('SELECT a b c FROM t')).hint, undefined);
    assert.equal(errorOf(() => parseStatements('SELECT 1 1')).hint, undefined);
  });
});

describe('limits', () => {
  const shapes: Readonly<Record<string, (count: number) => string>> = {
    parentheses: (count) => `select ${'('.repeat(count)}1${')'.repeat(count)}`,
    'parentheses around a query': (count) =>
      `select ${'('.repeat(count)}select 1${')'.repeat(count)}`,
    subqueries: (count) => `select ${'(select '.repeat(count)}1${')'.repeat(count)}`,
    'derived tables': (count) => `${'select * from ('.repeat(count)}select 1${') x'.repeat(count)}`,
    'nested joins': (count) =>
      `select * from ${'('.repeat(count)}a join b on true${') cross join c'.repeat(count)}`,
    'joins to the right': (count) =>
      `select * from a ${'join b '.repeat(count)}${'on true '.repeat(count)}`,
    'joins to the left': (count) => `select * from a ${'cross join b '.repeat(count)}`,
    calls: (count) => `select ${'f('.repeat(count)}1${')'.repeat(count)}`,
    cases: (count) => `select ${'case when '.repeat(count)}1${' then 1 end'.repeat(count)}`,
    'unary operators': (count) => `select ${'- '.repeat(count)}1`,
    negations: (count) => `select ${'not '.repeat(count)}true`,
    additions: (count) => `select 1${' + 1'.repeat(count)}`,
    casts: (count) => `select 1${'::int'.repeat(count)}`,
    subscripts: (count) => `select a${'[1]'.repeat(count)}`,
    arrays: (count) => `select array${'['.repeat(count)}1${']'.repeat(count)}`,
    unions: (count) => `select 1${' union select 1'.repeat(count)}`,
    'types in types': (count) => `select 1::${'array<'.repeat(count)}int${'>'.repeat(count)}`,
    'common tables': (count) =>
      `${'with a as ('.repeat(count)}select 1${') select 1'.repeat(count)}`,
    'row patterns': (count) =>
      `select * from t match_recognize (pattern ${'('.repeat(count)}a${')'.repeat(count)} define a as true)`,
    'grouping sets': (count) =>
      `select 1 group by ${'grouping sets ('.repeat(count)}a${')'.repeat(count)}`,
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(`${name}: some are read, too many are an error and no overflow of the stack`, () => {
      parseStatement(shape(40));
      for (const count of [10 * NESTING_MAX, 100_000]) {
        const error = errorOf(() => parseStatement(shape(count)));
        assert.equal(error.code, 'SQL_TOO_COMPLEX');
        assert.equal(error.sqlstate, '54001');
      }
    });
  }

  it('a long chain of conditions is no deep tree', () => {
    const { body } = parseStatement(`select 1 where ${'a = 1 or '.repeat(20_000)}b = 2`) as {
      body: { where: unknown };
    };
    let height = 0;
    let node = body.where as { kind: string; left?: unknown };
    for (; node.kind === 'or'; node = node.left as typeof node) height++;
    assert.ok(height < 20, `${height}`);
  });

  it('a text beyond the limit is refused before it is read', () => {
    const error = errorOf(() => parseStatements(' '.repeat(STATEMENT_LENGTH_MAX + 1)));
    assert.equal(error.code, 'REQUEST_TOO_LARGE');
  });
});

describe('entry points', () => {
  it('parseStatements skips empty statements; spans count from the beginning of the text', () => {
    const text = ';; select 1 ;\n-- nothing\n; select 2';
    const statements = parseStatements(text);
    assert.deepEqual(
      statements.map(({ span }) => text.slice(span.start, span.end)),
      ['select 1', 'select 2'],
    );
    assert.deepEqual(parseStatements(' -- nothing\n /* at all */'), []);
  });

  it('parseStatement takes one statement only', () => {
    assert.equal(parseStatement('select 1;').kind, 'query');
    assert.equal(
      errorOf(() => parseStatement('select 1; select 2')).message,
      'syntax error at or near "select"',
    );
    assert.equal(errorOf(() => parseStatement('')).message, 'syntax error at end of input');
  });

  it('parseExpression and parseTypeName take nothing after them', () => {
    assert.equal(parseExpression('a + 1').kind, 'binary');
    assert.equal(errorOf(() => parseExpression('a + 1, b')).message, 'syntax error at or near ","');
    assert.equal(parseTypeName('numeric(10, 2)[]').arrayDimensions, 1);
    assert.equal(errorOf(() => parseTypeName('int int')).message, 'syntax error at or near "int"');
  });

  it('what PostgreSQL has and Millrace has not is told apart from a mistake', () => {
    for (const sql of [
      'create table t (a int) partition by range (a)',
      'create table t (a int references u deferrable)',
      'create table t (a int) inherits (u)',
      'revoke all on t from public',
    ]) {
      assert.equal(errorOf(() => parseStatement(sql)).code, 'SQL_NOT_SUPPORTED', sql);
    }
  });
});
