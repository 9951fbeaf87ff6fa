import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { StreamError } from '../../sql/base/error.ts';
import type { Session, Subscription } from '../database.ts';
import type { TextSink } from '../http/answer.ts';
import type { Door } from '../http/door.ts';
import { describeFailure } from '../http/failure.ts';
import { columnsJson, objectWriter } from '../http/row-text.ts';
import { checkStatements, type SqlRequest } from '../http/sql-body.ts';
import { writeResult } from '../http/sql-results.ts';
import { StatementTimer } from '../http/statement-timer.ts';
import { endSubscription, messagesOf } from '../http/subscription-text.ts';
import { type ClientMessage, MessageFault, type MessageId, parseMessage } from './messages.ts';
import { SocketSender } from './sender.ts';

/** What one id stands for on a connection: aborting ends it. */
type Task = AbortController;

/** One WebSocket: reads operations, runs each beside the others, ends them all when the socket closes. */
export class Connection {
  readonly #door: Door;
  readonly #sender: SocketSender;
  readonly #tasks = new Map<MessageId, Task>();
  /** Of statements that name no session. */
  readonly #session: Session;

  /** @param stream  what the WebSocket writes to. */
  constructor(door: Door, socket: WebSocket, stream: Socket) {
    const { socketBufferBytesMax, socketBuffersBytesMax, socketStallMsMax } = door.limits;
    const { clients } = door.app.websocketServer;
    const bufferBytesMax = (): number =>
      Math.min(socketBufferBytesMax, socketBuffersBytesMax / clients.size);
    this.#door = door;
    this.#session = door.database.session(undefined);
    this.#sender = new SocketSender(socket, stream, bufferBytesMax, socketStallMsMax, () =>
      door.metrics.slowReaders.inc({ door: 'ws' }),
    );
    socket.on('message', (data: Buffer, binary: boolean) => {
      this.#receive(data, binary).catch((error: unknown) => {
        door.log.error({ err: error }, 'a WebSocket message failed internally');
      });
    });
    socket.on('close', () => {
      for (const task of this.#tasks.values()) task.abort();
      this.#session.close();
    });
  }

  async #receive(data: Buffer, binary: boolean): Promise<void> {
    try {
      if (binary) throw new StreamError('REQUEST_INVALID', 'messages must be text');
      const message = parseMessage(data, this.#door.limits.jsonDepthMax);
      await this.#handle(message);
    } catch (error) {
      if (error instanceof MessageFault) await this.#fail(error.id, error.error);
      else await this.#fail(null, error);
    }
  }

  async #handle(message: ClientMessage): Promise<void> {
    const { id } = message;
    switch (message.op) {
      case 'ping':
        await this.#send(id, '"kind":"pong"');
        return;
      case 'unsubscribe':
        if (!this.#tasks.has(message.id)) {
          throw new MessageFault(id, invalid('there is no subscription with this id'));
        }
        this.#tasks.get(message.id)?.abort();
        return;
      default:
        await this.#start(message);
    }
  }

  async #start(
    message: Extract<ClientMessage, { op: 'subscribe' | 'subscribe-sql' | 'sql' }>,
  ): Promise<void> {
    const { id } = message;
    const { subscriptionsPerSocketMax } = this.#door.limits;
    if (this.#tasks.has(id)) throw new MessageFault(id, invalid('this id is in use'));
    if (this.#tasks.size >= subscriptionsPerSocketMax) {
      const text = `a socket may have at most ${subscriptionsPerSocketMax} subscriptions`;
      throw new MessageFault(id, new StreamError('PRESSURE', text));
    }
    const task = new AbortController();
    this.#tasks.set(id, task);
    try {
      if (message.op === 'subscribe') await this.#subscribe(message, task.signal);
      else await this.#runSql(id, message.request, message.op === 'subscribe-sql', task.signal);
      await this.#send(id, `"kind":"end"`);
    } catch (error) {
      await this.#fail(id, error, message.op === 'subscribe' ? undefined : message.request.sql);
    } finally {
      this.#tasks.delete(id);
    }
  }

  async #subscribe(
    message: Extract<ClientMessage, { op: 'subscribe' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { view, since, snapshot } = message;
    this.#door.subscriptions.check();
    const subscription = await this.#door.database.subscribe({ view, since, snapshot });
    await this.#follow(message.id, subscription, signal);
  }

  async #runSql(
    id: MessageId,
    request: SqlRequest,
    subscriptionOnly: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { statementMsMax, statementsPerRequestMax } = this.#door.limits;
    checkStatements(request.sql, statementsPerRequestMax);
    const timer = new StatementTimer(statementMsMax, signal);
    try {
      await this.#runStatements(id, request, subscriptionOnly, timer, signal);
    } catch (error) {
      throw timer.explain(error);
    } finally {
      timer.stop();
    }
  }

  async #runStatements(
    id: MessageId,
    request: SqlRequest,
    subscriptionOnly: boolean,
    timer: StatementTimer,
    signal: AbortSignal,
  ): Promise<void> {
    const session =
      request.session === undefined ? this.#session : this.#door.database.session(request.session);
    for await (const result of session.execute(request.sql, request.params, timer.signal)) {
      if (result.kind === 'subscription') {
        timer.stop();
        await this.#follow(id, result.subscription, signal);
      } else if (subscriptionOnly) {
        throw invalid('this statement has no changes to subscribe to', 'Use "op":"sql".');
      } else {
        const text = new BoundedText(this.#door.limits.socketBufferBytesMax);
        await writeResult(result, request.format, this.#door.limits.resultRowsMax, text);
        await this.#send(id, `"kind":"result","result":${text.take()}`);
      }
      timer.restart();
    }
  }

  async #follow(id: MessageId, subscription: Subscription, signal: AbortSignal): Promise<void> {
    const close = (): void => subscription.close();
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    let leave = (): void => undefined;
    try {
      leave = this.#door.subscriptions.enter('ws');
      await this.#send(id, `"kind":"subscribed","columns":${columnsJson(subscription.schema)}`);
      const writer = objectWriter(subscription.schema);
      for await (const event of subscription.events) {
        if (signal.aborted) return;
        const prefix = `{"id":${JSON.stringify(id)},`;
        await this.#sender.sendAll(
          messagesOf(event, writer),
          ({ text }) => `${prefix}${text.slice(1)}`,
        );
      }
    } finally {
      leave();
      signal.removeEventListener('abort', close);
      await endSubscription(subscription);
    }
  }

  /** @param members  the message's own members as JSON, without the braces. */
  async #send(id: MessageId | null, members: string): Promise<void> {
    await this.#sender.send(`{"id":${JSON.stringify(id)},${members}}`);
  }

  async #fail(id: MessageId | null, error: unknown, sql?: string): Promise<void> {
    const failure = describeFailure(error, sql);
    if (failure.internal) this.#door.log.error({ err: error }, 'a WebSocket operation failed');
    await this.#send(id, `"kind":"error","error":${JSON.stringify(failure.body)}`);
  }
}

/** Collects one result for one message. @throws StreamError REQUEST_TOO_LARGE. */
class BoundedText implements TextSink {
  readonly #lengthMax: number;
  #text = '';

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length > this.#lengthMax) {
      throw new StreamError('REQUEST_TOO_LARGE', 'the result does not fit into one message', {
        hint: 'Ask for it with POST /v1/sql, which streams.',
      });
    }
  }

  take(): string {
    return this.#text;
  }
}

function invalid(message: string, hint?: string): StreamError {
  return new StreamError('REQUEST_INVALID', message, { hint });
}
