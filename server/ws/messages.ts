import { StreamError } from '../../sql/base/error.ts';
import { bodyMembers, parseAt, parseSqlBody, type SqlRequest } from '../http/sql-body.ts';

/** The client's own name of a subscription or request, echoed in every message about it. */
export type MessageId = string | number;

export type ClientMessage =
  | {
      readonly op: 'subscribe';
      readonly id: MessageId;
      readonly view: string;
      readonly since: number | undefined;
      readonly snapshot: boolean;
    }
  | { readonly op: 'subscribe-sql'; readonly id: MessageId; readonly request: SqlRequest }
  | { readonly op: 'sql'; readonly id: MessageId; readonly request: SqlRequest }
  | { readonly op: 'unsubscribe'; readonly id: MessageId }
  | { readonly op: 'ping'; readonly id: MessageId | null };

const ID_LENGTH_MAX = 128;

/** A message that could not be read, with its id when that much was legible. */
export class MessageFault extends Error {
  readonly id: MessageId | null;
  readonly error: StreamError;
  constructor(id: MessageId | null, error: StreamError) {
    super(error.message);
    this.id = id;
    this.error = error;
  }
}

/** Reads one text message of a client. @throws MessageFault. */
export function parseMessage(data: Buffer, depthMax: number): ClientMessage {
  let id: MessageId | null = null;
  try {
    const members = bodyMembers(data, depthMax);
    const read = (name: string): unknown => {
      const span = members.get(name);
      return span === undefined ? undefined : (parseAt(data, span) ?? undefined);
    };
    const op = read('op');
    id = parseId(read('id'), op === 'ping');
    if (op === 'ping') return { op, id };
    if (id === null) throw invalid('"id" must be a string or a number');
    switch (op) {
      case 'unsubscribe':
        return { op, id };
      case 'sql':
        return { op, id, request: parseSql(data, members, depthMax) };
      case 'subscribe':
        return read('sql') === undefined
          ? subscribeTo(id, read)
          : { op: 'subscribe-sql', id, request: parseSql(data, members, depthMax) };
      default:
        throw invalid('"op" must be subscribe, unsubscribe, sql or ping');
    }
  } catch (error) {
    if (error instanceof StreamError) throw new MessageFault(id, error);
    throw error;
  }
}

function subscribeTo(id: MessageId, read: (name: string) => unknown): ClientMessage {
  const [view, since, snapshot] = [read('view'), read('since'), read('snapshot') ?? true];
  if (typeof view !== 'string') throw invalid('"view" or "sql" must be a string');
  if (typeof snapshot !== 'boolean') throw invalid('"snapshot" must be true or false');
  if (since !== undefined && (typeof since !== 'number' || !Number.isSafeInteger(since))) {
    throw invalid('"since" must be a version');
  }
  return { op: 'subscribe', id, view, since, snapshot };
}

/** The members of `POST /v1/sql`, without those of the envelope. */
function parseSql(
  data: Buffer,
  members: ReturnType<typeof bodyMembers>,
  depthMax: number,
): SqlRequest {
  const parts = [...members]
    .filter(([name]) => name !== 'op' && name !== 'id')
    .map(
      ([name, { start, end }]) => `${JSON.stringify(name)}:${data.toString('utf8', start, end)}`,
    );
  return parseSqlBody(Buffer.from(`{${parts.join(',')}}`), depthMax);
}

function parseId(value: unknown, optional: boolean): MessageId | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.length <= ID_LENGTH_MAX) return value;
  if (value === undefined && optional) return null;
  throw invalid(`"id" must be a number or a string of at most ${ID_LENGTH_MAX} characters`);
}

function invalid(message: string): StreamError {
  return new StreamError('REQUEST_INVALID', message);
}
