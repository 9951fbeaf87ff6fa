/** Dimensions of arrays: PostgreSQL's are rectangular, whatever their type says of them. */
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import type { SqlType } from './type.ts';

export type Items = readonly (Datum | null)[];

export const isItems = (value: Datum | null | undefined): value is Items => Array.isArray(value);

/**
 * The lengths along each dimension of a rectangular array; none for an empty one.
 * @param element  the type of the elements: rows are JavaScript arrays, but no further dimension.
 */
export function arrayLengths(items: Items, element?: SqlType): readonly number[] {
  if (element?.kind === 'row') return items.length === 0 ? [] : [items.length];
  const found: number[] = [];
  for (let at: Datum | null | undefined = items; isItems(at) && at.length > 0; at = at[0]) {
    found.push(at.length);
  }
  return found;
}

export const sameLengths = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, i) => length === b[i]);

/** The elements of all dimensions, in storage order. */
export function flattenArray(items: Items, element?: SqlType): Items {
  return element?.kind !== 'row' && element?.kind !== 'array' && items.some(isItems)
    ? items.flatMap((item) => (isItems(item) ? flattenArray(item) : [item]))
    : items;
}

/**
 * An array of one more dimension. Empty ones and NULLs make an empty one.
 * @throws StreamError VALUE_ARRAY_SUBSCRIPT when their dimensions differ.
 */
export function arrayOfArrays(items: Items): Items {
  const lengths = items.map((item) => (isItems(item) ? arrayLengths(item) : []));
  const [first = []] = lengths;
  if (lengths.every((one) => one.length === 0)) return [];
  if (lengths.every((one) => one.length > 0 && sameLengths(one, first))) return items;
  throw new StreamError(
    'VALUE_ARRAY_SUBSCRIPT',
    'multidimensional arrays must have array expressions with matching dimensions',
  );
}

/** Whether the store can hold the value: its lists have as many dimensions as the type says. */
export function isStorable(value: Datum | null, type: SqlType): boolean {
  if (!isItems(value)) return true;
  switch (type.kind) {
    case 'array': {
      const { element } = type;
      if (element.kind === 'array' || element.kind === 'row') {
        return value.every((item) => isStorable(item, element));
      }
      return !value.some(isItems);
    }
    case 'row':
      return type.fields.every((field, i) => isStorable(value[i] ?? null, field.type));
    default:
      return false;
  }
}

/** Whether values of the type are, or hold, arrays. */
export function holdsArray(type: SqlType): boolean {
  return (
    type.kind === 'array' || (type.kind === 'row' && type.fields.some((f) => holdsArray(f.type)))
  );
}

/** @param column  as messages name it. @throws StreamError SQL_NOT_SUPPORTED. */
export function requireStorable<Value extends Datum | null>(
  value: Value,
  type: SqlType,
  column: string,
): Value {
  if (isStorable(value, type)) return value;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `column "${column}" cannot hold an array of several dimensions`,
    { hint: 'Expressions compute with them; keep them as jsonb, or as their elements.' },
  );
}
