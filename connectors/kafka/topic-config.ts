/** Which options of a statement are settings of a Kafka topic. */
import type { Options } from '../options.ts';
import { numberOption } from '../options.ts';

/** Source: kafka.apache.org/documentation/#topicconfigs */
const topicConfigs: ReadonlySet<string> = new Set([
  'cleanup.policy',
  'compression.type',
  'delete.retention.ms',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'max.compaction.lag.ms',
  'max.message.bytes',
  'message.timestamp.type',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'min.insync.replicas',
  'retention.bytes',
  'retention.ms',
  'segment.bytes',
  'segment.ms',
  'unclean.leader.election.enable',
]);

export function topicConfig(options: Options): { name: string; value: string }[] {
  const configs: { name: string; value: string }[] = [];
  for (const [name, value] of options) {
    if (topicConfigs.has(name)) configs.push({ name, value });
  }
  return configs;
}

/** -1 = the cluster's default. */
export function replicationFactor(options: Options): number {
  const range = { min: 1, max: 32_767, integer: true };
  return numberOption(
    options,
    'replicas',
    numberOption(options, 'replication.factor', -1, range),
    range,
  );
}
