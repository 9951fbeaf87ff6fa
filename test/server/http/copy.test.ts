/** COPY over HTTP: bodies that stream in and out, their bounds, and sessions. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Served, serve } from '../serve.ts';

let server: Served;
before(async () => {
  server = await serve({
    bodyBytesMax: 10_000,
    answerBufferBytesMax: 1_000,
    transactionRowsMax: 20_000,
  });
  await server.sql(`
    CREATE TABLE parts (id int PRIMARY KEY, name text, price numeric(10, 2));
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(price) AS total FROM parts`);
});
after(() => server.close());

const path = (sql: string, more = ''): string => `/v1/copy?sql=${encodeURIComponent(sql)}${more}`;
const rows = async (sql: string) => (await server.sql(sql))[0]?.rows;

it('takes a body that is larger than others may be, as one change', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i},part ${i},1.50\n`).join('');
  const sql = 'COPY parts FROM STDIN WITH (FORMAT csv)';
  const { status, json, text } = await server.post(path(sql), lines, {
    'content-type': 'text/csv',
  });
  assert.equal(status, 200, text);
  assert.deepEqual(json, { kind: 'ok', tag: 'COPY 20000', message: '' });
  assert.deepEqual(await rows('SELECT * FROM totals'), [[20_000, 30_000]]);
  const out = await server.get(path('COPY (SELECT * FROM parts ORDER BY id) TO STDOUT CSV'));
  assert.equal(out.status, 200);
  assert.equal(out.headers.get('content-type'), 'text/csv; charset=utf-8');
  assert.equal(out.text, lines);
  const more = await server.post(path(sql), `${lines}20000,x,2\n`);
  assert.equal(more.json.error.code, 'TRANSACTION_TOO_LARGE');
});

it('tells the line of an error, and has changed nothing', async () => {
  const before = await rows('SELECT * FROM totals');
  const { status, json } = await server.post(
    path('COPY parts (id, name) FROM STDIN'),
    '-1\ta\n-2\tb\nx\tc\n',
  );
  assert.equal(status, 400);
  assert.deepEqual(json.error, {
    code: 'VALUE_INVALID_TEXT',
    sqlstate: '22P02',
    message: 'invalid input syntax for type integer: "x"',
    detail: 'COPY parts, line 3, column id: "x"',
    statement: 'COPY parts (id, name) FROM STDIN',
  });
  assert.deepEqual(await rows('SELECT * FROM totals'), before);
});

it('works in the transaction of a session, and with gzip', async () => {
  const session = '&session=copying';
  await server.post('/v1/sql', { sql: 'BEGIN', session: 'copying' });
  const zipped = gzipSync('-1\tgzip\t2\n');
  const headers = { 'content-encoding': 'gzip', 'content-type': 'application/octet-stream' };
  const { json } = await server.post(path('COPY parts FROM STDIN', session), zipped, headers);
  assert.deepEqual(json, { kind: 'ok', tag: 'COPY 1', message: '' });
  const where = 'COPY (SELECT name FROM parts WHERE id < 0) TO STDOUT';
  assert.equal((await server.get(path(where, session))).text, 'gzip\n');
  assert.equal((await server.get(path(where))).text, '');
  await server.post('/v1/sql', { sql: 'ROLLBACK', session: 'copying' });
  assert.equal((await server.get(path(where, session))).text, '');
  const bad = await server.post(path('COPY parts FROM STDIN'), 'no gzip', headers);
  assert.equal(bad.json.error.code, 'REQUEST_INVALID');
});

it('writes records of a stream', async () => {
  await server.sql('CREATE STREAM clicks (who text, page int)');
  await server.post(path('COPY clicks (page, who) FROM STDIN CSV'), '1,ada\n2,\n');
  await server.sql('FLUSH');
  assert.deepEqual(await rows('SELECT * FROM clicks ORDER BY page'), [
    ['ada', 1],
    [null, 2],
  ]);
});

it('refuses what is no COPY, and COPY where it has no place', async () => {
  const cases = [
    [await server.get('/v1/copy'), 'REQUEST_INVALID'],
    [await server.get(path('SELECT 1')), 'SQL_SYNTAX'],
    [await server.get(path('COPY parts TO STDOUT; SELECT 1')), 'SQL_SYNTAX'],
    [await server.get(path('COPY parts FROM STDIN')), 'REQUEST_INVALID'],
    [await server.get(path("COPY parts TO '/etc/passwd'")), 'SQL_NOT_SUPPORTED'],
    [
      await server.get(path('COPY (SELECT 1 / (id - 1) FROM parts) TO STDOUT')),
      'VALUE_DIVISION_BY_ZERO',
    ],
    [await server.post('/v1/sql', { sql: 'COPY parts TO STDOUT' }), 'SQL_NOT_SUPPORTED'],
  ] as const;
  for (const [{ json, text }, code] of cases) assert.equal(json.error?.code, code, text);
});

it('a body that breaks off changes nothing, and the table can be written to', async () => {
  const before = await rows('SELECT * FROM totals');
  const { promise, resolve } = Promise.withResolvers<void>();
  const upload = request(server.url + path('COPY parts FROM STDIN'), {
    method: 'POST',
    headers: { 'content-length': 1_000 },
  });
  upload.on('error', () => resolve());
  upload.on('response', () => resolve());
  upload.write('-5\tcut\t1\n', () => setTimeout(() => upload.destroy(), 50));
  await promise;
  await server.sql("INSERT INTO parts VALUES (-9, 'after', 0); DELETE FROM parts WHERE id = -9");
  assert.deepEqual(await rows('SELECT * FROM totals'), before);
});
