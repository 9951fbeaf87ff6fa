/** Order, equality and hash keys of SQL values; the only place that knows NaN's and NULL's ordering. */
import { arrayLengths, flattenArray } from './array-shape.ts';
import { assertNever } from './assert.ts';
import { bytesToHex } from './bytea.ts';
import type { Datum } from './datum.ts';
import { compareExact } from './exact-order.ts';
import { type Interval, intervalSpan } from './interval.ts';
import { compareJson, jsonHashKey, parseJson } from './json.ts';
import type { Numeric } from './numeric.ts';
import { compareRanges, type RangeValue } from './range.ts';
import { compareBytes, compareText, trimBlanks } from './text-order.ts';
import type { SqlType } from './type.ts';

/** Negative, zero or positive, as PostgreSQL's btree comparison of the type. */
export type Comparator = (left: Datum, right: Datum) => number;

/** Equal exactly for values that PostgreSQL's = calls equal; fit for a Map's key. */
export type HashKey = string | number | bigint | boolean;

const comparators = new WeakMap<SqlType, Comparator>();
const hashers = new WeakMap<SqlType, (datum: Datum) => HashKey>();

export function compareDatums(left: Datum, right: Datum, type: SqlType): number {
  return comparator(type)(left, right);
}

export function equalDatums(left: Datum, right: Datum, type: SqlType): boolean {
  return comparator(type)(left, right) === 0;
}

/** Order with NULL greater than everything, PostgreSQL's default for ascending sorts. */
export function compareNullable(left: Datum | null, right: Datum | null, type: SqlType): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  return comparator(type)(left, right);
}

/** The comparison of one type, for loops over many values. */
export function comparator(type: SqlType): Comparator {
  let compare = comparators.get(type);
  if (compare === undefined) {
    compare = buildComparator(type);
    comparators.set(type, compare);
  }
  return compare;
}

/** NaN equals NaN and is greater than everything; -0 equals 0. */
export function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function buildComparator(type: SqlType): Comparator {
  switch (type.kind) {
    case 'boolean':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'uuid':
    case 'enum':
      return compareExact;
    case 'real':
    case 'double':
      return (left, right) => compareDoubles(left as number, right as number);
    case 'numeric':
      return (left, right) => (left as Numeric).compare(right as Numeric);
    case 'text':
    case 'varchar':
    case 'unknown':
    case 'json':
      return (left, right) => compareText(left as string, right as string);
    case 'char':
      return (left, right) => compareText(trimBlanks(left as string), trimBlanks(right as string));
    case 'bytea':
      return (left, right) => compareBytes(left as Uint8Array, right as Uint8Array);
    case 'interval':
      return (left, right) =>
        compareExact(intervalSpan(left as Interval), intervalSpan(right as Interval));
    case 'range':
      return (left, right) => compareRanges(left as RangeValue, right as RangeValue);
    case 'jsonb':
      return (left, right) =>
        left === right ? 0 : compareJson(parseJson(left as string), parseJson(right as string));
    case 'array':
      return type.element.kind === 'row' ? compareItems(() => type.element) : compareArrays(type);
    case 'row':
      return compareItems((index) => type.fields[index]?.type ?? type);
    default:
      return assertNever(type);
  }
}

/** A further dimension of an array is a nested one, which the type int[] does not tell. */
function compareItem(left: Datum | null, right: Datum | null, type: SqlType): number {
  if (Array.isArray(left) && Array.isArray(right) && type.kind !== 'row' && type.kind !== 'array') {
    return compareItems(() => type)(left, right);
  }
  return compareNullable(left, right, type);
}

/** By their elements in storage order, then by how many there are, then by their dimensions. */
function compareArrays(type: SqlType & { readonly kind: 'array' }): Comparator {
  let innermost: SqlType = type;
  while (innermost.kind === 'array') innermost = innermost.element;
  const element = innermost;
  const compare = compareItems(() => element);
  return (left, right) => {
    const a = left as readonly (Datum | null)[];
    const b = right as readonly (Datum | null)[];
    if (element.kind === 'row') return compareItems(() => type.element)(a, b);
    const order = compare(flattenArray(a), flattenArray(b));
    if (order !== 0) return order;
    const x = arrayLengths(a);
    const y = arrayLengths(b);
    const differing = x.findIndex((length, i) => length !== y[i]);
    return x.length - y.length || (differing < 0 ? 0 : (x[differing] ?? 0) - (y[differing] ?? 0));
  };
}

function compareItems(typeAt: (index: number) => SqlType): Comparator {
  return (left, right) => {
    const a = left as readonly (Datum | null)[];
    const b = right as readonly (Datum | null)[];
    const length = Math.min(a.length, b.length);
    for (let index = 0; index < length; index++) {
      const order = compareItem(a[index] ?? null, b[index] ?? null, typeAt(index));
      if (order !== 0) return order;
    }
    return a.length - b.length;
  };
}

export function hashKey(datum: Datum, type: SqlType): HashKey {
  return hasher(type)(datum);
}

/** The hash key function of one type, for loops over many values. */
export function hasher(type: SqlType): (datum: Datum) => HashKey {
  let hash = hashers.get(type);
  if (hash === undefined) {
    hash = buildHasher(type);
    hashers.set(type, hash);
  }
  return hash;
}

function buildHasher(type: SqlType): (datum: Datum) => HashKey {
  switch (type.kind) {
    case 'boolean':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'uuid':
    case 'enum':
    case 'text':
    case 'varchar':
    case 'unknown':
    case 'json':
      return (datum) => datum as HashKey;
    case 'real':
    case 'double':
      // Adding zero turns -0 into 0; a Map already takes NaN for one key.
      return (datum) => (datum as number) + 0;
    case 'numeric':
      return (datum) => (datum as Numeric).hashKey();
    case 'char':
      return (datum) => trimBlanks(datum as string);
    case 'bytea':
      return (datum) => bytesToHex(datum as Uint8Array);
    case 'interval':
      return (datum) => intervalSpan(datum as Interval);
    case 'range':
      return (datum) => (datum as RangeValue).hashKey();
    case 'jsonb':
      return (datum) => jsonHashKey(datum as string);
    case 'array':
      return (datum) => compositeKey(datum as readonly (Datum | null)[], () => type.element);
    case 'row':
      return (datum) =>
        compositeKey(
          datum as readonly (Datum | null)[],
          (index) => type.fields[index]?.type ?? type,
        );
    default:
      return assertNever(type);
  }
}

/** Lengths in front keep ('a','bc') and ('ab','c') apart. */
function compositeKey(
  items: readonly (Datum | null)[],
  typeAt: (index: number) => SqlType,
): string {
  let key = '';
  for (let index = 0; index < items.length; index++) {
    const item = items[index] ?? null;
    if (item === null) {
      key += 'n';
      continue;
    }
    const type = typeAt(index);
    const nested = Array.isArray(item) && type.kind !== 'row' && type.kind !== 'array';
    const text = nested ? compositeKey(item, () => type) : String(hashKey(item, type));
    key += `${text.length}:${text}`;
  }
  return key;
}
