/** Relations go: out of the engine, the catalog and the store together, between two epochs. */
import type { Core } from '../core.ts';
import { changelogId } from '../definitions.ts';
import type { LiveRelation } from '../live-catalog.ts';
import { putTable } from './alter.ts';
import { entryOf } from './entry.ts';

/** Takes a relation, and what belongs to it, out of engine and catalog; call it inside `atBoundary`. */
export async function forgetRelation(
  core: Core,
  { relation, detail }: LiveRelation,
): Promise<void> {
  const { id, name, kind } = relation;
  const { feederId, dlqId } = detail;
  for (const { relation: owned, owner } of core.catalog.live()) {
    if (owner !== id) continue;
    await core.engine.remove(owned.id);
    core.catalog.remove(owned.name);
  }
  if (feederId !== undefined) await core.engine.remove(feederId);
  await core.engine.remove(id);
  if (kind === 'table') await core.engine.remove(changelogId(id));
  if (dlqId !== undefined) await core.engine.remove(dlqId);
  core.catalog.remove(name);
  core.writers.delete(id);
}

/**
 * Drops a relation and what falls with it; the caller has checked that nothing else reads it.
 * @param referring  tables without the foreign keys that referred to what is dropped.
 */
export async function dropRelations(
  core: Core,
  doomed: readonly LiveRelation[],
  referring: readonly LiveRelation[] = [],
): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: referring.map(({ relation, detail }) => entryOf(relation, detail)),
      // Sinks that a stream has of its own leave their outbox with it.
      remove: doomed
        .filter(({ owner }) => owner === undefined)
        .flatMap(({ relation, detail }) => [relation.id, detail.feederId, detail.dlqId])
        .filter((id) => id !== undefined),
      createTables: [],
      dropTables: doomed
        .map(({ relation }) => relation)
        .filter(({ kind }) => kind === 'materialized-view' || kind === 'table')
        .map(({ id }) => id),
    });
    for (const one of doomed) await forgetRelation(core, one);
    for (const entry of referring) putTable(core, entry);
    const own = doomed.flatMap(({ relation }) => core.sequences.ownedBy(relation.name));
    await core.sequences.remove(own);
  });
}
