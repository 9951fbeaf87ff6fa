/** A changed relation takes the place of the old one, and what reads it is bound anew. */
import type { TableRebuild } from '../../engine/store/store.ts';
import type { Relation } from '../../sql/catalog.ts';
import { LATE_SUFFIX } from '../../sql/late-relation.ts';
import type { Core } from '../core.ts';
import { storedTable } from '../definitions.ts';
import { errorsNameOf, renameErrors } from '../error-relations.ts';
import { storedLate } from '../event-time.ts';
import type { LiveRelation } from '../live-catalog.ts';
import { TableWriter } from '../table-writer.ts';
import { entryOf } from './entry.ts';
import { registerSource } from './source.ts';

/** Puts a table with other constraints in the place of the old one; its rows stay. */
export function putTable(core: Core, entry: LiveRelation): void {
  const { relation } = entry;
  core.catalog.put(entry);
  if (relation.kind !== 'table' || relation.input !== undefined) return;
  core.writers.set(relation.id, new TableWriter(relation, core.store));
}

/** Changes what a relation is beside its columns and rows: its indexes. */
export async function redefineRelation(core: Core, entry: LiveRelation): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(entry.relation, entry.detail)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    putTable(core, entry);
  });
}

/** Puts a changed relation in the place of the old one, and what reads it or refers to it, bound anew, too. */
export async function alterCatalog(
  core: Core,
  entry: LiveRelation,
  altered: Relation,
  others: {
    readonly readers: readonly LiveRelation[];
    readonly referring: readonly LiveRelation[];
  },
  rebuild: TableRebuild | undefined,
): Promise<void> {
  const { relation, detail } = entry;
  const { readers, referring } = others;
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [
        entryOf(altered, detail),
        ...[...referring, ...readers].map((one) => entryOf(one.relation, one.detail)),
      ],
      remove: [],
      createTables: [],
      dropTables: [],
      rebuildTables: rebuild === undefined ? [] : [rebuild],
    });
    core.catalog.remove(relation.name);
    if (detail.errorsId !== undefined) core.catalog.remove(errorsNameOf(relation.name, 'records'));
    if (detail.lateId !== undefined) core.catalog.remove(`${relation.name}${LATE_SUFFIX}`);
    const next = { ...entry, relation: altered };
    if (altered.kind === 'stream' && altered.query === undefined) {
      const owned = [detail.errorsId, detail.lateId].flatMap((id) => id ?? []);
      const versions = new Map(owned.map((id) => [id, core.engine.version(id)]));
      const marks = core.engine.stream(altered.id)?.watermark?.marks();
      await core.engine.remove(altered.id);
      for (const id of owned) await core.engine.remove(id);
      registerSource(core, next, (id) => versions.get(id) ?? core.engine.epoch);
      if (marks !== undefined && detail.lateId !== undefined) {
        const stored = storedLate(altered, detail.lateId);
        await core.engine.restoreWatermark({ relationId: altered.id, ...marks }, stored);
      }
    } else {
      core.catalog.put(next);
      const isKept = altered.kind === 'materialized-view' || altered.kind === 'sink';
      if (isKept && detail.errorsId !== undefined) renameErrors(core, altered, detail.errorsId);
    }
    if (altered.kind === 'table' && altered.input === undefined) {
      const { id, name, primaryKey: key } = altered;
      const isRenamed = altered.schema.some(
        (column, i) => column.name !== relation.schema[i]?.name,
      );
      if (rebuild !== undefined || isRenamed) {
        core.engine.alterTable({ id, name, stored: storedTable(altered), key });
      }
      core.writers.set(id, new TableWriter(altered, core.store));
    }
    for (const reader of readers) core.catalog.put(reader);
    for (const one of referring) putTable(core, one);
  });
  // An altered table has another version, so that nobody takes kept answers for it; the statement waits for that.
  await core.engine.changeTables([]);
}
