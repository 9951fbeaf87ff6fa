import type { QualifiedName } from '../sql/ast.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import type { MaterializedView, Relation, SourceRelation } from '../sql/catalog.ts';
import { pausedWith, refuseOverPaused } from './budget.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { changelogId, engineStreamId } from './definitions.ts';
import { changeDetail } from './lifecycle/entry.ts';
import { NO_REASON, pauseView, resumeView } from './lifecycle/view.ts';
import { okResult } from './row-result.ts';

/** How ksqlDB names the query that fills a relation. */
const QUERY_ID = /^(?:ctas|csas|insertquery)_(.+?)(?:_\d+)?$/;

/** ksqlDB's TERMINATE, by the relation's name or the id of its query: it stops as by PAUSE, and RESUME would go on. */
export async function terminate(
  core: Core,
  name: QualifiedName | 'all',
  context: BindContext,
): Promise<StatementResult> {
  const result = await pauseOrResume(
    core,
    'pause',
    name === 'all' ? name : filledBy(core, name),
    context,
  );
  return result.kind === 'ok' ? { ...result, tag: 'TERMINATE' } : result;
}

/** The relation that a query's id names, unless a relation has that name itself. */
function filledBy(core: Core, name: QualifiedName): QualifiedName {
  const [part, ...others] = name.parts;
  if (part === undefined || others.length > 0 || core.catalog.find(part.name) !== undefined) {
    return name;
  }
  const relation = QUERY_ID.exec(part.name.toLowerCase())?.[1];
  return relation === undefined ? name : { ...name, parts: [{ ...part, name: relation }] };
}

/**
 * PAUSE and RESUME. A paused stream is not read and loses nothing: it goes on where it stood. A paused view keeps its rows as
 * they are; on RESUME it is computed anew and takes the place of the old rows when it is level. A paused sink gathers its rows in the
 * outbox; RESUME also sets going one that its destination has stopped. ALL are streams, tables and views.
 */
export async function pauseOrResume(
  core: Core,
  verb: 'pause' | 'resume',
  name: QualifiedName | 'all',
  context: BindContext,
): Promise<StatementResult> {
  const paused = verb === 'pause';
  const relations = name === 'all' ? core.catalog.relations() : [requireRelation(name, context)];
  let changed = 0;
  for (const relation of relations) {
    if (relation.kind === 'sink' && name !== 'all') {
      if (!(await core.engine.pauseSink(relation.id, paused))) continue;
      await core.engine.atBoundary(() => changeDetail(core, relation.name, { paused }));
      changed++;
      continue;
    }
    const feederId = core.catalog.find(relation.name)?.detail.feederId;
    if (!paused && feederId !== undefined) await core.engine.pauseSink(feederId, false);
    const isPaused = core.catalog.find(relation.name)?.detail.paused === true;
    // A stream that stopped at a bad record tries it again.
    const isStopped = isSource(relation) && isStoppedAtRecord(core, relation);
    if (isPaused === paused && (paused || !isStopped)) continue;
    switch (relation.kind) {
      case 'stream':
        core.engine.pauseStream(relation.id, paused);
        break;
      case 'table':
        if (!core.engine.pauseStream(changelogId(relation.id), paused)) continue;
        break;
      case 'materialized-view':
        if (paused) await pauseView(core, relation);
        else changed += await resumeWithReaders(core, relation);
        changed++;
        continue;
      default:
        if (name === 'all') continue;
        throw new StreamError('SQL_WRONG_OBJECT_TYPE', `a ${relation.kind} cannot be paused`, {
          at: name.span,
        });
    }
    const change = { paused, ...NO_REASON };
    await core.engine.atBoundary(() => changeDetail(core, relation.name, change));
    changed++;
  }
  return okResult(
    verb.toUpperCase(),
    `${changed} ${changed === 1 ? 'object' : 'objects'} ${verb}d`,
  );
}

/** Views that were paused with the one that they read come back with it. @returns how many did. */
async function resumeWithReaders(core: Core, view: MaterializedView): Promise<number> {
  refuseOverPaused(core, view);
  await resumeView(core, view);
  const readers = pausedWith(core, view);
  for (const reader of readers) await resumeView(core, reader);
  return readers.length;
}

function isSource(relation: Relation): relation is SourceRelation {
  return relation.kind === 'stream' || relation.kind === 'table';
}

function isStoppedAtRecord(core: Core, relation: SourceRelation): boolean {
  return core.engine.stream(engineStreamId(relation))?.stoppedAt !== undefined;
}
