import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { MatchRows, MatchShape, MatchValue } from '../../sql/row-pattern.ts';
import { compileScalar } from '../kernel/scalar.ts';
import { columnsOf } from '../plan/plan-builder.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { MatchAggregate } from './match-aggregate.ts';
import { type MatchPartition, RowExpression, type StepBudget } from './match-rows.ts';
import {
  appendTrack,
  fromLast,
  includesVariable,
  type Track,
  TrackKeys,
  type TrackShape,
} from './match-track.ts';

type Value = Datum | null;

/** Where a condition is asked: the row that is looked at is mapped to the variable already. */
interface Place {
  readonly attempt: Attempt;
  readonly position: number;
  readonly variable: number;
  readonly tracks: readonly (Track | undefined)[];
}

/** What conditions know of the search for one match. */
export interface Attempt {
  readonly partition: MatchPartition;
  readonly start: number;
  /** Of the match that is looked for. */
  readonly number: number;
  /** The time up to which rows can be in the match; undefined without WITHIN, or without a time. */
  readonly lastMicros: bigint | undefined;
  /** By list of rows. */
  readonly keys: readonly TrackKeys[];
}

type ReadValue = (place: Place) => Value;

interface Condition {
  readonly evaluate: (values: readonly Value[]) => Value;
  /** The values that it reads. */
  readonly reads: readonly {
    readonly index: number;
    readonly read: ReadValue;
    readonly lazy: boolean;
  }[];
}

/** DEFINE and WITHIN, asked row by row while a match is being made. */
export class MatchConditions {
  /** Whether a row passes depends neither on where the match began nor on the rows before it in the match. */
  readonly independent: boolean;
  readonly #shape: MatchShape;
  readonly #cells: readonly ReadCell[];
  readonly #budget: StepBudget;
  readonly #time: ReadCell | undefined;
  readonly #tracks: TrackShape[] = [];
  readonly #conditions: readonly (Condition | undefined)[];
  #dependsOnStart = false;

  /** @param time  the order's first column, for WITHIN. */
  constructor(
    shape: MatchShape,
    cells: readonly ReadCell[],
    time: ReadCell | undefined,
    budget: StepBudget,
  ) {
    this.#shape = shape;
    this.#cells = cells;
    this.#time = time;
    this.#budget = budget;
    this.#conditions = shape.define.map(
      (condition, variable) => condition && this.#compile(condition, variable),
    );
    this.independent =
      this.#tracks.length === 0 && !this.#dependsOnStart && shape.withinMicros === undefined;
  }

  attempt(partition: MatchPartition, start: number, number: number): Attempt {
    const { withinMicros } = this.#shape;
    const row = withinMicros === undefined ? undefined : partition.at(start);
    const time = row === undefined ? null : (this.#time?.(row) ?? null);
    const lastMicros =
      withinMicros !== undefined && typeof time === 'bigint' ? time + withinMicros : undefined;
    return { partition, start, number, lastMicros, keys: this.#tracks.map(() => new TrackKeys()) };
  }

  /** The stored row at a position, if WITHIN lets it into the match. @throws RowAwaited. */
  rowWithin({ partition, start, lastMicros }: Attempt, position: number): number | undefined {
    const { safeMicros } = partition;
    if (position >= partition.end && lastMicros !== undefined && safeMicros !== undefined) {
      if (lastMicros <= safeMicros) return undefined;
    }
    const row = partition.at(position);
    if (row === undefined || position === start || this.#shape.withinMicros === undefined) {
      return row;
    }
    const time = this.#time?.(row) ?? null;
    return typeof time === 'bigint' && lastMicros !== undefined && time <= lastMicros
      ? row
      : undefined;
  }

  tracksAfter(
    { keys }: Attempt,
    before: readonly (Track | undefined)[] | undefined,
    position: number,
    variable: number,
  ): readonly (Track | undefined)[] {
    if (this.#tracks.length === 0) return NO_TRACKS;
    return this.#tracks.map((shape, i) =>
      includesVariable(shape, variable)
        ? appendTrack(shape, before?.[i], position, variable, keys[i] as TrackKeys)
        : before?.[i],
    );
  }

  /** What conditions can still tell of the past, as a text. */
  pastOf(tracks: readonly (Track | undefined)[]): string {
    return tracks.length === 0 ? '' : tracks.map((track) => track?.key ?? 0).join(' ');
  }

  /** @throws RowAwaited, StreamError as the condition does. */
  holds(
    attempt: Attempt,
    position: number,
    variable: number,
    tracks: readonly (Track | undefined)[],
  ): boolean {
    const condition = this.#conditions[variable];
    if (condition === undefined) return true;
    const place: Place = { attempt, position, variable, tracks };
    const values: Value[] = new Array(this.#shape.values.length).fill(null);
    for (const { index, read, lazy } of condition.reads) {
      if (lazy) Object.defineProperty(values, index, { get: () => read(place) });
      else values[index] = read(place);
    }
    return condition.evaluate(values) === true;
  }

  #compile(condition: BoundExpr, variable: number): Condition {
    const reads = columnsOf([condition]).map((index) => {
      const value = this.#shape.values[index];
      assert(value !== undefined, `a condition reads value ${index}`);
      // What may fail is read when the condition comes to it, which CASE or AND may keep it from.
      const lazy =
        value.kind === 'aggregate' || (value.kind === 'navigate' && value.of.kind !== 'column');
      return { index, read: this.#reader(value, variable), lazy };
    });
    return { evaluate: compileScalar(condition), reads };
  }

  #reader(value: MatchValue, variable: number): ReadValue {
    switch (value.kind) {
      case 'match-number':
        this.#dependsOnStart = true;
        return ({ attempt }) => BigInt(attempt.number);
      case 'navigate':
        return this.#navigation(value, variable);
      case 'aggregate':
        return this.#aggregate(value);
      default:
        return value satisfies never;
    }
  }

  #navigation(value: MatchValue & { readonly kind: 'navigate' }, variable: number): ReadValue {
    const { rows, from, offset, shift } = value;
    const of = new RowExpression(value.of, this.#cells);
    const isCurrent =
      from === 'last' && offset === 0 && (rows === undefined || rows.includes(variable));
    const target = this.#target(value, isCurrent);
    const labels =
      of.readsVariable && !(isCurrent && shift === 0)
        ? this.#track(undefined, { whole: true })
        : undefined;
    return (place) => {
      const at = target(place);
      if (at === undefined) return null;
      const row = place.attempt.partition.at(at + shift);
      if (row === undefined) return null;
      const name = of.readsVariable ? this.#variableAt(place, at + shift, labels) : null;
      return of.read(row, name);
    };
  }

  /** The position that FIRST or LAST leads to; undefined = there is no such row. */
  #target(
    { rows, from, offset }: MatchValue & { readonly kind: 'navigate' },
    isCurrent: boolean,
  ): (place: Place) => number | undefined {
    if (isCurrent) return (place) => place.position;
    if (rows === undefined) {
      this.#dependsOnStart = true;
      return ({ attempt: { start }, position }) => {
        const at = from === 'first' ? start + offset : position - offset;
        return at < start || at > position ? undefined : at;
      };
    }
    const track =
      from === 'first'
        ? this.#track(rows, { firsts: offset + 1 })
        : this.#track(rows, { lasts: offset + 1 });
    if (from === 'first') return ({ tracks }) => tracks[track]?.firsts[offset];
    return ({ tracks }) => fromLast(tracks[track], offset)?.position;
  }

  #variableAt(place: Place, position: number, labels: number | undefined): string | null {
    if (position === place.position) return this.#name(place.variable);
    if (labels === undefined || position < place.attempt.start || position > place.position)
      return null;
    const step = fromLast(place.tracks[labels], place.position - position);
    return step === undefined ? null : this.#name(step.variable);
  }

  #name(variable: number): string {
    return this.#shape.variables[variable] ?? '';
  }

  #aggregate(value: MatchValue & { readonly kind: 'aggregate' }): ReadValue {
    const aggregate = new MatchAggregate(value.aggregate, this.#cells);
    this.#dependsOnStart = true;
    // All rows of the match are the same ones whichever way led here, but their variables are not.
    const whole = value.rows !== undefined || aggregate.readsVariable;
    const track = this.#track(value.rows, { whole });
    const add = ({ attempt }: Place, { position, variable }: Track): void => {
      this.#budget.spend(1);
      const row = attempt.partition.at(position);
      if (row !== undefined) aggregate.add(row, this.#name(variable));
    };
    // The list that the aggregate holds; none after a failure.
    let held: { readonly track: Track | undefined } | undefined;
    return (place) => {
      const wanted = place.tracks[track];
      if (held === undefined || wanted !== held.track) {
        const isNext = held !== undefined && wanted !== undefined && wanted.previous === held.track;
        held = undefined;
        if (isNext) add(place, wanted);
        else {
          aggregate.clear();
          for (const one of listed(wanted)) add(place, one);
        }
        held = { track: wanted };
      }
      return aggregate.result();
    };
  }

  /** The number of the list of these rows, made to answer what is asked. */
  #track(
    rows: MatchRows,
    asked: { readonly firsts?: number; readonly lasts?: number; readonly whole?: boolean },
  ): number {
    const key = rows?.join() ?? 'all';
    let index = this.#tracks.findIndex(({ rows: of }) => (of?.join() ?? 'all') === key);
    if (index < 0) {
      index = this.#tracks.length;
      this.#tracks.push({ rows, firsts: 0, lasts: 0, whole: false });
    }
    const shape = this.#tracks[index];
    assert(shape !== undefined, 'the list was just made');
    shape.firsts = Math.max(shape.firsts, asked.firsts ?? 0);
    shape.lasts = Math.max(shape.lasts, asked.lasts ?? 0);
    shape.whole ||= asked.whole === true;
    return index;
  }
}

const NO_TRACKS: readonly (Track | undefined)[] = [];

/** In order. */
function listed(track: Track | undefined): readonly Track[] {
  const all: Track[] = [];
  for (let at = track; at !== undefined; at = at.previous) all.push(at);
  return all.reverse();
}
