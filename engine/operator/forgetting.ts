import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';
import { Clocks } from './clocks.ts';
import type { Emit, Operator } from './operator.ts';

/** Entries that one flush looks at, however few rows it had: a few milliseconds. */
const FORGET_MIN = 16_384;
/** … and so many a row that came, so that forgetting keeps up with what is stored. */
const FORGET_A_ROW = 2;

/** An operator whose state can be given up row by row, by the time at which each closes. */
export interface Forgetful extends Operator {
  /** Whether `forget` would find something. */
  isBehindAt(clock: bigint): boolean;
  /**
   * Gives up state that the clock has closed, without a word to anybody: what came out of it stays downstream.
   * @param most  entries to look at.
   */
  forget(clock: bigint, most: number): void;
}

/**
 * Drops what an operator keeps behind watermarks, which come on further ports, as time for a temporal filter does. The plan
 * knows that no row that is still to come can meet what is dropped (engine/plan/forget.ts), so the output is that of the
 * operator alone.
 * A flush drops a bounded number of entries, and only when something was pushed: a restart repeats flushes with pushes only,
 * and numbers of rows that become free are part of what it repeats. `isBehind` asks the runtime to strike the clocks
 * again. State behind watermarks as in Tucker et al., "Exploiting Punctuation Semantics in Continuous Data Streams", TKDE
 * 15(3), 2003 ("purge").
 */
export class ForgettingOperator implements Operator {
  readonly schema: Schema;
  readonly #operator: Forgetful;
  readonly #ports: number;
  readonly #clocks: Clocks;
  /** Rows since the last flush, of clocks as well. */
  #pushed = 0;

  /** @param ports  of the operator; the clocks' come after them. */
  constructor(operator: Forgetful, ports: number, clocks: number) {
    this.schema = operator.schema;
    this.#operator = operator;
    this.#ports = ports;
    this.#clocks = new Clocks(clocks);
  }

  push(port: number, batch: Batch, emit: Emit): void {
    this.#pushed += batch.length;
    if (port < this.#ports) this.#operator.push(port, batch, emit);
    else this.#clocks.strike(port - this.#ports, batch);
  }

  flush(emit: Emit): void {
    this.#operator.flush(emit);
    if (this.#pushed === 0) return;
    const most = Math.max(FORGET_MIN, this.#pushed * FORGET_A_ROW);
    this.#pushed = 0;
    const clock = this.#clocks.slowest;
    if (clock !== undefined) this.#operator.forget(clock, most);
  }

  /** There is more to drop than the last flush was to. */
  get isBehind(): boolean {
    const clock = this.#clocks.slowest;
    return clock !== undefined && this.#operator.isBehindAt(clock);
  }

  get failure(): StreamError | undefined {
    return this.#operator.failure;
  }

  get dueMicros(): bigint | undefined {
    return this.#operator.dueMicros;
  }

  stateBytes(): number {
    return this.#operator.stateBytes();
  }

  stateEntries(): number {
    return this.#operator.stateEntries();
  }

  savedParts(): readonly Saved[] {
    return [...this.#operator.savedParts(), this.#clocks];
  }
}
