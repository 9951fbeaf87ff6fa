import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';
import type { Emit, Operator } from './operator.ts';

/** Constant rows: emitted by the first flush, and never changed. */
export class ValuesOperator implements Operator {
  readonly schema: Schema;
  #batches: readonly Batch[];

  constructor(schema: Schema, batches: readonly Batch[]) {
    this.schema = schema;
    this.#batches = batches;
  }

  push(): void {
    throw new Error('assertion failed: constants have no input');
  }

  flush(emit: Emit): void {
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) if (batch.length > 0) emit(batch);
  }

  stateBytes(): number {
    return 0;
  }

  stateEntries(): number {
    return 0;
  }

  savedParts(): readonly Saved[] {
    const isEmitted = (): number => (this.#batches.length === 0 ? 1 : 0);
    return [
      {
        save: (to) => to.byte(isEmitted()),
        load: (from) => {
          if (from.byte() === 1) this.#batches = [];
        },
      },
    ];
  }
}
