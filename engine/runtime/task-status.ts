import { stateBytesOf } from './budget.ts';
import { ViewOutput } from './output.ts';
import type { PlanSet } from './plan-set.ts';
import type { TaskState } from './plan-task.ts';
import type { SinkStatus } from './sink-drain.ts';

export interface TaskStatus {
  readonly state: TaskState;
  readonly reason: string | undefined;
  readonly version: number;
  /** 0 to 1 while catching up, then 1. */
  readonly progress: number;
  readonly rowsIn: number;
  readonly rowsChanged: number;
  /** Of all operators of the plan, those that other plans share included. */
  readonly stateBytes: number;
  readonly stateEntries: number;
  readonly subscribers: number;
  /** Rows that expressions failed for, since the start of the process. */
  readonly failed: number;
  /** Of a sink that delivers rows. */
  readonly sink: SinkStatus | undefined;
}

export function taskStatus(plans: PlanSet, id: number): TaskStatus | undefined {
  const task = plans.tasks.get(id);
  if (task === undefined) return undefined;
  const { state, reason, version, output, root, drain, feed, failures } = task;
  let stateEntries = 0;
  for (const { operator } of task.fragment?.nodes ?? []) {
    stateEntries += operator?.stateEntries() ?? 0;
  }
  const sink = drain?.status;
  return {
    state: sinkState(sink) ?? state,
    reason: reason ?? sink?.fault?.message,
    version,
    progress: state === 'catching-up' ? progressOf(plans, id) : 1,
    rowsIn: root.rowsOut,
    rowsChanged: output instanceof ViewOutput ? output.rowsChanged : output.rows,
    stateBytes: stateBytesOf(task),
    stateEntries,
    subscribers: feed?.subscribers ?? 0,
    failed: failures?.total ?? 0,
    sink,
  };
}

function sinkState(sink: SinkStatus | undefined): TaskState | undefined {
  if (sink?.isPaused === true) return 'paused';
  return sink?.isStopped === true ? 'failed' : undefined;
}

function progressOf(plans: PlanSet, id: number): number {
  const task = plans.tasks.get(id);
  let done = 0;
  let total = 0;
  for (const [streamId, target] of task?.targets ?? []) {
    const start = task?.starts.get(streamId) ?? new Map();
    const part = plans.streams.get(streamId)?.progress(id, start, target);
    done += part?.done ?? 0;
    total += part?.total ?? 0;
  }
  return total > 0 ? done / total : 1;
}
