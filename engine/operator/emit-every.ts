import { assert } from '../../sql/base/assert.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { Clocks } from './clocks.ts';
import type { Emit, Operator } from './operator.ts';

/**
 * EMIT EVERY: changes wait, added up, and come out together when the clock of port 1 says that the last ones are `micros` ago. What
 * has come out is always the input as it was after some epoch. The first changes come out as soon as the clock is told.
 * State: the difference between the input and what has come out.
 */
export class EmitEveryOperator implements Operator, Saved {
  readonly schema: Schema;
  readonly #micros: bigint;
  readonly #clock = new Clocks(1);
  readonly #rows: OrderedState;
  #root = NONE;
  /** By the clock, when something came out last. */
  #last: bigint | undefined;

  constructor(schema: Schema, micros: bigint) {
    this.schema = schema;
    this.#micros = micros;
    this.#rows = new OrderedState(
      schema.map(({ type }) => type),
      [],
    );
  }

  push(port: number, batch: Batch): void {
    if (port === 1) this.#clock.strike(0, batch);
    else this.#root = this.#rows.addBatch(this.#root, batch);
  }

  flush(emit: Emit): void {
    const now = this.#clock.slowest;
    const due = this.dueMicros;
    if (now === undefined || due === undefined || now < due) return;
    this.#last = now;
    this.#emitAll(emit);
  }

  /** While nothing waits there is nothing to be told of. */
  get dueMicros(): bigint | undefined {
    if (this.#root === NONE) return undefined;
    return this.#last === undefined ? 0n : this.#last + this.#micros;
  }

  stateBytes(): number {
    return this.#rows.bytes();
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    return [this, this.#clock, this.#rows];
  }

  save(to: StateWriter): void {
    to.number(this.#root);
    to.data([this.#last ?? null]);
  }

  load(from: StateReader): void {
    this.#root = from.number();
    const [last] = from.data();
    assert(last === null || typeof last === 'bigint', 'a time is microseconds');
    this.#last = last ?? undefined;
  }

  #emitAll(emit: Emit): void {
    const found = borrowRows(ROWS_PER_BATCH_MAX);
    const weights = new Int32Array(ROWS_PER_BATCH_MAX);
    let count = 0;
    const take = (): void => {
      if (count === 0) return;
      const columns = this.#rows.rows.gather(found, count);
      emit(new Batch(count, columns, weights.slice(0, count)));
      count = 0;
    };
    this.#rows.walk(this.#root, (row) => {
      found[count] = row;
      weights[count++] = this.#rows.weights.get(row);
      if (count === ROWS_PER_BATCH_MAX) take();
      return true;
    });
    take();
    returnRows(found);
    this.#rows.clear(this.#root);
    this.#rows.releaseRetired();
    this.#root = NONE;
  }
}
