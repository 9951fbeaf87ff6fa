import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { physicalOf } from '../delta/column.ts';
import type { PhysicalWindowCall } from '../plan/physical-node.ts';
import type { Saved } from '../state/saved.ts';
import { cellReader, type ReadCell } from '../state/stored-cell.ts';
import {
  type CallColumns,
  type Extent,
  extentOf,
  frameOf,
  type Reach,
  reachesOf,
  type WindowCall,
} from './window-call.ts';
import {
  AccumulatorFold,
  ExtremeFold,
  type Fold,
  IntegerFold,
  type RestingFold,
} from './window-fold.ts';
import { excludedSpans, type Frame, FrameCursor, keptSpans } from './window-frame.ts';
import { DatumColumn, Int64Column, type ReportPosition } from './window-output.ts';
import type { Stretch } from './window-stretch.ts';

type Aggregate = PhysicalWindowCall & { readonly kind: 'aggregate' };

/**
 * An aggregate over frames. The fold slides along: a row enters it once and leaves it once, so that n rows with a frame of
 * w rows cost O(n + w). Lists, whose first values cannot be taken out, are made anew for every frame, as is everything
 * that EXCLUDE leaves out rows of in a list.
 * Frames from the partition's first row are not read again: the fold over all rows of the partition rests between two
 * epochs, and rows from the change on are taken out of it before they are put in again; min and max go on from the value
 * of the row before.
 */
export class AggregateCall implements WindowCall {
  readonly extent: Extent;
  readonly reachesAhead: Reach;
  readonly reachesBack: Reach;
  readonly looksBackAt: Reach;
  readonly output: DatumColumn | Int64Column;
  readonly #frame: Frame;
  readonly #fold: Fold;
  /** The fold where it can rest. */
  readonly #resting: RestingFold | undefined;
  readonly #extreme: ExtremeFold | undefined;
  readonly #readOwn: ReadCell;
  readonly #selects: (row: number) => boolean;

  constructor(call: Aggregate, columns: CallColumns) {
    const frame = frameOf(call, columns);
    const excludes = frame.exclude !== 'no others';
    this.#frame = frame;
    this.output = physicalOf(call.type) === 'i64' ? new Int64Column() : new DatumColumn(call.type);
    this.#readOwn = cellReader(columns.own);
    this.#selects = selection(call, columns);
    const fold = foldOf(call, columns, excludes);
    this.#fold = fold;
    this.#extreme = fold instanceof ExtremeFold ? fold : undefined;
    this.#resting = fold instanceof ExtremeFold ? undefined : fold;
    this.extent =
      excludes && frame.fromFirst && fold.removes === 'last' ? 'partition' : extentOf(frame);
    const reaches = reachesOf(frame);
    this.reachesAhead = reaches.reachesAhead;
    this.reachesBack = reaches.reachesBack;
    this.looksBackAt = reaches.looksBackAt;
  }

  compute(stretch: Stretch, position: number, report: ReportPosition): void {
    const frame = this.#frame;
    const fold = this.#fold;
    const cursor = new FrameCursor(frame, stretch);
    const { from, to, length } = stretch;
    // The fold holds the stretch's rows [low, high), and with frames from the first row all those before it.
    let low = 0;
    let high = 0;
    if (frame.fromFirst) high = this.#goOn(stretch, cursor);
    else fold.clear();
    let value: Datum | number | null | StreamError = null;
    let start = Number.NaN;
    let end = Number.NaN;
    for (let index = from; index < to; index++) {
      cursor.moveTo(index);
      const isSame = cursor.start === start && cursor.end === end;
      start = cursor.start;
      end = cursor.end;
      if (frame.exclude !== 'no others' && fold.removes === 'last') {
        value = this.#anew(stretch, index, start, end);
      } else {
        if (!frame.fromFirst && start > low) {
          high = this.#dropFirst(stretch, low, start, high);
          low = start;
        }
        for (; high < end; high++) this.#add(stretch.rowAt(high));
        if (frame.exclude !== 'no others') value = this.#without(stretch, index, start, end);
        else if (!isSame) value = foldValue(fold);
      }
      if (value instanceof StreamError) {
        report(position + index - from, value);
        this.#set(position + index - from, null);
      } else {
        this.#set(position + index - from, value);
      }
    }
    if (this.#resting === undefined || !frame.fromFirst || stretch.isWhole) return;
    for (; high < length; high++) this.#add(stretch.rowAt(high));
    this.#resting.rest(stretch.partition);
  }

  forget(partition: number): void {
    this.#resting?.forget(partition);
  }

  bytes(): number {
    return this.#resting?.bytes() ?? 0;
  }

  get kept(): Saved | undefined {
    return this.#resting;
  }

  #set(position: number, value: Datum | number | null): void {
    if (this.output instanceof Int64Column)
      this.output.set(position, value as bigint | number | null);
    else this.output.set(position, value);
  }

  /**
   * Makes the fold hold the rows before the first one to compute, as far as that one's frame reaches.
   * @returns the first row of the stretch that is not in it.
   */
  #goOn(stretch: Stretch, cursor: FrameCursor): number {
    const { from, to, base, length, rows } = stretch;
    const fold = this.#fold;
    if (this.#extreme !== undefined && from > 0) {
      cursor.moveTo(from - 1);
      this.#extreme.resume(this.#readOwn(stretch.rowAt(from - 1)));
      return cursor.end;
    }
    if (this.#resting === undefined || base + from === 0) {
      fold.clear();
      return 0;
    }
    if (!this.#resting.wake(stretch.partition)) {
      fold.clear();
      stretch.walkHead((row) => {
        this.#add(row);
        return true;
      });
      return 0;
    }
    for (const row of stretch.removed) this.#remove(row);
    let kept = length;
    if (from < to) {
      cursor.moveTo(from);
      kept = Math.min(cursor.end, from);
    }
    for (let index = length - 1; index >= kept; index--) {
      const row = rows[index] as number;
      if (!stretch.isFresh(row)) this.#remove(row);
    }
    return kept;
  }

  #dropFirst(stretch: Stretch, low: number, start: number, high: number): number {
    if (start >= high || this.#fold.removes === 'last') {
      this.#fold.clear();
      return start;
    }
    for (let index = low; index < start; index++) this.#remove(stretch.rowAt(index));
    return high;
  }

  #add(row: number): void {
    if (this.#selects(row)) this.#fold.add(row);
  }

  #remove(row: number): void {
    if (this.#selects(row)) this.#fold.remove(row);
  }

  /** The value over a frame that the fold holds but for the rows that are excluded. */
  #without(
    stretch: Stretch,
    index: number,
    start: number,
    end: number,
  ): Datum | number | null | StreamError {
    const out: number[] = [];
    for (const span of excludedSpans(this.#frame, stretch, index)) {
      for (let at = Math.max(span.start, start); at < Math.min(span.end, end); at++) {
        out.push(stretch.rowAt(at));
      }
    }
    for (const row of out) this.#remove(row);
    const value = foldValue(this.#fold);
    for (const row of out) this.#add(row);
    return value;
  }

  #anew(
    stretch: Stretch,
    index: number,
    start: number,
    end: number,
  ): Datum | number | null | StreamError {
    this.#fold.clear();
    for (const span of keptSpans(start, end, excludedSpans(this.#frame, stretch, index))) {
      for (let at = span.start; at < span.end; at++) this.#add(stretch.rowAt(at));
    }
    return foldValue(this.#fold);
  }
}

function foldValue(fold: Fold): Datum | number | null | StreamError {
  try {
    return fold.result();
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
}

/** Rows that FILTER takes and a strict aggregate does not skip. */
function selection(call: Aggregate, columns: CallColumns): (row: number) => boolean {
  const [first] = call.args;
  const skipsNull = call.fn.strict && first !== undefined;
  const read = skipsNull ? columns.read(first) : undefined;
  const stored = skipsNull && first.kind === 'column' ? columns.stored(first.column) : undefined;
  const isNull =
    stored !== undefined
      ? (row: number): boolean => stored.isNull(row)
      : (row: number): boolean => read !== undefined && read(row) === null;
  if (call.filter === undefined) return skipsNull ? (row) => !isNull(row) : () => true;
  const filter = columns.read({ kind: 'column', column: call.filter });
  return (row) => filter(row) === true && !isNull(row);
}

/** @param excludes  rows leave frames out of turn, which only accumulators allow. */
function foldOf(
  call: Aggregate,
  columns: CallColumns,
  excludes: boolean,
): ExtremeFold | RestingFold {
  const { fn } = call;
  const args = call.args.map(columns.read);
  const [first] = args;
  const parameter = fn.parameters[0];
  if (fn.incremental === undefined) return new AccumulatorFold(fn, args);
  switch (fn.incremental) {
    case 'count':
      return new IntegerFold(undefined, 'count');
    case 'sum-int':
      return new IntegerFold(first, fn.result.kind === 'bigint' ? 'bigint' : 'numeric');
    case 'avg-int':
      return new IntegerFold(first, 'average');
    case 'min':
    case 'max':
      if (excludes || first === undefined || parameter === undefined) break;
      return new ExtremeFold(first, parameter, fn.incremental === 'max');
    case 'sum-numeric':
    case 'avg-numeric':
    case 'sum-double':
    case 'avg-double':
    case 'bool-and':
    case 'bool-or':
      break;
    default:
      return assertNever(fn.incremental);
  }
  return new AccumulatorFold(fn, args);
}
