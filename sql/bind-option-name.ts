/** Which keys `WITH (…)` of a relation, view or sink may have: a mistyped one is refused instead of passed over. */
import type { Option } from './ast-relation.ts';
import { StreamError } from './base/error.ts';
import { closestName, editDistance } from './bind-near-miss.ts';

/** Options that do something, docs/connectors.md. */
const effective: readonly string[] = [
  ...['connector', 'kafka_topic', 'topic', 'partitions', 'replicas'],
  ...['format', 'value_format', 'value.format', 'key_format', 'key.format'],
  ...['value_delimiter', 'value.fields-include', 'timestamp'],
  ...['auto.offset.reset', 'scan.startup.mode'],
  ...['retention.ms', 'retention.bytes', 'cleanup.policy', 'idle_timeout'],
  ...['on_error', 'dlq_topic', 'max_state'],
  ...['bootstrap.servers', 'client.id', 'compression.type', 'isolation.level', 'check.crcs'],
  ...['default.api.timeout.ms', 'metadata.max.age.ms', 'security.protocol'],
  ...['sasl.mechanism', 'sasl.username', 'sasl.password'],
  ...['ssl.ca', 'ssl.certificate', 'ssl.key'],
  ...['nexmark.table', 'table', 'events.per.second', 'events', 'rows', 'seed', 'first.event.time'],
  ...['rows-per-second', 'number-of-rows'],
  ...['sink.delivery-guarantee', 'outbox_bytes_max'],
  ...['url', 'host', 'port', 'database', 'user', 'password', 'mode', 'on_error'],
];

/**
 * Options of ksqlDB, Flink, RisingWave and PostgreSQL that say nothing about rows here: statements from elsewhere
 * run as they are.
 */
const foreign: ReadonlySet<string> = new Set([
  ...['timestamp_format', 'wrap_single_value', 'key', 'key_delimiter', 'retention_ms'],
  ...['key_schema_id', 'value_schema_id', 'key_schema_full_name', 'value_schema_full_name'],
  ...['value_avro_schema_full_name', 'key_protobuf_nullable_representation'],
  ...['value_protobuf_nullable_representation', 'window_type', 'window_size', 'source_connector'],
  ...[
    'type',
    'primary_key',
    'force_append_only',
    'append_only',
    'appendonly',
    'snapshot',
    'backfill',
  ],
  ...['delivery', 'delivery.guarantee', 'parallelism', 'name', 'path', 'method'],
  ...['fillfactor', 'security_barrier', 'security_invoker', 'check_option'],
]);

/** Namespaces whose keys are many, and partly made of names of columns. */
const foreignNamespaces: ReadonlySet<string> = new Set([
  ...['properties', 'kafka', 'fields', 'datagen', 'nexmark', 'scan', 'sink', 'lookup', 'value'],
  ...['key', 'json', 'csv', 'avro', 'protobuf', 'raw', 'debezium', 'schema', 'table', 'header'],
  ...['http', 'ssl', 'sasl', 'security', 'group', 'fetch', 'max', 'min', 'segment', 'enable'],
  ...['source', 'state', 'changelog', 'autovacuum', 'toast', 'transaction', 'linger', 'batch'],
  ...['retention', 'auto', 'client', 'acks', 'delivery', 'request', 'rate', 'watermark'],
]);

/** Edits up to which a key of a foreign namespace is taken for a mistyped one of ours. */
const NEAR_MISS_MAX = 2;

/** @throws StreamError SQL_INVALID_OPTION for a key that nobody reads. */
export function checkOptionNames(options: readonly Option[]): void {
  for (const { key, span } of options) {
    if (effective.includes(key) || foreign.has(key)) continue;
    const near = closestName(key, effective);
    const isForeign = foreignNamespaces.has(key.split(/[.]/)[0] ?? '') && key.includes('.');
    if (isForeign && (near === undefined || !isNearMiss(key, near))) continue;
    throw new StreamError('SQL_INVALID_OPTION', `unknown option "${key}"`, {
      at: span,
      hint:
        near === undefined
          ? 'The options of each connector are listed in docs/connectors.md.'
          : `Perhaps you meant "${near}".`,
    });
  }
}

const isNearMiss = (key: string, near: string): boolean =>
  editDistance(key, near, NEAR_MISS_MAX) <= NEAR_MISS_MAX;
