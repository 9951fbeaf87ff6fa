import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';
import { ConsolidateOperator } from './consolidate.ts';
import type { Emit } from './operator.ts';

/** Which rows each round of a recursive query has. */
export interface Rounds {
  /** The next round that has something to do without new rows; Infinity for none. */
  readonly next: number;
  /**
   * What changes in the rows of a round. Called with rising rounds within an epoch.
   * @param batches  changes of what the round is given: by the base for round 0, by the step from the round before.
   */
  take(round: number, batches: readonly Batch[]): readonly Batch[];
  /** Ends the epoch: emits what has changed in the rows of all rounds together. */
  finish(emit: Emit): void;
  stateBytes(): number;
  stateEntries(): number;
  /** As an operator's. */
  savedParts(): readonly Saved[];
}

/** The rounds of UNION ALL: every row that a round is given is one of its rows. No state. */
export class AllRounds implements Rounds {
  readonly next = Number.POSITIVE_INFINITY;
  readonly #sum: ConsolidateOperator;
  readonly #changes: Batch[] = [];

  constructor(schema: Schema) {
    this.#sum = new ConsolidateOperator(schema);
  }

  take(_round: number, batches: readonly Batch[]): readonly Batch[] {
    const changes: Batch[] = [];
    const collect: Emit = (batch) => {
      changes.push(batch);
    };
    for (const batch of batches) this.#sum.push(0, batch, collect);
    this.#sum.flush(collect);
    this.#changes.push(...changes);
    return changes;
  }

  finish(emit: Emit): void {
    for (const batch of this.#changes.splice(0)) emit(batch);
  }

  stateBytes(): number {
    return this.#sum.stateBytes();
  }

  stateEntries(): number {
    return 0;
  }

  savedParts(): readonly [] {
    return [];
  }
}
