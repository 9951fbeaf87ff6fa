import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { MatchOutput, MatchRows, MatchShape, MatchValue } from '../../sql/row-pattern.ts';
import { compileScalar } from '../kernel/scalar.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { MatchAggregate } from './match-aggregate.ts';
import { type MatchPartition, RowExpression, type StepBudget } from './match-rows.ts';
import type { Match } from './match-search.ts';

type Value = Datum | null;

/** A match, and its row as of which values are read; -1 for an empty one. */
interface Place {
  readonly partition: MatchPartition;
  readonly match: Match;
  readonly number: number;
  readonly current: number;
}

type ReadValue = (place: Place) => Value;

/** The rows that come out for a match: MEASURES, and ONE ROW or ALL ROWS PER MATCH. */
export class MatchRowsOut {
  readonly #shape: MatchShape & { readonly outputs: readonly MatchOutput[] };
  readonly #cells: readonly ReadCell[];
  readonly #budget: StepBudget;
  readonly #values: readonly ReadValue[];
  readonly #measures: readonly ((values: readonly Value[]) => Value)[];
  /** Positions within the match that are mapped to sets of variables, for the match at hand. */
  readonly #positions = new Map<string, readonly number[]>();
  #listed: Match | undefined;

  constructor(
    shape: MatchShape & { readonly outputs: readonly MatchOutput[] },
    cells: readonly ReadCell[],
    budget: StepBudget,
  ) {
    this.#shape = shape;
    this.#cells = cells;
    this.#budget = budget;
    this.#values = shape.values.map((value) => this.#reader(value));
    this.#measures = shape.measures.map(compileScalar);
  }

  /**
   * @param number  of the match, from 1.
   * @throws RowAwaited, StreamError as a measure does.
   */
  ofMatch(partition: MatchPartition, match: Match, number: number): readonly Value[][] {
    const { rowsPerMatch } = this.#shape;
    const length = match.variables.length;
    if (rowsPerMatch === 'one' || length === 0) {
      if (rowsPerMatch === 'all-omit-empty') return [];
      return [this.#row({ partition, match, number, current: length - 1 }, match.start)];
    }
    const rows: Value[][] = [];
    for (let current = 0; current < length; current++) {
      if (match.excluded[current] === true) continue;
      rows.push(this.#row({ partition, match, number, current }, match.start + current));
    }
    return rows;
  }

  /** WITH UNMATCHED ROWS: a row's columns, without measures. */
  ofUnmatched(partition: MatchPartition, position: number): readonly Value[][] {
    if (this.#shape.rowsPerMatch !== 'all-with-unmatched') return [];
    const row = partition.at(position);
    assert(row !== undefined, 'a row that begins no match is there');
    return [
      this.#shape.outputs.map((output) =>
        output.kind === 'column' ? this.#cell(output.column, row) : null,
      ),
    ];
  }

  /** @param position  of the row whose columns come out; with ONE ROW only the partition's do. */
  #row(place: Place, position: number): Value[] {
    const row = place.partition.at(position);
    assert(row !== undefined, 'a row of a match is there');
    const values: Value[] = new Array(this.#values.length).fill(null);
    this.#values.forEach((read, i) => {
      Object.defineProperty(values, i, { get: () => read(place) });
    });
    return this.#shape.outputs.map((output) => {
      if (output.kind === 'column') return this.#cell(output.column, row);
      const measure = this.#measures[output.measure];
      assert(measure !== undefined, `measure ${output.measure} exists`);
      return measure(values);
    });
  }

  #cell(column: number, row: number): Value {
    const cell = this.#cells[column];
    assert(cell !== undefined, `column ${column} of a match exists`);
    return cell(row);
  }

  #reader(value: MatchValue): ReadValue {
    switch (value.kind) {
      case 'match-number':
        return ({ number }) => BigInt(number);
      case 'navigate':
        return this.#navigation(value);
      case 'aggregate':
        return this.#aggregate(value);
      default:
        return value satisfies never;
    }
  }

  #navigation(value: MatchValue & { readonly kind: 'navigate' }): ReadValue {
    const { rows, from, offset, shift, final } = value;
    const of = new RowExpression(value.of, this.#cells);
    return (place) => {
      const { match, partition } = place;
      const last = final ? match.variables.length - 1 : place.current;
      const positions = this.#positionsOf(match, rows);
      const index = from === 'first' ? offset : countUpTo(positions, last) - 1 - offset;
      const at = positions[index];
      if (at === undefined || at > last) return null;
      const row = partition.at(match.start + at + shift);
      if (row === undefined) return null;
      // Rows behind the current one are not mapped yet.
      const variable = at + shift <= last ? match.variables[at + shift] : undefined;
      return of.read(row, variable === undefined ? null : this.#name(variable));
    };
  }

  #name(variable: number): string {
    return this.#shape.variables[variable] ?? '';
  }

  /** Rows come in order, so that a running aggregate goes on from the row before. */
  #aggregate(value: MatchValue & { readonly kind: 'aggregate' }): ReadValue {
    const aggregate = new MatchAggregate(value.aggregate, this.#cells);
    let held: Match | undefined;
    let added = 0;
    return ({ partition, match, current }) => {
      const last = value.final ? match.variables.length - 1 : current;
      const positions = this.#positionsOf(match, value.rows);
      const wanted = countUpTo(positions, last);
      if (held !== match || wanted < added) {
        aggregate.clear();
        added = 0;
      }
      held = undefined;
      for (; added < wanted; added++) {
        this.#budget.spend(1);
        const at = positions[added] as number;
        const row = partition.at(match.start + at);
        if (row !== undefined) aggregate.add(row, this.#name(match.variables[at] as number));
      }
      held = match;
      return aggregate.result();
    };
  }

  /** Where in the match the rows of these variables are, ascending. */
  #positionsOf(match: Match, rows: MatchRows): readonly number[] {
    if (this.#listed !== match) {
      this.#positions.clear();
      this.#listed = match;
    }
    const key = rows?.join() ?? 'all';
    let positions = this.#positions.get(key);
    if (positions === undefined) {
      positions = match.variables.flatMap((variable, at) =>
        rows === undefined || rows.includes(variable) ? at : [],
      );
      this.#positions.set(key, positions);
    }
    return positions;
  }
}

/** How many of ascending numbers are at most `last`. */
function countUpTo(ascending: readonly number[], last: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= last) low = middle + 1;
    else high = middle;
  }
  return low;
}
