/** Who has to wait while sinks have too much to deliver. */
import type { PlanTask } from './plan-task.ts';

/** What of a plan set says so. */
export interface Plumbing {
  readonly tasks: ReadonlyMap<number, PlanTask>;
  readonly streams: ReadonlyMap<number, unknown>;
}

export interface Waiting {
  /** Streams that are not read, and tables whose changes stay out of epochs. */
  readonly held: ReadonlySet<number>;
  /**
   * Tables for which nobody should begin a change. A sink into a table is a change itself: were a change of several tables held for its
   * sake, it could wait behind that one for ever.
   */
  readonly crowded: ReadonlySet<number>;
}

/** All that the rows of full sinks come from, also through tables that sinks write into. */
export function findWaiting({ tasks, streams }: Plumbing): Waiting {
  const held = new Set<number>();
  const crowded = new Set<number>();
  const full = [...tasks.values()].filter(({ drain }) => drain?.isFull === true);
  if (full.length === 0) return { held, crowded };
  const visit = (id: number, isBehindTable: boolean): void => {
    if (held.has(id) || (isBehindTable && crowded.has(id))) return;
    if (isBehindTable && !streams.has(id)) crowded.add(id);
    else held.add(id);
    for (const input of tasks.get(id)?.reads ?? []) visit(input, isBehindTable);
    for (const task of tasks.values()) if (task.feedsTable === id) visit(task.id, true);
  };
  for (const { id, feedsTable } of full) visit(id, feedsTable !== undefined);
  return { held, crowded };
}
