/**
 * SELECT … EMIT CHANGES and SUBSCRIBE (query): the query lives as a view of its own for as long as somebody listens.
 * A plain `SELECT * FROM view` needs none.
 */
import type { StartAt } from '../engine/runtime/plan-task.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import type { Core } from './core.ts';
import type { StatementResult, SubscriptionEvent } from './database.ts';
import { materializedViewOf } from './ddl.ts';
import { dropRelations } from './lifecycle/drop.ts';
import { createView } from './lifecycle/view.ts';
import { scannedRelations } from './scanned-relations.ts';
import { subscribeTo } from './subscribe.ts';

/** Names of such views cannot be written without quotes and are left out of what a restart brings back. */
export const TRANSIENT_PREFIX = ' push query ';

/** Longest wait for the first rows to be complete before the snapshot is sent as it is. */
const LEVEL_WAIT_MS = 5_000;

/** @param plan  bound for a view. */
export async function pushQuery(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
  startAt: StartAt | undefined,
): Promise<StatementResult> {
  const direct = wholeRelation(plan);
  const stored = direct === undefined ? undefined : core.catalog.relation(direct);
  if (stored !== undefined && stored.kind !== 'stream') {
    const subscription = await subscribeTo(core, stored, { since: undefined, snapshot: true });
    return { kind: 'subscription', subscription };
  }
  const id = core.catalog.nextId();
  const name = `${TRANSIENT_PREFIX}${id}`;
  const view = materializedViewOf(core, name, id, '', plan, scannedRelations(plan));
  await createView(core, view, { startAt });
  await core.engine.waitForLevel(id, LEVEL_WAIT_MS, signal);
  const subscription = await subscribeTo(core, view, { since: undefined, snapshot: true });
  let dropped: Promise<void> | undefined;
  const drop = (): Promise<void> => {
    const entry = core.catalog.find(view.name);
    dropped ??= entry === undefined ? Promise.resolve() : dropRelations(core, [entry]);
    return dropped;
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
      close: () => {
        subscription.close();
        drop().catch((cause) => core.log.warn({ err: cause }, 'a push query did not end'));
      },
    },
  };
}

/** The relation of `SELECT * FROM name`; undefined when the query says anything more. */
function wholeRelation(plan: LogicalNode): string | undefined {
  if (plan.kind === 'scan') return plan.relation;
  if (plan.kind !== 'project' || plan.input.kind !== 'scan') return undefined;
  const { input, expressions } = plan;
  const isWhole =
    expressions.length === input.schema.length &&
    expressions.every((part, i) => part.kind === 'column' && part.index === i);
  return isWhole ? input.relation : undefined;
}
