/** FLUSH: waits until everything that sources hold is consumed, committed and delivered. */
import type { Offset } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { PlanSet } from './plan-set.ts';
import type { StreamTask } from './stream-task.ts';
import type { Waiters } from './waiters.ts';

/** Longest wait between two looks; every commit looks too. */
const LOOK_WAIT_MS = 1_000;

/** What a flush sees of the epoch loop. */
export interface Flushed {
  readonly waiters: Waiters;
  readonly isReplaying: boolean;
  readonly failure: StreamError | undefined;
  atBoundary<T>(change: () => Promise<T>): Promise<T>;
}

type Ends = ReadonlyMap<StreamTask, ReadonlyMap<number, Offset>>;

/**
 * Settles when everything that sources hold now is consumed, committed and delivered.
 * @throws StreamError STATEMENT_CANCELED when the signal fires first, STREAM_STOPPED when a source waits for somebody.
 */
export async function flushAll(loop: Flushed, plans: PlanSet, signal: AbortSignal): Promise<void> {
  for (;;) {
    const delivered = deliveredRecords(plans);
    const ends = await endsNow(plans);
    await loop.atBoundary(async () => undefined);
    const isReached = (): boolean => !loop.isReplaying && hasReached(plans, ends);
    while (!isReached()) {
      if (signal.aborted) throw new StreamError('STATEMENT_CANCELED', 'canceling statement');
      if (loop.failure !== undefined) throw loop.failure;
      refuseStopped(ends.keys());
      await loop.waiters.until(isReached, LOOK_WAIT_MS, signal);
    }
    for (const task of plans.tasks.values()) await task.drain?.delivered(signal);
    // Rows that sinks brought into topics may feed streams: go round until nothing moves.
    if (deliveredRecords(plans) === delivered) return;
  }
}

async function endsNow(plans: PlanSet): Promise<Ends> {
  const ends = new Map<StreamTask, ReadonlyMap<number, Offset>>();
  for (const stream of plans.streams.values()) {
    if (stream.isRead && !stream.paused) ends.set(stream, await stream.refreshEnds());
  }
  return ends;
}

function deliveredRecords(plans: PlanSet): number {
  let sum = 0;
  for (const task of plans.tasks.values()) sum += task.drain?.records ?? 0;
  return sum;
}

function hasReached(plans: PlanSet, ends: Ends): boolean {
  for (const [stream, partitions] of ends) {
    if (!stream.isRead || plans.streams.get(stream.definition.id) !== stream) continue;
    for (const [partition, end] of partitions) {
      if (Number.isFinite(end) && (stream.committed.get(partition) ?? 0) < end) return false;
    }
  }
  for (const task of plans.tasks.values()) if (task.state === 'catching-up') return false;
  return true;
}

/** Nobody should wait for a stream that waits for somebody. */
function refuseStopped(streams: Iterable<StreamTask>): void {
  for (const { stoppedAt, definition } of streams) {
    if (stoppedAt === undefined) continue;
    const { partition, offset, error } = stoppedAt;
    throw new StreamError(
      'STREAM_STOPPED',
      `stream "${definition.name}" stopped at partition ${partition} offset ${offset}: ${error.message}`,
      {
        hint: `RESUME ${definition.name} tries the record again, ALTER STREAM ${definition.name} SKIP RECORD leaves it out.`,
      },
    );
  }
}
