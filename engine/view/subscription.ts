/**
 * Changes of views, pushed to subscribers. The feed keeps a bounded history per subscribed view, in which each reader has its
 * place: a reader that lost its connection resumes, and one that is slow costs nothing until it takes what has been merged.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { ChangeHistory, MERGED_CHANGES_MAX, type Rest } from './change-history.ts';
import type { FanOut } from './fan-out.ts';
import { mergeChanges, netChanges, type VersionedChanges } from './row-change.ts';

/** Versions that pass without a subscriber before the history is no longer kept. */
export const UNREAD_VERSIONS_MAX = 1_000;

/** Changed rows that slow readers of one view take over together when the history gets too long. */
const TAKEN_OVER_MAX = 200_000;

export class ViewFeed {
  readonly schema: Schema;
  readonly key: readonly number[];
  readonly #history: ChangeHistory;
  /** Changes are worked out only for views that somebody follows, or followed a short while ago. */
  #isFollowed = false;
  #unreadVersions = 0;
  readonly #subscribers = new Set<FeedSubscription>();

  constructor(schema: Schema, key: readonly number[], version: number) {
    this.schema = schema;
    this.key = key;
    this.#history = new ChangeHistory(schema, key, version);
  }

  publish(version: number, batches: readonly Batch[], replaced: boolean): void {
    if (replaced) {
      // A rebuilt view has no difference to its past: readers start from a new snapshot.
      this.#history.restart(version);
      this.fail(
        new StreamError('VIEW_VERSION_GONE', 'the view was rebuilt', {
          hint: 'subscribe again without "since" to get a new snapshot',
        }),
      );
      return;
    }
    if (this.#subscribers.size === 0 && ++this.#unreadVersions > UNREAD_VERSIONS_MAX) {
      this.#isFollowed = false;
    }
    if (!this.#isFollowed) {
      this.#history.restart(version);
      return;
    }
    const changes = netChanges(this.schema, this.key, batches);
    if (changes.length === 0) return;
    this.#history.add(version, changes);
    if (this.#history.isTooLong) this.#compact();
    for (const subscriber of this.#subscribers) subscriber.wake();
  }

  /**
   * @param since  changes after this version, the history included.
   * @throws StreamError VIEW_VERSION_GONE when `since` is older than the kept history.
   */
  subscribe(since: number, fanOut: FanOut): FeedSubscription {
    if (!this.#history.reaches(since)) {
      throw new StreamError(
        'VIEW_VERSION_GONE',
        `changes after version ${since} are no longer kept; the oldest is ${this.#history.from}`,
        { hint: 'subscribe without "since" to get a snapshot first' },
      );
    }
    const subscription = new FeedSubscription(this, this.#history, since, fanOut, () =>
      this.#subscribers.delete(subscription),
    );
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

  #compact(): void {
    const inOrder = [...this.#subscribers].sort((a, b) => a.version - b.version);
    this.#history.compact(inOrder.map(({ version }) => version));
    if (this.#history.rows <= MERGED_CHANGES_MAX) return;
    // Readers at many versions keep the history from getting shorter: each takes what waits for it as its own.
    let rows = 0;
    let rest: Rest | undefined;
    for (const subscriber of inOrder.reverse()) {
      if (rows > TAKEN_OVER_MAX) {
        subscriber.giveUp(TAKEN_OVER_MAX);
        continue;
      }
      const known = rest;
      if (known?.after !== subscriber.version) {
        rest = this.#history.rest(subscriber.version, known);
        rows += rest.changes?.changes.length ?? 0;
      }
      if (rest?.changes !== undefined) subscriber.takeOver(rest.changes);
    }
    this.#history.compact([]);
  }
}

export class FeedSubscription {
  readonly #feed: Pick<ViewFeed, 'schema' | 'key'>;
  readonly #history: ChangeHistory;
  readonly #fanOut: FanOut;
  readonly #onClose: () => void;
  /** It has everything up to here, or in `#own`. */
  #version: number;
  #own: VersionedChanges | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  #failure: StreamError | undefined;

  constructor(
    feed: Pick<ViewFeed, 'schema' | 'key'>,
    history: ChangeHistory,
    version: number,
    fanOut: FanOut,
    onClose: () => void,
  ) {
    this.#feed = feed;
    this.#history = history;
    this.#version = version;
    this.#fanOut = fanOut;
    this.#onClose = onClose;
  }

  get version(): number {
    return this.#version;
  }

  /** There is something new. */
  wake(): void {
    this.#wake?.();
  }

  fail(error: StreamError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#onClose();
    this.#wake?.();
  }

  /** Gets what waits for it as its own; too much of it ends the subscription. */
  takeOver(rest: VersionedChanges): void {
    const { schema, key } = this.#feed;
    const { version } = rest;
    const changes =
      this.#own === undefined ? rest.changes : mergeChanges(schema, key, [this.#own, rest]);
    this.#version = version;
    this.#own = { version, changes };
    if (changes.length > MERGED_CHANGES_MAX) this.giveUp(MERGED_CHANGES_MAX);
  }

  giveUp(rowsMax: number): void {
    this.#own = undefined;
    this.#version = Number.POSITIVE_INFINITY;
    this.fail(
      new StreamError('PRESSURE', `more than ${rowsMax} changed rows wait for slow readers`, {
        hint: 'subscribe again without "since" to get a new snapshot',
      }),
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<VersionedChanges> {
    try {
      while (!this.#closed) {
        if (this.#own !== undefined || this.#history.hasAfter(this.#version)) {
          const isHurried = await this.#fanOut.turn();
          if (this.#closed) return;
          const next = this.#take(isHurried);
          if (next !== undefined && next.changes.length > 0) yield next;
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

  #take(isHurried: boolean): VersionedChanges | undefined {
    const own = this.#own;
    this.#own = undefined;
    if (own !== undefined) return own;
    const next = this.#history.next(this.#version, isHurried);
    if (next !== undefined) this.#version = next.version;
    return next;
  }
}
