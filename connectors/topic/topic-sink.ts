/**
 * connector='kafka' or 'embedded' for a sink: rows go to a topic as records, each once. With
 * 'sink.delivery-guarantee' = 'at-least-once' they are written without a transaction: a chunk that is repeated after a crash is
 * written again, and consumers that keep the last value of a key see no difference.
 */
import {
  allDelivered,
  type Delivered,
  type ProduceRecord,
  type SinkChunk,
  type SinkConnector,
  type SinkWriter,
  type TopicLog,
} from '../connector.ts';
import { choiceOption, numberOption, type Options, requiredOption } from '../options.ts';

/** Records handed to the log at a time; keeps one chunk within the log's bound of bytes in flight. */
const RECORDS_PER_CALL = 10_000;
const PARTITIONS_RANGE = { min: 1, max: 10_000, integer: true };
/** Flink's name and values. */
const GUARANTEE_OPTION = 'sink.delivery-guarantee';
const guarantees = ['exactly-once', 'at-least-once'] as const;

function topicOf(options: Options): string {
  return options.get('topic') ?? requiredOption(options, 'kafka_topic');
}

function isExactlyOnce(options: Options): boolean {
  return choiceOption(options, GUARANTEE_OPTION, guarantees) !== 'at-least-once';
}

/** @param log  the log that the options of a sink name. */
export function topicSinkConnector(
  type: 'kafka' | 'embedded',
  log: (options: Options) => TopicLog,
): SinkConnector {
  return {
    type,
    validate: (options) => {
      topicOf(options);
      numberOption(options, 'partitions', 1, PARTITIONS_RANGE);
      isExactlyOnce(options);
    },
    guarantee: (options, key) => {
      if (isExactlyOnce(options)) return 'exactly once';
      return key.length > 0 ? 'idempotent by key' : 'at least once';
    },
    target: topicOf,
    open: async (options, _schema, _key, sink) => {
      const target = log(options);
      const topic = topicOf(options);
      if ((await target.describe(topic)) === undefined) {
        const partitions = numberOption(options, 'partitions', 1, PARTITIONS_RANGE);
        await target.create(topic, partitions, options);
      }
      if (isExactlyOnce(options)) return target.openSink(topic, sink);
      return new TopicWriter(target, topic);
    },
  };
}

class TopicWriter implements SinkWriter {
  readonly position = undefined;
  readonly #log: TopicLog;
  readonly #topic: string;

  constructor(log: TopicLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    for (const { records } of chunks) await this.#produce(records);
    return allDelivered;
  }

  async #produce(records: readonly ProduceRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += RECORDS_PER_CALL) {
      await this.#log.produce(this.#topic, records.slice(at, at + RECORDS_PER_CALL));
    }
  }

  /** The log belongs to the server and outlives its sinks. */
  async close(): Promise<void> {}
}
