/** Budgets of views: a view that holds more state than it may is paused, and so is what reads it; everything else goes on. */
import { parseByteSize } from '../sql/base/byte-size.ts';
import { StreamError } from '../sql/base/error.ts';
import type { MaterializedView } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { changeDetail } from './lifecycle/entry.ts';

/** `max_state` of a view's options. @throws StreamError SQL_INVALID_OPTION. */
export function stateBudget(options: ReadonlyMap<string, string>): number | undefined {
  const text = options.get('max_state');
  if (text === undefined) return undefined;
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new StreamError('SQL_INVALID_OPTION', `invalid value for "max_state": "${text}"`, {
    hint: "It is a size such as '256 MB'.",
  });
}

/** The view keeps its rows and the reason why it does not follow any more; readers go first. */
export async function pauseOverBudget(core: Core, id: number, reason: string): Promise<void> {
  await core.engine.atBoundary(async () => {
    const view = core.catalog.findById(id)?.relation;
    if (view === undefined || view.kind !== 'materialized-view') return;
    if (view.sql === '') {
      // A query that lives as long as its reader ends with it.
      core.engine.feed(id)?.fail(new StreamError('PRESSURE', `the query ended: ${reason}`));
      return;
    }
    for (const { relation, owner } of core.catalog.withDependents(view.name)) {
      const isPlan = relation.kind === 'materialized-view' || relation.kind === 'sink';
      if (!isPlan || owner !== undefined) continue;
      await core.engine.remove(relation.id);
      const isFirst = relation === view;
      await changeDetail(core, relation.name, {
        paused: true,
        pausedReason: isFirst ? reason : `it reads "${view.name}", which is paused`,
        pausedWith: isFirst ? undefined : view.name,
      });
    }
    core.log.warn({ view: view.name }, `${view.name} is paused: ${reason}`);
  });
}

/** Views that were paused because they read `view`, in the order in which they can be resumed. */
export function pausedWith(core: Core, view: MaterializedView): readonly MaterializedView[] {
  return core.catalog
    .live()
    .filter(({ detail }) => detail.paused === true && detail.pausedWith === view.name)
    .map(({ relation }) => relation)
    .filter((relation) => relation.kind === 'materialized-view');
}

/** @throws StreamError while something that the view reads is paused: it would follow nothing. */
export function refuseOverPaused(core: Core, view: MaterializedView): void {
  const paused = view.dependsOn.find(
    (name) =>
      core.catalog.relation(name)?.kind === 'materialized-view' &&
      core.catalog.find(name)?.detail.paused === true,
  );
  if (paused === undefined) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot resume "${view.name}": it reads "${paused}", which is paused`,
    { hint: `RESUME ${paused} first.` },
  );
}
