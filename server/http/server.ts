import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { Log } from '../config.ts';
import type { Database } from '../database.ts';
import type { Limits } from '../limits.ts';
import { DoorMetrics } from '../metrics.ts';
import { socketOptions, socketRoute } from '../ws/route.ts';
import { backupRoute } from './backup-route.ts';
import { BodyBudget } from './body.ts';
import { changesRoute } from './changes-route.ts';
import { copyRoute } from './copy-route.ts';
import type { Door } from './door.ts';
import { describeFailure } from './failure.ts';
import { ingestRoute } from './ingest-route.ts';
import { json } from './openapi.ts';
import { checkOrigin } from './origin.ts';
import { RateLimit } from './rate-limit.ts';
import { RouteTable } from './route-table.ts';
import { sendFailure } from './send-failure.ts';
import { sqlRoute } from './sql-route.ts';
import { statusRoutes } from './status-routes.ts';
import { SubscriptionCount } from './subscription-count.ts';
import { topicRoutes } from './topic-routes.ts';
import { viewRoute } from './view-route.ts';

export interface HttpServer {
  readonly app: FastifyInstance;
  /** Listens; gives the port that the system chose. */
  listen(host: string, port: number): Promise<number>;
  /** Ends streams and waits, lets open requests finish for `closeMsMax`, then cuts them off. */
  close(): Promise<void>;
}

/** The HTTP and WebSocket door. It does not own the database. */
export async function createHttpServer(
  database: Database,
  limits: Limits,
  log: Log,
  origins: readonly string[] = [],
): Promise<HttpServer> {
  const stopping = new AbortController();
  const app = fastify({
    bodyLimit: limits.bodyBytesMax,
    forceCloseConnections: 'idle',
    keepAliveTimeout: 65_000,
    requestTimeout: limits.requestMsMax,
    logger: false,
    http: { maxHeaderSize: limits.headerBytesMax },
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (error, _request, reply) => sendFailure(error, reply, log),
  });
  const metrics = new DoorMetrics(database);
  const bodies = new BodyBudget(limits.bodyBytesMax, limits.bodiesBytesMax);
  metrics.watchBodies(() => bodies.bytes);
  const sockets = trackSockets(app);
  await prepare(app, limits, log, metrics, bodies);
  // After the WebSocket plug-in, which closes the socket of an upgrade that a later hook refuses.
  const rate = new RateLimit(limits.requestsPerSecondMax, () => performance.now());
  app.addHook('onRequest', (request, _reply, done) => {
    rate.take(request.ip);
    checkOrigin(request.headers.origin, request.headers.host, origins);
    done();
  });
  const subscriptions = new SubscriptionCount(limits.subscriptionsMax, metrics);
  const door: Door = {
    app,
    database,
    limits,
    log,
    metrics,
    bodies,
    subscriptions,
    stopping: stopping.signal,
  };
  for (const route of [
    sqlRoute,
    copyRoute,
    backupRoute,
    viewRoute,
    changesRoute,
    ingestRoute,
    topicRoutes,
    statusRoutes,
    socketRoute,
  ]) {
    route(door);
  }
  await app.ready();
  return {
    app,
    listen: (host, port) => listen(app, host, port),
    close: async () => {
      stopping.abort();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, limits.closeMsMax);
      try {
        await app.close();
      } finally {
        clearTimeout(timer);
        metrics.close();
      }
    },
  };
}

/** Every open socket, also those that became WebSockets, which the HTTP server itself forgets. */
function trackSockets(app: FastifyInstance): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  await app.listen({ host, port });
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function prepare(
  app: FastifyInstance,
  limits: Limits,
  log: Log,
  metrics: DoorMetrics,
  bodies: BodyBudget,
): Promise<void> {
  app.server.maxConnections = limits.connectionsMax;
  // Bodies stay bytes: the routes slice them, so that no number loses a digit on the way.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) =>
    bodies.read(payload),
  );
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, _request, reply) => sendFailure(error, reply, log));
  const routes = new RouteTable();
  app.addHook('onRoute', (route) => routes.add(route.url, route.method));
  app.setNotFoundHandler((request, reply) => refuseRoute(routes, request, reply, log));
  app.addHook('onResponse', (request, reply, done) => {
    bodies.release(request.raw);
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: String(reply.statusCode),
    };
    metrics.requests.observe(labels, reply.elapsedTime / 1000);
    log.debug({ ...labels, url: request.url, ms: reply.elapsedTime }, 'request');
    done();
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        description: 'A streaming SQL database: SQL in, views that are always up to date out.',
        version: '1',
        license: { name: 'Apache-2.0' },
      },
    },
  });
  await app.register(websocket, socketOptions(limits));
}

function refuseRoute(
  routes: RouteTable,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): void {
  const path = request.url.split('?', 1)[0] ?? '';
  const methods = routes.methodsOf(path);
  if (methods.length === 0) {
    const hint = 'The routes are listed in /openapi.json.';
    sendFailure(
      new StreamError('REQUEST_UNKNOWN_ROUTE', `there is no ${path}`, { hint }),
      reply,
      log,
    );
    return;
  }
  reply.header('allow', methods.join(', '));
  const message = `${path} does not take ${request.method}`;
  const hint = `It takes ${methods.join(', ')}.`;
  sendFailure(new StreamError('REQUEST_METHOD', message, { hint }), reply, log);
}

/** Bytes that are not HTTP, headers past their limit, requests that never end: answered before there is a request. */
function refuseMalformed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, failure] = malformedStatus(error.code);
  const body = JSON.stringify({ error: describeFailure(failure).body });
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: ${json}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function malformedStatus(code: string | undefined): readonly [string, StreamError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        new StreamError('REQUEST_TOO_LARGE', 'the request line and headers are too large'),
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        '408 Request Timeout',
        new StreamError('REQUEST_TIMEOUT', 'the request took too long to arrive'),
      ];
    default:
      return ['400 Bad Request', new StreamError('REQUEST_INVALID', 'the request is not HTTP')];
  }
}
