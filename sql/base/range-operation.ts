/** What ranges of one type are to each other, and what they make together. Source: PostgreSQL 17, rangetypes.c. */
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import {
  compareBounds,
  compareBoundValues,
  emptyRange,
  makeRange,
  type RangeBound,
  type RangeValue,
} from './range.ts';

export function containsRange(a: RangeValue, b: RangeValue): boolean {
  if (b.isEmpty) return true;
  if (a.isEmpty) return false;
  return (
    compareBounds(a.name, a.lower, b.lower) <= 0 && compareBounds(a.name, a.upper, b.upper) >= 0
  );
}

export function containsElement(range: RangeValue, value: Datum): boolean {
  if (range.isEmpty) return false;
  const point: RangeBound = { value, inclusive: true, isLower: true };
  return (
    compareBounds(range.name, range.lower, point) <= 0 &&
    compareBounds(range.name, range.upper, point) >= 0
  );
}

export function overlaps(a: RangeValue, b: RangeValue): boolean {
  return !a.isEmpty && !b.isEmpty && !isBefore(a, b) && !isBefore(b, a);
}

export function isBefore(a: RangeValue, b: RangeValue): boolean {
  return !a.isEmpty && !b.isEmpty && compareBounds(a.name, a.upper, b.lower) < 0;
}

/** `&<`: a does not reach beyond the end of b. */
export function endsWithin(a: RangeValue, b: RangeValue): boolean {
  return !a.isEmpty && !b.isEmpty && compareBounds(a.name, a.upper, b.upper) <= 0;
}

/** `&>`: a does not begin before b. */
export function beginsWithin(a: RangeValue, b: RangeValue): boolean {
  return !a.isEmpty && !b.isEmpty && compareBounds(a.name, a.lower, b.lower) >= 0;
}

export function isAdjacent(a: RangeValue, b: RangeValue): boolean {
  return !a.isEmpty && !b.isEmpty && (meets(a.upper, b.lower, a) || meets(b.upper, a.lower, a));
}

/** Whether nothing lies between an upper and a lower bound, and nothing on both sides. */
function meets(upper: RangeBound, lower: RangeBound, { name }: RangeValue): boolean {
  const order = compareBoundValues(name, upper, lower);
  if (order > 0) return false;
  if (order === 0) return upper.inclusive !== lower.inclusive;
  return makeRange(name, turned(upper), turned(lower)).isEmpty;
}

/** The bound of what lies on its other side. */
const turned = ({ value, inclusive, isLower }: RangeBound): RangeBound => ({
  value,
  inclusive: !inclusive,
  isLower: !isLower,
});

/** The smallest range with both in it. */
export function mergeRanges(a: RangeValue, b: RangeValue): RangeValue {
  if (a.isEmpty) return b;
  if (b.isEmpty) return a;
  const lower = compareBounds(a.name, a.lower, b.lower) < 0 ? a.lower : b.lower;
  const upper = compareBounds(a.name, a.upper, b.upper) > 0 ? a.upper : b.upper;
  return makeRange(a.name, lower, upper);
}

/** @throws StreamError VALUE_RANGE when there is a gap between them. */
export function uniteRanges(a: RangeValue, b: RangeValue): RangeValue {
  if (!a.isEmpty && !b.isEmpty && !overlaps(a, b) && !isAdjacent(a, b)) {
    throw new StreamError('VALUE_RANGE', 'result of range union would not be contiguous');
  }
  return mergeRanges(a, b);
}

export function intersectRanges(a: RangeValue, b: RangeValue): RangeValue {
  if (!overlaps(a, b)) return emptyRange(a.name);
  const lower = compareBounds(a.name, a.lower, b.lower) >= 0 ? a.lower : b.lower;
  const upper = compareBounds(a.name, a.upper, b.upper) <= 0 ? a.upper : b.upper;
  return makeRange(a.name, lower, upper);
}

/** @throws StreamError VALUE_RANGE when b cuts a in two. */
export function subtractRanges(a: RangeValue, b: RangeValue): RangeValue {
  if (a.isEmpty || b.isEmpty) return a;
  const { name } = a;
  const lowers = compareBounds(name, a.lower, b.lower);
  const uppers = compareBounds(name, a.upper, b.upper);
  if (lowers < 0 && uppers > 0) {
    throw new StreamError('VALUE_RANGE', 'result of range difference would not be contiguous');
  }
  if (isBefore(a, b) || isBefore(b, a)) return a;
  if (lowers >= 0 && uppers <= 0) return emptyRange(name);
  return lowers < 0
    ? makeRange(name, a.lower, turned(b.lower))
    : makeRange(name, turned(b.upper), a.upper);
}
