/** Sinks come: with what they could not compute in an error relation of their own. */
import { lower } from '../../engine/plan/lower.ts';
import type { PhysicalPlan } from '../../engine/plan/physical-plan.ts';
import { storedRowErrors } from '../../engine/runtime/error-schema.ts';
import { buildFragment } from '../../engine/runtime/fragment.ts';
import type { SinkDefinition } from '../../engine/runtime/plan-task.ts';
import type { Sink } from '../../sql/catalog.ts';
import type { Core } from '../core.ts';
import { errorsIdFor, failuresOf, registerErrors } from '../error-relations.ts';
import type { RelationDetail, RelationOrigin } from '../live-catalog.ts';
import { sinkDefinition } from '../sink-definition.ts';
import { forgetRelation } from './drop.ts';
import { counterOf, engineId, entryOf, startDetail } from './entry.ts';

/** @throws StreamError for options or a query that the sink cannot take; changes nothing. */
export function checkSink(core: Core, sink: Sink): void {
  sinkOf(core, sink, lower(sink.query, core.catalog), undefined);
}

export async function createSink(core: Core, sink: Sink, origin: RelationOrigin): Promise<void> {
  const plan = lower(sink.query, core.catalog);
  const errorsId = errorsIdFor(core, sink.name, 'rows');
  const definition = sinkOf(core, sink, plan, errorsId);
  const created = { relation: sink, detail: { ...origin, errorsId }, owner: undefined };
  await core.engine.atBoundary(async () => {
    core.catalog.put(created);
    registerErrors(core, sink, 'rows', errorsId, core.engine.epoch);
    try {
      const start = await core.engine.startSink(definition, origin);
      const detail: RelationDetail = { ...created.detail, ...startDetail(start) };
      // As with views: the sink may begin before its entry is there.
      await core.store.changeCatalog({
        put: [entryOf(sink, detail), counterOf(core)],
        remove: [],
        createTables: [storedRowErrors(errorsId)],
        dropTables: [],
      });
      core.catalog.put({ ...created, detail });
    } catch (error) {
      await forgetRelation(core, created);
      throw error;
    }
  });
}

export function sinkOf(
  core: Core,
  sink: Sink,
  plan: PhysicalPlan,
  errorsId: number | undefined,
): SinkDefinition {
  const fragment = buildFragment(plan.root, (name) => engineId(core, name));
  const failures = failuresOf(core, sink.name, errorsId);
  return sinkDefinition(core, sink, plan, { fragment, failures });
}
