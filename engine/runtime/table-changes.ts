/** Rows that SQL writes into tables: each change waits its turn, goes into one epoch whole, and is told when that is committed. */
import type { DeliveredChunks } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Batch } from '../delta/batch.ts';
import type { PlanTask } from './plan-task.ts';

/** What a change may bring along. */
export interface ChangeOrigin {
  /** Chunks of a sink whose rows these are: they leave the outbox in the same commit. */
  readonly delivered?: DeliveredChunks | undefined;
  /** Takes the change back while it waits. */
  readonly signal?: AbortSignal | undefined;
}

/** Weighted rows for a table that SQL writes. */
export interface TableBatch {
  readonly tableId: number;
  readonly batch: Batch;
}

/** Changes of one or more tables that become visible together. */
export interface TableChange {
  readonly batches: readonly TableBatch[];
  readonly delivered: DeliveredChunks | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class TableChanges {
  #waiting: TableChange[] = [];
  #inEpoch: TableChange[] = [];

  /** Settles when the rows are committed. @throws StreamError STATEMENT_CANCELED when the signal fires before they are in an epoch. */
  add(batches: readonly TableBatch[], { delivered, signal }: ChangeOrigin = {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const change = { batches, delivered, resolve, reject };
    const withdraw = (): void => this.#withdraw(change);
    this.#waiting.push(change);
    signal?.addEventListener('abort', withdraw);
    if (signal?.aborted === true) withdraw();
    return promise.finally(() => signal?.removeEventListener('abort', withdraw));
  }

  #withdraw(change: TableChange): void {
    const at = this.#waiting.indexOf(change);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    change.reject(new StreamError('STATEMENT_CANCELED', 'the change was taken back'));
  }

  /**
   * Hands waiting changes to their tables' plans.
   * @param held  tables whose changes wait on.
   * @returns whether there was one.
   */
  emit(tasks: ReadonlyMap<number, PlanTask>, held: ReadonlySet<number>): boolean {
    const waiting = new Set(held);
    let isDirty = false;
    for (const change of this.#waiting.splice(0)) {
      // A transaction that waits keeps later changes of all its tables behind it.
      if (change.batches.some(({ tableId }) => waiting.has(tableId))) {
        for (const { tableId } of change.batches) waiting.add(tableId);
        this.#waiting.push(change);
        continue;
      }
      const targets = change.batches.map(({ tableId, batch }) => ({
        task: tasks.get(tableId),
        batch,
      }));
      if (targets.some(({ task }) => task === undefined)) {
        change.reject(new StreamError('SQL_UNKNOWN_RELATION', 'the table was dropped'));
        continue;
      }
      this.#inEpoch.push(change);
      isDirty = true;
      for (const { task, batch } of targets) task?.root.emit(batch);
    }
    return isDirty;
  }

  /** The changes of the epoch that ends; whoever commits it tells them. */
  takeEpoch(): readonly TableChange[] {
    return this.#inEpoch.splice(0);
  }

  refuse(failure: StreamError): void {
    for (const change of [...this.#waiting.splice(0), ...this.#inEpoch.splice(0)]) {
      change.reject(failure);
    }
  }
}
