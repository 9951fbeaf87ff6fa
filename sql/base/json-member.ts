/** Parts of a JSON document as values of SQL types, by the parts' own texts. */
import type { Datum } from './datum.ts';
import { jsonChildren, jsonToText, parseJson } from './json.ts';
import { mapOf } from './map.ts';
import { isMapType, keyAndValue, type SqlType } from './type.ts';

/** Reads the text of a scalar. */
export type ReadText = (text: string, type: SqlType) => Datum;

/**
 * A part as a value of a type; NULL for null. A container that the type has no place for is read as text.
 * @param raw  the part's own text, legal JSON.
 * @throws StreamError as `read` and mapOf do.
 */
export function memberFromJson(raw: string, type: SqlType, read: ReadText): Datum | null {
  const text = raw.trim();
  if (type.kind === 'json') return text;
  if (type.kind === 'jsonb') return jsonToText(parseJson(text));
  if (text === 'null') return null;
  const children = jsonChildren(text);
  if (type.kind === 'array' && children?.kind === 'array') {
    return children.items.map((item) => memberFromJson(item, type.element, read));
  }
  if (children?.kind === 'object' && isMapType(type)) {
    const { key, value } = keyAndValue(type);
    return mapOf(
      children.members.map(([name, item]) => [read(name, key), memberFromJson(item, value, read)]),
      key,
    );
  }
  if (children?.kind === 'object' && type.kind === 'row') {
    const members = new Map(children.members);
    return type.fields.map((field) => {
      const item = members.get(field.name);
      return item === undefined ? null : memberFromJson(item, field.type, read);
    });
  }
  return read(text.startsWith('"') ? String(parseJson(text)) : text, type);
}
