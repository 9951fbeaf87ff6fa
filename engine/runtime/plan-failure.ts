/** Plans that cannot go on: a recursive query without an end. */
import type { StreamError } from '../../sql/base/error.ts';
import type { PlanSet } from './plan-set.ts';
import type { PlanTask } from './plan-task.ts';
import type { Log } from './replay.ts';

/**
 * Call when all operators have flushed. A plan with an operator that cannot go on keeps its rows as the last commit left
 * them, with the reason, and so do all plans that read it: none of them shows what does not belong together.
 */
export function stopBroken(plans: PlanSet, log: Log): void {
  // Almost always nothing is broken, and this is asked every epoch.
  if (!plans.graph.nodes.some(({ operator }) => operator?.failure !== undefined)) return;
  for (const task of plans.tasks.values()) {
    const failure = failureOf(task);
    if (failure !== undefined) stop(plans, task, failure.message, log);
  }
}

function failureOf(task: PlanTask): StreamError | undefined {
  for (const { operator } of task.fragment?.nodes ?? []) {
    if (operator?.failure !== undefined) return operator.failure;
  }
  return undefined;
}

function stop(plans: PlanSet, task: PlanTask, reason: string, log: Log): void {
  if (task.state === 'failed') return;
  task.state = 'failed';
  task.reason = reason;
  task.output.muted = true;
  task.output.discard();
  log('error', `${task.name} cannot be kept up to date: ${reason}`);
  for (const reader of plans.tasks.values()) {
    if (reads(plans, reader, task.id)) {
      stop(plans, reader, `${task.name}, which it reads, cannot be kept up to date`, log);
    }
  }
}

/** A leaf stands in the fragment of one plan only, even if several share the node that it feeds. */
function reads(plans: PlanSet, reader: PlanTask, id: number): boolean {
  const nodes = reader.fragment?.nodes ?? [];
  for (const { fragment } of plans.tasks.values()) {
    const leaves = fragment?.leaves ?? [];
    if (leaves.some((leaf) => leaf.relationId === id && nodes.includes(leaf.target))) return true;
  }
  return false;
}
