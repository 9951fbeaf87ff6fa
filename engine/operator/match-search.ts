import { assert } from '../../sql/base/assert.ts';
import type { Instruction, Program } from '../plan/match-program.ts';
import type { Attempt, MatchConditions } from './match-conditions.ts';
import { type MatchPartition, RowAwaited, type StepBudget } from './match-rows.ts';
import type { Track } from './match-track.ts';

/** A row of the match, and the way that led to it. */
export interface Step {
  readonly previous: Step | undefined;
  readonly variable: number;
  readonly excluded: boolean;
  readonly tracks: readonly (Track | undefined)[];
}

interface Way {
  readonly pc: number;
  readonly position: number;
  readonly step: Step | undefined;
}

export interface Match {
  readonly start: number;
  /** Per row: its variable, and whether it is left out of ALL ROWS PER MATCH. */
  readonly variables: readonly number[];
  readonly excluded: readonly boolean[];
}

/** About what a way that is still to be tried and a place that was visited take. */
const WAY_BYTES = 120;
const VISIT_BYTES = 24;

/**
 * The preferred match that begins at one row, by backtracking with memory: a place of the program at a row, come to with
 * a past that no condition can tell from an earlier one, is not tried again. So without conditions over earlier rows a
 * search takes at most instructions × rows steps, and such places stay in vain for the next starts, too.
 * Ways are kept in a list, not on the stack. When a row decides that is not there yet, the search stands still and goes
 * on at the same place.
 */
export class MatchSearch {
  readonly #program: Program;
  readonly #conditions: MatchConditions;
  readonly #partition: MatchPartition;
  readonly #budget: StepBudget;
  readonly #ways: Way[] = [];
  readonly #visited = new Set<number | string>();
  #attempt: Attempt | undefined;
  #awaiting: Way | undefined;
  /** A match whose measures may have to wait. */
  #found: Match | undefined;

  constructor(
    program: Program,
    conditions: MatchConditions,
    partition: MatchPartition,
    budget: StepBudget,
  ) {
    this.#program = program;
    this.#conditions = conditions;
    this.#partition = partition;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#ways.length * WAY_BYTES + this.#visited.size * VISIT_BYTES;
  }

  /** Whether the match that is looked for begins at this position. */
  isAt(start: number): boolean {
    return this.#attempt?.start === start;
  }

  /** Gives up. */
  end(): void {
    this.#attempt = undefined;
    this.#visited.clear();
  }

  /** Begins at a row. @param number  of the match that is looked for. */
  begin(start: number, number: number): void {
    this.#attempt = this.#conditions.attempt(this.#partition, start, number);
    this.#ways.length = 0;
    this.#awaiting = undefined;
    this.#found = undefined;
    const isUseful = this.#conditions.independent && this.#visited.size <= this.#usefulMax(start);
    if (!isUseful) this.#visited.clear();
    this.#ways.push({ pc: 0, position: start, step: undefined });
  }

  /** Twice as many places as there are behind a row: past that most of them lie before it. */
  #usefulMax(start: number): number {
    return 64 + 2 * (this.#partition.end - start) * this.#program.instructions.length;
  }

  /** The time up to which rows can be in the match; undefined without WITHIN. */
  get lastMicros(): bigint | undefined {
    return this.#attempt?.lastMicros;
  }

  /**
   * @returns the match; undefined when there is none; 'awaited' when a row decides that is not there yet.
   * @throws StreamError as conditions do, StepsExhausted.
   */
  run(): Match | undefined | 'awaited' {
    if (this.#found !== undefined) return this.#found;
    const awaiting = this.#awaiting;
    this.#awaiting = undefined;
    if (awaiting !== undefined) {
      const found = this.#follow(awaiting, true);
      if (found !== undefined) return found;
    }
    for (let way = this.#ways.pop(); way !== undefined; way = this.#ways.pop()) {
      const found = this.#follow(way, false);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Follows one way as far as it goes; what its splits leave for later is put on the list. */
  #follow(from: Way, resumed: boolean): Match | 'awaited' | undefined {
    const { instructions, joins } = this.#program;
    let { pc, position, step } = from;
    let isNew = !resumed;
    for (;;) {
      this.#budget.spend(1);
      if (isNew && joins[pc] === 1 && !this.#visit(pc, position, step)) return undefined;
      isNew = true;
      const instruction = instructions[pc] as Instruction;
      switch (instruction.kind) {
        case 'jump':
          pc = instruction.to;
          break;
        case 'split':
          this.#ways.push({ pc: instruction.second, position, step });
          pc = instruction.first;
          break;
        case 'start':
          if (position !== 0) return undefined;
          pc++;
          break;
        case 'end':
          this.#partition.reach = Math.max(this.#partition.reach, position);
          if (position < this.#partition.end) return undefined;
          pc++;
          break;
        case 'row': {
          const next = this.#take(instruction, position, step);
          if (next === 'awaited') {
            this.#awaiting = { pc, position, step };
            return 'awaited';
          }
          if (next === undefined) return undefined;
          step = next;
          position++;
          pc++;
          break;
        }
        case 'accept':
          return this.#accept(step, position);
        default:
          return instruction satisfies never;
      }
    }
  }

  #take(
    { variable, excluded }: Instruction & { readonly kind: 'row' },
    position: number,
    previous: Step | undefined,
  ): Step | undefined | 'awaited' {
    const conditions = this.#conditions;
    const attempt = this.#attempt;
    assert(attempt !== undefined, 'a search runs after it has begun');
    try {
      if (conditions.rowWithin(attempt, position) === undefined) return undefined;
      const tracks = conditions.tracksAfter(attempt, previous?.tracks, position, variable);
      if (!conditions.holds(attempt, position, variable, tracks)) return undefined;
      return { previous, variable, excluded, tracks };
    } catch (error) {
      if (error instanceof RowAwaited) return 'awaited';
      throw error;
    }
  }

  /** False when the place was visited before with the same past. */
  #visit(pc: number, position: number, step: Step | undefined): boolean {
    const place = position * this.#program.instructions.length + pc;
    const past = step === undefined ? '' : this.#conditions.pastOf(step.tracks);
    const key = past === '' ? place : `${place} ${past}`;
    if (this.#visited.has(key)) return false;
    this.#visited.add(key);
    return true;
  }

  #accept(last: Step | undefined, end: number): Match {
    const start = this.#attempt?.start ?? end;
    // What was visited on the way to a match was not in vain.
    this.#visited.clear();
    this.#ways.length = 0;
    const variables: number[] = [];
    const excluded: boolean[] = [];
    for (let at = last; at !== undefined; at = at.previous) {
      variables.push(at.variable);
      excluded.push(at.excluded);
    }
    assert(variables.length === end - start, 'a match is of rows side by side');
    this.#found = { start, variables: variables.reverse(), excluded: excluded.reverse() };
    return this.#found;
  }
}
