import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, it } from 'node:test';
import { WebSocket } from 'ws';
import { type Served, serve } from './serve.ts';

/** More than the kernel takes in for a socket that nobody reads. */
const ROWS = 3_000;
const TEXT_LENGTH = 10_000;

let server: Served;
before(async () => {
  server = await serve({ socketBufferBytesMax: 50_000, socketStallMsMax: 500 });
  await server.sql(`
    CREATE STREAM s (id int, t text) WITH (kafka_topic='s', value_format='json', partitions=1);
    CREATE MATERIALIZED VIEW v AS SELECT id, t FROM s`);
});
after(() => server.close());

it('a WebSocket that takes nothing is closed with 1013, and others go on', {
  timeout: 60_000,
}, async () => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  socket.send('{"op":"subscribe","id":1,"view":"v"}');
  await once(socket, 'message');
  socket.pause();
  const text = 'x'.repeat(TEXT_LENGTH);
  for (let from = 0; from < ROWS; from += 500) {
    const records = Array.from({ length: 500 }, (_, index) => ({ id: from + index, t: text }));
    await server.post('/v1/streams/s/records', records);
  }
  await server.sql('FLUSH');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  socket.resume();
  const [code] = await closed;
  assert.equal(code, 1013);
  const { json } = await server.get('/v1/views/v?id=2999');
  assert.equal(json.rows.length, 1);
});
