/** After a restart: everything that the last commit left, before the engine goes on. */
import { WALL_CLOCK_ID } from '../../engine/runtime/plan-task.ts';
import type { StoreStatus } from '../../engine/store/store.ts';
import type { Core } from '../core.ts';
import { relationOf } from '../ddl.ts';
import { storedLate } from '../event-time.ts';
import { ROUTINE_KIND, restoreRoutine } from '../function/create-function.ts';
import type { RelationDetail } from '../live-catalog.ts';
import { TRANSIENT_PREFIX } from '../push-query.ts';
import { SEQUENCE_KIND } from '../sequences.ts';
import { restoreType } from '../user-types.ts';
import { COUNTER_KIND, SCHEMA_KIND, TYPE_KIND } from './entry.ts';
import { restoreRelation } from './restore.ts';

/** Brings back what the catalog holds: everything that statements have made. */
export async function restoreCatalog(core: Core, status: StoreStatus): Promise<void> {
  const counter = status.catalog.find((entry) => entry.kind === COUNTER_KIND);
  if (counter !== undefined) core.catalog.reserveIds(JSON.parse(counter.detail).lastId as number);
  const all = status.catalog
    .filter((entry) => entry.kind !== COUNTER_KIND)
    .sort((a, b) => a.id - b.id);
  const isType = (entry: { readonly kind: string }): boolean => entry.kind === TYPE_KIND;
  // An older table may have got a column of a newer type.
  for (const entry of all.filter(isType)) restoreType(core, entry);
  const entries = all.filter((entry) => !isType(entry));
  for (const entry of entries) {
    if (entry.name.startsWith(TRANSIENT_PREFIX)) {
      const { id } = entry;
      await core.store.changeCatalog({ put: [], remove: [id], createTables: [], dropTables: [id] });
      continue;
    }
    if (entry.kind === SEQUENCE_KIND) {
      core.sequences.restore(entry.id, entry.name, entry.detail);
      continue;
    }
    if (entry.kind === ROUTINE_KIND) {
      await restoreRoutine(core, entry.id, entry.sql);
      continue;
    }
    if (entry.kind === SCHEMA_KIND) {
      core.catalog.addSchema(entry.name, entry.id);
      continue;
    }
    const detail = JSON.parse(entry.detail) as RelationDetail;
    const relation = relationOf(core, entry.sql, entry.id, detail);
    await restoreRelation(core, relation, detail, (id) => status.versions.get(id) ?? 0);
  }
}

/** Brings back the clocks of the last commit. */
export async function restoreWatermarks(core: Core, status: StoreStatus): Promise<void> {
  for (const marks of status.watermarks) {
    if (marks.relationId === WALL_CLOCK_ID) core.engine.restoreWallClock(marks.stream);
    const entry = core.catalog.findById(marks.relationId);
    const { lateId } = entry?.detail ?? {};
    if (entry?.relation.kind !== 'stream' || lateId === undefined) continue;
    await core.engine.restoreWatermark(marks, storedLate(entry.relation, lateId));
  }
}

/** How far each partition had been read, by stream. */
export function positionsOf(status: StoreStatus): Map<number, Map<number, number>> {
  const positions = new Map<number, Map<number, number>>();
  for (const { relationId, partition, offset } of status.positions) {
    const own = positions.get(relationId) ?? new Map<number, number>();
    own.set(partition, offset);
    positions.set(relationId, own);
  }
  return positions;
}
