/** Type name -> connector, as WITH (connector = '…') names it. Filled once when the server starts. */
import { StreamError } from '../sql/base/error.ts';
import { blackholeConnector } from './blackhole/blackhole.ts';
import type { SinkConnector, SourceConnector, TopicLog } from './connector.ts';
import { datagenConnector } from './generator/datagen.ts';
import { nexmarkConnector } from './generator/nexmark.ts';
import { postgresConnector } from './postgres/postgres-sink.ts';
import { topicSinkConnector } from './topic/topic-sink.ts';

export interface RegistryOptions {
  /** Logs by type; a missing one cannot be named by a statement. */
  readonly logs: ReadonlyMap<TopicLog['type'], TopicLog>;
  /** Milliseconds of a clock that never goes back, for pacing. */
  readonly now: () => number;
  /** Further sources, of a program that embeds Millrace. */
  readonly sources?: readonly SourceConnector[] | undefined;
}

export class ConnectorRegistry {
  readonly #logs: ReadonlyMap<string, TopicLog>;
  readonly #sources: ReadonlyMap<string, SourceConnector>;
  readonly #sinks: ReadonlyMap<string, SinkConnector>;

  constructor({ logs, now, sources = [] }: RegistryOptions) {
    this.#logs = logs;
    this.#sources = byType([nexmarkConnector(now), datagenConnector(now), ...sources]);
    const topicSinks = [...logs].map(([type, log]) => topicSinkConnector(type, () => log));
    this.#sinks = byType([blackholeConnector, postgresConnector, ...topicSinks]);
  }

  /** Every name that a stream's connector may have. */
  sourceTypes(): readonly string[] {
    return [...this.#logs.keys(), ...this.#sources.keys()];
  }

  sinkTypes(): readonly string[] {
    return [...this.#sinks.keys()];
  }

  /** The log of this type; undefined when the type is no log or none is configured. */
  log(type: string): TopicLog | undefined {
    return this.#logs.get(type);
  }

  /** Undefined for logs, which are no sources of their own, and for unknown names. */
  source(type: string): SourceConnector | undefined {
    return this.#sources.get(type);
  }

  /** @throws StreamError SQL_INVALID_OPTION that lists what there is. */
  sink(type: string): SinkConnector {
    const sink = this.#sinks.get(type);
    if (sink === undefined) throw unknownConnector(type, this.sinkTypes());
    return sink;
  }
}

export function unknownConnector(type: string, known: readonly string[]): StreamError {
  const hint =
    type === 'kafka' && !known.includes('kafka')
      ? 'Start the server with --kafka HOST:PORT to use Kafka.'
      : `There are: ${known.join(', ')}.`;
  return new StreamError('SQL_INVALID_OPTION', `unknown connector "${type}"`, { hint });
}

function byType<T extends { readonly type: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.type, item]));
}
