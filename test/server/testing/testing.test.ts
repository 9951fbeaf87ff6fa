import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { rowDifference } from '../../../server/testing/row-diff.ts';
import { runTest } from '../../../server/testing/run-test.ts';
import { parseTestFile } from '../../../server/testing/test-file.ts';
import { SqlTestFailure, sqlTests } from '../../../testing.ts';

const run = promisify(execFile);

/** Why the one test of a text fails, as lines; empty when it passes. */
async function failureOf(text: string): Promise<readonly string[]> {
  const [test] = parseTestFile(text, 'one.sql');
  assert.ok(test !== undefined);
  const failure = await runTest(test);
  return failure === undefined ? [] : [`line ${failure.line}`, ...failure.lines];
}

describe('test files', () => {
  it('are cut at their directives, and begin with what they have in common', () => {
    const tests = parseTestFile(
      "SELECT 1;\n-- @test: first\nSELECT ';' -- not @test: here\n;\n--@test:second \nSELECT 3\n",
      'x.sql',
    );
    assert.deepEqual(tests, [
      {
        name: 'first',
        line: 2,
        statements: [
          { text: 'SELECT 1', line: 1 },
          { text: "SELECT ';' -- not @test: here", line: 3 },
        ],
      },
      {
        name: 'second',
        line: 5,
        statements: [
          { text: 'SELECT 1', line: 1 },
          { text: 'SELECT 3', line: 6 },
        ],
      },
    ]);
  });

  it('are one test without a directive', () => {
    assert.deepEqual(parseTestFile('\n\nSELECT 1', 'x.sql'), [
      { name: 'x.sql', line: 1, statements: [{ text: 'SELECT 1', line: 3 }] },
    ]);
  });
});

describe('assertions', () => {
  const setUp =
    "CREATE TABLE t (k int PRIMARY KEY, v text);\nINSERT INTO t VALUES (1, 'a'), (2, NULL);\n";

  it('pass, whatever the order of rows', async () => {
    assert.deepEqual(await failureOf(`${setUp}ASSERT ROWS t VALUES (2, NULL), (1, 'a');`), []);
    assert.deepEqual(await failureOf(`${setUp}ASSERT ROWS t (v) VALUES (NULL), ('a');`), []);
  });

  it('show what is missing and what is too much', async () => {
    assert.deepEqual(await failureOf(`${setUp}ASSERT ROWS t VALUES (1, 'b'), (2, NULL);`), [
      'line 3',
      '   | k |  v   ',
      '---+---+------',
      '   | 2 | NULL',
      ' + | 1 | a',
      ' - | 1 | b',
      '(- expected, + found)',
    ]);
  });

  it('compare the order when they are asked to', async () => {
    const text = (rows: string): string =>
      `${setUp}ASSERT ROWS (SELECT k FROM t ORDER BY k) ORDERED VALUES ${rows};`;
    assert.deepEqual(await failureOf(text('(1), (2)')), []);
    assert.notDeepEqual(await failureOf(text('(2), (1)')), []);
  });

  it('count equal rows', async () => {
    const text = (rows: string): string =>
      `CREATE TABLE t (v int); INSERT INTO t VALUES (1), (1); ASSERT ROWS t VALUES ${rows};`;
    assert.deepEqual(await failureOf(text('(1), (1)')), []);
    assert.notDeepEqual(await failureOf(text('(1)')), []);
    assert.notDeepEqual(await failureOf(text('(1), (1), (1)')), []);
  });

  it('see changes once, and only those of their relation', async () => {
    const text = `${setUp}
      CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM t;
      ASSERT VALUES n VALUES (2);
      ASSERT NO VALUES n;
      INSERT INTO t VALUES (3, 'c');
      UPDATE t SET v = 'x' WHERE k = 1;
      ASSERT VALUES n VALUES (3);
      ASSERT DELETED VALUES n VALUES (2);
      ASSERT DELETED VALUES t VALUES (1, 'a');`;
    assert.deepEqual(await failureOf(text), []);
    assert.notDeepEqual(await failureOf(`${text} ASSERT VALUES n VALUES (3);`), []);
    assert.notDeepEqual(
      await failureOf(`${text} INSERT INTO t VALUES (4, ''); ASSERT NO VALUES n;`),
      [],
    );
  });

  it('see the rows of a stream once', async () => {
    const text = `CREATE STREAM s (v int); INSERT INTO s VALUES (1), (1); ASSERT VALUES s VALUES (1), (1);
      INSERT INTO s VALUES (1); ASSERT VALUES s VALUES (1);`;
    assert.deepEqual(await failureOf(text), []);
    assert.notDeepEqual(await failureOf(`${text} ASSERT VALUES s VALUES (1);`), []);
  });

  it('of errors compare state and text', async () => {
    const passes = async (assertion: string): Promise<boolean> =>
      (await failureOf(assertion)).length === 0;
    assert.equal(await passes("ASSERT ERROR '22012' LIKE 'division%' FOR SELECT 1 / 0;"), true);
    assert.equal(await passes('ASSERT ERROR FOR SELECT 1 / 0;'), true);
    assert.equal(await passes("ASSERT ERROR '22003' FOR SELECT 1 / 0;"), false);
    assert.equal(await passes("ASSERT ERROR LIKE 'no%' FOR SELECT 1 / 0;"), false);
    assert.equal(await passes('ASSERT ERROR FOR SELECT 1;'), false);
  });

  it('that are broken say so, with the place', async () => {
    assert.deepEqual(await failureOf('ASSERT ROWS t VALUES 1;'), [
      'line 1',
      'ERROR:  syntax error at or near "1"',
      'LINE 1: ASSERT ROWS t VALUES 1',
      '                             ^',
      'DETAIL:  Expected "(".',
    ]);
    assert.deepEqual(await failureOf(`${setUp}ASSERT ROWS t VALUES (1);`), [
      'line 3',
      'a row of 1 values is compared with 2 columns: k, v',
    ]);
  });

  it('fail the test at the first statement that fails', async () => {
    const [line, error] = await failureOf('SELECT 1;\nSELECT nothing;\nSELECT 1 / 0;');
    assert.deepEqual([line, error], ['line 2', 'ERROR:  column "nothing" does not exist']);
  });

  it('cannot make time go back', async () => {
    const text = "ADVANCE TIME BY INTERVAL '1 month'; ADVANCE TIME TO '2026-01-31 23:59:59+00';";
    assert.deepEqual(await failureOf(text), ['line 1', 'time does not go back']);
  });
});

describe('long differences', () => {
  it('are cut', () => {
    const rows = Array.from({ length: 80 }, (_, i) => [String(i)]);
    const lines = rowDifference([{ name: 'n', type: 'integer' }], [], rows, false) ?? [];
    assert.ok(lines.includes('… 30 more'));
  });
});

describe('millrace test', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-sql-tests-'));
    await writeFile(
      join(directory, 'a.sql'),
      "-- @test: <good> & \"well\"\nASSERT ROWS (SELECT 1) VALUES (1);\n-- @test: bad #1\nASSERT ROWS (SELECT 'a<b') VALUES ('c');\n",
    );
  });
  after(() => rm(directory, { recursive: true }));

  const millrace = async (
    ...args: string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
    const command = ['server/main.ts', 'test', ...args];
    try {
      return { code: 0, ...(await run(process.execPath, command)) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  };

  it('prints what failed, and fails', async () => {
    const { code, stdout } = await millrace(directory);
    assert.equal(code, 1);
    assert.match(stdout, /^✔ a\.sql › <good> & "well" \(\d+ ms\)$/m);
    assert.match(stdout, /^✖ a\.sql › bad #1/m);
    assert.match(stdout, /^ {4}a\.sql:4$/m);
    assert.match(stdout, /^1 passed, 1 failed\n$/m);
  });

  it('passes when those that are asked for do', async () => {
    const { code, stdout } = await millrace(directory, '--only', 'good');
    assert.deepEqual([code, /1 passed, 0 failed/.test(stdout)], [0, true]);
    assert.equal((await millrace(directory, '--only', 'none of them')).code, 2);
  });

  it('writes TAP', async () => {
    const { stdout } = await millrace(directory, '--reporter', 'tap');
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 4), [
      'TAP version 14',
      'ok 1 - a.sql › <good> & "well"',
      'not ok 2 - a.sql › bad \\#1',
      '  ---',
    ]);
    assert.equal(lines.at(-2), '1..2');
  });

  it("writes JUnit's XML to a file", async () => {
    const file = join(directory, 'report.xml');
    const { code, stdout } = await millrace(directory, '--reporter', 'junit', '--output', file);
    assert.deepEqual([code, stdout], [1, '']);
    const text = await readFile(file, 'utf8');
    assert.match(text, /<testsuite name="a\.sql" tests="2" failures="1">/);
    assert.match(text, /name="&lt;good&gt; &amp; &quot;well&quot;" time="\d+\.\d{3}"\/>/);
    assert.match(text, /a&lt;b/);
  });

  it('says when there is nothing', async () => {
    const { code, stderr } = await millrace(join(directory, 'nothing'));
    assert.equal(code, 2);
    assert.match(stderr, /there is no file or directory .*nothing/);
  });
});

it("the page's example passes", async () => {
  const page = await readFile(new URL('../../../docs/testing.md', import.meta.url), 'utf8');
  const example = /^```sql\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '';
  assert.match(example, /ASSERT ROWS/);
  for (const test of parseTestFile(example, 'page')) assert.equal(await runTest(test), undefined);
});

describe('as a library', () => {
  it('throws what failed and where', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-sql-tests-'));
    try {
      await writeFile(join(directory, 'b.sql'), 'SELECT 1;\nASSERT NO ROWS (SELECT 1);\n');
      const tests = await sqlTests(directory);
      assert.deepEqual(
        tests.map(({ name }) => name),
        ['b.sql'],
      );
      await assert.rejects(tests[0]?.run() ?? Promise.resolve(), (error: unknown) => {
        assert.ok(error instanceof SqlTestFailure);
        assert.equal(error.failure.line, 2);
        assert.match(error.message, /^b\.sql:2\nASSERT NO ROWS \(SELECT 1\)\n/);
        return true;
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
