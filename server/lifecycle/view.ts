/** Views come, pause and go on: in the store, the engine and the catalog together, between two epochs. */
import { lower } from '../../engine/plan/lower.ts';
import type { PhysicalPlan } from '../../engine/plan/physical-plan.ts';
import { consolidateChange } from '../../engine/runtime/consolidate-change.ts';
import { storedRowErrors } from '../../engine/runtime/error-schema.ts';
import { buildFragment } from '../../engine/runtime/fragment.ts';
import type { ViewDefinition } from '../../engine/runtime/plan-task.ts';
import type { StoredRelation } from '../../engine/store/store.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { MaterializedView, PlainView, Relation } from '../../sql/catalog.ts';
import type { Core } from '../core.ts';
import { storedTable } from '../definitions.ts';
import {
  errorsIdFor,
  errorsNameOf,
  failuresOf,
  registerErrors,
  storedErrors,
} from '../error-relations.ts';
import type { RelationDetail, RelationOrigin } from '../live-catalog.ts';
import { changeDetail, counterOf, engineId, entryOf, startDetail, startOf } from './entry.ts';

/** A plain view is expanded where it is used; it has no rows of its own. */
export async function createPlainView(
  core: Core,
  view: PlainView,
  detail: RelationOrigin,
): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(view, detail), counterOf(core)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ relation: view, detail, owner: undefined });
  });
}

/** Creates a materialized view and starts its plan. */
export async function createView(
  core: Core,
  view: MaterializedView,
  origin: RelationOrigin,
): Promise<void> {
  const plan = lower(view.query, core.catalog);
  // Nobody could name the error relation of a query that lives as long as its reader.
  const errorsId = view.sql === '' ? undefined : errorsIdFor(core, view.name, 'rows');
  await core.engine.atBoundary(async () => {
    core.catalog.put({ relation: view, detail: { ...origin, errorsId }, owner: undefined });
    if (errorsId !== undefined) {
      registerErrors(core, view, 'rows', errorsId, core.engine.epoch);
    }
    try {
      const start = await core.engine.startView(viewDefinition(core, view, plan), false, origin);
      const detail: RelationDetail = { ...origin, errorsId, ...startDetail(start) };
      const errors = errorsId === undefined ? [] : [storedRowErrors(errorsId)];
      // The plan began between two epochs, so that nothing of it is committed before its table is there.
      await core.store.changeCatalog({
        put: [entryOf(view, detail), counterOf(core)],
        remove: [],
        createTables: [storedView(view, plan), ...errors],
        dropTables: [],
      });
      core.catalog.put({ relation: view, detail, owner: undefined });
    } catch (error) {
      await core.engine.remove(view.id);
      core.catalog.remove(view.name);
      if (errorsId !== undefined) {
        await core.engine.remove(errorsId);
        core.catalog.remove(errorsNameOf(view.name, 'rows'));
      }
      throw error;
    }
  });
}

function storedView(view: MaterializedView, plan: PhysicalPlan): StoredRelation {
  return { id: view.id, schema: view.schema, storage: plan.storage };
}

/** How a view's rows are stored, for pull queries. */
export function storedRelation(core: Core, relation: Relation): StoredRelation | undefined {
  switch (relation.kind) {
    case 'materialized-view':
      return storedView(relation, lower(relation.query, core.catalog));
    case 'table': {
      const owner = core.catalog.find(relation.name)?.owner;
      if (owner === undefined) return storedTable(relation);
      const { id, schema } = relation;
      const isLate = core.catalog.findById(owner)?.detail.lateId === id;
      return isLate ? { id, schema, storage: { kind: 'append' } } : storedErrors(relation);
    }
    default:
      return undefined;
  }
}

export function viewDefinition(
  core: Core,
  view: MaterializedView,
  plan: PhysicalPlan,
): ViewDefinition {
  return {
    id: view.id,
    name: view.name,
    stored: storedView(view, plan),
    fragment: buildFragment(plan.root, (name) => engineId(core, name)),
    failures: failuresOf(core, view.name, core.catalog.find(view.name)?.detail.errorsId),
    stateBytesMax: view.stateBytesMax,
    canGiveWay: true,
    key: plan.storage.kind === 'keyed' ? plan.storage.key : [],
    consolidate: plan.storage.kind === 'keyed' ? consolidateChange(view.schema) : undefined,
    // A push query's view has no statement, and is gone after a restart.
    isTransient: view.sql === '',
  };
}

/** What a relation's entry says no more when somebody pauses or resumes it. */
export const NO_REASON = { pausedReason: undefined, pausedWith: undefined } as const;

/** Takes a view out of the engine; its rows stay as they are. */
export async function pauseView(core: Core, view: MaterializedView): Promise<void> {
  const [reader] = core.catalog.readersOf(view.name);
  if (reader !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot pause "${view.name}": ${reader.kind} "${reader.name}" reads it`,
      { hint: `PAUSE ${reader.name} first, or pause the streams that feed both.` },
    );
  }
  await core.engine.atBoundary(async () => {
    // First of all: a view that a restart takes for a running one must not have missed an epoch.
    await changeDetail(core, view.name, { paused: true, ...NO_REASON });
    await core.engine.remove(view.id);
  });
}

/** Puts a definition with another budget in the place of a view's; its rows and its plan stay. */
export async function redefineView(core: Core, view: MaterializedView): Promise<void> {
  await core.engine.atBoundary(async () => {
    const entry = core.catalog.find(view.name);
    if (entry === undefined) return;
    await core.store.changeCatalog({
      put: [entryOf(view, entry.detail)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ ...entry, relation: view });
    core.engine.setStateBudget(view.id, view.stateBytesMax);
  });
}

/** Computes a paused view anew; its first commit replaces the old rows. */
export async function resumeView(core: Core, view: MaterializedView): Promise<void> {
  const plan = lower(view.query, core.catalog);
  await core.engine.atBoundary(async () => {
    const detail = core.catalog.find(view.name)?.detail ?? {};
    // What left out the past at first leaves out the same again.
    const from = detail.startAt === undefined ? undefined : startOf(detail).starts;
    try {
      const definition = viewDefinition(core, view, plan);
      const start = await core.engine.startView(definition, true, { from });
      await changeDetail(core, view.name, {
        ...startDetail(start),
        level: false,
        paused: false,
        ...NO_REASON,
      });
    } catch (error) {
      await core.engine.remove(view.id);
      throw error;
    }
  });
}
