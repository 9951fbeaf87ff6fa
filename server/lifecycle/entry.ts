/** What the catalog keeps of a relation, in the commit that changes it. */
import type { PlanStart } from '../../engine/runtime/plan-task.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Relation } from '../../sql/catalog.ts';
import type { Core } from '../core.ts';
import type { RelationDetail } from '../live-catalog.ts';

/** The engine's id of a relation that a plan reads. */
export function engineId(core: Core, name: string): number {
  const relation = core.catalog.relation(name);
  if (relation === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${name}" does not exist`);
  }
  return relation.id;
}

export function startOf(detail: RelationDetail): PlanStart {
  const starts = new Map<number, Map<number, number>>();
  for (const [stream, partitions] of Object.entries(detail.starts ?? {})) {
    starts.set(
      Number(stream),
      new Map(Object.entries(partitions).map(([partition, offset]) => [Number(partition), offset])),
    );
  }
  return { starts, epoch: detail.started ?? 0 };
}

export function startDetail({
  starts,
  epoch,
}: PlanStart): Pick<RelationDetail, 'starts' | 'started'> {
  return {
    starts: Object.fromEntries(
      [...starts].map(([stream, partitions]) => [stream, Object.fromEntries(partitions)]),
    ),
    started: epoch,
  };
}

/**
 * Changes what is persisted beside a relation's statement. Call it inside `atBoundary`: between two steps of a DROP or ALTER it
 * would put back what those have written.
 */
export async function changeDetail(
  core: Core,
  name: string,
  change: Partial<RelationDetail>,
): Promise<void> {
  const entry = core.catalog.find(name);
  if (entry === undefined) return;
  const detail = { ...entry.detail, ...change };
  core.catalog.put({ ...entry, detail });
  await core.store.changeCatalog({
    put: [entryOf(entry.relation, detail)],
    remove: [],
    createTables: [],
    dropTables: [],
  });
}

export function entryOf(relation: Relation, detail: RelationDetail) {
  return {
    id: relation.id,
    name: relation.name,
    kind: relation.kind,
    sql: relation.sql,
    detail: JSON.stringify(detail),
  };
}

/** Ids are never used twice: the highest one is persisted beside the entries. */
export const COUNTER_KIND = 'counter';

/** The catalog's entries of schemas. */
export const SCHEMA_KIND = 'schema';
/** The catalog's entries of types. */
export const TYPE_KIND = 'type';

export function counterOf(core: Core) {
  return {
    id: 0,
    name: '',
    kind: COUNTER_KIND,
    sql: '',
    detail: JSON.stringify({ lastId: core.catalog.lastId }),
  };
}
