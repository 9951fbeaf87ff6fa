import type { FastifyReply, FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { Session, Subscription } from '../database.ts';
import { Answer, abortWithClient, ReaderGone, tooSlow } from './answer.ts';
import { endlessAnswer, finiteAnswer } from './answer-limits.ts';
import { mediaType } from './body.ts';
import type { Door } from './door.ts';
import { describeFailure, type Failure } from './failure.ts';
import { skipSpace } from './json-text.ts';
import { json, ndjson, sqlDocs } from './openapi.ts';
import { arrayWriter, columnsJson, type ValueFormat } from './row-text.ts';
import { checkStatements, parseSqlBody, type SqlRequest } from './sql-body.ts';
import { writeResult } from './sql-results.ts';
import { StatementTimer } from './statement-timer.ts';
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
  const answer = new Answer(reply, json, finiteAnswer(door));
  let session: Session | undefined;
  try {
    await answer.write('{"results":[');
    answer.mark();
    session = door.database.session(request.session);
    let count = 0;
    checkStatements(request.sql, door.limits.statementsPerRequestMax);
    for await (const result of session.execute(request.sql, request.params, timer.signal)) {
      if (result.kind === 'subscription') {
        timer.stop();
        if (answer.started) {
          await endSubscription(result.subscription);
          throw new StreamError('REQUEST_TOO_LARGE', 'too many results before a subscription', {
            hint: 'Subscribe in a request of its own.',
          });
        }
        const leave = door.subscriptions.enter('sql');
        try {
          await streamSubscription(door, result.subscription, request.format, answer, reply, gone);
        } finally {
          leave();
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
  door: Door,
  subscription: Subscription,
  format: ValueFormat,
  held: Answer,
  reply: FastifyReply,
  gone: AbortSignal,
): Promise<void> {
  closeOnAbort(subscription, gone);
  const farewell = `${JSON.stringify({ error: describeFailure(tooSlow()).body })}\n`;
  const answer = new Answer(reply, ndjson, endlessAnswer(door, 'sql', farewell));
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
