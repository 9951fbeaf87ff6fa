import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import type { Saved } from '../state/saved.ts';
import { FirstRounds } from './first-round.ts';
import type { Emit, Operator } from './operator.ts';
import { AllRounds, type Rounds } from './rounds.ts';
import type { StepGraph } from './step-graph.ts';

/** Rounds of one recursive query; one that needs more is taken to be endless. */
export const ROUNDS_MAX = 10_000;

/**
 * A query without an end has to fail again after a restart, so that its input must be read again or its plan be known as
 * one that has come to an end so far: never as one without state. Plans that have failed are not saved.
 */
const HAS_STATE: Saved = {
  save: (to) => to.mark('recursive'),
  load: (from) => from.mark('recursive'),
};

/** Changed rows of one round in one epoch. */
export const ROWS_PER_ROUND_MAX = 1_000_000;

/**
 * WITH RECURSIVE: round 0 is the base, each further one what the step makes of the round before; UNION leaves out rows
 * that an earlier round has. The step works on rows of all rounds, each with its round's number as the last column
 * (rewrite/number-rounds.ts), so that a change goes through the rounds in turn and ends where nothing changes any more:
 * the nested streams of Budiu et al., "DBSP", PVLDB 16(7), 2023, with the round as inner time. Rows are deleted by the
 * same rounds in which they were inserted, so that cycles keep nothing alive.
 * Ports: 0 is the base, the others are what else the step reads.
 * State: that of the step's operators; for UNION every row with its rounds.
 */
export class RecursiveOperator implements Operator {
  readonly schema: Schema;
  /** Set when the query has not come to an end. From then on nothing comes out. */
  failure: StreamError | undefined;
  readonly #step: StepGraph;
  readonly #rounds: Rounds;
  /** What rounds are given in this epoch. */
  readonly #given = new Map<number, Batch[]>();

  /** @param step  makes the step's operators, given where their rows go. */
  constructor(schema: Schema, all: boolean, step: (take: Emit) => StepGraph) {
    this.schema = schema;
    this.#rounds = all ? new AllRounds(schema) : new FirstRounds(schema);
    this.#step = step((batch) => {
      this.#giveNext(batch);
    });
  }

  push(port: number, batch: Batch, _emit: Emit): void {
    if (this.failure !== undefined) return;
    if (port === 0) this.#give(0, batch);
    else this.#step.pushOutside(port - 1, batch);
  }

  flush(emit: Emit): void {
    if (this.failure !== undefined) return;
    // What the other inputs have changed concerns rows of every round.
    this.#step.flush();
    for (;;) {
      const round = Math.min(this.#rounds.next, ...this.#given.keys());
      if (!Number.isFinite(round)) break;
      const given = this.#given.get(round) ?? [];
      this.#given.delete(round);
      if (this.#isEndless(round, given)) return;
      for (const change of this.#rounds.take(round, given)) {
        const numbers = new Int32Array(change.length).fill(round);
        const column = { physical: 'i32', values: numbers, nulls: null } as const;
        this.#step.pushReference(
          new Batch(change.length, [...change.columns, column], change.weights),
        );
      }
      this.#step.flush();
    }
    this.#rounds.finish(emit);
  }

  stateBytes(): number {
    return this.#rounds.stateBytes() + this.#step.stateBytes();
  }

  stateEntries(): number {
    return this.#rounds.stateEntries() + this.#step.stateEntries();
  }

  savedParts(): readonly Saved[] {
    return [HAS_STATE, ...this.#rounds.savedParts(), ...this.#step.savedParts()];
  }

  #give(round: number, batch: Batch): void {
    const given = this.#given.get(round);
    if (given === undefined) this.#given.set(round, [batch]);
    else given.push(batch);
  }

  /** The step's rows end with the number of the round that they were made of. */
  #giveNext(batch: Batch): void {
    const round = batch.columns.at(-1);
    if (round?.physical !== 'i32') throw new Error('assertion failed: the step numbers its rounds');
    const own = new Batch(batch.length, batch.columns.slice(0, -1), batch.weights);
    const first = round.values[0] as number;
    const rowsByRound = new Map<number, number[]>();
    for (let r = 0; r < batch.length; r++) {
      const number = round.values[r] as number;
      const rows = rowsByRound.get(number);
      if (rows === undefined) rowsByRound.set(number, [r]);
      else rows.push(r);
    }
    if (rowsByRound.size === 1) {
      this.#give(first + 1, own);
      return;
    }
    for (const [number, rows] of rowsByRound) {
      this.#give(number + 1, gather(own, Int32Array.from(rows), rows.length));
    }
  }

  #isEndless(round: number, given: readonly Batch[]): boolean {
    const rows = given.reduce((sum, batch) => sum + batch.length, 0);
    if (round < ROUNDS_MAX && rows <= ROWS_PER_ROUND_MAX) return false;
    this.failure = new StreamError(
      'VALUE_PROGRAM_LIMIT',
      round < ROUNDS_MAX
        ? `a round of the recursive query changes more than ${ROWS_PER_ROUND_MAX} rows`
        : `the recursive query has not ended after ${ROUNDS_MAX} rounds`,
      {
        hint: 'Bound the recursion by a condition in its step, or use UNION, which leaves out rows that are there.',
      },
    );
    this.#given.clear();
    return true;
  }
}
