/** Ranges: two bounds over a subtype, in the canonical form of the type. Source of the rules: PostgreSQL 17, rangetypes.c. */

import { isDateInRange, isInfiniteDate } from './datetime.ts';
import { dateToText, timestampToText, timestamptzToText } from './datetime-text.ts';
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import { compareExact } from './exact-order.ts';
import type { Numeric } from './numeric.ts';
import { quoteRangeBound } from './range-text.ts';
import type { Zone } from './timezone.ts';
import type { RangeName, SqlType } from './type.ts';

/** One end of a range. */
export interface RangeBound {
  /** Null: there is no end. */
  readonly value: Datum | null;
  readonly inclusive: boolean;
  readonly isLower: boolean;
}

interface Subtype {
  readonly type: SqlType;
  readonly compare: (left: Datum, right: Datum) => number;
  readonly write: (value: Datum, zone: Zone | undefined) => string;
  /** Equal for equal values; by default the text. */
  readonly hash?: (value: Datum) => string;
  /** Of a discrete type: the value after one, or the value itself where none is after it. */
  readonly next?: (value: Datum) => Datum;
}

const INTEGER_MAX = 2147483647;
const BIGINT_MAX = 9223372036854775807n;

function outOfRange(name: string): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', `${name} out of range`);
}

function nextInteger(value: Datum): Datum {
  if (value === INTEGER_MAX) throw outOfRange('integer');
  return (value as number) + 1;
}

function nextBigint(value: Datum): Datum {
  if (value === BIGINT_MAX) throw outOfRange('bigint');
  return (value as bigint) + 1n;
}

/** An infinite date has none after it. */
function nextDate(value: Datum): Datum {
  const days = value as number;
  if (isInfiniteDate(days)) return days;
  if (!isDateInRange(days + 1)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'date out of range');
  }
  return days + 1;
}

const subtypes: { readonly [N in RangeName]: Subtype } = {
  int4range: {
    type: { kind: 'integer' },
    compare: compareExact,
    write: String,
    next: nextInteger,
  },
  int8range: {
    type: { kind: 'bigint' },
    compare: compareExact,
    write: String,
    next: nextBigint,
  },
  numrange: {
    type: { kind: 'numeric' },
    compare: (left, right) => (left as Numeric).compare(right as Numeric),
    write: String,
    hash: (value) => String((value as Numeric).hashKey()),
  },
  daterange: {
    type: { kind: 'date' },
    compare: compareExact,
    write: (value) => dateToText(value as number),
    next: nextDate,
  },
  tsrange: {
    type: { kind: 'timestamp' },
    compare: compareExact,
    write: (value) => timestampToText(value as bigint),
  },
  tstzrange: {
    type: { kind: 'timestamptz' },
    compare: compareExact,
    write: (value, zone) => timestamptzToText(value as bigint, zone),
  },
};

/** The type of the values in a range. */
export const rangeSubtype = (name: RangeName): SqlType => subtypes[name].type;

/** One value of a range type; made by `makeRange` and `emptyRange` only, so that equal ones of discrete types are alike. */
export class RangeValue {
  readonly name: RangeName;
  readonly isEmpty: boolean;
  readonly lower: RangeBound;
  readonly upper: RangeBound;

  constructor(name: RangeName, isEmpty: boolean, lower: RangeBound, upper: RangeBound) {
    this.name = name;
    this.isEmpty = isEmpty;
    this.lower = lower;
    this.upper = upper;
  }

  /** As PostgreSQL prints it; `zone` is that of instants, UTC when it is left out. */
  toString(zone?: Zone): string {
    const { write } = subtypes[this.name];
    return this.#print((value) => quoteRangeBound(write(value, zone)));
  }

  /** Equal exactly for equal ranges of one type. */
  hashKey(): string {
    const { hash, write } = subtypes[this.name];
    return this.#print(hash ?? ((value) => write(value, undefined)));
  }

  #print(write: (value: Datum) => string): string {
    if (this.isEmpty) return 'empty';
    const { lower, upper } = this;
    const [from, to] = [lower, upper].map(({ value }) => (value === null ? '' : write(value)));
    return `${lower.inclusive ? '[' : '('}${from},${to}${upper.inclusive ? ']' : ')'}`;
  }
}

const openLower: RangeBound = { value: null, inclusive: false, isLower: true };
const openUpper: RangeBound = { value: null, inclusive: false, isLower: false };

export const emptyRange = (name: RangeName): RangeValue =>
  new RangeValue(name, true, openLower, openUpper);

/**
 * The range between two bounds, in canonical form: `[from,to)` for discrete types; the empty range where nothing lies
 * between them.
 * @throws StreamError VALUE_RANGE for bounds in the wrong order; VALUE_OUT_OF_RANGE, VALUE_DATETIME_OVERFLOW where the
 * canonical form has no value.
 */
export function makeRange(name: RangeName, from: RangeBound, to: RangeBound): RangeValue {
  const { compare, next } = subtypes[name];
  const order = from.value === null || to.value === null ? -1 : compare(from.value, to.value);
  if (order > 0) {
    throw new StreamError(
      'VALUE_RANGE',
      'range lower bound must be less than or equal to range upper bound',
    );
  }
  if (order === 0 && !(from.inclusive && to.inclusive)) return emptyRange(name);
  const lower = from.value === null ? openLower : from;
  const upper = to.value === null ? openUpper : to;
  if (next === undefined) return new RangeValue(name, false, lower, upper);
  const first = lower.inclusive ? lower : stepped(lower, next, true);
  const last = upper.inclusive ? stepped(upper, next, false) : upper;
  if (first === lower && last === upper) return new RangeValue(name, false, lower, upper);
  return makeRange(name, first, last);
}

/** The bound behind the next value, of the other kind; itself where there is no next one. */
function stepped(bound: RangeBound, next: (value: Datum) => Datum, inclusive: boolean): RangeBound {
  if (bound.value === null) return bound;
  const value = next(bound.value);
  return value === bound.value ? bound : { ...bound, value, inclusive };
}

/** By their values alone; an end that is not there is below or above all values. */
export function compareBoundValues(name: RangeName, a: RangeBound, b: RangeBound): number {
  const side = ({ value, isLower }: RangeBound): number => (value !== null ? 0 : isLower ? -1 : 1);
  if (a.value === null || b.value === null) return side(a) - side(b);
  return subtypes[name].compare(a.value, b.value);
}

/** By where they cut: an exclusive lower bound is behind its value, an exclusive upper one before it. */
export function compareBounds(name: RangeName, a: RangeBound, b: RangeBound): number {
  const order = compareBoundValues(name, a, b);
  if (order !== 0 || a.value === null || b.value === null) return order;
  const shift = ({ inclusive, isLower }: RangeBound): number => (inclusive ? 0 : isLower ? 1 : -1);
  return shift(a) - shift(b);
}

/** The order of the type: empty ones first, then by lower and by upper bound. */
export function compareRanges(a: RangeValue, b: RangeValue): number {
  if (a.isEmpty || b.isEmpty) return Number(b.isEmpty) - Number(a.isEmpty);
  return compareBounds(a.name, a.lower, b.lower) || compareBounds(a.name, a.upper, b.upper);
}
