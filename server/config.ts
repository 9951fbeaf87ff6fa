/**
 * What one process is told: by options, by the environment, else by defaults. Read once, in
 * server/cli.ts; everything behind it gets values, never `process.env`.
 */
import { parseByteSize } from '../sql/base/byte-size.ts';
import { ConfigError } from './config-error.ts';
import { defaultLimits, type Limits, readLimits } from './limits.ts';
import type { SessionLimits } from './session-limits.ts';

/** Part of pino's logger; structured fields first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What `openMillrace` (server/millrace.ts) needs to know. */
export interface DatabaseConfig {
  /** Directory of the data, made when it is missing, or `:memory:`. */
  readonly data: string;
  /** Bootstrap servers as HOST:PORT; none = topics live in the embedded log. */
  readonly kafka?: readonly string[] | undefined;
  readonly log?: Log | undefined;
  /** Those of session-limits.ts; defaults where nothing is said. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Bytes that the state of all views together may take; undefined = no bound. */
  readonly memoryBytesMax?: number | undefined;
}

export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface ServerConfig extends DatabaseConfig {
  readonly kafka: readonly string[];
  readonly http: Endpoint;
  readonly pg: Endpoint;
  readonly logLevel: LogLevel;
  readonly limits: Limits;
  /** Origins of web pages that may use the server beside those of its own host; `*` = all. */
  readonly origins: readonly string[];
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Options of `millrace start` as commander gives them. */
export interface StartOptions {
  readonly http?: string | undefined;
  readonly pg?: string | undefined;
  readonly data?: string | undefined;
  readonly kafka?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly memory?: string | undefined;
}

export const defaults = {
  http: '127.0.0.1:8088',
  pg: '127.0.0.1:5488',
  data: './millrace-data',
  logLevel: 'info',
} as const;

/** Options win over the environment, the environment over the defaults. @throws ConfigError. */
export function readConfig(
  options: StartOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ServerConfig {
  const pick = (option: string | undefined, variable: string, otherwise: string): string =>
    option ?? present(environment[variable]) ?? otherwise;
  const data = pick(options.data, 'MILLRACE_DATA', defaults.data);
  if (data === '') throw new ConfigError('--data must name a directory or be :memory:');
  return {
    data,
    http: parseEndpoint('--http', pick(options.http, 'MILLRACE_HTTP', defaults.http)),
    pg: parseEndpoint('--pg', pick(options.pg, 'MILLRACE_PG', defaults.pg)),
    kafka: parseServers(pick(options.kafka, 'MILLRACE_KAFKA', '')),
    logLevel: parseLogLevel(pick(options.logLevel, 'MILLRACE_LOG_LEVEL', defaults.logLevel)),
    memoryBytesMax: parseMemory(pick(options.memory, 'MILLRACE_MEMORY', '')),
    limits: readLimits(environment, defaultLimits),
    origins: parseOrigins(present(environment.MILLRACE_ORIGINS) ?? ''),
  };
}

/** An empty variable counts as unset, as shells and compose files often leave them. */
function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** HOST:PORT, [IPv6]:PORT, :PORT (every address) or PORT (localhost). */
export function parseEndpoint(name: string, text: string): Endpoint {
  const match = /^(?:(\[[0-9a-fA-F:.%]+\]|[^:[\]\s/]*):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw new ConfigError(`${name} must be HOST:PORT, not "${text}"`);
  }
  const host = match[1];
  if (host === undefined) return { host: '127.0.0.1', port };
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port };
}

/** The inverse of parseEndpoint. */
export function formatEndpoint(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}

function parseServers(text: string): readonly string[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const endpoint = parseEndpoint('--kafka', part);
    if (!part.includes(':') || part.trim().startsWith(':') || endpoint.port === 0) {
      throw new ConfigError(`--kafka must be HOST:PORT[,HOST:PORT…], not "${text}"`);
    }
    return formatEndpoint(endpoint);
  });
}

function parseMemory(text: string): number | undefined {
  if (text.trim() === '') return undefined;
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new ConfigError(`--memory must be a size such as 2GB, not "${text}"`);
}

function parseOrigins(text: string): readonly string[] {
  const origins = text.split(',').map((part) => part.trim());
  return origins.filter((origin) => origin !== '');
}

function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((candidate) => candidate === text);
  if (level === undefined) {
    throw new ConfigError(`--log-level must be one of ${logLevels.join(', ')}, not "${text}"`);
  }
  return level;
}
