import type { FastifyReply } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { Door } from './door.ts';
import { describeFailure } from './failure.ts';
import { statusDocs } from './openapi.ts';

/** Health, readiness, metrics, status and the description of the API. */
export function statusRoutes(door: Door): void {
  const { app, database, metrics } = door;

  app.get('/healthz', { schema: statusDocs('Whether the process answers') }, async () => ({
    status: 'ok',
  }));

  app.get('/readyz', { schema: statusDocs('Whether the database serves') }, async (_, reply) => {
    const { ready, reason } = door.stopping.aborted
      ? { ready: false, reason: 'the server is stopping' }
      : database.status();
    return ready ? { status: 'ready' } : notReady(reason ?? 'starting', reply);
  });

  app.get('/v1/status', { schema: statusDocs('Streams, views and epochs') }, async () =>
    database.status(),
  );

  app.get('/metrics', { schema: statusDocs('Prometheus metrics') }, async (_, reply) => {
    reply.type(metrics.registry.contentType);
    return await metrics.render();
  });

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

function notReady(reason: string, reply: FastifyReply): object {
  reply.code(503).header('retry-after', '1');
  const { body } = describeFailure(new StreamError('NOT_READY', reason));
  return { status: 'unavailable', reason, error: body };
}
