/** From the catalog's relations to what the engine runs: streams with their decoders, tables, views, sinks. */
import type { SinkConnector, TopicLog } from '../connectors/connector.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import { unknownConnector } from '../connectors/registry.ts';
import { Batch } from '../engine/delta/batch.ts';
import { compileProjection } from '../engine/kernel/expression.ts';
import { compileRecordDecoder, type RecordDecoder } from '../engine/kernel/record-decoder.ts';
import { selectColumns } from '../engine/runtime/graph.ts';
import type { ScanDecoder } from '../engine/runtime/scan-cursor.ts';
import type { StreamDefinition } from '../engine/runtime/stream-task.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Column, Schema, SqlType } from '../sql/base/type.ts';
import type { SourceInput, SourceRelation } from '../sql/catalog.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { mapColumns } from '../sql/logical-map.ts';

/** Columns of every `<stream>_errors`. */
export const ERROR_SCHEMA: Schema = [
  { name: 'topic', type: { kind: 'text' }, nullable: false },
  { name: 'partition', type: { kind: 'integer' }, nullable: false },
  { name: 'offset', type: { kind: 'bigint' }, nullable: false },
  { name: 'timestamp', type: { kind: 'timestamptz' }, nullable: false },
  { name: 'sqlstate', type: { kind: 'text' }, nullable: false },
  { name: 'reason', type: { kind: 'text' }, nullable: false },
  { name: 'raw', type: { kind: 'bytea' }, nullable: true },
];

/** A table fed by a topic is stored under its own id and reads its changelog as a stream of this id. */
export function changelogId(tableId: number): number {
  return -tableId;
}

const START_OPTIONS = ['auto.offset.reset', 'scan.startup.mode'] as const;

/** 'earliest' unless the statement says otherwise; Flink's spellings are understood. */
function startAt(options: ReadonlyMap<string, string>): 'earliest' | 'latest' {
  for (const key of START_OPTIONS) {
    const text = options.get(key)?.toLowerCase();
    if (text === undefined) continue;
    if (text === 'earliest' || text === 'earliest-offset') return 'earliest';
    if (text === 'latest' || text === 'latest-offset') return 'latest';
    throw new StreamError('SQL_INVALID_OPTION', `invalid value for "${key}": "${text}"`, {
      hint: "It is 'earliest' or 'latest'.",
    });
  }
  return 'earliest';
}

export function logOf(
  connectors: ConnectorRegistry,
  relation: SourceRelation,
): TopicLog | undefined {
  return relation.input === undefined ? undefined : connectors.log(relation.input.connector);
}

/**
 * @param id  the relation's own id for a stream, `changelogId` for a table.
 * @throws StreamError SQL_INVALID_OPTION for options that the connector or a format refuses.
 */
export function streamDefinition(
  connectors: ConnectorRegistry,
  relation: SourceRelation,
  id: number,
): StreamDefinition {
  const input = relation.input;
  assert(input !== undefined, 'a stream has an input');
  const isChangelog = relation.kind === 'table' && relation.primaryKey.length > 0;
  const compile: StreamDefinition['compile'] = (columns) => {
    const decoder = compileRecords(relation, input, columns, isChangelog);
    return isChangelog ? changelogDecoder(decoder) : decoder;
  };
  const base = {
    id,
    name: relation.name,
    topic: input.topic,
    startAt: startAt(input.options),
    compile,
  };
  const log = connectors.log(input.connector);
  if (log !== undefined) {
    return {
      ...base,
      open: (from) => log.open(input.topic, from),
      bounds: () => log.bounds(input.topic),
    };
  }
  const source = connectors.source(input.connector);
  if (source === undefined) throw unknownConnector(input.connector, connectors.sourceTypes());
  source.validate(input.options, relation.schema);
  return {
    ...base,
    open: (from) => source.open(input.options, relation.schema, from),
    bounds: async () => new Map([[0, { earliest: 0, end: Number.POSITIVE_INFINITY }]]),
  };
}

/** Decodes the columns that records hold; generated ones are computed from those. */
function compileRecords(
  relation: SourceRelation,
  input: SourceInput,
  columns: readonly number[],
  nullRows: boolean,
): RecordDecoder {
  const isGenerated = (index: number): boolean =>
    relation.columns[index]?.from.kind === 'generated';
  const hasGenerated = columns.some(isGenerated);
  const decoded = relation.columns.flatMap((_, index) => {
    if (isGenerated(index)) return [];
    // Expressions of generated columns may name any other column, so all of them are decoded then.
    return hasGenerated || columns.includes(index) || mayRefuse(relation, index) ? [index] : [];
  });
  const decoder = compileRecordDecoder({
    valueFormat: input.valueFormat,
    keyFormat: input.keyFormat,
    topic: input.topic,
    valueFields: relation.columns.flatMap(({ from }) =>
      from.kind === 'value' ? [from.field] : [],
    ),
    delimiter: input.options.get('value_delimiter'),
    nullRows,
    columns: decoded.map((index) => {
      const column = relation.columns[index];
      const type = relation.schema[index]?.type;
      assert(column !== undefined && type !== undefined, 'a column of the stream');
      return { type, from: column.from, notNull: column.notNull };
    }),
  });
  if (!hasGenerated) return pickColumns(decoder, decoded, columns);
  const place = (expression: BoundExpr): BoundExpr =>
    mapColumns(expression, (column) => ({ ...column, index: decoded.indexOf(column.index) }));
  const project = compileProjection(
    decoded.map((index) => columnAt(relation, index)),
    undefined,
    columns.map((index) => {
      const from = relation.columns[index]?.from;
      const { type } = columnAt(relation, index);
      return place(from?.kind === 'generated' ? from.expression : { kind: 'column', index, type });
    }),
  );
  return {
    decode: (records, from, to) => {
      const result = decoder.decode(records, from, to);
      const errors = [...result.errors];
      const batch = project(result.batch, (error, _, row) => {
        errors.push({
          record: result.recordOf === null ? from + row : (result.recordOf[row] as number),
          error,
        });
      });
      return { ...result, batch: batch ?? new Batch(0, result.batch.columns, null), errors };
    },
  };
}

/** The wanted ones of the decoded columns, in the wanted order. */
function pickColumns(
  decoder: RecordDecoder,
  decoded: readonly number[],
  columns: readonly number[],
): RecordDecoder {
  if (decoded.length === columns.length && decoded.every((column, i) => column === columns[i])) {
    return decoder;
  }
  const pick = columns.map((column) => decoded.indexOf(column));
  return {
    decode: (records, from, to) => {
      const result = decoder.decode(records, from, to);
      return { ...result, batch: selectColumns(result.batch, pick) };
    },
  };
}

/** Any JSON value can be text. */
const ANYTHING_FITS: readonly SqlType['kind'][] = ['text', 'json', 'jsonb'];

/**
 * A record is a row of its stream only if every column can be read, whichever columns a view happens to use: otherwise
 * two views over one stream would count different records.
 */
function mayRefuse(relation: SourceRelation, index: number): boolean {
  const column = relation.columns[index];
  const { type } = columnAt(relation, index);
  if (column === undefined || column.from.kind === 'metadata') return false;
  const isOpen =
    type.kind === 'varchar' ? type.length === undefined : ANYTHING_FITS.includes(type.kind);
  return column.notNull || !isOpen;
}

function columnAt(relation: SourceRelation, index: number): Column {
  const column = relation.schema[index];
  assert(column !== undefined, 'a column of the relation');
  return column;
}

/** Tombstones become rows of weight -1: they remove their key. */
function changelogDecoder(decoder: RecordDecoder): ScanDecoder {
  return {
    decode: (records, from, to) => {
      const { batch, recordOf, errors, nulls } = decoder.decode(records, from, to);
      if (nulls.length === 0) return { batch, errors };
      const removed = new Set(nulls);
      const weights = new Int32Array(batch.length);
      for (let row = 0; row < batch.length; row++) {
        const record = recordOf === null ? from + row : (recordOf[row] as number);
        weights[row] = removed.has(record) ? -1 : 1;
      }
      return { batch: new Batch(batch.length, batch.columns, weights), errors };
    },
  };
}

export function storedTable(relation: {
  readonly id: number;
  readonly schema: Schema;
  readonly primaryKey: readonly number[];
}): StoredRelation {
  const { id, schema, primaryKey } = relation;
  return {
    id,
    schema,
    storage: primaryKey.length > 0 ? { kind: 'keyed', key: primaryKey } : { kind: 'bag' },
  };
}

export function storedErrors(id: number): StoredRelation {
  return { id, schema: ERROR_SCHEMA, storage: { kind: 'append' } };
}

/** Validates a sink's options; the connector is looked up by name. */
export function sinkConnector(
  connectors: ConnectorRegistry,
  type: string,
  options: ReadonlyMap<string, string>,
  schema: Schema,
  key: readonly number[],
): SinkConnector {
  const connector = connectors.sink(type);
  connector.validate(options, schema, key);
  return connector;
}
