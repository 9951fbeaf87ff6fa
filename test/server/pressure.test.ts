/** Whoever asks for too much, sends too much or reads too slowly is told so, and nobody else notices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { type Served, serve } from './serve.ts';

const headers = { 'content-type': 'application/json' };
const MEBIBYTE = 1024 * 1024;

/** Waits until /metrics has the line. */
async function untilMetric(server: Served, line: RegExp): Promise<void> {
  for (let wait = 0; wait < 200; wait++) {
    if (line.test((await server.get('/metrics')).text)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`/metrics never had ${line}`);
}

describe('requests', () => {
  let server: Served;
  before(async () => {
    server = await serve({
      bodiesBytesMax: 100_000,
      bodyBytesMax: 50_000,
      resultBytesMax: 100_000,
      resultRowsMax: 1_000,
      statementMsMax: 300,
      statementsPerRequestMax: 3,
      subscriptionsMax: 2,
      answerBufferBytesMax: 5_000,
    });
    await server.sql(
      'CREATE STREAM s (a int); CREATE MATERIALIZED VIEW v AS SELECT a FROM s; INSERT INTO s VALUES (1)',
    );
  });
  after(() => server.close());

  const sql = (text: string) => server.post('/v1/sql', { sql: text });

  it('a statement that runs for too long is canceled', async () => {
    const endless =
      'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r';
    const { json } = await sql(endless);
    assert.equal(json.error.sqlstate, '57014');
    assert.match(json.error.message, /statement timeout \(300 ms\)/);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ op: 'sql', id: 1, sql: endless }));
    const [message] = await once(socket, 'message');
    assert.match(String(message), /"kind":"error".*statement timeout/);
    socket.close();
  });

  it('a result has a bound in rows and one in bytes', async () => {
    const many = await sql('SELECT n FROM generate_series(1, 2000) AS g(n)');
    assert.equal(many.json.error.sqlstate, '54000');
    assert.match(many.json.error.message, /more than 1000 rows/);
    const wide = await sql("SELECT repeat('x', 150000)");
    assert.equal(wide.json.error.sqlstate, '54000');
    assert.match(wide.json.error.message, /more than 100000 bytes/);
    assert.equal((await sql("SELECT repeat('x', 10000)")).status, 200);
    // The answer is on its way when the bound is met, and still is JSON that says what happened.
    const late = await sql("SELECT repeat('x', 200) FROM generate_series(1, 1000) AS g(n)");
    assert.match(late.text, /"incomplete":true.*"error":\{"code":"REQUEST_TOO_LARGE"/s);
  });

  it('a request has a bound in statements, and none of too many runs', async () => {
    const text = 'INSERT INTO s VALUES (7);';
    const { status, json } = await sql(text.repeat(4));
    assert.equal(status, 413);
    assert.match(json.error.message, /more than 3 statements/);
    assert.equal((await sql("SELECT ';;;;;' AS text; -- ;;;;\nSELECT 1")).status, 200);
    const [, counted] = await server.sql('FLUSH; SELECT count(*) FROM v WHERE a = 7');
    assert.deepEqual(counted?.rows, [[0]]);
  });

  it('subscriptions have a bound over all doors', async () => {
    const streams = [new AbortController(), new AbortController()];
    const url = `${server.url}/v1/views/v/changes`;
    for (const { signal } of streams) assert.equal((await fetch(url, { signal })).status, 200);
    const refused = await server.get('/v1/views/v/changes');
    assert.equal(refused.status, 429);
    assert.ok(refused.headers.get('retry-after') !== null);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
    await once(socket, 'open');
    socket.send('{"op":"subscribe","id":1,"view":"v"}');
    const [message] = await once(socket, 'message');
    assert.match(String(message), /"code":"PRESSURE"/);
    socket.close();
    for (const stream of streams) stream.abort();
  });

  it('bodies that are too many at one time are sent away with Retry-After', async () => {
    const body = `[${'{"a":1},'.repeat(5_700)}{"a":1}]`;
    // The first ones never end, and hold their bytes.
    const open = Array.from({ length: 2 }, () => {
      const sent = request(`${server.url}/v1/streams/s/records`, { method: 'POST', headers });
      sent.on('error', () => undefined);
      sent.write(body.slice(0, 45_000 - 1));
      return sent;
    });
    await untilMetric(server, /millrace_http_body_bytes 89998/);
    const refused = await server.post('/v1/streams/s/records', body);
    assert.equal(refused.status, 429);
    assert.equal(refused.json.error.code, 'PRESSURE');
    assert.equal(refused.headers.get('retry-after'), '1');
    for (const sent of open) sent.destroy();
    await untilMetric(server, /millrace_http_body_bytes 0/);
    assert.equal((await server.post('/v1/streams/s/records', body)).status, 200);
  });
});

describe('rates', () => {
  it('a client has so many requests a second, when that is asked for', async () => {
    const server = await serve({ requestsPerSecondMax: 5 });
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 8; n++) statuses.push((await server.get('/healthz')).status);
      assert.deepEqual(statuses.slice(0, 5), [200, 200, 200, 200, 200]);
      assert.ok(statuses.includes(429), String(statuses));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.equal((await server.get('/healthz')).status, 200);
    } finally {
      await server.close();
    }
  });
});

describe('what is much too large', () => {
  let server: Served;
  before(async () => {
    server = await serve({ bodyBytesMax: 40 * MEBIBYTE });
    await server.sql('CREATE STREAM s (a int)');
  });
  after(() => server.close());

  it('a body of 100 MB is refused while it comes, in memory that does not depend on it', async () => {
    const before = process.memoryUsage.rss();
    let most = 0;
    const chunk = Buffer.alloc(MEBIBYTE, 'x');
    // No Content-Length: the size shows only as it comes.
    const sent = request(`${server.url}/v1/streams/s/records`, { method: 'POST', headers });
    // A client that sends on after the answer finds the connection closed, maybe before it has read the answer.
    let status = 413;
    sent.on('response', (response) => {
      status = response.statusCode ?? 0;
      response.resume();
    });
    sent.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => sent.once('close', resolve));
    for (let n = 0; n < 100 && !sent.destroyed; n++) {
      if (!sent.write(chunk)) {
        await Promise.race([closed, new Promise<void>((room) => sent.once('drain', room))]);
      }
      most = Math.max(most, process.memoryUsage.rss());
    }
    sent.end();
    await closed;
    assert.equal(status, 413);
    const grown = (most - before) / MEBIBYTE;
    assert.ok(grown < 90, `memory grew by ${Math.round(grown)} MiB for a bound of 40 MiB`);
    await untilMetric(server, /millrace_http_body_bytes 0/);
    const answer = await server.post('/v1/streams/s/records', '[{"a":1}]');
    assert.equal(answer.json.accepted, 1);
    const announced = await server.post('/v1/streams/s/records', Buffer.alloc(41 * MEBIBYTE, 'x'));
    assert.equal(announced.status, 413);
  });
});

describe('slow readers', () => {
  let server: Served;
  before(async () => {
    server = await serve({ answerStallMsMax: 2_500 });
    await server.sql(
      'CREATE STREAM s (id int, t text); CREATE MATERIALIZED VIEW v AS SELECT id, t FROM s',
    );
  });
  after(() => server.close());

  /** Sends a request and reads nothing until told to. */
  async function paused(head: string) {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(`${head}\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    socket.pause();
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    socket.pause();
    const closed = once(socket, 'close');
    return {
      socket,
      rest: async () => {
        socket.resume();
        await closed;
        return text;
      },
    };
  }

  const fill = async (from: number, to: number): Promise<void> => {
    const text = 'x'.repeat(10_000);
    for (let id = from; id < to; id += 500) {
      const records = Array.from({ length: 500 }, (_, n) => ({ id: id + n, t: text }));
      assert.equal((await server.post('/v1/streams/s/records', records)).status, 200);
    }
    await server.sql('FLUSH');
  };

  it('an event stream that takes nothing ends with an error event', {
    timeout: 60_000,
  }, async () => {
    const reader = await paused('GET /v1/views/v/changes HTTP/1.1');
    await fill(0, 3_000);
    await untilMetric(server, /millrace_slow_readers_total\{door="sse"\} 1/);
    const text = (await reader.rest()).slice(-500);
    assert.match(
      text,
      /event: error\ndata: \{"error":\{"code":"PRESSURE".*the client reads too slowly/,
    );
    assert.equal((await server.get('/v1/views/v?id=2999')).json.rows.length, 1);
  });

  it('another answer breaks off, and gives back what it held', { timeout: 60_000 }, async () => {
    const readers = await Promise.all(
      Array.from({ length: 4 }, () => paused('GET /v1/views/v?order=-id HTTP/1.1')),
    );
    // Queries hold connections of the store: without an end to them this poll would never be answered.
    const { json } = await server.get('/v1/views/v?id=7');
    assert.equal(json.rows.length, 1);
    await untilMetric(server, /millrace_slow_readers_total\{door="http"\} 4/);
    for (const { socket } of readers) socket.destroy();
  });
});
