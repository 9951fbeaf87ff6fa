/** Kafka's error codes and the client's errors, as ours. Codes: kafka.apache.org/protocol#protocol_error_codes */
import { GenericError } from '@platformatic/kafka';
import { type ErrorCode, StreamError } from '../../sql/base/error.ts';

export const kafkaCode = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  duplicateSequenceNumber: 46,
  unknownTopicId: 100,
} as const;

interface Meaning {
  readonly name: string;
  readonly code: ErrorCode;
  /** The same request may succeed after a while, usually with fresh metadata. */
  readonly passes: boolean;
}

const passing = (name: string): Meaning => ({ name, code: 'SOURCE_UNREACHABLE', passes: true });
const refused = (name: string, code: ErrorCode): Meaning => ({ name, code, passes: false });

const meanings: ReadonlyMap<number, Meaning> = new Map([
  [1, refused('offset out of range', 'SOURCE_RECORDS_GONE')],
  [2, passing('corrupt message')],
  [3, { name: 'unknown topic or partition', code: 'SOURCE_UNKNOWN_TOPIC', passes: true }],
  [5, passing('leader not available')],
  [6, passing('not the leader')],
  [7, passing('request timed out')],
  [8, passing('broker not available')],
  [9, passing('replica not available')],
  [10, refused('message too large', 'REQUEST_TOO_LARGE')],
  [13, passing('network exception')],
  [14, passing('coordinator loads')],
  [15, passing('coordinator not available')],
  [16, passing('not the coordinator')],
  [17, refused('invalid topic name', 'REQUEST_INVALID')],
  [18, refused('record batch too large', 'REQUEST_TOO_LARGE')],
  [19, passing('not enough replicas')],
  [20, passing('not enough replicas after append')],
  [29, refused('not authorized for the topic', 'SOURCE_UNREACHABLE')],
  [31, refused('not authorized for the cluster', 'SOURCE_UNREACHABLE')],
  [32, refused('invalid timestamp', 'REQUEST_INVALID')],
  [36, refused('topic exists', 'SQL_DUPLICATE_RELATION')],
  [37, refused('invalid number of partitions', 'REQUEST_INVALID')],
  [38, refused('invalid replication factor', 'REQUEST_INVALID')],
  [39, refused('invalid replica assignment', 'REQUEST_INVALID')],
  [40, refused('invalid topic configuration', 'REQUEST_INVALID')],
  [41, passing('not the controller')],
  [42, refused('invalid request', 'REQUEST_INVALID')],
  [44, refused('policy violation', 'REQUEST_INVALID')],
  [47, refused('the producer is an older one', 'SOURCE_UNREACHABLE')],
  [48, refused('the transaction is not open', 'SOURCE_UNREACHABLE')],
  [49, refused('the producer is not the one of the transaction', 'SOURCE_UNREACHABLE')],
  [50, refused('the transaction timeout is too long', 'REQUEST_INVALID')],
  [51, passing('concurrent transactions')],
  [53, refused('not authorized for the transactional id', 'SOURCE_UNREACHABLE')],
  [56, passing('storage error')],
  [73, refused('topic deletion is disabled', 'REQUEST_INVALID')],
  [74, passing('fenced leader epoch')],
  [75, passing('unknown leader epoch')],
  [78, passing('offset not available')],
  [87, refused('invalid record', 'REQUEST_INVALID')],
  [89, passing('throttling quota exceeded')],
  [90, refused('a newer producer has taken over', 'SOURCE_UNREACHABLE')],
  [100, { name: 'unknown topic id', code: 'SOURCE_UNKNOWN_TOPIC', passes: true }],
  [103, { name: 'inconsistent topic id', code: 'SOURCE_UNKNOWN_TOPIC', passes: true }],
]);

function meaning(kafka: number): Meaning {
  return meanings.get(kafka) ?? refused(`error ${kafka}`, 'SOURCE_UNREACHABLE');
}

/** @param what  the subject, such as `topic "t" partition 3`. */
export function errorOfCode(kafka: number, what: string, detail?: string | null): StreamError {
  const { name, code } = meaning(kafka);
  const text = detail === undefined || detail === null ? name : `${name}: ${detail}`;
  return new StreamError(code, `Kafka: ${what}: ${text}`);
}

export function codePasses(kafka: number): boolean {
  return meaning(kafka).passes;
}

/** The first Kafka error code within an error of the client; undefined when it carries none. */
export function codeWithin(error: unknown): number | undefined {
  if (!(error instanceof Error) || !isClientError(error)) return undefined;
  const own: unknown = error.apiCode;
  if (typeof own === 'number') return own;
  const inner: unknown = error.errors;
  if (!Array.isArray(inner)) return undefined;
  for (const one of inner) {
    const code = codeWithin(one);
    if (code !== undefined) return code;
  }
  return undefined;
}

function isClientError(error: Error): error is GenericError {
  return GenericError.isGenericError(error);
}

/** A failed request as a StreamError; network trouble becomes SOURCE_UNREACHABLE. */
export function asStreamError(error: unknown, what: string): StreamError {
  if (error instanceof StreamError) return error;
  const code = codeWithin(error);
  if (code !== undefined) return errorOfCode(code, what, serverMessage(error));
  return new StreamError('SOURCE_UNREACHABLE', `Kafka: ${what}: ${messages(error)}`, {
    cause: error,
  });
}

function serverMessage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !isClientError(error)) return undefined;
  if (typeof error.serverErrorMessage === 'string') return error.serverErrorMessage;
  const inner: unknown = error.errors;
  return Array.isArray(inner)
    ? inner.map(serverMessage).find((text) => text !== undefined)
    : undefined;
}

function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
}

/** Wrong credentials, or TLS where there is none: no later attempt is better. */
const finalClientCodes: ReadonlySet<unknown> = new Set(['PLT_KFK_AUTHENTICATION', 'PLT_KFK_USER']);
const CAUSES_MAX = 8;

function isFinal(error: unknown): boolean {
  let cause = error;
  for (let i = 0; i < CAUSES_MAX && cause instanceof Error; i++) {
    if (isClientError(cause) && finalClientCodes.has(cause.code)) return true;
    cause = cause.cause;
  }
  return false;
}

/** Whether the same request may succeed later: every network fault, and the codes that say so. */
export function passes(error: unknown): boolean {
  if (isFinal(error)) return false;
  if (error instanceof StreamError) return error.code === 'SOURCE_UNREACHABLE';
  const code = codeWithin(error);
  return code === undefined || codePasses(code);
}
