/** COPY judged by PostgreSQL's own COPY: what is read, what is written, and what is wrong, with its line. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import type { Database, StatementFailure } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';
import { openPglite } from '../../open-pglite.ts';

const RUNS = Math.max(60, Number(process.env.MILLRACE_TEST_RUNS ?? 100) * 3);

let postgres: PGlite;
let millrace: Database;
before(async () => {
  postgres = await openPglite();
  millrace = await openMillrace({ data: ':memory:' });
});
after(async () => {
  await millrace.close();
  await postgres.close();
});

type Outcome =
  | { readonly copied: string }
  | { readonly sqlstate: string; readonly message: string; readonly place?: string | undefined };

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function millraceCopy(
  sql: string,
  input: Uint8Array = new Uint8Array(),
  pieceBytes = 7,
): Promise<Outcome> {
  const session = millrace.session(undefined);
  const { signal } = new AbortController();
  try {
    const result = await session.copy(sql, [], pieces(input, pieceBytes), signal);
    if (result.kind === 'in') return { copied: result.tag };
    const chunks: string[] = [];
    for await (const chunk of result.chunks) chunks.push(chunk);
    return { copied: chunks.join('') };
  } catch (cause) {
    const { error } = cause as StatementFailure;
    if (error === undefined) throw cause;
    const place = /COPY .*/s.exec(error.detail ?? '')?.[0];
    return { sqlstate: error.sqlstate, message: error.message, place };
  } finally {
    session.close();
  }
}

const inFiles = (sql: string): string => sql.replace(/\bSTDIN\b|\bSTDOUT\b/, "'/dev/blob'");

async function postgresCopy(sql: string, input?: Uint8Array): Promise<Outcome> {
  try {
    const blob = input === undefined ? {} : { blob: new Blob([Buffer.from(input)]) };
    const result = await postgres.query(inFiles(sql), [], blob);
    if (input !== undefined) return { copied: `COPY ${result.affectedRows}` };
    return { copied: (await result.blob?.text()) ?? '' };
  } catch (cause) {
    const { code, message, where } = cause as { code: string; message: string; where?: string };
    return { sqlstate: code, message, place: where };
  }
}

async function run(sql: string): Promise<void> {
  await postgres.exec(sql);
  const session = millrace.session(undefined);
  try {
    for await (const _ of session.execute(sql, [], new AbortController().signal));
  } finally {
    session.close();
  }
}

const lineOf = (place: string | undefined): string | undefined => /line \d+/.exec(place ?? '')?.[0];

/** Whether there is something to truncate before the next copy. */
let holdsRows = true;

async function makeTable(columns: string): Promise<void> {
  holdsRows = true;
  await run('DROP VIEW IF EXISTS seen');
  await run('DROP TABLE IF EXISTS into_table');
  await run(`CREATE TABLE into_table (${columns})`);
}

/** Copies into both, and compares what came of it with the rows that are there now. */
async function compareIn(
  sql: string,
  input: string | Uint8Array,
  pieceBytes = 7,
): Promise<Outcome> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  if (holdsRows) await run('TRUNCATE into_table');
  const expected = await postgresCopy(sql, bytes);
  const actual = await millraceCopy(sql, bytes, pieceBytes);
  // PostgreSQL goes on to name the column of the last row that it left out.
  const isLoose = sql.includes('ON_ERROR') && 'place' in expected && 'place' in actual;
  if (isLoose) assert.equal(lineOf(actual.place), lineOf(expected.place));
  const about = `${sql} of ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`;
  assert.deepEqual(isLoose ? { ...actual, place: expected.place } : actual, expected, about);
  holdsRows = 'copied' in actual && actual.copied !== 'COPY 0';
  const all = 'COPY (SELECT * FROM into_table ORDER BY a, b, c, d) TO STDOUT';
  assert.deepEqual(await millraceCopy(all), await postgresCopy(all), about);
  return actual;
}

const COLUMNS = "a int, b text DEFAULT 'by default', c numeric(5, 1), d text";

test('input in both formats, line by line', async () => {
  await makeTable(COLUMNS);
  const options = [
    ...['', 'CSV', '(FORMAT csv, HEADER)', '(FORMAT csv, HEADER match)', '(HEADER match)'],
    "(FORMAT csv, QUOTE '''', ESCAPE '\\', DELIMITER '|')",
    "(NULL 'nil', DELIMITER '|', DEFAULT 'D')",
    "CSV NULL 'nil' FORCE NOT NULL b, d",
    '(FORMAT csv, FORCE_NULL (b, d))',
    "(FORMAT csv, NULL 'nil', FORCE_NULL *, DEFAULT 'D')",
    '(FORMAT csv, ON_ERROR ignore)',
    '(ON_ERROR ignore, REJECT_LIMIT 1)',
  ];
  const inputs = [
    '',
    '1\tx\t1.55\ty\n2\tz\t3\t\\N\n',
    'a\tb\tc\td\n1\tx\t1\ty\n',
    'a,b,c,d\n1,x,1,y\n',
    '1,x,1.25,y\r\n2,"a ""quoted"" b",,\r\n',
    "1|'it''s'|2|'a\\'b|c'\n",
    '1|nil|nil|D\n2|D|1|\n',
    "1|'a\\''|2|x\n2|'y'|3|z\n",
    'nil,nil,nil,"nil"\n1,"","",""\n',
    '1,D,2,"D"\n',
    '1,"a\nb",2,c\n3,x\n',
    '1,"a\r\nb",2,c\r\n3,x\r\n',
    '1\tx\t2\ty\r2\tx\t2\ty\r',
    '1\tx\t2\ty\n2\tx\t2\ty\r\n',
    '1\tx\t2\ty\r\n2\tx\t2\ty\n',
    '1,x,2,y\n2,x,2,y\r\n',
    '1\t\\b\\f\\n\\r\\t\\v\\\\\\q\\101\\x42\\xe2\\x82\\xac\t2\ta\\\nb\n',
    '1\t\\xff\t2\ty\n',
    '1\tx\t2\ty\n\\.\nnot a row\n',
    '1\tx\t2\ty\n\\.\r\nz',
    '1\tx\t2\ty\\.\n',
    '1\tx\t2\ty\n\\.',
    'x\ty\t1\tz\n',
    '1\tx\t100000\ty\n',
    '1\tx\tz\ty\n2\tx\tz\ty\n',
    'y,x,1,d\n1,x,y,d\n2,x,3,d\n',
    '1\tx\n',
    '1\tx\t2\ty\tz\n',
    '1,x,2,y,z\n',
    '1,"x',
    '1,x"y"z,2,"a"b\n',
    '\n',
    '1,x,2,\\.\n\\.\n',
    '1\t\u00e9\u4e2d\u{1f600}\t2\t\\\t\n',
    `1,${'long '.repeat(40)},x,y\n`,
    '1\tx\t2\t\0\n',
  ];
  for (const option of options) {
    // Not all of them: what one format takes apart is one field to the other.
    const other = /csv/i.test(option) ? '\t' : ',';
    for (const input of inputs.filter((text) => !text.includes(other)))
      await compareIn(`COPY into_table FROM STDIN ${option}`, input);
  }
  const partial =
    "COPY into_table (d, a) FROM STDIN (FORMAT csv, DEFAULT 'D') WHERE a > 1 AND b LIKE 'by%'";
  await compareIn(partial, 'x,1\ny,2\nz,3\n,\nD,4\n');
  await compareIn(partial, 'x,1\ny,two\n');
});

const cell = fc.oneof(
  fc.constantFrom(
    '1',
    '-2',
    '',
    '\\N',
    'nil',
    'x',
    '"',
    '""',
    "'",
    '\\',
    '\\.',
    '\\t',
    '\\12',
    ',',
  ),
  fc.constantFrom('"a,b"', '"1"', '"a""b"', '"a\nb"', '\u00e9', '\t', '|', ' ', 'D', '\\x4', 'a\\'),
);
const line = fc
  .array(fc.array(cell, { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 5 })
  .map((cells) => cells.map((parts) => parts.join('')));
const anyInput = fc
  .tuple(
    fc.array(line, { maxLength: 4 }),
    fc.constantFrom(',', '\t', '|'),
    fc.constantFrom('\n', '\n', '\r\n', '\r'),
    fc.boolean(),
  )
  .map(([lines, delimiter, eol, ends]) => {
    const text = lines.map((cells) => `1${delimiter}${cells.join(delimiter)}`).join(eol);
    return ends ? text + eol : text;
  });
const anyOption = fc.constantFrom(
  ...['', 'CSV', "DELIMITER ','", "(FORMAT csv, DELIMITER E'\\t', NULL 'nil')"],
  "(FORMAT csv, ESCAPE '\\', DEFAULT 'D', FORCE_NULL (b), ON_ERROR ignore)",
  "(DELIMITER '|', NULL 'x', HEADER)",
  "(FORMAT csv, QUOTE '''', FORCE_NOT_NULL *)",
);

test('random input', async () => {
  await makeTable('a int, b text, c text, d text');
  await fc.assert(
    fc.asyncProperty(
      anyInput,
      anyOption,
      fc.integer({ min: 1, max: 9 }),
      async (input, option, pieceBytes) => {
        await compareIn(`COPY into_table FROM STDIN ${option}`, input, pieceBytes);
      },
    ),
    { numRuns: RUNS },
  );
});

test('random rows out, and in again', async () => {
  const value = fc.oneof(
    fc.constantFrom(
      ...[
        '',
        '\\.',
        '\\N',
        '"',
        "'",
        '\\',
        ',',
        '\t',
        '|',
        'a\nb',
        'a\r',
        '\b\f\v',
        ' x ',
        'nil',
        '\u00e9',
      ],
    ),
    fc.string({ maxLength: 5 }).map((text) => text.replaceAll('\0', '')),
  );
  const options = fc.constantFrom(
    ...['', 'CSV', "DELIMITER '|' NULL 'nil'", '(FORMAT csv, FORCE_QUOTE (b))', '(HEADER)'],
    "(FORMAT csv, HEADER, QUOTE '''', ESCAPE '\\', NULL 'nil')",
    "(FORMAT csv, FORCE_QUOTE *, DELIMITER '|')",
  );
  await makeTable('a int, b text, c text, d text');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.option(value), fc.option(value)), { maxLength: 5 }),
      options,
      async (rows, option) => {
        await run('TRUNCATE into_table');
        holdsRows = true;
        const quoted = (text: string | null): string =>
          text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
        const list = rows.map(([b, c], i) => `(${i}, ${quoted(b)}, ${quoted(c)}, NULL)`);
        if (list.length > 0) await run(`INSERT INTO into_table VALUES ${list.join(', ')}`);
        const sql = `COPY (SELECT * FROM into_table ORDER BY a) TO STDOUT ${option}`;
        const written = await millraceCopy(sql);
        assert.deepEqual(written, await postgresCopy(sql), sql);
        const one = `COPY (SELECT b FROM into_table ORDER BY a) TO STDOUT ${option}`;
        assert.deepEqual(await millraceCopy(one), await postgresCopy(one), one);
        if (!('copied' in written)) return;
        const back = option.replace(/, FORCE_QUOTE (\*|\(b\))/, '');
        await compareIn(`COPY into_table FROM STDIN ${back}`, written.copied, 3);
      },
    ),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});

test('a generated column is computed over the default that is stored', async () => {
  await makeTable('a int, d serial, twice int GENERATED ALWAYS AS (d * 2) STORED');
  await compareIn('COPY into_table (a) FROM STDIN', '5\n6\n7\n', 3);
});

test('options and relations that are refused, and values of every type', async () => {
  await makeTable(
    'a int, b text, c int GENERATED ALWAYS AS (a * 2) STORED, d int GENERATED ALWAYS AS IDENTITY',
  );
  await run('CREATE VIEW seen AS SELECT a FROM into_table');
  const refused = [
    ...[
      'format x',
      "delimiter 'ab'",
      "delimiter E'\\n'",
      "null E'\\n'",
      "delimiter 'a'",
      "quote 'x'",
    ],
    ...["format csv, quote 'xx'", "format csv, delimiter '\"'", "escape 'x'", 'force_quote (a)'],
    ...['format csv, force_quote (a)', 'force_not_null (a)', 'format csv, force_not_null (z)'],
    ...["null E'a\\tb'", "format csv, null '\"'", 'nope', 'format csv, format csv', 'header 3'],
    ...['on_error x', 'reject_limit 3', 'log_verbosity x', "default '\\N'", "delimiter ''"],
    ...[
      'on_error ignore, reject_limit 0',

      'header x',
      "encoding 'x'",
    ],
  ];
  for (const option of refused) {
    const sql = `COPY into_table FROM STDIN (${option})`;
    assert.deepEqual(await millraceCopy(sql), await postgresCopy(sql, new Uint8Array()), sql);
  }
  const out = [
    ...['COPY seen TO STDOUT', 'COPY into_table (c) TO STDOUT', 'COPY into_table (a, a) TO STDOUT'],
    ...[
      'COPY into_table (z) TO STDOUT',
      'COPY nothere TO STDOUT',
      'COPY (DELETE FROM into_table) TO STDOUT',
    ],
    ...[
      'COPY (SELECT 1 INTO x) TO STDOUT',
      'COPY into_table TO STDOUT (FORMAT csv, FORCE_QUOTE (z))',
    ],
    ...['COPY into_table TO STDOUT (HEADER match)', "COPY into_table TO STDOUT (DEFAULT 'x')"],
    ...[
      'COPY into_table TO STDOUT (ON_ERROR ignore)',
      'COPY into_table TO STDOUT (FORMAT csv, FORCE_NULL (a))',
    ],
    ...['COPY into_table TO STDOUT WHERE a > 1', 'COPY (SELECT 1 / 0) TO STDOUT'],
    "COPY (INSERT INTO into_table (a, b) VALUES (7, 'x') RETURNING a, b, c) TO STDOUT CSV",
    'COPY into_table TO STDOUT (HEADER)',
    `COPY (SELECT true, 1::smallint, 9007199254740993, 1.50, 0.1::real, 'NaN'::float8, '\\x01ff'::bytea, date '2024-02-29',
      time '10:00', timestamp '2024-01-01 10:00:00.5', interval '1 mon 2 days', '{1,NULL,3}'::int[], '{"a": 1}'::jsonb,
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'x'::char(3), NULL::int) TO STDOUT`,
  ];
  for (const sql of out) assert.deepEqual(await millraceCopy(sql), await postgresCopy(sql), sql);
  const into = [
    ...['COPY seen FROM STDIN', 'COPY into_table (c) FROM STDIN', 'COPY into_table (z) FROM STDIN'],
    ...['COPY into_table (a, d) FROM STDIN', 'COPY into_table FROM STDIN WHERE b'],
    'COPY into_table (a, b) FROM STDIN',
    'COPY into_table FROM STDIN WHERE c > 1',
  ];
  for (const sql of into) {
    const bytes = Buffer.from('1\t5\n2\t6\n');
    assert.deepEqual(await millraceCopy(sql, bytes), await postgresCopy(sql, bytes), sql);
  }
});

test('a row that breaks a constraint undoes all of it, and is named', async () => {
  await makeTable('a int PRIMARY KEY, b text NOT NULL, c int CHECK (c > 0), d text');
  for (const input of [
    '1\tx\t1\td\n1\ty\t1\td\n',
    '1\tx\t1\td\n2\t\\N\t1\td\n',
    '1\tx\t1\td\n2\tx\t0\td\n',
  ]) {
    const outcome = await compareIn('COPY into_table FROM STDIN', input);
    assert.ok('sqlstate' in outcome && outcome.place?.includes('line 2'), input);
  }
});

test('COPY of a table over windows gives the columns that * gives, and its bounds to who names them', async () => {
  const { signal } = new AbortController();
  const setUp = `CREATE STREAM copied_from (k int);
    CREATE TABLE copied_windows AS SELECT k, count(*) AS n FROM copied_from WINDOW TUMBLING (SIZE 10 SECONDS) WHERE k IS NOT NULL GROUP BY k;
    INSERT INTO copied_from (k, rowtime) VALUES (1, 1577836770000), (1, 1577836771000), (2, 1577836790000); FLUSH`;
  for await (const _ of millrace.session(undefined).execute(setUp, [], signal));
  const sorted = (outcome: Outcome): string[] => {
    assert.ok('copied' in outcome, JSON.stringify(outcome));
    return outcome.copied.trim().split('\n').sort();
  };
  const copied = sorted(await millraceCopy('COPY copied_windows TO STDOUT'));
  assert.deepEqual(copied, ['1\t2', '2\t1']);
  assert.deepEqual(sorted(await millraceCopy('COPY copied_windows (k, windowstart) TO STDOUT')), [
    '1\t1577836770000',
    '2\t1577836790000',
  ]);
});
