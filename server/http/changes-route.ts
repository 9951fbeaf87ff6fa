import type { FastifyReply } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { Subscription } from '../database.ts';
import { Answer, abortWithClient, ReaderGone, tooSlow } from './answer.ts';
import { endlessAnswer } from './answer-limits.ts';
import type { Door } from './door.ts';
import { describeFailure } from './failure.ts';
import { changesDocs, eventStream } from './openapi.ts';
import { objectWriter } from './row-text.ts';
import { closeOnAbort, endSubscription, messagesOf } from './subscription-text.ts';
import { parseCount } from './view-query.ts';

/** How often an idle stream shows that it lives, so that proxies keep it open. */
const HEARTBEAT_MS = 15_000;

interface Request {
  readonly Params: { readonly name: string };
  readonly Querystring: { readonly since?: string; readonly snapshot?: string };
}

/** `GET /v1/views/NAME/changes`: server-sent events, a snapshot and then every change. */
export function changesRoute(door: Door): void {
  door.app.get<Request>(
    '/v1/views/:name/changes',
    { schema: changesDocs },
    async (request, reply) => {
      const lastSeen = request.headers['last-event-id'];
      const since = parseCount(
        'since',
        typeof lastSeen === 'string' && lastSeen !== '' ? lastSeen : request.query.since,
      );
      const snapshot = parseFlag('snapshot', request.query.snapshot);
      door.subscriptions.check();
      const subscription = await door.database.subscribe({
        view: request.params.name,
        since,
        snapshot,
      });
      await streamEvents(door, subscription, reply);
      return reply;
    },
  );
}

function parseFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'true') return true;
  if (text === 'false') return false;
  throw new StreamError('REQUEST_INVALID', `"${name}" must be true or false`);
}

async function streamEvents(
  door: Door,
  subscription: Subscription,
  reply: FastifyReply,
): Promise<void> {
  closeOnAbort(subscription, abortWithClient(reply, door.stopping));
  reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
  const answer = new Answer(reply, eventStream, endlessAnswer(door, 'sse', errorEvent(tooSlow())));
  const leave = door.subscriptions.enter('sse');
  let idle = true;
  const heartbeat = setInterval(() => {
    // A heartbeat into a full pipe would only wait behind the data that proves the same.
    if (idle) answer.write(':\n\n').catch(ignoreReaderGone);
    idle = true;
  }, HEARTBEAT_MS);
  try {
    await answer.write('retry: 1000\n\n');
    const writer = objectWriter(subscription.schema);
    for await (const event of subscription.events) {
      idle = false;
      for (const { kind, version, complete, text } of messagesOf(event, writer)) {
        // Only the last message of a version names it: a reader that breaks off earlier gets it all again.
        const id = complete ? `id: ${version}\n` : '';
        await answer.write(`event: ${kind}\n${id}data: ${text}\n\n`);
      }
    }
  } catch (error) {
    if (!(error instanceof ReaderGone)) {
      await answer.write(errorEvent(error));
    }
  } finally {
    clearInterval(heartbeat);
    leave();
    await endSubscription(subscription);
    answer.finish(200);
  }
}

function errorEvent(error: unknown): string {
  return `event: error\ndata: ${JSON.stringify({ error: describeFailure(error).body })}\n\n`;
}

function ignoreReaderGone(error: unknown): void {
  if (!(error instanceof ReaderGone)) throw error;
}
