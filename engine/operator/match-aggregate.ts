import type { Datum } from '../../sql/base/datum.ts';
import type { BoundAggregate } from '../../sql/expression.ts';
import type { Accumulator } from '../../sql/function/aggregate-function.ts';
import { objectKey } from '../state/object-key.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { RowExpression } from './match-rows.ts';

/** An aggregate over rows that are added one after the other. */
export class MatchAggregate {
  readonly readsVariable: boolean;
  readonly #call: BoundAggregate;
  readonly #args: readonly RowExpression[];
  readonly #filter: RowExpression | undefined;
  readonly #seen = new Set<string>();
  #accumulator: Accumulator;

  constructor(call: BoundAggregate, cells: readonly ReadCell[]) {
    this.#call = call;
    this.#args = call.args.map((arg) => new RowExpression(arg, cells));
    this.#filter = call.filter && new RowExpression(call.filter, cells);
    this.#accumulator = call.fn.accumulator();
    this.readsVariable = [
      ...this.#args,
      ...(this.#filter === undefined ? [] : [this.#filter]),
    ].some((expression) => expression.readsVariable);
  }

  clear(): void {
    this.#accumulator = this.#call.fn.accumulator();
    this.#seen.clear();
  }

  /** @throws StreamError as an argument does. */
  add(row: number, variable: string): void {
    if (this.#filter !== undefined && this.#filter.read(row, variable) !== true) return;
    const args = this.#args.map((arg) => arg.read(row, variable));
    if (this.#call.fn.strict && args.length > 0 && args[0] === null) return;
    if (this.#call.distinct) {
      const key = args.map(objectKey).join(',');
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.#accumulator.add(args, 1);
  }

  /** @throws StreamError where the aggregate has no value, as on overflow. */
  result(): Datum | null {
    return this.#accumulator.result();
  }
}
