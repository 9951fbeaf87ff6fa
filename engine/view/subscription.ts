/**
 * Changes of views, pushed to subscribers. The hub keeps a bounded history per subscribed view so that a
 * reader that lost its connection resumes; a slow reader gets one merged change instead of a growing queue.
 */
import type { Datum, Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { hashKey } from '../../sql/base/value.ts';
import type { Batch } from '../delta/batch.ts';

/** Most changed rows that the history of one view holds; older versions are gone. */
export const HISTORY_ROWS_MAX = 50_000;
/** Versions that pass without a subscriber before the history is no longer kept. */
export const UNREAD_VERSIONS_MAX = 1_000;
/** Most row changes that wait for one slow reader before they are merged. */
export const PENDING_CHANGES_MAX = 10_000;
/** Merged changes that may wait for one slow reader; past that it has to begin with a new snapshot. */
export const MERGED_CHANGES_MAX = 100_000;

export type RowChange =
  | { readonly op: 'insert'; readonly row: Row }
  | { readonly op: 'delete'; readonly row: Row }
  | { readonly op: 'update'; readonly row: Row; readonly before: Row };

export interface VersionedChanges {
  readonly version: number;
  readonly changes: readonly RowChange[];
}

/**
 * The net effect of weighted batches as row changes: deletes, then updates and inserts.
 * @param key  columns that identify a row; with a key a delete and an insert of it are one update.
 */
export function netChanges(
  schema: Schema,
  key: readonly number[],
  batches: readonly Batch[],
): RowChange[] {
  const rows = new Map<string, { row: Row; weight: number }>();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      addWeighted(rows, schema, batch.row(i), batch.weight(i));
    }
  }
  return changesOf(rows.values(), schema, key);
}

function addWeighted(
  rows: Map<string, { row: Row; weight: number }>,
  schema: Schema,
  row: Row,
  weight: number,
): void {
  const identity = identityOf(schema, row);
  const known = rows.get(identity);
  if (known === undefined) rows.set(identity, { row, weight });
  else known.weight += weight;
}

function changesOf(
  rows: Iterable<{ row: Row; weight: number }>,
  schema: Schema,
  key: readonly number[],
): RowChange[] {
  const removed = new Map<string, Row>();
  const deletes: RowChange[] = [];
  const rest: RowChange[] = [];
  const inserted: Row[] = [];
  for (const { row, weight } of rows) {
    if (weight < 0 && key.length > 0) removed.set(keyOf(schema, row, key), row);
    else for (let n = weight; n < 0; n++) deletes.push({ op: 'delete', row });
    for (let n = weight; n > 0; n--) inserted.push(row);
  }
  for (const row of inserted) {
    const identity = key.length > 0 ? keyOf(schema, row, key) : '';
    const before = removed.get(identity);
    if (before === undefined) rest.push({ op: 'insert', row });
    else {
      removed.delete(identity);
      rest.push({ op: 'update', row, before });
    }
  }
  for (const row of removed.values()) deletes.push({ op: 'delete', row });
  return [...deletes, ...rest];
}

function identityOf(schema: Schema, row: Row): string {
  return keyOf(
    schema,
    row,
    schema.map((_, i) => i),
  );
}

function keyOf(schema: Schema, row: Row, key: readonly number[]): string {
  let text = '';
  for (const index of key) {
    const value: Datum | null = row[index] ?? null;
    const type = schema[index]?.type;
    if (value === null || type === undefined) {
      text += 'n;';
      continue;
    }
    const part = String(hashKey(value, type));
    text += `${part.length}:${part};`;
  }
  return text;
}

export class ViewFeed {
  readonly schema: Schema;
  readonly key: readonly number[];
  readonly #history: VersionedChanges[] = [];
  #historyRows = 0;
  /** Versions at or below this one are no longer in the history. */
  #historyFrom: number;
  /** Changes are worked out only for views that somebody follows, or followed a short while ago. */
  #isFollowed = false;
  #unreadVersions = 0;
  readonly #subscribers = new Set<FeedSubscription>();

  constructor(schema: Schema, key: readonly number[], version: number) {
    this.schema = schema;
    this.key = key;
    this.#historyFrom = version;
  }

  publish(version: number, batches: readonly Batch[], replaced: boolean): void {
    if (replaced) {
      // A rebuilt view has no difference to its past: readers start from a new snapshot.
      this.#history.length = 0;
      this.#historyRows = 0;
      this.#historyFrom = version;
      for (const subscriber of this.#subscribers) {
        subscriber.fail(
          new StreamError('VIEW_VERSION_GONE', 'the view was rebuilt', {
            hint: 'subscribe again without "since" to get a new snapshot',
          }),
        );
      }
      return;
    }
    if (this.#subscribers.size === 0 && ++this.#unreadVersions > UNREAD_VERSIONS_MAX) {
      this.#isFollowed = false;
      this.#history.length = 0;
      this.#historyRows = 0;
    }
    if (!this.#isFollowed) {
      this.#historyFrom = version;
      return;
    }
    const changes = netChanges(this.schema, this.key, batches);
    if (changes.length === 0) return;
    const entry = { version, changes };
    this.#history.push(entry);
    this.#historyRows += changes.length;
    while (this.#historyRows > HISTORY_ROWS_MAX) {
      const oldest = this.#history.shift();
      if (oldest === undefined) break;
      this.#historyRows -= oldest.changes.length;
      this.#historyFrom = oldest.version;
    }
    for (const subscriber of this.#subscribers) subscriber.offer(entry);
  }

  /**
   * @param since  changes after this version, the history included.
   * @throws StreamError VIEW_VERSION_GONE when `since` is older than the kept history.
   */
  subscribe(since: number): FeedSubscription {
    if (since < this.#historyFrom) {
      throw new StreamError(
        'VIEW_VERSION_GONE',
        `changes after version ${since} are no longer kept; the oldest is ${this.#historyFrom}`,
        { hint: 'subscribe without "since" to get a snapshot first' },
      );
    }
    const subscription = new FeedSubscription(this.schema, this.key, () =>
      this.#subscribers.delete(subscription),
    );
    for (const entry of this.#history) if (entry.version > since) subscription.offer(entry);
    this.#subscribers.add(subscription);
    this.#isFollowed = true;
    this.#unreadVersions = 0;
    return subscription;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** The view does not follow its query any more: its subscribers are told why. */
  fail(error: StreamError): void {
    for (const subscriber of [...this.#subscribers]) subscriber.fail(error);
  }

  /** The view is gone. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.close();
  }
}

export class FeedSubscription {
  readonly #schema: Schema;
  readonly #key: readonly number[];
  readonly #onClose: () => void;
  #pending: VersionedChanges[] = [];
  #pendingRows = 0;
  #mergeAbove = PENDING_CHANGES_MAX;
  #wake: (() => void) | undefined;
  #closed = false;
  #failure: StreamError | undefined;

  constructor(schema: Schema, key: readonly number[], onClose: () => void) {
    this.#schema = schema;
    this.#key = key;
    this.#onClose = onClose;
  }

  offer(entry: VersionedChanges): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#pending.push(entry);
    this.#pendingRows += entry.changes.length;
    if (this.#pendingRows > this.#mergeAbove && this.#pending.length > 1) this.#merge();
    if (this.#pendingRows > MERGED_CHANGES_MAX && this.#pending.length > 1) this.#giveUp();
    this.#wake?.();
  }

  fail(error: StreamError): void {
    this.#failure = error;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#onClose();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<VersionedChanges> {
    try {
      while (!this.#closed) {
        const next = this.#pending.shift();
        if (next !== undefined) {
          this.#pendingRows -= next.changes.length;
          yield next;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.close();
    }
  }

  /** Folds everything that waits into its net effect at the last version. */
  #merge(): void {
    const rows = new Map<string, { row: Row; weight: number }>();
    const add = (row: Row, weight: number): void => addWeighted(rows, this.#schema, row, weight);
    let version = 0;
    for (const entry of this.#pending) {
      version = entry.version;
      for (const change of entry.changes) {
        if (change.op === 'update') add(change.before, -1);
        add(change.row, change.op === 'delete' ? -1 : 1);
      }
    }
    const changes = changesOf(rows.values(), this.#schema, this.#key);
    this.#pending = [{ version, changes }];
    this.#pendingRows = changes.length;
    // What does not get smaller by merging is merged again only when it has doubled.
    this.#mergeAbove = Math.max(PENDING_CHANGES_MAX, 2 * changes.length);
  }

  #giveUp(): void {
    this.#merge();
    if (this.#pendingRows <= MERGED_CHANGES_MAX) return;
    this.#pending = [];
    this.#pendingRows = 0;
    this.fail(
      new StreamError(
        'PRESSURE',
        `more than ${MERGED_CHANGES_MAX} changed rows wait for the reader`,
        {
          hint: 'subscribe again without "since" to get a new snapshot',
        },
      ),
    );
  }
}
