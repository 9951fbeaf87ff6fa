import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve();
  await server.sql(`
    CREATE TABLE t (id int PRIMARY KEY, v numeric);
    CREATE MATERIALIZED VIEW m AS SELECT v, count(*) AS n FROM t GROUP BY v;
    INSERT INTO t VALUES (1, 1.50); FLUSH`);
});
after(() => server.close());

/** Members of all messages; a test reads those that its message has. */
interface Message {
  readonly id: unknown;
  readonly kind: string;
  readonly version: number;
  readonly op: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly before: unknown;
  readonly last: boolean;
  readonly rows: unknown;
  readonly result: { readonly rows: unknown };
  readonly error: { readonly code: string };
}

/** A socket whose messages are taken one by one. */
class Socket {
  readonly socket: WebSocket;
  readonly #messages: string[] = [];
  #wake: (() => void) | undefined;

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`);
    this.socket.on('message', (data) => {
      this.#messages.push(String(data));
      this.#wake?.();
    });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async text(): Promise<string> {
    while (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#messages.shift() ?? '';
  }

  async next(): Promise<Message> {
    const message: Message = JSON.parse(await this.text());
    return message;
  }
}

async function open(): Promise<Socket> {
  const socket = new Socket(server.url);
  await once(socket.socket, 'open');
  return socket;
}

describe('WebSocket', () => {
  it('sends a snapshot, then changes with the row before', async () => {
    const socket = await open();
    socket.send({ op: 'subscribe', id: 'a', view: 'm' });
    const subscribed = await socket.next();
    assert.deepEqual([subscribed.id, subscribed.kind], ['a', 'subscribed']);
    const snapshot = await socket.text();
    assert.match(snapshot, /"kind":"snapshot".*"rows":\[\{"v":1\.50,"n":1\}\],"last":true/);
    await server.sql('INSERT INTO t VALUES (2, 1.50)');
    const change = await socket.next();
    assert.deepEqual(
      [change.id, change.op, change.row, change.before, change.last],
      ['a', 'update', { v: 1.5, n: 2 }, { v: 1.5, n: 1 }, true],
    );
    socket.send({ op: 'unsubscribe', id: 'a' });
    assert.equal((await socket.next()).kind, 'end');

    await server.sql('DELETE FROM t WHERE id = 2; FLUSH');
    socket.send({ op: 'subscribe', id: 'b', view: 'm', since: change.version });
    assert.equal((await socket.next()).kind, 'subscribed');
    const resumed = await socket.next();
    assert.deepEqual([resumed.kind, resumed.op, resumed.row.n], ['change', 'update', 1]);
    socket.socket.close();
  });

  it('runs statements and follows queries', async () => {
    const socket = await open();
    socket.send({ op: 'sql', id: 1, sql: 'SELECT 1 AS a; SELECT $1::int', params: [7] });
    assert.deepEqual((await socket.next()).result.rows, [[1]]);
    assert.deepEqual((await socket.next()).result.rows, [[7]]);
    assert.equal((await socket.next()).kind, 'end');
    socket.send({ op: 'subscribe', id: 2, sql: 'SELECT count(*) AS n FROM t EMIT CHANGES' });
    assert.equal((await socket.next()).kind, 'subscribed');
    const snapshot = await socket.next();
    assert.deepEqual(snapshot.rows, [{ n: 1 }]);
    socket.socket.close();
  });

  it('refuses a foreign page and lets go of its socket', async () => {
    const url = `${server.url.replace('http', 'ws')}/v1/ws`;
    const socket = new WebSocket(url, { origin: 'https://evil.example' });
    const [error] = await once(socket, 'error');
    assert.match(String(error), /403/);
    const own = await serve({ closeMsMax: 300 });
    const raw = connect({ port: Number(new URL(own.url).port), host: '127.0.0.1' });
    raw.write(
      'GET /v1/ws HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nUpgrade: websocket\r\n' +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(raw, 'data');
    // Half a request, and a socket that says nothing: neither may hold up the end.
    const half = connect({ port: Number(new URL(own.url).port), host: '127.0.0.1' });
    half.write('POST /v1/sql HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{');
    await once(half, 'connect');
    const began = performance.now();
    await own.close();
    assert.ok(performance.now() - began < 3_000);
    raw.destroy();
    half.destroy();
  });

  it('answers what it cannot do with errors, and goes on', async () => {
    const socket = await open();
    const cases: readonly (readonly [unknown, string, unknown])[] = [
      ['not json', 'REQUEST_INVALID', null],
      [{ op: 'fly', id: 1 }, 'REQUEST_INVALID', 1],
      [{ op: 'subscribe', id: 2, view: 'nope' }, 'VIEW_UNKNOWN', 2],
      [{ op: 'subscribe', id: 3, sql: 'SELECT nope FROM t' }, 'SQL_UNKNOWN_COLUMN', 3],
      [{ op: 'subscribe', id: 3, sql: 'SELECT 1' }, 'REQUEST_INVALID', 3],
      [{ op: 'unsubscribe', id: 4 }, 'REQUEST_INVALID', 4],
    ];
    for (const [message, code, id] of cases) {
      socket.send(message);
      const answer = await socket.next();
      assert.deepEqual([answer.kind, answer.error.code, answer.id], ['error', code, id]);
    }
    socket.send({ op: 'ping', id: 5 });
    assert.deepEqual(await socket.next(), { id: 5, kind: 'pong' });
    socket.socket.close();
  });
});
