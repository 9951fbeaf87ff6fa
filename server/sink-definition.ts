/** From a sink of the catalog to what the engine runs: how its rows become records, and how they are delivered. */
import type { Guarantee, ProduceRecord, SinkConnector } from '../connectors/connector.ts';
import { numberOption } from '../connectors/options.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import type { Batch } from '../engine/delta/batch.ts';
import { compileFieldEncoder } from '../engine/kernel/record-encoder.ts';
import type { PhysicalPlan } from '../engine/plan/physical-plan.ts';
import type { SinkDefinition } from '../engine/runtime/plan-task.ts';
import { netChanges } from '../engine/view/row-change.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import type { Relation, Sink, SourceRelation, TableSink } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { logOf } from './definitions.ts';
import { hasKey, recordEncoder } from './record-encoder.ts';
import { rowPolicy, TableSinkWriter } from './table-sink.ts';
import { encodeTableRows, rowsOf } from './table-sink-row.ts';

/** Bytes that may wait in a sink's outbox before its sources are held. */
const OUTBOX_OPTION = 'outbox_bytes_max';
export const OUTBOX_BYTES_MAX_DEFAULT = 1024 * 1024 * 1024;

type Encode = (batches: readonly Batch[]) => ProduceRecord[];

/** @throws StreamError for options or a query that the sink cannot take. */
export function sinkDefinition(
  core: Core,
  sink: Sink,
  plan: PhysicalPlan,
  running: Pick<SinkDefinition, 'fragment' | 'failures'>,
): SinkDefinition {
  const { id, name, connector: type, options, schema, key } = sink;
  const { appendOnly } = plan.root;
  if (sink.into !== undefined) return tableSinkDefinition(core, sink, sink.into, plan, running);
  const connector = core.connectors.sink(type);
  connector.validate(options, schema, key, appendOnly);
  const outboxBytesMax = outboxBudget(options);
  const base = { id, name, ...running };
  if (type === 'blackhole') return { ...base, delivery: undefined };
  requireKey(sink, appendOnly);
  const identity = { id, name: `millrace-${core.identity}-${id}` };
  return {
    ...base,
    delivery: {
      guarantee: connector.guarantee(options, key),
      outboxBytesMax,
      encode: connectorEncoder(connector, schema, key) ?? sinkEncoder(sink),
      open: () => connector.open(options, schema, key, identity),
    },
  };
}

function requireKey({ name, key }: Sink, appendOnly: boolean): void {
  if (appendOnly || key.length > 0) return;
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    `sink "${name}" cannot say which row changed: its query updates and deletes rows and has no key`,
    {
      hint: 'Select the key columns (the GROUP BY columns, the primary key), or sink an append-only query.',
    },
  );
}

function outboxBudget(options: ReadonlyMap<string, string>): number {
  const range = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
  return numberOption(options, OUTBOX_OPTION, OUTBOX_BYTES_MAX_DEFAULT, range);
}

function tableSinkDefinition(
  core: Core,
  sink: Sink,
  into: TableSink,
  { root: { appendOnly } }: PhysicalPlan,
  running: Pick<SinkDefinition, 'fragment' | 'failures'>,
): SinkDefinition {
  const { id, name, options, schema, key } = sink;
  rowPolicy(sink);
  requireKey(sink, appendOnly);
  const relation = core.catalog.findById(into.tableId)?.relation;
  const log = isSource(relation) ? logOf(core.connectors, relation) : undefined;
  if (isSource(relation) && relation.input !== undefined && log !== undefined) {
    const { topic } = relation.input;
    const identity = { id, name: `millrace-${core.identity}-${id}` };
    return {
      id,
      name,
      ...running,
      delivery: {
        guarantee: 'exactly once',
        outboxBytesMax: outboxBudget(options),
        encode: encodeRecords(relation, key, appendOnly),
        open: () => log.openSink(topic, identity),
      },
    };
  }
  return {
    id,
    name,
    ...running,
    feedsTable: into.tableId,
    delivery: {
      guarantee: sinkFacts(core.connectors, sink).guarantee,
      outboxBytesMax: outboxBudget(options),
      encode: encodeTableRows(schema, key, appendOnly),
      open: async () => new TableSinkWriter(core, sink, into),
    },
  };
}

const isSource = (relation: Relation | undefined): relation is SourceRelation =>
  relation?.kind === 'stream' || relation?.kind === 'table';

/** Rows of the relation as the records that INSERT would write; those of a stream with a query as that writes them. */
function encodeRecords(
  relation: SourceRelation,
  key: readonly number[],
  appendOnly: boolean,
): Encode {
  const { schema, input, query, partitionBy } = relation;
  if (query !== undefined && input !== undefined) {
    const options = new Map([
      ...input.options,
      ['value_format', input.valueFormat],
      ['key_format', input.keyFormat],
    ]);
    return sinkEncoder({ schema, key: [], options, partitionBy });
  }
  const encode = recordEncoder(relation);
  const record = (row: Row, isGone: boolean): ProduceRecord => ({
    // A table has no row without a key: it counts the record among its errors.
    key: hasKey(relation, row) ? encode.key(row) : null,
    value: isGone ? null : encode.value(row),
    timestampMs: encode.timestampMs(row),
  });
  if (appendOnly) return (batches) => rowsOf(batches).map((row) => record(row, false));
  return (batches) =>
    netChanges(schema, key, batches).map(({ op, row }) => record(row, op === 'delete'));
}

/** What its destination guarantees, and the place that its rows go to. */
export function sinkFacts(
  connectors: ConnectorRegistry,
  { connector: type, options, key, into }: Sink,
): { readonly guarantee: Guarantee; readonly target: string | undefined } {
  if (into !== undefined) return { guarantee: 'exactly once', target: into.table };
  const connector = connectors.sink(type);
  return { guarantee: connector.guarantee(options, key), target: connector.target(options) };
}

function connectorEncoder(
  { encode }: SinkConnector,
  schema: Schema,
  key: readonly number[],
): Encode | undefined {
  if (encode === undefined) return undefined;
  const encodeRow = encode(schema, key);
  return (batches) => netChanges(schema, key, batches).map(encodeRow);
}

/**
 * One record a changed row: its key, and its value or a tombstone.
 * @throws StreamError SQL_INVALID_OPTION for formats that cannot be written.
 */
function sinkEncoder({
  schema,
  key,
  options,
  partitionBy,
}: Pick<Sink, 'schema' | 'key' | 'options' | 'partitionBy'>): Encode {
  const recordKey = key.length > 0 ? key : (partitionBy ?? []);
  const fieldsOf = (columns: readonly number[], named: boolean) =>
    columns.map((column) => ({
      column,
      field: named ? (schema[column]?.name ?? '') : undefined,
      type: schema[column]?.type ?? { kind: 'text' as const },
    }));
  const keyFormat =
    options.get('key_format')?.toLowerCase() ?? (recordKey.length === 1 ? 'kafka' : 'json');
  const valueFormat =
    options.get('value_format')?.toLowerCase() ?? options.get('format')?.toLowerCase() ?? 'json';
  const delimiter = options.get('value_delimiter');
  const encodeKey =
    recordKey.length === 0
      ? () => null
      : compileFieldEncoder(keyFormat, fieldsOf(recordKey, recordKey.length > 1), delimiter);
  const all = schema.map((_, i) => i);
  const encodeValue = compileFieldEncoder(valueFormat, fieldsOf(all, true), delimiter);
  return (batches) =>
    netChanges(schema, key, batches).map((change) => ({
      key: encodeKey(change.row),
      value: change.op === 'delete' ? null : encodeValue(change.row),
    }));
}
