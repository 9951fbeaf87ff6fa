/** From the catalog's relations to what the engine runs: streams with their decoders, tables, views, sinks. */
import type { TopicLog } from '../connectors/connector.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import { unknownConnector } from '../connectors/registry.ts';
import type { StreamDefinition } from '../engine/runtime/stream-task.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { watermarkRule } from './event-time.ts';
import { changelogDecoder, compileRows } from './row-decoder.ts';

/** A table fed by a topic is stored under its own id and reads its changelog as a stream of this id. */
export function changelogId(tableId: number): number {
  return -tableId;
}

/** What the engine calls the stream of records behind a relation over a topic. */
export function engineStreamId({ id, kind }: Pick<SourceRelation, 'id' | 'kind'>): number {
  return kind === 'table' ? changelogId(id) : id;
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
 * @param isAltered  the definition was changed while records were in the error relation.
 * @throws StreamError SQL_INVALID_OPTION for options that the connector or a format refuses.
 */
export function streamDefinition(
  connectors: ConnectorRegistry,
  relation: SourceRelation,
  isAltered: boolean,
): StreamDefinition {
  const input = relation.input;
  assert(input !== undefined, 'a stream has an input');
  const isChangelog = relation.kind === 'table' && relation.primaryKey.length > 0;
  const compile: StreamDefinition['compile'] = (columns) => {
    const decoder = compileRows(relation, input, columns, isChangelog);
    return isChangelog ? changelogDecoder(decoder) : decoder;
  };
  const base = {
    id: engineStreamId(relation),
    name: relation.name,
    topic: input.topic,
    startAt: startAt(input.options),
    compile,
    watermark: relation.kind === 'stream' ? watermarkRule(relation) : undefined,
    stopsAtErrors: input.options.get('on_error')?.toLowerCase() === 'fail',
    isAltered,
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
