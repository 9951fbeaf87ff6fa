/** SHOW STREAMS, TABLES and SOURCES: where records come from, how they are read, and what is wrong with it now. */
import type { Engine } from '../engine/runtime/engine.ts';
import type { Datum } from '../sql/base/datum.ts';
import { isCalled, type SourceRelation } from '../sql/catalog.ts';
import type { StatementResult } from './database.ts';
import { engineStreamId } from './definitions.ts';
import { errorPolicy } from './error-policy.ts';
import { errorCounts } from './error-relations.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { BIGINT, rowsResult, TEXT } from './row-result.ts';

interface SourceContext {
  readonly catalog: LiveCatalog;
  readonly engine: Engine;
}

export function showSources(
  context: SourceContext,
  kind: 'stream' | 'table' | undefined,
): StatementResult {
  const rows = context.catalog
    .live()
    .filter(({ owner }) => owner === undefined)
    .map(({ relation }) => relation)
    .filter(
      (relation): relation is SourceRelation =>
        (relation.kind === 'stream' || relation.kind === 'table') &&
        // What CREATE TABLE made is listed as one too.
        (kind === undefined || isCalled(relation, kind)),
    )
    .map((relation) => sourceRow(context, relation));
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['kind', TEXT],
      ['connector', TEXT],
      ['topic', TEXT],
      ['key_format', TEXT],
      ['value_format', TEXT],
      ['primary_key', TEXT],
      ['on_error', TEXT],
      ['errors', BIGINT],
      ['state', TEXT],
      ['reason', TEXT],
    ],
    rows,
  );
}

function sourceRow(context: SourceContext, relation: SourceRelation): (Datum | null)[] {
  const { input } = relation;
  const errors = errorCounts(context, relation.name);
  const { state, reason } = sourceState(context, relation);
  return [
    relation.name,
    relation.kind,
    input?.connector ?? null,
    input?.topic ?? null,
    input?.keyFormat ?? null,
    input?.valueFormat ?? null,
    relation.primaryKey.map((index) => relation.schema[index]?.name).join(', ') || null,
    input === undefined ? null : errorPolicy(input.options).kind,
    errors === undefined ? null : BigInt(errors.count),
    state,
    reason,
  ];
}

interface SourceState {
  /** `idle`: no view or sink reads it; `stopped`: at a bad record; `failing`: its source cannot be reached. */
  readonly state: 'running' | 'idle' | 'paused' | 'stopped' | 'failing' | null;
  readonly reason: string | null;
}

function sourceState({ engine }: SourceContext, relation: SourceRelation): SourceState {
  const stream = engine.stream(engineStreamId(relation));
  if (stream === undefined) return { state: null, reason: null };
  const { stoppedAt, fault } = stream;
  if (stoppedAt !== undefined) {
    const { partition, offset, error } = stoppedAt;
    return {
      state: 'stopped',
      reason: `partition ${partition} offset ${offset}: ${error.message}`,
    };
  }
  if (stream.paused) return { state: 'paused', reason: null };
  if (fault !== undefined) return { state: 'failing', reason: fault.message };
  return { state: stream.isRead ? 'running' : 'idle', reason: null };
}
