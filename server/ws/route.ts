import type { WebsocketPluginOptions } from '@fastify/websocket';
import type { WebSocket } from 'ws';
import { StreamError } from '../../sql/base/error.ts';
import type { Door } from '../http/door.ts';
import { describeFailure } from '../http/failure.ts';
import type { Limits } from '../limits.ts';
import { Connection } from './connection.ts';
import { GOING_AWAY } from './sender.ts';

/** How often a silent client is asked whether it lives; one that misses an answer is dropped. */
const PING_MS = 30_000;

export function socketOptions(limits: Limits): WebsocketPluginOptions {
  return {
    options: { maxPayload: limits.socketMessageBytesMax },
    preClose(done) {
      for (const client of this.websocketServer.clients) {
        client.close(GOING_AWAY, 'the server is stopping');
      }
      this.websocketServer.close();
      done();
    },
  };
}

/** `GET /v1/ws`: subscriptions and statements over one socket. */
export function socketRoute(door: Door): void {
  door.app.route({
    method: 'GET',
    url: '/v1/ws',
    schema: { hide: true },
    handler: (_request, reply) => {
      const error = new StreamError('REQUEST_INVALID', 'this route speaks WebSocket only');
      reply.code(426).header('upgrade', 'websocket').header('connection', 'upgrade');
      reply.send({ error: describeFailure(error).body });
    },
    wsHandler: (socket, request) => {
      new Connection(door, socket, request.raw.socket);
      keepAlive(socket);
      socket.on('error', (error) => door.log.debug({ err: error }, 'a WebSocket failed'));
    },
  });
}

function keepAlive(socket: WebSocket): void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) {
      socket.terminate();
      return;
    }
    alive = false;
    socket.ping();
  }, PING_MS);
  socket.on('close', () => clearInterval(timer));
}
