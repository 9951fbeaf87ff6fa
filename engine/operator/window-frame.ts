import { assertNever } from '../../sql/base/assert.ts';
import { type InRange, inRangeOf } from '../../sql/base/in-range.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { PhysicalFrame, PhysicalFrameBound, SortColumn } from '../plan/physical-node.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import type { Stretch } from './window-stretch.ts';

/** The one ORDER BY column that RANGE offsets are added to. */
export interface RangeKey {
  readonly read: ReadCell;
  readonly type: SqlType;
  readonly order: SortColumn;
}

/** Whether a row is not before a frame's start, or not behind its end, as seen from the frame's row. */
type BoundTest = (row: number, base: number) => boolean;

/**
 * How far a frame reaches, from its row to another one of the partition that is `rows` rows and `groups` peer groups
 * away. Reaches only shrink with the distance, so that a walk may stop at the first row that is out of reach.
 */
export class Frame {
  readonly unit: PhysicalFrame['unit'];
  readonly exclude: PhysicalFrame['exclude'];
  readonly start: PhysicalFrameBound;
  readonly end: PhysicalFrameBound;
  /** Offsets of ROWS and GROUPS; 0 where there is none. */
  readonly startCount: number;
  readonly endCount: number;
  readonly startTest: BoundTest;
  readonly endTest: BoundTest;

  constructor(frame: PhysicalFrame, key: RangeKey | undefined) {
    this.unit = frame.unit;
    this.exclude = frame.exclude;
    this.start = frame.start;
    this.end = frame.end;
    this.startCount = countOf(frame, frame.start);
    this.endCount = countOf(frame, frame.end);
    this.startTest = boundTest(frame, frame.start, key, false);
    this.endTest = boundTest(frame, frame.end, key, true);
  }

  get fromFirst(): boolean {
    return this.start.kind === 'unbounded-preceding';
  }

  get toLast(): boolean {
    return this.end.kind === 'unbounded-following';
  }

  /** Whether the frame of `base` may begin at or before a row that comes before it. */
  startReaches(base: number, row: number, rows: number, groups: number): boolean {
    switch (this.start.kind) {
      case 'unbounded-preceding':
        return true;
      case 'unbounded-following':
        return false;
      case 'current-row':
        return this.unit !== 'rows' && groups === 0;
      case 'preceding':
        return this.#isNear(this.startCount, rows, groups) ?? this.startTest(row, base);
      case 'following':
        if (this.unit === 'rows') return false;
        if (this.unit === 'groups') return this.startCount === 0 && groups === 0;
        return this.startTest(row, base);
      default:
        return assertNever(this.start);
    }
  }

  /** Whether the frame of `base` may end at or behind a row that comes after it. */
  endReaches(base: number, row: number, rows: number, groups: number): boolean {
    switch (this.end.kind) {
      case 'unbounded-following':
        return true;
      case 'unbounded-preceding':
        return false;
      case 'current-row':
        return this.unit !== 'rows' && groups === 0;
      case 'following':
        return this.#isNear(this.endCount, rows, groups) ?? this.endTest(row, base);
      case 'preceding':
        if (this.unit === 'rows') return false;
        if (this.unit === 'groups') return this.endCount === 0 && groups === 0;
        return this.endTest(row, base);
      default:
        return assertNever(this.end);
    }
  }

  /** Whether rows in [before, base] must be at hand to compute the frame of `base` and of later rows. */
  looksBackAt(base: number, before: number, rows: number, groups: number): boolean {
    if ((this.exclude === 'group' || this.exclude === 'ties') && groups === 0) return true;
    if (!this.fromFirst) return this.startReaches(base, before, rows, groups);
    // All rows up to the frame's end are summed up; only those behind it are still to come.
    if (this.end.kind !== 'preceding') return false;
    if (this.unit === 'rows') return rows < this.endCount;
    if (this.unit === 'groups') return groups < this.endCount;
    return !this.endTest(before, base);
  }

  #isNear(count: number, rows: number, groups: number): boolean | undefined {
    if (this.unit === 'rows') return rows <= count;
    return this.unit === 'groups' ? groups <= count : undefined;
  }
}

function countOf(frame: PhysicalFrame, bound: PhysicalFrameBound): number {
  if (!('offset' in bound) || frame.unit === 'range') return 0;
  return Math.min(Number(bound.offset), Number.MAX_SAFE_INTEGER);
}

function boundTest(
  frame: PhysicalFrame,
  bound: PhysicalFrameBound,
  key: RangeKey | undefined,
  isEnd: boolean,
): BoundTest {
  if (!('offset' in bound) || frame.unit !== 'range') {
    return () => {
      throw new Error('assertion failed: only RANGE offsets compare values');
    };
  }
  if (key === undefined)
    throw new Error('assertion failed: a RANGE offset has one ORDER BY column');
  const { read, order } = key;
  const inRange: InRange = inRangeOf(key.type, bound.offset);
  const subtract = (bound.kind === 'preceding') !== order.descending;
  const isUpper = isEnd !== order.descending;
  return (row, base) => {
    const value = read(row);
    const from = read(base);
    if (value !== null && from !== null) return inRange(value, from, subtract, isUpper);
    if ((value === null) === (from === null)) return true;
    // A NULL lies before everything or behind everything; it is in range of NULLs only.
    const rowComesFirst = (value === null) === order.nullsFirst;
    return rowComesFirst === isEnd;
  };
}

/** The frames of a stretch's rows, in turn: indexes [start, end), empty when end <= start. */
export class FrameCursor {
  start = 0;
  end = 0;
  readonly #frame: Frame;
  readonly #stretch: Stretch;

  constructor(frame: Frame, stretch: Stretch) {
    this.#frame = frame;
    this.#stretch = stretch;
  }

  /** Rows must come in order, since RANGE bounds are only moved on. A start at the partition's first row may be < 0. */
  moveTo(index: number): void {
    this.start = this.#startAt(index);
    this.end = this.#endAt(index);
  }

  #startAt(index: number): number {
    const { start, unit, startCount, startTest } = this.#frame;
    const stretch = this.#stretch;
    switch (start.kind) {
      case 'unbounded-preceding':
        return -stretch.base;
      case 'unbounded-following':
        return stretch.length;
      case 'current-row':
        return unit === 'rows' ? index : stretch.groupStart(stretch.groupOf(index));
      case 'preceding':
      case 'following': {
        const sign = start.kind === 'preceding' ? -1 : 1;
        if (unit === 'rows') {
          return Math.min(Math.max(index + sign * startCount, 0), stretch.length);
        }
        if (unit === 'groups') {
          return stretch.groupStart(Math.max(stretch.groupOf(index) + sign * startCount, 0));
        }
        let at = this.start;
        while (at < stretch.length && !startTest(stretch.rowAt(at), stretch.rowAt(index))) at++;
        return at;
      }
      default:
        return assertNever(start);
    }
  }

  #endAt(index: number): number {
    const { end, unit, endCount, endTest } = this.#frame;
    const stretch = this.#stretch;
    switch (end.kind) {
      case 'unbounded-preceding':
        return 0;
      case 'unbounded-following':
        return stretch.length;
      case 'current-row':
        return unit === 'rows' ? index + 1 : stretch.groupStart(stretch.groupOf(index) + 1);
      case 'preceding':
      case 'following': {
        const sign = end.kind === 'preceding' ? -1 : 1;
        if (unit === 'rows') {
          return Math.min(Math.max(index + sign * endCount + 1, 0), stretch.length);
        }
        if (unit === 'groups') {
          const group = stretch.groupOf(index) + sign * endCount;
          return group < 0 ? 0 : stretch.groupStart(group + 1);
        }
        let at = this.end;
        while (at < stretch.length && endTest(stretch.rowAt(at), stretch.rowAt(index))) at++;
        return at;
      }
      default:
        return assertNever(end);
    }
  }
}

/** A part [start, end) of a frame. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What EXCLUDE leaves out of the frame of a row. */
export function excludedSpans(frame: Frame, stretch: Stretch, index: number): readonly Span[] {
  if (frame.exclude === 'no others') return [];
  if (frame.exclude === 'current row') return [{ start: index, end: index + 1 }];
  const group = stretch.groupOf(index);
  const start = stretch.groupStart(group);
  const end = stretch.groupStart(group + 1);
  if (frame.exclude === 'group') return [{ start, end }];
  return [
    { start, end: index },
    { start: index + 1, end },
  ];
}

/** The parts of [start, end) outside of the excluded spans, in order. */
export function keptSpans(start: number, end: number, excluded: readonly Span[]): readonly Span[] {
  const kept: Span[] = [];
  let at = start;
  for (const span of excluded) {
    if (span.start >= span.end) continue;
    if (Math.min(span.start, end) > at) kept.push({ start: at, end: Math.min(span.start, end) });
    at = Math.max(at, span.end);
  }
  if (end > at) kept.push({ start: at, end });
  return kept;
}
