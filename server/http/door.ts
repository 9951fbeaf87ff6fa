import type { FastifyInstance } from 'fastify';
import type { Log } from '../config.ts';
import type { Database } from '../database.ts';
import type { Limits } from '../limits.ts';
import type { DoorMetrics } from '../metrics.ts';

/** What every group of routes is given. */
export interface Door {
  readonly app: FastifyInstance;
  readonly database: Database;
  readonly limits: Limits;
  readonly log: Log;
  readonly metrics: DoorMetrics;
  /** Fires when the server stops: streams end, waits are over. */
  readonly stopping: AbortSignal;
}
