import type { RecordBatch } from '../../connectors/connector.ts';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';

const PARTITIONS = 4;
const RECORDS_PER_CALL = 10_000;

/** Fills a topic with the given records once; a topic that has them already is left as it is. Gives their number. */
export async function loadTopic(
  bootstrap: string,
  topic: string,
  batches: readonly RecordBatch[],
): Promise<number> {
  const records = batches.reduce((sum, batch) => sum + batch.length, 0);
  const log = new KafkaLog(new Map([['bootstrap.servers', bootstrap]]));
  try {
    if ((await log.describe(topic)) === undefined) await log.create(topic, PARTITIONS, new Map());
    const bounds = await log.bounds(topic);
    const held = [...bounds.values()].reduce((sum, { earliest, end }) => sum + end - earliest, 0);
    if (held === records) return records;
    if (held > 0) throw new Error(`topic ${topic} holds ${held} records, not ${records}`);
    for (const batch of batches) {
      for (let from = 0; from < batch.length; from += RECORDS_PER_CALL) {
        const chunk = [];
        for (let i = from; i < Math.min(from + RECORDS_PER_CALL, batch.length); i++) {
          const start = batch.valueStarts[i] as number;
          const value = batch.bytes.subarray(start, start + (batch.valueLengths[i] as number));
          chunk.push({ key: null, value, partition: i % PARTITIONS });
        }
        await log.produce(topic, chunk);
      }
    }
    return records;
  } finally {
    await log.close();
  }
}
