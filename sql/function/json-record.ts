/** Members of documents as SQL values of given types, the way jsonb_to_record() reads them. */
import type { Datum, Row } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { jsonChildren } from '../base/json.ts';
import { memberFromJson } from '../base/json-member.ts';
import { utc } from '../base/timezone.ts';
import type { Schema, SqlType } from '../base/type.ts';
import { literalFromText } from './cast.ts';

/**
 * The object's members by the columns' names.
 * @param base  has the values of those that are not there; NULLs without it.
 * @throws StreamError VALUE_INVALID_PARAMETER for a document that is no object, and as the columns' types do.
 */
export function jsonRecord(text: string, columns: Schema, base?: Row | null): Row {
  const children = jsonChildren(text);
  if (children?.kind !== 'object') {
    const kind = children === undefined ? 'a scalar' : 'an array';
    throw new StreamError('VALUE_INVALID_PARAMETER', `cannot call populate_composite on ${kind}`);
  }
  const members = new Map(children.members);
  return columns.map((column, index) => {
    const raw = members.get(column.name);
    return raw === undefined ? (base?.[index] ?? null) : recordMember(raw, column.type);
  });
}

/** A row for each object of the array, as `jsonRecord`. @throws StreamError VALUE_INVALID_PARAMETER for anything else. */
export function jsonRecords(
  text: string,
  columns: Schema,
  name: string,
  base?: Row | null,
): readonly Row[] {
  const children = jsonChildren(text);
  if (children?.kind !== 'array') {
    const kind = name.startsWith('jsonb')
      ? 'a non-array'
      : children === undefined
        ? 'a scalar'
        : 'an object';
    throw new StreamError('VALUE_INVALID_PARAMETER', `cannot call ${name} on ${kind}`);
  }
  return children.items.map((item) => {
    if (jsonChildren(item)?.kind !== 'object') {
      throw new StreamError(
        'VALUE_INVALID_PARAMETER',
        `argument of ${name} must be an array of objects`,
      );
    }
    return jsonRecord(item, columns, base);
  });
}

/** A member as a value of a type. @param raw  the member's own text. */
export function recordMember(raw: string, type: SqlType): Datum | null {
  // The time of the statement is not known here, and "now" in a document is no time anyway.
  return memberFromJson(raw, type, (text, own) =>
    literalFromText(text, own, 'assignment', 0n, utc),
  );
}
