import type { FastifyReply } from 'fastify';
import type { Log } from '../config.ts';
import { describeFailure } from './failure.ts';
import { json } from './openapi.ts';

/**
 * Answers with what went wrong.
 * @param sql  the text that was sent, for the error's position.
 */
export function sendFailure(error: unknown, reply: FastifyReply, log: Log, sql?: string): void {
  const failure = describeFailure(error, sql);
  if (failure.internal) log.error({ err: error }, 'a request failed internally');
  if (failure.retry) reply.header('retry-after', '1');
  reply
    .code(failure.status)
    .type(json)
    .send(JSON.stringify({ error: failure.body }));
}
