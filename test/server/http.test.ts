import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve({ bodyBytesMax: 1_000_000, answerBufferBytesMax: 100_000 });
  await server.sql(`
    CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2));
    CREATE MATERIALIZED VIEW prices AS SELECT name, count(*) AS n, sum(price) AS total FROM items GROUP BY name;
    CREATE STREAM readings (sensor int, value double precision) WITH (kafka_topic='readings', value_format='json', partitions=2);
    CREATE MATERIALIZED VIEW sensors AS SELECT sensor, count(*) AS n FROM readings GROUP BY sensor;
    INSERT INTO items VALUES (1, 'a', 1.50), (2, 'a', 2.25), (3, 'b', NULL), (4, 'c', 9);
    FLUSH`);
});
after(() => server.close());

describe('polling a table that is altered', () => {
  it('gives what it is now, with another ETag', async () => {
    await server.sql(
      "CREATE TABLE changing (id int PRIMARY KEY, v text); INSERT INTO changing VALUES (1, '5')",
    );
    const seen = new Set<string>();
    const steps = [
      ['ALTER TABLE changing ADD COLUMN w int DEFAULT 3', { id: 1, v: '5', w: 3 }],
      ['ALTER TABLE changing ALTER v TYPE int USING v::int + 1', { id: 1, v: 6, w: 3 }],
      ['ALTER TABLE changing RENAME v TO x', { id: 1, x: 6, w: 3 }],
      ['ALTER TABLE changing DROP COLUMN w', { id: 1, x: 6 }],
    ] as const;
    for (const [sql, row] of steps) {
      await server.get('/v1/views/changing?rows=objects');
      await server.sql(sql);
      const { json, headers } = await server.get('/v1/views/changing?rows=objects');
      assert.deepEqual(json.rows, [row], sql);
      const tag = headers.get('etag') ?? '';
      assert.ok(!seen.has(tag), `${sql} keeps ${tag}`);
      seen.add(tag);
      const same = await server.get('/v1/views/changing?rows=objects', { 'if-none-match': tag });
      assert.equal(same.status, 304);
    }
  });
});

describe('POST /v1/sql', () => {
  it('answers rows with types and all digits', async () => {
    const { status, text } = await server.post('/v1/sql', {
      sql: "SELECT 9007199254740993 AS b, 1.50 AS n, 'NaN'::float8 AS d, timestamptz '2024-01-01 00:00:00+00' AS t, NULL AS x",
    });
    assert.equal(status, 200, text);
    assert.match(text, /"rows":\[\[9007199254740993,1\.50,"NaN","2024-01-01T00:00:00Z",null\]\]/);
    assert.match(text, /"name":"t","type":"timestamp with time zone"/);
  });

  it('runs several statements, and says what succeeded before a failure', async () => {
    const { status, json } = await server.post('/v1/sql', {
      sql: "SELECT 1 AS a; SELECT 'é', nope FROM items; SELECT 3",
    });
    assert.equal(status, 400);
    assert.equal(json.results.length, 1);
    assert.equal(json.error.code, 'SQL_UNKNOWN_COLUMN');
    assert.equal(json.error.sqlstate, '42703');
    assert.equal(json.error.position, 28);
    assert.equal(json.error.statement, "SELECT 'é', nope FROM items");
  });

  it('takes parameters and keeps sessions', async () => {
    const { json } = await server.post('/v1/sql', {
      sql: 'SELECT name FROM items WHERE id = $1',
      params: [3],
    });
    assert.deepEqual(json.results[0]?.rows, [['b']]);
    await server.post('/v1/sql', { sql: "SET application_name = 'x'", session: 's1' });
    const shown = await server.post('/v1/sql', { sql: 'SHOW application_name', session: 's1' });
    assert.deepEqual(shown.json.results[0]?.rows, [['x']]);
  });

  it('gives PostgreSQL text on demand', async () => {
    const { json } = await server.post('/v1/sql', {
      sql: "SELECT true, 1.50, timestamp '2024-01-01 00:00:00', NULL",
      format: 'text',
    });
    assert.deepEqual(json.results[0]?.rows, [['t', '1.50', '2024-01-01 00:00:00', null]]);
  });

  it('streams large results and keeps the loop free meanwhile', async () => {
    const { status, json } = await server.post('/v1/sql', {
      sql: "SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS g(i)",
    });
    assert.equal(status, 200);
    assert.equal(json.results[0]?.rows?.length, 20000);
  });

  it('refuses malformed requests', async () => {
    for (const body of ['', '{', '[]', '{"sql":1}', '{"sql":"select 1","x":1}', '\u0000']) {
      const { status, json } = await server.post('/v1/sql', body);
      assert.equal(status, 400, body);
      assert.equal(json.error.code, 'REQUEST_INVALID');
    }
    const large = await server.post('/v1/sql', { sql: `SELECT '${'x'.repeat(1_000_000)}'` });
    assert.equal(large.status, 413);
    assert.equal(large.json.error.code, 'REQUEST_TOO_LARGE');
    const bomb = gzipSync(Buffer.alloc(2_000_000, 32));
    assert.equal((await server.post('/v1/sql', bomb, { 'content-encoding': 'gzip' })).status, 413);
    assert.equal((await server.post('/v1/sql', 'x', { 'content-encoding': 'gzip' })).status, 400);
  });

  it('takes compressed bodies and plain SQL', async () => {
    const body = gzipSync('{"sql":"SELECT 1"}');
    assert.equal((await server.post('/v1/sql', body, { 'content-encoding': 'gzip' })).status, 200);
    const plain = await server.post('/v1/sql', 'SELECT 2 AS x', {
      'content-type': 'application/sql',
    });
    assert.deepEqual(plain.json.results[0]?.rows, [[2]]);
  });

  it('streams a subscription as lines until the client goes away', async () => {
    const controller = new AbortController();
    const response = await fetch(`${server.url}/v1/sql`, {
      method: 'POST',
      body: '{"sql":"SUBSCRIBE prices"}',
      signal: controller.signal,
    });
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    const lines = linesOf(response);
    const header = JSON.parse((await lines.next()).value ?? '');
    assert.equal(header.kind, 'subscription');
    assert.deepEqual(
      header.columns.map((column: { name: string }) => column.name),
      ['name', 'n', 'total'],
    );
    const snapshot = JSON.parse((await lines.next()).value ?? '');
    assert.equal(snapshot.kind, 'snapshot');
    assert.equal(snapshot.rows.length, 3);
    await server.sql("INSERT INTO items VALUES (100, 'live', 1)");
    const change = JSON.parse((await lines.next()).value ?? '');
    assert.deepEqual([change.kind, change.op, change.row[0]], ['change', 'insert', 'live']);
    controller.abort();
    await server.sql('DELETE FROM items WHERE id = 100; FLUSH');
  });
});

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

describe('GET /v1/views/NAME', () => {
  it('filters, orders and limits', async () => {
    const { status, json, headers } = await server.get('/v1/views/prices?order=-name&limit=2');
    assert.equal(status, 200);
    assert.deepEqual(json.rows, [
      ['c', 1, 9],
      ['b', 1, null],
    ]);
    assert.equal(headers.get('etag'), `"${json.version}"`);
    const where = await server.get('/v1/views/prices?name.in=a,c&total.gt=5&rows=objects');
    assert.deepEqual(where.json.rows, [{ name: 'c', n: 1, total: 9 }]);
    const empty = await server.get('/v1/views/prices?total.is-null&name=zzz');
    assert.deepEqual(empty.json.rows, []);
  });

  it('offers NDJSON and CSV with all digits', async () => {
    const lines = await server.get('/v1/views/prices?name=a', { accept: 'application/x-ndjson' });
    assert.equal(lines.text, '{"name":"a","n":2,"total":3.75}\n');
    const csv = await server.get('/v1/views/prices?order=name&limit=2', { accept: 'text/csv' });
    assert.equal(csv.text, 'name,n,total\r\na,2,3.75\r\nb,1,\r\n');
    const none = await server.get('/v1/views/prices', {
      accept: 'application/vnd.apache.arrow.stream',
    });
    assert.equal(none.status, 406);
  });

  it('answers 304 while nothing moved, and holds the answer until it does', async () => {
    const first = await server.get('/v1/views/prices');
    const etag = first.headers.get('etag') ?? '';
    assert.equal((await server.get('/v1/views/prices', { 'if-none-match': etag })).status, 304);
    const version = first.json.version;
    const began = performance.now();
    const waiting = server.get(`/v1/views/prices?wait=20s&since=${version}`);
    await sleep(100);
    await server.sql("INSERT INTO items VALUES (200, 'late', 2)");
    const moved = await waiting;
    assert.ok(performance.now() - began < 10_000);
    assert.ok(Number(moved.json.version) > Number(version));
    assert.match(moved.text, /"late"/);
    const still = await server.get('/v1/views/prices?wait=100ms', {
      'if-none-match': moved.headers.get('etag') ?? '',
    });
    assert.equal(still.status, 304);
    await server.sql('DELETE FROM items WHERE id = 200; FLUSH');
  });

  it('answers hot polls from the cache with what the view holds now', async () => {
    const polls = await Promise.all(
      Array.from({ length: 50 }, () => server.get('/v1/views/prices?order=name')),
    );
    assert.equal(new Set(polls.map(({ text }) => text)).size, 1);
    await server.sql("INSERT INTO items VALUES (300, 'hot', 1); FLUSH");
    assert.match((await server.get('/v1/views/prices?order=name')).text, /"hot"/);
    await server.sql('DELETE FROM items WHERE id = 300; FLUSH');
    assert.doesNotMatch((await server.get('/v1/views/prices?order=name')).text, /"hot"/);
  });

  it('names what is wrong', async () => {
    assert.equal((await server.get('/v1/views/nope')).json.error.code, 'VIEW_UNKNOWN');
    assert.equal((await server.get('/v1/views/nope')).status, 404);
    assert.equal(
      (await server.get('/v1/views/prices?nope=1')).json.error.code,
      'SQL_UNKNOWN_COLUMN',
    );
    assert.equal(
      (await server.get('/v1/views/prices?n=abc')).json.error.code,
      'VALUE_INVALID_TEXT',
    );
    assert.equal((await server.get('/v1/views/prices?limit=x')).status, 400);
  });

  it('pushes a snapshot and changes as server-sent events, resumable', async () => {
    const controller = new AbortController();
    const response = await fetch(`${server.url}/v1/views/prices/changes`, {
      signal: controller.signal,
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const lines = linesOf(response);
    const until = async (start: string): Promise<string> => {
      for (;;) {
        const { value = '', done } = await lines.next();
        if (done === true) assert.fail(`the stream ended before ${start}`);
        if (value.startsWith(start)) return value;
      }
    };
    await until('event: snapshot');
    const id = (await until('id: ')).slice(4);
    await until('data: ');
    await server.sql("INSERT INTO items VALUES (400, 'sse', 1)");
    await until('event: change');
    const change = JSON.parse((await until('data: ')).slice(6));
    assert.deepEqual(change.row, { name: 'sse', n: 1, total: 1 });
    controller.abort();
    const again = new AbortController();
    const resumed = await fetch(`${server.url}/v1/views/prices/changes`, {
      headers: { 'last-event-id': id },
      signal: again.signal,
    });
    for await (const line of linesOf(resumed)) {
      if (!line.startsWith('data: ')) continue;
      assert.equal(JSON.parse(line.slice(6)).row?.name, 'sse');
      break;
    }
    again.abort();
    await server.sql('DELETE FROM items WHERE id = 400; FLUSH');
  });
});

describe('writing records', () => {
  it('accepts arrays and lines, and reads its own writes after FLUSH', async () => {
    const array = await server.post('/v1/streams/readings/records', [
      { sensor: 1, value: 1.5 },
      { sensor: 1, value: 2 },
    ]);
    assert.deepEqual([array.status, array.json], [200, { accepted: 2 }]);
    const lines = await server.post('/v1/streams/readings/records', '{"sensor":2,"value":1}\n', {
      'content-type': 'application/x-ndjson',
    });
    assert.deepEqual(lines.json, { accepted: 1 });
    await server.sql('FLUSH');
    const { json } = await server.get('/v1/views/sensors?order=sensor');
    assert.deepEqual(json.rows, [
      [1, 2],
      [2, 1],
    ]);
  });

  it('writes nothing of a request with a malformed record', async () => {
    const { status, json } = await server.post(
      '/v1/streams/readings/records',
      '[{"sensor":9},{"sensor":]',
    );
    assert.equal(status, 400);
    assert.match(String(json.error.message), /record 1/);
    await server.sql('FLUSH');
    assert.deepEqual((await server.get('/v1/views/sensors?sensor=9')).json.rows, []);
    assert.equal((await server.post('/v1/streams/nope/records', [1])).status, 404);
  });

  it('writes and reads raw topics', async () => {
    await server.sql(
      "CREATE STREAM raw (a int) WITH (kafka_topic='raw', value_format='json', partitions=2)",
    );
    const written = await server.post('/v1/topics/raw/records', {
      records: [
        { key: 'k1', value: { a: 1 }, partition: 0, timestamp: 1000, headers: { h: 'x' } },
        { key: 'k2', value: 'plain text', partition: 0 },
        { key: 'k3', value: null, partition: 1 },
        { valueBase64: '//4=', partition: 1 },
      ],
    });
    assert.equal(written.json.accepted, 4);
    const first = await server.get('/v1/topics/raw/records?partition=0&offset=0&limit=1');
    assert.equal(
      first.text,
      '{"records":[{"partition":0,"offset":0,"timestamp":1000,"key":"k1","value":{"a":1},"headers":{"h":"x"}}]}',
    );
    const all = (await server.get('/v1/topics/raw/records')).json.records;
    assert.deepEqual(
      all.map(({ value }) => value),
      [{ a: 1 }, 'plain text', null, '//4='],
    );
    const topics = (await server.get('/v1/topics')).text;
    assert.match(topics, /"name":"raw","partitions":2/);
    assert.equal((await server.get('/v1/topics/none/records')).status, 404);
    await server.sql('DROP STREAM raw');
    const deleted = await fetch(`${server.url}/v1/topics/raw`, { method: 'DELETE' });
    assert.equal(deleted.status, 200);
    assert.equal((await server.get('/v1/topics/raw/records')).status, 404);
  });
});

describe('routes', () => {
  it('tells unknown paths and wrong methods apart', async () => {
    const unknown = await server.get('/v1/nope');
    assert.deepEqual([unknown.status, unknown.json.error.code], [404, 'REQUEST_UNKNOWN_ROUTE']);
    const wrong = await server.get('/v1/sql');
    assert.deepEqual([wrong.status, wrong.json.error.code], [405, 'REQUEST_METHOD']);
    assert.equal(wrong.headers.get('allow'), 'POST');
    assert.equal((await server.get('/v1/ws')).status, 426);
    assert.equal((await server.get('/v1/views/%zz')).status, 400);
  });

  it('shows health, readiness, status, metrics and its description', async () => {
    assert.equal((await server.get('/healthz')).status, 200);
    assert.equal((await server.get('/readyz')).status, 200);
    assert.ok(Array.isArray((await server.get('/v1/status')).json.views));
    const { text } = await server.get('/metrics');
    for (const name of [
      'millrace_view_state_bytes{view="prices"',
      'millrace_stream_records_total{',
      'millrace_commit_seconds_count',
      'process_resident_memory_bytes',
      'millrace_http_request_seconds_count{',
    ]) {
      assert.ok(text.includes(name), name);
    }
    const { json } = await server.get('/openapi.json');
    assert.equal(json.openapi, '3.1.0');
    assert.ok(Object.keys(json.paths).includes('/v1/views/{name}'));
  });

  it('answers bytes that are not HTTP, and goes on', async () => {
    const port = Number(new URL(server.url).port);
    for (const garbage of [
      '\x16\x03\x01\x02\x00',
      'GET\r\n\r\n',
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
    ]) {
      const answer = await rawRequest(port, garbage);
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, garbage.slice(0, 10));
    }
    assert.equal((await server.get('/healthz')).status, 200);
  });
});

async function rawRequest(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.end(Buffer.from(text, 'latin1'));
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
