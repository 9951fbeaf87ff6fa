import type { FastifyReply, FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { Session, Subscription } from '../database.ts';
import { Answer, abortWithClient, ReaderGone } from './answer.ts';
import { mediaType } from './body.ts';
import type { Door } from './door.ts';
import { describeFailure, type Failure } from './failure.ts';
import { skipSpace } from './json-text.ts';
import { json, ndjson, sqlDocs } from './openapi.ts';
import { arrayWriter, columnsJson, type ValueFormat } from './row-text.ts';
import { parseSqlBody, type SqlRequest } from './sql-body.ts';
import { writeResult } from './sql-results.ts';
import { closeOnAbort, endSubscription, messagesOf } from './subscription-text.ts';

/** `POST /v1/sql`: one or more statements, one result each. */
export function sqlRoute(door: Door): void {
  door.app.post('/v1/sql', { schema: sqlDocs }, async (request, reply) => {
    const body = await door.bodies.decoded(request);
    await runSql(door, readRequest(request, body, door.limits.jsonDepthMax), reply);
    return reply;
  });
}

function readRequest(request: FastifyRequest, body: Buffer, depthMax: number): SqlRequest {
  const type = mediaType(request);
  // fetch() calls every string text/plain; no statement begins with a brace.
  const isObject = body[skipSpace(body, 0)] === 0x7b;
  if (type === 'application/sql' || (type === 'text/plain' && !isObject)) {
    return { sql: body.toString('utf8'), params: [], session: undefined, format: 'json' };
  }
  return parseSqlBody(body, depthMax);
}

async function runSql(door: Door, request: SqlRequest, reply: FastifyReply): Promise<void> {
  const gone = abortWithClient(reply, door.stopping);
  const timer = new StatementTimer(door.limits.statementMsMax, gone);
  const answer = new Answer(reply, json, door.limits.answerBufferBytesMax);
  let session: Session | undefined;
  try {
    await answer.write('{"results":[');
    answer.mark();
    session = door.database.session(request.session);
    let count = 0;
    for await (const result of session.execute(request.sql, request.params, timer.signal)) {
      if (result.kind === 'subscription') {
        timer.stop();
        if (answer.started) {
          await endSubscription(result.subscription);
          throw new StreamError('REQUEST_TOO_LARGE', 'too many results before a subscription', {
            hint: 'Subscribe in a request of its own.',
          });
        }
        door.metrics.subscriptions.inc({ door: 'sql' });
        try {
          await streamSubscription(result.subscription, request.format, answer, reply, gone);
        } finally {
          door.metrics.subscriptions.dec({ door: 'sql' });
        }
        return;
      }
      if (count++ > 0) await answer.write(',');
      await writeResult(result, request.format, door.limits.resultRowsMax, answer);
      answer.mark();
      timer.restart();
    }
    await answer.write(']}');
    answer.finish(200);
  } catch (error) {
    if (error instanceof ReaderGone) return;
    const explained = timer.explain(error);
    const failure = describeFailure(explained, request.sql);
    if (failure.internal) door.log.error({ err: explained }, 'a statement failed internally');
    await finishFailed(failure, answer, reply);
  } finally {
    timer.stop();
    if (request.session === undefined) session?.close();
  }
}

/**
 * The results before the failing one stay in the answer. While it is held the half-written result is dropped and
 * the status tells of the error; once it is on its way the error comes as the last member.
 */
async function finishFailed(failure: Failure, answer: Answer, reply: FastifyReply): Promise<void> {
  answer.rollback();
  if (failure.retry && !answer.started) reply.header('retry-after', '1');
  await answer.write(`],"error":${JSON.stringify(failure.body)}}`);
  answer.finish(failure.status);
}

async function streamSubscription(
  subscription: Subscription,
  format: ValueFormat,
  held: Answer,
  reply: FastifyReply,
  gone: AbortSignal,
): Promise<void> {
  closeOnAbort(subscription, gone);
  const answer = new Answer(reply, ndjson, 0);
  try {
    const columns = columnsJson(subscription.schema);
    const results = held.take().slice(1);
    await answer.write(`{"kind":"subscription","columns":${columns},${results}]}\n`);
    const writer = arrayWriter(subscription.schema, format);
    for await (const event of subscription.events) {
      for (const message of messagesOf(event, writer)) await answer.write(`${message.text}\n`);
    }
  } catch (error) {
    if (error instanceof ReaderGone) return;
    await answer.write(`${JSON.stringify({ error: describeFailure(error).body })}\n`);
  } finally {
    await endSubscription(subscription);
    if (answer.started) answer.finish(200);
  }
}

/** Cancels a statement that runs for too long; the next statement of the request starts anew. */
class StatementTimer {
  readonly signal: AbortSignal;
  readonly #msMax: number;
  readonly #late = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(msMax: number, gone: AbortSignal) {
    this.#msMax = msMax;
    this.signal = AbortSignal.any([gone, this.#late.signal]);
    this.restart();
  }

  restart(): void {
    this.stop();
    if (this.#msMax > 0) this.#timer = setTimeout(() => this.#late.abort(), this.#msMax);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Says why a statement was cancelled when it was this timer. */
  explain(error: unknown): unknown {
    if (!this.#late.signal.aborted) return error;
    return new StreamError(
      'STATEMENT_CANCELED',
      `canceling statement due to statement timeout (${this.#msMax} ms)`,
    );
  }
}
