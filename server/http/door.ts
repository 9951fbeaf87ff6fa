import type { FastifyInstance } from 'fastify';
import type { Log } from '../config.ts';
import type { Database } from '../database.ts';
import type { Limits } from '../limits.ts';
import type { DoorMetrics } from '../metrics.ts';
import type { BodyBudget } from './body.ts';
import type { SubscriptionCount } from './subscription-count.ts';

/** What every group of routes is given. */
export interface Door {
  readonly app: FastifyInstance;
  readonly database: Database;
  readonly limits: Limits;
  readonly log: Log;
  readonly metrics: DoorMetrics;
  readonly bodies: BodyBudget;
  readonly subscriptions: SubscriptionCount;
  /** Fires when the server stops: streams end, waits are over. */
  readonly stopping: AbortSignal;
}
