/** SHOW SINKS, and what DESCRIBE adds for a sink: what waits, what arrived, what its destination guarantees and says. */
import type { ConnectorRegistry } from '../connectors/registry.ts';
import type { Engine } from '../engine/runtime/engine.ts';
import type { Datum } from '../sql/base/datum.ts';
import type { Sink } from '../sql/catalog.ts';
import type { StatementResult } from './database.ts';
import { errorCounts } from './error-relations.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { BIGINT, DOUBLE, rowsResult, TEXT, TIMESTAMPTZ } from './row-result.ts';
import { sinkFacts } from './sink-definition.ts';

interface SinkContext {
  readonly catalog: LiveCatalog;
  readonly engine: Engine;
  readonly connectors: ConnectorRegistry;
}

export async function showSinks(context: SinkContext): Promise<StatementResult> {
  const rows: (Datum | null)[][] = [];
  for (const relation of context.catalog.relations()) {
    if (relation.kind === 'sink') rows.push(sinkRow(context, relation));
  }
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['connector', TEXT],
      ['target', TEXT],
      ['state', TEXT],
      ['guarantee', TEXT],
      ['rows', BIGINT],
      ['delivered', BIGINT],
      ['skipped', BIGINT],
      ['failed', BIGINT],
      ['lag_rows', BIGINT],
      ['lag_bytes', BIGINT],
      ['lag_seconds', DOUBLE],
      ['error', TEXT],
      ['error_since', TIMESTAMPTZ],
    ],
    rows,
  );
}

function sinkRow({ catalog, engine, connectors }: SinkContext, relation: Sink): (Datum | null)[] {
  const status = engine.taskStatus(relation.id);
  const sink = status?.sink;
  const { guarantee, target } = sinkFacts(connectors, relation);
  const count = (value: number | undefined): bigint | null =>
    value === undefined ? null : BigInt(value);
  return [
    relation.name,
    relation.connector,
    target ?? null,
    status?.state ?? 'paused',
    guarantee,
    count(status?.rowsChanged),
    count(sink?.delivered),
    count(sink?.skipped),
    count(errorCounts({ catalog, engine }, relation.name)?.count),
    count(sink?.lagRows),
    count(sink?.lagBytes),
    sink === undefined ? null : sink.lagMs / 1000,
    status?.reason ??
      sink?.refusal?.message ??
      catalog.find(relation.name)?.detail.pausedReason ??
      null,
    sink?.faultSinceMs === undefined ? null : BigInt(Math.round(sink.faultSinceMs * 1000)),
  ];
}

export function sinkProperties(
  { engine, connectors }: SinkContext,
  relation: Sink,
): [string, string][] {
  const { guarantee, target } = sinkFacts(connectors, relation);
  const sink = engine.taskStatus(relation.id)?.sink;
  const rows: [string, string][] = [
    ['connector', relation.connector],
    ['guarantee', guarantee],
  ];
  if (target !== undefined) rows.push(['target', target]);
  if (sink === undefined) return rows;
  rows.push(
    ['delivered', String(sink.delivered)],
    ['skipped', String(sink.skipped)],
    ['lag rows', String(sink.lagRows)],
    ['lag bytes', String(sink.lagBytes)],
    ['lag seconds', String(sink.lagMs / 1000)],
    ['holds its sources', String(sink.isFull)],
  );
  const detail = (sink.fault ?? sink.refusal)?.detail;
  const hint = (sink.fault ?? sink.refusal)?.hint;
  if (sink.refusal !== undefined) rows.push(['last row left out', sink.refusal.message]);
  if (detail !== undefined) rows.push(['error detail', detail]);
  if (hint !== undefined) rows.push(['hint', hint]);
  return rows;
}
