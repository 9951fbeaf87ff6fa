/** After a restart: everything that the catalog held at the last commit comes back. */
import { lower } from '../../engine/plan/lower.ts';
import type { Relation, SourceRelation } from '../../sql/catalog.ts';
import type { Core } from '../core.ts';
import { engineStreamId } from '../definitions.ts';
import { deadLetterSink } from '../error-policy.ts';
import { registerErrors } from '../error-relations.ts';
import type { LiveRelation, RelationDetail } from '../live-catalog.ts';
import { startOf } from './entry.ts';
import { sinkOf } from './sink.ts';
import { changelogView, feederOf, isChangelogTable, registerSource } from './source.ts';
import { viewDefinition } from './view.ts';

/** Registers everything that the catalog held at the last commit; `engine.begin` then rebuilds the state. */
export async function restoreRelation(
  core: Core,
  relation: Relation,
  detail: RelationDetail,
  versionOf: (id: number) => number,
): Promise<void> {
  const entry = { relation, detail, owner: undefined };
  const version = versionOf(relation.id);
  const start = startOf(detail);
  switch (relation.kind) {
    case 'stream':
    case 'table':
      registerSource(core, entry, versionOf);
      restoreDeadLetters(core, relation, detail.dlqId);
      if (isChangelogTable(relation)) {
        const view = changelogView(core, relation);
        core.engine.restoreView(view, version, start, detail.level === true);
      }
      if (detail.feederId !== undefined && relation.kind === 'stream') {
        const feeder = feederOf(relation, detail.feederId);
        const plan = lower(feeder.query, core.catalog);
        const sink = sinkOf(core, feeder, plan, detail.feederErrorsId);
        core.engine.restoreSink(sink, start, detail.level === true);
      }
      if (detail.paused === true) {
        core.engine.pauseStream(engineStreamId(relation), true);
      }
      return;
    case 'materialized-view': {
      core.catalog.put(entry);
      restoreErrors(core, entry, versionOf);
      if (detail.paused === true) return;
      const plan = lower(relation.query, core.catalog);
      const view = viewDefinition(core, relation, plan);
      core.engine.restoreView(view, version, start, detail.level === true);
      return;
    }
    case 'sink': {
      core.catalog.put(entry);
      restoreErrors(core, entry, versionOf);
      // Taken out with a view that was over its budget; PAUSE of a sink only holds its deliveries.
      if (detail.paused === true && detail.pausedReason !== undefined) return;
      const plan = lower(relation.query, core.catalog);
      const sink = sinkOf(core, relation, plan, detail.errorsId);
      core.engine.restoreSink(sink, start, detail.level === true);
      if (detail.paused === true) await core.engine.pauseSink(relation.id, true);
      return;
    }
    case 'view':
      core.catalog.put(entry);
  }
}

function restoreDeadLetters(core: Core, relation: SourceRelation, dlqId: number | undefined): void {
  const sink = dlqId === undefined ? undefined : deadLetterSink(core, relation, dlqId);
  core.engine.routeDeadLetters(engineStreamId(relation), sink?.receives ? sink.id : undefined);
  if (sink !== undefined) core.engine.restoreSink(sink, startOf({}), true);
}

function restoreErrors(
  core: Core,
  { relation, detail }: LiveRelation,
  versionOf: (id: number) => number,
): void {
  const { errorsId } = detail;
  if (errorsId !== undefined) {
    registerErrors(core, relation, 'rows', errorsId, versionOf(errorsId));
  }
}
