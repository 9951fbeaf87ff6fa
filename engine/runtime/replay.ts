/**
 * After a restart, for plans whose state was not read back (state-recovery.ts): it is rebuilt from the retained records
 * between the plan's start and the committed positions, and from the stored rows of the tables and views that it reads, with
 * the outputs muted, since the store already has those rows. Until that is done no plan hears of another one, except where
 * both begin anew.
 */
import type { Offset } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Store } from '../store/store.ts';
import { selectColumns } from './graph.ts';
import { ViewOutput } from './output.ts';
import { stopBroken } from './plan-failure.ts';
import type { PlanSet } from './plan-set.ts';
import { type PlanTask, pushInto, type StreamOffsets } from './plan-task.ts';
import type { ScanReader } from './scan-cursor.ts';
import type { PartitionBounds, StreamTask } from './stream-task.ts';

export type Log = (level: 'info' | 'warn' | 'error', message: string, detail?: unknown) => void;

type Owners = ReadonlyMap<number, readonly ScanReader[]>;

/**
 * Opens every stream at the place from which its plans must read again, and feeds what stored relations hold.
 * @param mustBeWhole  called with the reason instead of failing a plan that cannot be rebuilt.
 */
export async function beginReplay(
  plans: PlanSet,
  store: Store,
  committed: StreamOffsets,
  log: Log,
  mustBeWhole?: ((reason: string) => never) | undefined,
): Promise<void> {
  beginAnewBehind(plans);
  const byStream = readersByStream(plans, committed);
  await feedStored(plans, store);
  for (const [stream, owners] of byStream) {
    const { id, name } = stream.definition;
    const positions = committed.get(id) ?? new Map<number, Offset>();
    const bounds = await boundsIfReachable(stream, owners, positions, log);
    failWhatIsGone(plans, stream, owners, bounds, positions, (task, reason) => {
      mustBeWhole?.(`${task.name} cannot be rebuilt, since ${reason}`);
      fail(task, reason, log);
    });
    const from = replayStart(owners, bounds, positions);
    await stream.restore(owners, from, positions);
    if (!stream.isReplaying) continue;
    log('info', `rebuilding state from ${name}`, {
      from: Object.fromEntries(from),
      to: Object.fromEntries(positions),
    });
  }
}

/** True when every stream has reached its committed positions; the outputs speak again from then on. */
export function endReplayWhenDone(plans: PlanSet, log: Log): boolean {
  for (const stream of plans.streams.values()) if (stream.isReplaying) return false;
  // As the last commit left them: what comes by a later time is not in the store yet.
  plans.clocks.tell();
  plans.graph.flush();
  stopBroken(plans, log);
  plans.connectLeaves();
  for (const task of plans.tasks.values()) {
    // The rows of a failed plan stay as they were committed.
    if (task.state !== 'failed') task.output.muted = false;
    if (task.state === 'running' && !task.isRestored) plans.shareLater(task);
  }
  for (const stream of plans.streams.values()) stream.endReplay();
  return true;
}

function readersByStream(plans: PlanSet, committed: StreamOffsets): Map<StreamTask, Owners> {
  const byStream = new Map<StreamTask, Map<number, readonly ScanReader[]>>();
  for (const task of plans.tasks.values()) {
    if (task.fragment === undefined) continue;
    // A plan that has its state, or needs none, goes on where the commit left it; others read again from their start.
    const resumes = task.isRestored || (task.fragment.stateless && task.state === 'running');
    const from = resumes ? committed : task.starts;
    for (const [stream, readers] of plans.streamReaders(task, task.fragment, from)) {
      const owners = byStream.get(stream) ?? new Map<number, readonly ScanReader[]>();
      owners.set(task.id, readers);
      byStream.set(stream, owners);
    }
  }
  return byStream;
}

/** A view over one that begins anew does so as well: what it holds is not what the other one held at any commit. */
function beginAnewBehind(plans: PlanSet): void {
  for (const task of plans.tasks.values()) {
    const { output } = task;
    if (task.state !== 'running' || !(output instanceof ViewOutput)) continue;
    if (!inputsOf(plans, task).some((input) => isAnew(input))) continue;
    task.state = 'catching-up';
    output.muted = false;
    output.replace = true;
  }
}

function isAnew({ fragment, state }: PlanTask): boolean {
  return fragment !== undefined && state === 'catching-up';
}

function inputsOf(plans: PlanSet, { fragment }: PlanTask): PlanTask[] {
  const leaves = (fragment?.leaves ?? []).filter(({ isClock }) => !isClock);
  const inputs = leaves.map(({ relationId }) => plans.tasks.get(relationId));
  return inputs.filter((input) => input !== undefined);
}

/** Gives plans without state the committed rows of what they read; views that begin anew say by themselves what they hold. */
async function feedStored(plans: PlanSet, store: Store): Promise<void> {
  plans.connectLeaves(isAnew);
  for (const task of plans.tasks.values()) {
    const { fragment, isRestored, state } = task;
    if (fragment === undefined || isRestored) continue;
    if (fragment.stateless && state === 'running') continue;
    for (const leaf of fragment.leaves) {
      const source = leaf.isClock ? undefined : plans.tasks.get(leaf.relationId);
      if (source === undefined || isAnew(source) || !(source.output instanceof ViewOutput))
        continue;
      for await (const batch of store.scan(source.output.relation)) {
        pushInto(leaf, selectColumns(batch, leaf.columns));
      }
    }
  }
}

/** A source that is down must not keep the server from serving: reading begins when it is back. */
async function boundsIfReachable(
  stream: StreamTask,
  owners: Owners,
  committed: ReadonlyMap<number, Offset>,
  log: Log,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  try {
    return await stream.definition.bounds();
  } catch (cause) {
    if (!(cause instanceof StreamError) || cause.facts.retry !== 'backoff') throw cause;
    log('warn', `${stream.definition.name} cannot be reached yet`, cause);
    const bounds = new Map<number, PartitionBounds>();
    for (const [partition, offset] of committed) {
      const starts = [...owners.values()].flat().map((reader) => reader.from.get(partition) ?? 0);
      bounds.set(partition, { earliest: Math.min(offset, ...starts), end: offset });
    }
    return bounds;
  }
}

/** A plan whose records are no longer retained cannot be rebuilt: its rows stay, with the reason. */
function failWhatIsGone(
  plans: PlanSet,
  stream: StreamTask,
  owners: Owners,
  bounds: ReadonlyMap<number, PartitionBounds>,
  committed: ReadonlyMap<number, Offset>,
  failed: (task: PlanTask, reason: string) => void,
): void {
  for (const [owner, readers] of owners) {
    const task = plans.tasks.get(owner);
    // A plan that had not caught up begins anew with what is there.
    if (task === undefined || task.state !== 'running') continue;
    for (const [partition, { earliest }] of bounds) {
      const start = Math.min(...readers.map((reader) => reader.from.get(partition) ?? 0));
      if (start >= earliest || start >= (committed.get(partition) ?? 0)) continue;
      failed(
        task,
        `records ${start}..${earliest - 1} of ${stream.definition.name} partition ${partition} are no longer retained`,
      );
    }
  }
}

function fail(task: PlanTask, reason: string, log: Log): void {
  task.state = 'failed';
  task.reason = reason;
  log('error', `${task.name} cannot be kept up to date: ${reason}`);
}

function replayStart(
  owners: Owners,
  bounds: ReadonlyMap<number, PartitionBounds>,
  committed: ReadonlyMap<number, Offset>,
): ReadonlyMap<number, Offset> {
  const from = new Map<number, Offset>();
  for (const [partition, { earliest }] of bounds) {
    let start = committed.get(partition) ?? earliest;
    for (const reader of [...owners.values()].flat()) {
      start = Math.min(start, Math.max(reader.from.get(partition) ?? 0, earliest));
    }
    from.set(partition, start);
  }
  return from;
}
