/**
 * The method keyvalue(). PostgreSQL numbers an object by its offset in the binary form of the document that it came
 * from (jsonb_util.c), which is computed here: a header and a word for each entry, then the values, numbers and
 * containers at multiples of four.
 */
import { StreamError } from './error.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  sortedEntries,
} from './json.ts';
import { Numeric } from './numeric.ts';
import { utf8Length } from './text-order.ts';

/** A document, and the number that its objects' numbers begin with. */
export interface PathBase {
  readonly id: number;
  readonly tree: JsonValue;
}

const ID_STEP = 10_000_000_000n;

/** `{"id", "key", "value"}` for each member. @throws StreamError VALUE_JSON_NO_OBJECT. */
export function keyValues(item: JsonValue, base: PathBase): readonly JsonObject[] {
  if (!isJsonObject(item)) {
    throw new StreamError(
      'VALUE_JSON_NO_OBJECT',
      'jsonpath item method .keyvalue() can only be applied to an object',
    );
  }
  const id = Numeric.fromInt(BigInt(base.id) * ID_STEP + BigInt(offsetOf(base.tree, item)));
  return sortedEntries(item).map(
    ([key, value]): JsonObject =>
      new Map<string, JsonValue>([
        ['id', id],
        ['key', key],
        ['value', value],
      ]),
  );
}

function offsetOf(tree: JsonValue, wanted: JsonObject): number {
  const offsets = new Map<JsonValue, number>();
  layOut(tree, 0, offsets);
  return offsets.get(wanted) ?? 0;
}

const aligned = (at: number): number => Math.ceil(at / 4) * 4;

/** Notes where containers begin. @returns the offset behind the value. */
function layOut(value: JsonValue, at: number, offsets: Map<JsonValue, number>): number {
  if (typeof value === 'string') return at + utf8Length(value);
  if (value instanceof Numeric) return aligned(at) + numericBytes(value);
  const isArray = isJsonArray(value);
  if (!isArray && !isJsonObject(value)) return at;
  const start = aligned(at);
  offsets.set(value, start);
  const entries = isArray ? [] : sortedEntries(value as JsonObject);
  const children = isArray ? value : entries.map(([, child]) => child);
  let end = start + 4 + 4 * (children.length + entries.length);
  for (const [key] of entries) end += utf8Length(key);
  for (const child of children) end = layOut(child, end, offsets);
  return end;
}

/** numeric.c: a length word, a short or a long header, two bytes for each four decimal digits. */
function numericBytes(value: Numeric): number {
  const [whole = '', fraction = ''] = value.abs().toString().split('.');
  const scale = fraction.length;
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const right = fraction.padEnd(Math.ceil(scale / 4) * 4, '0');
  const groups = (left + right).match(/.{4}/g) ?? [];
  const first = groups.findIndex((group) => group !== '0000');
  if (first < 0) return 4 + (scale <= 63 ? 2 : 4);
  const last = groups.findLastIndex((group) => group !== '0000');
  const weight = left.length / 4 - 1 - first;
  const isShort = scale <= 63 && weight >= -64 && weight <= 63;
  return 4 + (isShort ? 2 : 4) + 2 * (last - first + 1);
}
