import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { MatchOutput, MatchShape } from '../../sql/row-pattern.ts';
import { compilePattern } from '../plan/match-program.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { MatchConditions } from './match-conditions.ts';
import { MatchRowsOut } from './match-output.ts';
import { type MatchPartition, RowAwaited, StepBudget } from './match-rows.ts';
import { type Match, MatchSearch } from './match-search.ts';

/** How far a partition has been gone through. */
export interface ScanState {
  /** Where the next match may begin. */
  next: number;
  /** Rows before this position are in matches or before them. */
  covered: number;
  /** Matches so far. */
  number: number;
}

/** What came of the row at which a match was looked for. */
export interface Attempted {
  readonly start: number;
  readonly rows: readonly (readonly (Datum | null)[])[];
  /** Why there is no match, or a match without rows. */
  readonly failure: StreamError | undefined;
}

/** A partition from one row to the next: where matches begin, what comes out for them, and where to go on. */
export class MatchScan {
  readonly budget: StepBudget;
  readonly #shape: MatchShape & { readonly outputs: readonly MatchOutput[] };
  readonly #program: ReturnType<typeof compilePattern>;
  readonly #conditions: MatchConditions;
  readonly #out: MatchRowsOut;

  /**
   * @param cells  columns of stored rows, which the shape's expressions are over.
   * @param time  the first column of the order.
   */
  constructor(
    shape: MatchShape & { readonly outputs: readonly MatchOutput[] },
    cells: readonly ReadCell[],
    time: ReadCell | undefined,
    stepsMax: number,
  ) {
    this.budget = new StepBudget(stepsMax);
    this.#shape = shape;
    this.#program = compilePattern(shape.pattern);
    this.#conditions = new MatchConditions(shape, cells, time, this.budget);
    this.#out = new MatchRowsOut(shape, cells, this.budget);
  }

  search(partition: MatchPartition): MatchSearch {
    return new MatchSearch(this.#program, this.#conditions, partition, this.budget);
  }

  /** The time up to which rows can be in a match that begins at a row; undefined without WITHIN. */
  lastMicros(partition: MatchPartition, start: number): bigint | undefined {
    return this.#conditions.attempt(partition, start, 0).lastMicros;
  }

  /**
   * Looks for the match that begins at `state.next`, and moves the state on.
   * @param search  of this partition; it goes on where it had to wait.
   * @returns undefined when a row decides that is not there yet; then the state stays.
   * @throws StepsExhausted.
   */
  attempt(partition: MatchPartition, search: MatchSearch, state: ScanState): Attempted | undefined {
    const start = state.next;
    let match: Match | undefined;
    let next = start + 1;
    try {
      if (!search.isAt(start)) search.begin(start, state.number + 1);
      const found = search.run();
      if (found === 'awaited') return undefined;
      match = found;
      if (match === undefined) return this.#unmatched(partition, state);
      next = this.#nextAfter(match);
      const rows = this.#out.ofMatch(partition, match, state.number + 1);
      return this.#matched(match, next, state, rows, undefined);
    } catch (error) {
      if (error instanceof RowAwaited) return undefined;
      if (!(error instanceof StreamError)) throw error;
      search.end();
      if (match === undefined) {
        state.next = start + 1;
        return { start, rows: [], failure: error };
      }
      return this.#matched(match, next, state, [], error);
    }
  }

  #unmatched(partition: MatchPartition, state: ScanState): Attempted {
    const start = state.next;
    state.next = start + 1;
    const rows = start < state.covered ? [] : this.#out.ofUnmatched(partition, start);
    return { start, rows, failure: undefined };
  }

  #matched(
    match: Match,
    next: number,
    state: ScanState,
    rows: Attempted['rows'],
    failure: StreamError | undefined,
  ): Attempted {
    state.next = next;
    state.covered = Math.max(state.covered, match.start + Math.max(1, match.variables.length));
    state.number++;
    return { start: match.start, rows, failure };
  }

  /** @throws StreamError VALUE_INVALID_PARAMETER for a skip to no row, or to the row that the match begins with. */
  #nextAfter({ start, variables }: Match): number {
    const { skip } = this.#shape;
    if (variables.length === 0) return start + 1;
    switch (skip.kind) {
      case 'past-last-row':
        return start + variables.length;
      case 'to-next-row':
        return start + 1;
      case 'to-first':
      case 'to-last': {
        const isThere = (variable: number): boolean => skip.variables.includes(variable);
        const at =
          skip.kind === 'to-first'
            ? variables.findIndex(isThere)
            : variables.findLastIndex(isThere);
        if (at > 0) return start + at;
        const why = at < 0 ? 'no row is mapped to it' : 'the match begins with it';
        throw new StreamError(
          'VALUE_INVALID_PARAMETER',
          `AFTER MATCH SKIP TO ${skip.variable}: ${why}`,
        );
      }
      default:
        return skip satisfies never;
    }
  }
}
