/**
 * SELECT … EMIT CHANGES and SUBSCRIBE (query): the query lives as a view of its own for as long as somebody listens.
 * A plain `SELECT * FROM view` needs none.
 */
import type { Query } from '../sql/ast.ts';
import type { MaterializedView } from '../sql/catalog.ts';
import type { StatementResult, SubscriptionEvent } from './database.ts';
import { materializedViewOf } from './ddl.ts';
import { type ExecuteContext, nameText } from './execute.ts';
import { createView, dropRelations } from './lifecycle.ts';
import { subscribeTo } from './subscribe.ts';

/** Names of such views cannot be written without quotes and are left out of what a restart brings back. */
export const TRANSIENT_PREFIX = ' push query ';

/** Longest wait for the first rows to be complete before the snapshot is sent as it is. */
const LEVEL_WAIT_MS = 5_000;

export async function pushQuery(context: ExecuteContext, query: Query): Promise<StatementResult> {
  const { core, signal } = context;
  const direct = wholeRelation(query);
  const stored = direct === undefined ? undefined : core.catalog.relation(direct);
  if (stored !== undefined && stored.kind !== 'stream' && stored.kind !== 'view') {
    const subscription = await subscribeTo(core, stored, { since: undefined, snapshot: true });
    return { kind: 'subscription', subscription };
  }
  const id = core.catalog.nextId();
  const view: MaterializedView = materializedViewOf(context, `${TRANSIENT_PREFIX}${id}`, id, query);
  await createView(core, view);
  await core.engine.waitForLevel(id, LEVEL_WAIT_MS, signal);
  const subscription = await subscribeTo(core, view, { since: undefined, snapshot: true });
  const drop = async (): Promise<void> => {
    const entry = core.catalog.find(view.name);
    if (entry !== undefined) await dropRelations(core, [entry]);
  };
  const events = async function* (): AsyncGenerator<SubscriptionEvent> {
    try {
      yield* subscription.events;
    } finally {
      subscription.close();
      await drop();
    }
  };
  return {
    kind: 'subscription',
    subscription: {
      schema: subscription.schema,
      events: events(),
      close: () => subscription.close(),
    },
  };
}

/** The name in `SELECT * FROM name`; undefined when the query says anything more. */
function wholeRelation(query: Query): string | undefined {
  const { body } = query;
  if (query.with !== undefined || query.orderBy.length > 0 || query.limit || query.offset) {
    return undefined;
  }
  if (body.kind !== 'select' || body.items.length !== 1 || body.from.length !== 1) return undefined;
  const [item] = body.items;
  const [from] = body.from;
  const isPlain =
    item?.expression.kind === 'star' &&
    body.where === undefined &&
    body.groupBy.length === 0 &&
    body.having === undefined &&
    body.distinct.kind === 'all' &&
    body.streamWindow === undefined;
  if (!isPlain || from?.kind !== 'relation' || from.streamWindow !== undefined) return undefined;
  return nameText(from.name);
}
