/** A view's rows as of one commit, then every change after it. */

import type { Batch } from '../engine/delta/batch.ts';
import type { RowChange } from '../engine/view/row-change.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { hiddenFromOf, type Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { SubscribeRequest, Subscription, SubscriptionEvent } from './database.ts';
import { storedRelation } from './lifecycle/view.ts';

/** Rows in one snapshot message. */
const SNAPSHOT_ROWS_MAX = 2_048;

export async function subscribeTo(
  core: Core,
  relation: Relation,
  request: Pick<SubscribeRequest, 'since' | 'snapshot'>,
): Promise<Subscription> {
  const feed = core.engine.feed(relation.id);
  const stored = storedRelation(core, relation);
  if (feed === undefined || stored === undefined) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" cannot be subscribed to`, {
      hint: 'Materialized views and tables can; create a materialized view over it.',
    });
  }
  const hiddenFrom = hiddenFromOf(relation);
  const schema = feed.schema.slice(0, hiddenFrom);
  const shown = (events: AsyncGenerator<SubscriptionEvent>): AsyncGenerator<SubscriptionEvent> =>
    hiddenFrom === undefined ? events : visibleEvents(events, hiddenFrom);
  if (request.since !== undefined) {
    const changes = feed.subscribe(request.since, core.fanOut);
    return {
      schema,
      events: shown(changeEvents(changes)),
      close: () => changes.close(),
    };
  }
  // Between two epochs the stored rows and the feed stand at the same version.
  const { version, changes, rows, first } = await core.engine.atBoundary(async () => {
    const at = core.engine.version(relation.id) ?? core.engine.epoch;
    const subscription = feed.subscribe(core.engine.epoch, core.fanOut);
    const scan = request.snapshot ? core.store.scan(stored)[Symbol.asyncIterator]() : undefined;
    // The first read opens the scan's transaction, which pins this commit.
    const head = await scan?.next();
    return { version: at, changes: subscription, rows: scan, first: head };
  });
  const events = async function* (): AsyncGenerator<SubscriptionEvent> {
    try {
      if (rows !== undefined) yield* snapshotEvents(version, first, rows);
      yield* changeEvents(changes);
    } finally {
      changes.close();
    }
  };
  return {
    schema,
    events: shown(events()),
    close: () => {
      changes.close();
      // A snapshot that nobody read holds a connection of the store.
      rows?.return?.()?.catch((cause) => core.log.warn({ err: cause }, 'a snapshot did not end'));
    },
  };
}

/** Without the columns that only who names them reads. */
async function* visibleEvents(
  events: AsyncGenerator<SubscriptionEvent>,
  width: number,
): AsyncGenerator<SubscriptionEvent> {
  const visible = (row: Row): Row => row.slice(0, width);
  for await (const event of events) {
    if (event.kind === 'snapshot') yield { ...event, rows: event.rows.map(visible) };
    else {
      const changes = event.changes.map(
        (change): RowChange =>
          change.op === 'update'
            ? { ...change, row: visible(change.row), before: visible(change.before) }
            : { ...change, row: visible(change.row) },
      );
      yield { ...event, changes };
    }
  }
}

async function* changeEvents(
  changes: AsyncIterable<{
    readonly version: number;
    readonly changes: readonly RowChange[];
  }>,
): AsyncGenerator<SubscriptionEvent> {
  for await (const { version, changes: rows } of changes) {
    yield { kind: 'changes', version, changes: rows };
  }
}

async function* snapshotEvents(
  version: number,
  first: IteratorResult<Batch> | undefined,
  rest: AsyncIterator<Batch>,
): AsyncGenerator<SubscriptionEvent> {
  let pending: Row[] = [];
  for (let next = first; next !== undefined && next.done !== true; next = await rest.next()) {
    const batch = next.value;
    for (let i = 0; i < batch.length; i++) {
      for (let copies = batch.weight(i); copies > 0; copies--) pending.push(batch.row(i));
    }
    while (pending.length > SNAPSHOT_ROWS_MAX) {
      yield { kind: 'snapshot', version, rows: pending.slice(0, SNAPSHOT_ROWS_MAX), last: false };
      pending = pending.slice(SNAPSHOT_ROWS_MAX);
    }
  }
  yield { kind: 'snapshot', version, rows: pending, last: true };
}
