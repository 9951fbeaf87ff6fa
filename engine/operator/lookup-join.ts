import type { Schema } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';
import type { Emit, Operator, ReportRowError } from './operator.ts';

const nothing: Emit = () => {};

/**
 * Rows of a side that only grows (port 0), each joined once with the rows that the other side has at the end of the epoch in which it
 * comes; what that side becomes later changes nothing. This is a join whose left rows are taken back, unheard, as soon as
 * their pairs have come out.
 * State: the other side.
 */
export class LookupJoinOperator implements Operator {
  readonly schema: Schema;
  readonly #join: Operator;
  readonly #arrived: Batch[] = [];
  #takesBack = false;

  /** @param build  the join; it reports to what it is given. */
  constructor(schema: Schema, report: ReportRowError, build: (report: ReportRowError) => Operator) {
    this.schema = schema;
    this.#join = build((...failure) => {
      if (!this.#takesBack) report(...failure);
    });
  }

  push(port: number, batch: Batch): void {
    // Without left rows nothing comes out.
    if (port === 1) this.#join.push(1, batch, nothing);
    else this.#arrived.push(new Batch(batch.length, batch.columns, batch.weights));
  }

  flush(emit: Emit): void {
    const arrived = this.#arrived.splice(0);
    for (const batch of arrived) this.#join.push(0, batch, emit);
    this.#join.flush(emit);
    this.#takesBack = true;
    for (const batch of arrived) this.#join.push(0, negated(batch), nothing);
    this.#join.flush(nothing);
    this.#takesBack = false;
  }

  stateBytes(): number {
    return this.#join.stateBytes();
  }

  stateEntries(): number {
    return this.#join.stateEntries();
  }

  savedParts(): readonly Saved[] {
    return this.#join.savedParts();
  }
}

function negated(batch: Batch): Batch {
  const weights = Int32Array.from({ length: batch.length }, (_, row) => -batch.weight(row));
  return new Batch(batch.length, batch.columns, weights);
}
