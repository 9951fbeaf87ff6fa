/** SHOW WATERMARKS: how far event time has come, and which partition holds it back. */
import type { Engine } from '../engine/runtime/engine.ts';
import type { StreamTask } from '../engine/runtime/stream-task.ts';
import type { Datum } from '../sql/base/datum.ts';
import type { SqlType } from '../sql/base/type.ts';
import type { StatementResult } from './database.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { BIGINT, BOOLEAN, INTEGER, rowsResult, TEXT } from './row-result.ts';

const TIMESTAMP: SqlType = { kind: 'timestamp' };

/** One row a partition: the stream's watermark, the partition's own, and since when it is silent. */
export function showWatermarks({
  catalog,
  engine,
}: {
  readonly catalog: LiveCatalog;
  readonly engine: Engine;
}): StatementResult {
  const rows = catalog.live().flatMap(({ relation }) => {
    const stream = relation.kind === 'stream' ? engine.stream(relation.id) : undefined;
    return stream === undefined ? [] : rowsOf(relation.name, stream, engine.nowMs);
  });
  return rowsResult(
    'SHOW',
    [
      ['stream', TEXT],
      ['watermark', TIMESTAMP],
      ['partition', INTEGER],
      ['partition_watermark', TIMESTAMP],
      ['silent_ms', BIGINT],
      ['idle', BOOLEAN],
      ['holds_back', BOOLEAN],
      ['late_records', BIGINT],
      ['clamped_records', BIGINT],
    ],
    rows,
  );
}

function rowsOf(name: string, stream: StreamTask, nowMs: number): (Datum | null)[][] {
  const { watermark } = stream;
  if (watermark === undefined) return [];
  const partitions = watermark.describe(nowMs);
  const active = partitions.filter(({ isIdle }) => !isIdle);
  return partitions.map(({ partition, mark, idleMs, isIdle }) => [
    name,
    watermark.published ?? null,
    partition,
    mark ?? null,
    BigInt(Math.floor(idleMs)),
    isIdle,
    !isIdle && active.every((other) => isAtMost(mark, other.mark)),
    BigInt(stream.lateRecords),
    BigInt(watermark.clamped),
  ]);
}

/** A partition without a watermark is behind all others. */
const isAtMost = (mark: bigint | undefined, other: bigint | undefined): boolean =>
  mark === undefined || (other !== undefined && mark <= other);
