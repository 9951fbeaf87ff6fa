/** Which plan has to give way, when operators hold more than they may. */
import type { PlanSet } from './plan-set.ts';
import type { PlanTask } from './plan-task.ts';

export interface OverBudget {
  readonly task: PlanTask;
  readonly reason: string;
}

/**
 * @param totalBytesMax  state of all plans together.
 * @returns the first plan above its own budget; above the total one, the view that holds most.
 */
export function findOverBudget(plans: PlanSet, totalBytesMax: number): OverBudget | undefined {
  let largest: PlanTask | undefined;
  let largestBytes = 0;
  for (const task of plans.tasks.values()) {
    if (!task.canGiveWay) continue;
    // Its state is still counted; what is left without it shows when it is out.
    if (task.isGivingWay) return undefined;
    const bytes = stateBytesOf(task);
    if (bytes > task.stateBytesMax) {
      return {
        task,
        reason: `its state of ${bytes} bytes is over max_state, ${task.stateBytesMax} bytes`,
      };
    }
    if (bytes <= largestBytes) continue;
    largest = task;
    largestBytes = bytes;
  }
  if (largest === undefined || totalBytesMax === Number.POSITIVE_INFINITY) return undefined;
  let total = 0;
  // Nodes that plans share are held once.
  for (const { operator } of plans.graph.nodes) total += operator?.stateBytes() ?? 0;
  if (total <= totalBytesMax) return undefined;
  return {
    task: largest,
    reason: `the state of all views, ${total} bytes, is over --memory, ${totalBytesMax} bytes, and it holds most: ${largestBytes} bytes`,
  };
}

/** Of all operators of the plan, those that other plans share included. */
export function stateBytesOf(task: PlanTask): number {
  let bytes = 0;
  for (const { operator } of task.fragment?.nodes ?? []) bytes += operator?.stateBytes() ?? 0;
  return bytes;
}
