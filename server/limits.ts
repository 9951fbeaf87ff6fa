import { ConfigError } from './config-error.ts';
import { defaultSessionLimits, type SessionLimits } from './session-limits.ts';

/** Every bound of the doors and of sessions. Each has a name with its unit and a variable of the same name. */
export interface Limits extends SessionLimits {
  /** Largest request body, after decompression. */
  readonly bodyBytesMax: number;
  /** Bodies of all requests that are being answered at one time. */
  readonly bodiesBytesMax: number;
  /** Largest request line with headers. */
  readonly headerBytesMax: number;
  /** Time in which a whole request must arrive. */
  readonly requestMsMax: number;
  /** Open TCP connections; further ones are closed at once. */
  readonly connectionsMax: number;
  /** Rows that one statement may return. */
  readonly resultRowsMax: number;
  /** Bytes that one answer may have; subscriptions have no end and no such bound. */
  readonly resultBytesMax: number;
  /** Statements that one request may hold. */
  readonly statementsPerRequestMax: number;
  /** Requests that one client address may send in a second; 0 = no bound. */
  readonly requestsPerSecondMax: number;
  /** A client that takes nothing of its answer for this long is let go. */
  readonly answerStallMsMax: number;
  /** Bytes of an answer held back so that a late error still sets the HTTP status. */
  readonly answerBufferBytesMax: number;
  /** Time for one statement; 0 = none. Subscriptions are not statements in this sense. */
  readonly statementMsMax: number;
  /** Longest `wait` of a view poll. */
  readonly waitMsMax: number;
  /** Rendered view answers kept for repeated polls, over all views. */
  readonly cacheBytesMax: number;
  /** Records that one ingest or produce request may hold. */
  readonly recordsPerRequestMax: number;
  /** Records that one read of a topic may return. */
  readonly recordsPerReadMax: number;
  /** Levels of nesting in a JSON document. */
  readonly jsonDepthMax: number;
  /** WebSocket message from a client. */
  readonly socketMessageBytesMax: number;
  /** Bytes that wait in one socket before the server stops taking changes for it. */
  readonly socketBufferBytesMax: number;
  /** Bytes that wait in all sockets together: with many, each gets its share. */
  readonly socketBuffersBytesMax: number;
  /** A socket that takes nothing for this long is closed. */
  readonly socketStallMsMax: number;
  /** Subscriptions that are open at one time, over all doors. */
  readonly subscriptionsMax: number;
  /** Subscriptions on one WebSocket. */
  readonly subscriptionsPerSocketMax: number;
  /** Time that open requests get when the server stops. */
  readonly closeMsMax: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: Limits = {
  bodyBytesMax: 64 * mebibyte,
  bodiesBytesMax: 512 * mebibyte,
  headerBytesMax: 32 * 1024,
  requestMsMax: 300_000,
  connectionsMax: 4096,
  resultRowsMax: 10_000_000,
  resultBytesMax: 1024 * mebibyte,
  statementsPerRequestMax: 1_000,
  requestsPerSecondMax: 0,
  answerStallMsMax: 60_000,
  answerBufferBytesMax: 4 * mebibyte,
  statementMsMax: 3_600_000,
  waitMsMax: 60_000,
  cacheBytesMax: 64 * mebibyte,
  recordsPerRequestMax: 1_000_000,
  recordsPerReadMax: 100_000,
  jsonDepthMax: 512,
  socketMessageBytesMax: mebibyte,
  socketBufferBytesMax: 4 * mebibyte,
  socketBuffersBytesMax: 256 * mebibyte,
  socketStallMsMax: 30_000,
  subscriptionsMax: 10_000,
  subscriptionsPerSocketMax: 256,
  closeMsMax: 5_000,
  ...defaultSessionLimits,
};

const MAY_BE_ZERO = ['statementMsMax', 'cacheBytesMax', 'requestsPerSecondMax'];

/** `bodyBytesMax` is read from MILLRACE_BODY_BYTES_MAX, and so on. @throws ConfigError. */
export function readLimits(
  environment: Readonly<Record<string, string | undefined>>,
  otherwise: Limits,
): Limits {
  const entries = Object.entries(otherwise).map(([name, fallback]) => {
    const variable = variableOf(name);
    const text = environment[variable];
    if (text === undefined || text === '') return [name, fallback];
    const value = Number(text);
    const least = MAY_BE_ZERO.includes(name) ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new ConfigError(`${variable} must be a whole number from ${least}, not "${text}"`);
    }
    return [name, value];
  });
  return { ...otherwise, ...Object.fromEntries(entries) };
}

/** MILLRACE_BODY_BYTES_MAX for bodyBytesMax. */
export function variableOf(limit: string): string {
  return `MILLRACE_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
