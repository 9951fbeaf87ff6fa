/** What the parts of the server share: one store, one engine, one catalog, the logs and connectors. */
import type { TopicLog } from '../connectors/connector.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import type { Engine } from '../engine/runtime/engine.ts';
import type { Store } from '../engine/store/store.ts';
import type { FanOut } from '../engine/view/fan-out.ts';
import type { Log } from './config.ts';
import type { Scripts } from './function/scripts.ts';
import type { LiveCatalog } from './live-catalog.ts';
import type { Sequences } from './sequences.ts';
import type { TableWriter } from './table-writer.ts';
import type { Turns } from './turns.ts';

export interface Core {
  /** Of the data directory; see StoreStatus. */
  readonly identity: string;
  readonly store: Store;
  /** The data directory; undefined for a database in memory. */
  readonly directory: string | undefined;
  readonly engine: Engine;
  readonly catalog: LiveCatalog;
  readonly connectors: ConnectorRegistry;
  /** Where topics of statements that name no connector live. */
  readonly defaultLog: TopicLog;
  readonly logs: readonly TopicLog[];
  /** Writers of tables that live in Millrace, by relation id. */
  readonly writers: Map<number, TableWriter>;
  readonly sequences: Sequences;
  /** Runs functions in JavaScript. */
  readonly scripts: Scripts;
  /** Commits of serializable transactions. */
  readonly serializable: Turns;
  readonly log: Log;
  /** Of all readers of changes. */
  readonly fanOut: FanOut;
  /** Microseconds since 1970-01-01 UTC. */
  readonly nowMicros: () => bigint;
}
