/**
 * connector='kafka' or 'embedded' for a sink: rows go to a topic as records. Deliveries are at least once: a chunk
 * that is repeated after a crash is written again, and consumers that keep the last value of a key see no difference.
 */
import type { Schema } from '../../sql/base/type.ts';
import type { ProduceRecord, SinkConnector, SinkWriter, TopicLog } from '../connector.ts';
import { numberOption, type Options, requiredOption } from '../options.ts';

/** Records handed to the log at a time; keeps one chunk within the log's bound of bytes in flight. */
const RECORDS_PER_CALL = 10_000;

function topicOf(options: Options): string {
  return options.get('topic') ?? requiredOption(options, 'kafka_topic');
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
      numberOption(options, 'partitions', 1, { min: 1, max: 10_000, integer: true });
    },
    open: async (options: Options, _schema: Schema, _key: readonly number[]) => {
      const target = log(options);
      const topic = topicOf(options);
      if ((await target.describe(topic)) === undefined) {
        const range = { min: 1, max: 10_000, integer: true };
        await target.create(topic, numberOption(options, 'partitions', 1, range), options);
      }
      return new TopicWriter(target, topic);
    },
  };
}

class TopicWriter implements SinkWriter {
  readonly #log: TopicLog;
  readonly #topic: string;

  constructor(log: TopicLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  async deliver(records: readonly ProduceRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += RECORDS_PER_CALL) {
      await this.#log.produce(this.#topic, records.slice(at, at + RECORDS_PER_CALL));
    }
  }

  /** The log belongs to the server and outlives its sinks. */
  async close(): Promise<void> {}
}
