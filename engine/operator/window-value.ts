import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { PhysicalWindowCall, WindowArgument } from '../plan/physical-node.ts';
import { NONE } from '../state/row-store.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { type CallColumns, extentOf, frameOf, reachesOf, type WindowCall } from './window-call.ts';
import { excludedSpans, FrameCursor, keptSpans, type Span } from './window-frame.ts';
import { CopiedColumn, DatumColumn, type ReportPosition } from './window-output.ts';
import type { Stretch } from './window-stretch.ts';

type Value = PhysicalWindowCall & {
  readonly kind: 'ranking';
  readonly name: 'lag' | 'lead' | 'first_value' | 'last_value' | 'nth_value';
};

/** Most rows from a partition's first one on that nth_value looks up without reading the whole partition. */
const HEAD_ROWS_MAX = 1000;

/** Functions that answer another row's value. */
export function valueCall(call: Value, columns: CallColumns): WindowCall {
  return call.name === 'lag' || call.name === 'lead'
    ? neighbourCall(call, columns)
    : frameCall(call, columns);
}

/** Where values of rows go: copied in one go where the argument is a column and nothing else comes in between. */
class ValueOutput {
  readonly column: CopiedColumn | DatumColumn;
  readonly #read: ReadCell;

  constructor(argument: WindowArgument | undefined, columns: CallColumns, isMixed: boolean) {
    const isCopied = argument?.kind === 'column' && !isMixed;
    this.#read = argument === undefined ? () => null : columns.read(argument);
    this.column = isCopied
      ? new CopiedColumn(columns.stored(argument.column))
      : new DatumColumn(columns.type);
  }

  /** The value of a row of the state; NONE stands for NULL. */
  setRow(position: number, row: number): void {
    if (this.column instanceof CopiedColumn) this.column.setRow(position, row);
    else this.column.set(position, row === NONE ? null : this.#read(row));
  }

  set(position: number, value: Datum | null): void {
    if (this.column instanceof CopiedColumn) this.column.setRow(position, NONE);
    else this.column.set(position, value);
  }
}

/** The number of rows that lag goes back, or lead goes on as a negative one; undefined where rows differ in it. */
function distanceOf(call: Value): number | null | undefined {
  const [, offset] = call.args;
  if (offset === undefined) return call.name === 'lag' ? 1 : -1;
  if (offset.kind === 'column') return undefined;
  if (offset.value === null) return null;
  return call.name === 'lag' ? Number(offset.value) : -Number(offset.value);
}

function neighbourCall(call: Value, columns: CallColumns): WindowCall {
  const [argument, offset, fallback] = call.args;
  const fixed = call.ignoreNulls ? undefined : distanceOf(call);
  const sign = call.name === 'lag' ? 1 : -1;
  const readOffset = offset === undefined ? () => 1 : columns.read(offset);
  const readDefault: ReadCell = fallback === undefined ? () => null : columns.read(fallback);
  const readArgument: ReadCell = argument === undefined ? () => null : columns.read(argument);
  const output = new ValueOutput(argument, columns, fallback !== undefined);
  const target = (stretch: Stretch, index: number): number | null => {
    const back = fixed === undefined ? readOffset(stretch.rowAt(index)) : fixed;
    if (back === null) return null;
    const step = fixed === undefined ? sign * Number(back) : Number(back);
    return call.ignoreNulls ? skipNulls(stretch, index, step, readArgument) : index - step;
  };
  return {
    extent: fixed === undefined ? 'partition' : 'near',
    reachesAhead: (_, __, rows) => fixed === undefined || rows <= -(fixed ?? 0),
    reachesBack: (_, __, rows) => fixed === undefined || rows <= (fixed ?? 0),
    looksBackAt: (_, __, rows) => fixed === undefined || rows <= (fixed ?? 0),
    output: output.column,
    compute: (stretch, position) => {
      for (let index = stretch.from; index < stretch.to; index++) {
        const at = position + index - stretch.from;
        const other = target(stretch, index);
        if (other === null) output.set(at, null);
        else if (other >= 0 && other < stretch.length) output.setRow(at, stretch.rowAt(other));
        else output.set(at, readDefault(stretch.rowAt(index)));
      }
    },
    forget: () => {},
    bytes: () => 0,
  };
}

/** The row so many rows with a value back (on, when negative); -1 where there is none. */
function skipNulls(stretch: Stretch, index: number, back: number, read: ReadCell): number {
  const direction = back >= 0 ? -1 : 1;
  let left = Math.abs(back);
  if (left === 0) return index;
  for (let at = index + direction; at >= 0 && at < stretch.length; at += direction) {
    if (read(stretch.rowAt(at)) !== null && --left === 0) return at;
  }
  return -1;
}

function frameCall(call: Value, columns: CallColumns): WindowCall {
  const frame = frameOf(call, columns);
  const [argument, nth] = call.args;
  const output = new ValueOutput(argument, columns, false);
  const readArgument: ReadCell = argument === undefined ? () => null : columns.read(argument);
  const readNth: ReadCell = nth === undefined ? () => 1 : columns.read(nth);
  const isNear =
    nth === undefined || (nth.kind === 'constant' && Number(nth.value) <= HEAD_ROWS_MAX);
  const readsAll = frame.fromFirst && (!isNear || frame.exclude !== 'no others');
  const fromEnd = call.name === 'last_value';
  const find = (stretch: Stretch, spans: readonly Span[], n: number): number => {
    if (!call.ignoreNulls) return fromEnd ? nthLast(spans, n) : nthFirst(spans, n);
    return nthWithValue(stretch, spans, n, fromEnd, readArgument);
  };
  return {
    extent: call.ignoreNulls || readsAll ? 'partition' : extentOf(frame),
    ...reachesOf(frame),
    output: output.column,
    compute: (stretch, position, report) => {
      const cursor = new FrameCursor(frame, stretch);
      const head = new Head(stretch);
      for (let index = stretch.from; index < stretch.to; index++) {
        const at = position + index - stretch.from;
        const n = countOf(readNth(stretch.rowAt(index)), at, report);
        cursor.moveTo(index);
        const excluded = excludedSpans(frame, stretch, index);
        const spans = keptSpans(cursor.start, cursor.end, excluded);
        const found = n === undefined ? undefined : find(stretch, spans, n);
        output.setRow(at, found === undefined || found === ABSENT ? NONE : head.rowAt(found));
      }
    },
    forget: () => {},
    bytes: () => 0,
  };
}

const ABSENT = Number.MIN_SAFE_INTEGER;

/** The n of nth_value; undefined = the answer is NULL. */
function countOf(n: Datum | null, position: number, report: ReportPosition): number | undefined {
  if (n === null) return undefined;
  if (Number(n) > 0) return Number(n);
  const message = 'argument of nth_value must be greater than zero';
  report(position, new StreamError('VALUE_INVALID_NTH_VALUE', message));
  return undefined;
}

/** Rows by their place in a stretch; negative places are before it, up to the partition's first row. */
class Head {
  readonly #stretch: Stretch;
  readonly #rows: number[] = [];

  constructor(stretch: Stretch) {
    this.#stretch = stretch;
  }

  rowAt(index: number): number {
    if (index >= 0) return this.#stretch.rowAt(index);
    const place = index + this.#stretch.base;
    if (place >= this.#rows.length) {
      this.#rows.length = 0;
      this.#stretch.walkHead((row) => this.#rows.push(row) <= place);
    }
    return this.#rows[place] as number;
  }
}

function nthFirst(spans: readonly Span[], n: number): number {
  let left = n - 1;
  for (const { start, end } of spans) {
    if (left < end - start) return start + left;
    left -= end - start;
  }
  return ABSENT;
}

function nthLast(spans: readonly Span[], n: number): number {
  let left = n - 1;
  for (const { start, end } of [...spans].reverse()) {
    if (left < end - start) return end - 1 - left;
    left -= end - start;
  }
  return ABSENT;
}

function nthWithValue(
  stretch: Stretch,
  spans: readonly Span[],
  n: number,
  fromEnd: boolean,
  read: ReadCell,
): number {
  let left = n;
  for (const { start, end } of fromEnd ? [...spans].reverse() : spans) {
    for (let i = 0; i < end - start; i++) {
      const index = fromEnd ? end - 1 - i : start + i;
      if (read(stretch.rowAt(index)) !== null && --left === 0) return index;
    }
  }
  return ABSENT;
}
