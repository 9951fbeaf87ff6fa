/** Operators and functions over jsonb (and the same reading ones over json). */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import {
  compareJson,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonChildren,
  jsonToText,
  parseJson,
  quoteJson,
  sortedEntries,
} from '../base/json.ts';
import { bareText, elementText, isArrayText, isObjectText, memberText } from '../base/json-scan.ts';
import { Numeric } from '../base/numeric.ts';
import { family, invalidParameter, types } from './define.ts';

const { functions, define } = family('json');
export const jsonFunctions = functions;

/** A member as ->> gives it: strings bare, JSON null as NULL. */
function asText(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : jsonToText(value);
}

/** strtoint() as PostgreSQL reads a path step over an array; undefined when it is no number. */
function arrayIndex(step: string): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(step)) return undefined;
  const index = Number(step);
  return Math.abs(index) > 2147483647 ? undefined : index;
}

export type Path = readonly (string | null)[];

function isScalarText(text: string): boolean {
  return !isObjectText(text) && !isArrayText(text);
}

/** jsonb keeps a scalar as an array of one, which shows when it is indexed. */
function elementOrScalar(text: string, index: number): string | undefined {
  if (!isScalarText(text)) return elementText(text, index);
  return index === 0 || index === -1 ? text : undefined;
}

/** Follows a path; undefined where it leads nowhere, and for a NULL step. */
function follow(text: string, path: Path): string | undefined {
  let at: string | undefined = text;
  for (const step of path) {
    if (step === null || at === undefined) return undefined;
    if (isArrayText(at)) {
      const index = arrayIndex(step);
      at = index === undefined ? undefined : elementText(at, index);
    } else at = memberText(at, step);
  }
  return at;
}

define(
  '->',
  ['jsonb', 'text'],
  'jsonb',
  'member of an object',
  (text, name) => memberText(text, name) ?? null,
);
define(
  '->',
  ['jsonb', 'integer'],
  'jsonb',
  'element of an array, from 0; negative: from the end',
  (text, index) => elementOrScalar(text, index) ?? null,
);
define('->>', ['jsonb', 'text'], 'text', 'member of an object as text', (text, name) =>
  bareText(memberText(text, name)),
);
define('->>', ['jsonb', 'integer'], 'text', 'element of an array as text', (text, index) =>
  bareText(elementOrScalar(text, index)),
);
define(
  '#>',
  ['jsonb', 'text[]'],
  'jsonb',
  'value at a path',
  (text, path) => follow(text, path) ?? null,
);
define('#>>', ['jsonb', 'text[]'], 'text', 'value at a path as text', (text, path) =>
  bareText(follow(text, path)),
);

/** The same over json, whose parts keep the text in which they were written. */
export function rawFollow(
  text: string,
  path: readonly (string | number | null)[],
): string | undefined {
  let at: string | undefined = text;
  for (const step of path) {
    if (at === undefined || step === null) return undefined;
    const children = jsonChildren(at);
    if (children?.kind === 'object') {
      at = typeof step === 'string' ? lastMember(children.members, step) : undefined;
    } else if (children?.kind === 'array') {
      const { items } = children;
      const index = typeof step === 'number' ? step : arrayIndex(step);
      at = index === undefined ? undefined : items[index < 0 ? items.length + index : index];
    } else at = undefined;
  }
  return at;
}

/** A step by name means a member here, even where it looks like a number. */
function rawMember(text: string, name: string): string | undefined {
  const children = jsonChildren(text);
  return children?.kind === 'object' ? lastMember(children.members, name) : undefined;
}

const lastMember = (
  members: readonly (readonly [string, string])[],
  name: string,
): string | undefined => members.findLast(([key]) => key === name)?.[1];

function rawAsText(raw: string | undefined): string | null {
  if (raw === undefined) return null;
  return raw.startsWith('"') || raw === 'null' ? asText(parseJson(raw)) : raw;
}

define(
  '->',
  ['json', 'text'],
  'json',
  'member of an object',
  (text, name) => rawMember(text, name) ?? null,
);
define(
  '->',
  ['json', 'integer'],
  'json',
  'element of an array, from 0; negative: from the end',
  (text, index) => rawFollow(text, [index]) ?? null,
);
define('->>', ['json', 'text'], 'text', 'member of an object as text', (text, name) =>
  rawAsText(rawMember(text, name)),
);
define('->>', ['json', 'integer'], 'text', 'element of an array as text', (text, index) =>
  rawAsText(rawFollow(text, [index])),
);
define(
  '#>',
  ['json', 'text[]'],
  'json',
  'value at a path',
  (text, path) => rawFollow(text, path) ?? null,
);
define('#>>', ['json', 'text[]'], 'text', 'value at a path as text', (text, path) =>
  rawAsText(rawFollow(text, path)),
);

for (const key of ['jsonb', 'json'] as const) {
  define(`${key}_typeof`, [key], 'text', 'kind of the outermost value', (text) =>
    kindOf(parseJson(text)),
  );
  define(`${key}_array_length`, [key], 'integer', 'number of elements', (text) => {
    const value = parseJson(text);
    if (isJsonArray(value)) return value.length;
    throw invalidParameter(
      isJsonObject(value)
        ? 'cannot get array length of a non-array'
        : 'cannot get array length of a scalar',
    );
  });
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value;
  if (value instanceof Numeric) return 'number';
  return isJsonArray(value) ? 'array' : 'object';
}

/** Is `inner` part of `outer`: members of objects, elements of arrays in any order and number? */
function contains(outer: JsonValue, inner: JsonValue, top: boolean): boolean {
  if (isJsonObject(outer) && isJsonObject(inner)) {
    for (const [key, value] of inner) {
      const own = outer.get(key);
      if (own === undefined || !contains(own, value, false)) return false;
    }
    return true;
  }
  if (isJsonArray(outer)) {
    if (isJsonArray(inner))
      return inner.every((item) => outer.some((own) => contains(own, item, false)));
    // The special rule of the top level: an array contains a primitive element.
    return top && !isJsonObject(inner) && outer.some((own) => contains(own, inner, false));
  }
  if (isJsonArray(inner) || isJsonObject(inner) || isJsonObject(outer)) return false;
  return compareJson(outer, inner) === 0;
}

define('@>', ['jsonb', 'jsonb'], 'boolean', 'does the first contain the second', (a, b) =>
  contains(parseJson(a), parseJson(b), true),
);
define('<@', ['jsonb', 'jsonb'], 'boolean', 'is the first contained in the second', (a, b) =>
  contains(parseJson(b), parseJson(a), true),
);

/** Is there such a member, or such a string among the elements? */
function exists(value: JsonValue, key: string): boolean {
  if (isJsonObject(value)) return value.has(key);
  return isJsonArray(value) ? value.includes(key) : value === key;
}

define('?', ['jsonb', 'text'], 'boolean', 'is there such a key or string element', (text, key) =>
  exists(parseJson(text), key),
);
define('?|', ['jsonb', 'text[]'], 'boolean', 'is any of the keys there', (text, keys) => {
  const value = parseJson(text);
  return keys.some((key) => key !== null && exists(value, key));
});
define('?&', ['jsonb', 'text[]'], 'boolean', 'are all the keys there', (text, keys) => {
  const value = parseJson(text);
  return keys.every((key) => key === null || exists(value, key));
});

define('||', ['jsonb', 'jsonb'], 'jsonb', 'objects merged, anything else as one array', (a, b) => {
  const left = parseJson(a);
  const right = parseJson(b);
  if (isJsonObject(left) && isJsonObject(right)) return jsonToText(new Map([...left, ...right]));
  const items = (value: JsonValue): readonly JsonValue[] => (isJsonArray(value) ? value : [value]);
  return jsonToText([...items(left), ...items(right)]);
});

function isScalar(value: JsonValue): boolean {
  return !isJsonArray(value) && !isJsonObject(value);
}

function deleteKeys(text: string, keys: readonly (string | null)[]): string {
  const value = parseJson(text);
  if (isScalar(value)) throw invalidParameter('cannot delete from scalar');
  const gone = new Set<JsonValue>(keys.filter((key) => key !== null));
  if (isJsonObject(value)) return jsonToText(new Map([...value].filter(([key]) => !gone.has(key))));
  return jsonToText(
    (value as readonly JsonValue[]).filter((item) => !(typeof item === 'string' && gone.has(item))),
  );
}

define('-', ['jsonb', 'text'], 'jsonb', 'without a key or string element', (text, key) =>
  deleteKeys(text, [key]),
);
define('-', ['jsonb', 'text[]'], 'jsonb', 'without some keys or string elements', deleteKeys);
define('-', ['jsonb', 'integer'], 'jsonb', 'without an element', (text, index) => {
  const value = parseJson(text);
  if (isScalar(value)) throw invalidParameter('cannot delete from scalar');
  if (!isJsonArray(value)) throw invalidParameter('cannot delete from object using integer index');
  const position = index < 0 ? value.length + index : index;
  return jsonToText(value.filter((_, at) => at !== position));
});

function nullPath(position: number): StreamError {
  return new StreamError(
    'VALUE_NULL_NOT_ALLOWED',
    `path element at position ${position + 1} is null`,
  );
}

/** A step over an array must be an integer. */
function requireIndex(step: string, position: number): number {
  const index = arrayIndex(step);
  if (index !== undefined) return index;
  throw new StreamError(
    'VALUE_INVALID_TEXT',
    `path element at position ${position + 1} is not an integer: "${step}"`,
  );
}

type Edit = 'set' | 'create' | 'insert-before' | 'insert-after' | 'delete';

interface PathEdit {
  readonly edit: Edit;
  readonly path: Path;
  readonly value: JsonValue;
}

/** setPath of jsonfuncs.c: the document with its value at a path replaced, created or deleted. */
function editDocument(value: JsonValue, change: PathEdit): JsonValue {
  const size = isJsonArray(value) ? value.length : isJsonObject(value) ? value.size : 1;
  // PostgreSQL does not look at the path when there is nothing to change.
  if (size === 0 && (change.edit === 'set' || change.edit === 'delete')) return value;
  return editPath(value, change, 0);
}

function editPath(at: JsonValue, { edit, path, value }: PathEdit, level: number): JsonValue {
  const step = path[level];
  if (step === undefined) return at;
  if (step === null) throw nullPath(level);
  if (isScalar(at)) return at;
  const last = level === path.length - 1;
  const deeper = (child: JsonValue): JsonValue => editPath(child, { edit, path, value }, level + 1);
  if (isJsonObject(at)) return editObject(at, step, { edit, last, value, deeper });
  return editArray(at as readonly JsonValue[], requireIndex(step, level), {
    edit,
    last,
    value,
    deeper,
  });
}

interface Step {
  readonly edit: Edit;
  readonly last: boolean;
  readonly value: JsonValue;
  readonly deeper: (child: JsonValue) => JsonValue;
}

function editObject(at: JsonObject, key: string, { edit, last, value, deeper }: Step): JsonValue {
  const members = new Map(at);
  const child = at.get(key);
  if (!last) {
    if (child !== undefined) members.set(key, deeper(child));
    return members;
  }
  if (edit === 'delete') members.delete(key);
  else if (child === undefined) {
    if (edit !== 'set') members.set(key, value);
  } else if (edit === 'insert-before' || edit === 'insert-after') {
    throw new StreamError('VALUE_INVALID_PARAMETER', 'cannot replace existing key', {
      hint: 'Try using the function jsonb_set to replace key value.',
    });
  } else members.set(key, value);
  return members;
}

function editArray(
  at: readonly JsonValue[],
  index: number,
  { edit, last, value, deeper }: Step,
): JsonValue {
  const items = [...at];
  const position = index < 0 ? items.length + index : index;
  const inside = position >= 0 && position < items.length;
  if (!last) {
    if (inside) items[position] = deeper(items[position] as JsonValue);
    return items;
  }
  if (edit === 'delete') return inside ? items.toSpliced(position, 1) : items;
  if (!inside) {
    if (edit === 'set') return items;
    return position < 0 ? [value, ...items] : [...items, value];
  }
  if (edit === 'insert-before') return items.toSpliced(position, 0, value);
  if (edit === 'insert-after') return items.toSpliced(position + 1, 0, value);
  items[position] = value;
  return items;
}

export function deletePath(text: string, path: Path): string {
  const value = parseJson(text);
  if (isScalar(value)) throw invalidParameter('cannot delete path in scalar');
  return jsonToText(editDocument(value, { edit: 'delete', path, value: null }));
}
define('#-', ['jsonb', 'text[]'], 'jsonb', 'without the value at a path', deletePath);

export function setPath(text: string, path: Path, fresh: string, create = true): string {
  const value = parseJson(text);
  if (isScalar(value)) throw invalidParameter('cannot set path in scalar');
  return jsonToText(
    editDocument(value, { edit: create ? 'create' : 'set', path, value: parseJson(fresh) }),
  );
}

function insertPath(text: string, path: Path, fresh: string, after = false): string {
  const value = parseJson(text);
  if (isScalar(value)) throw invalidParameter('cannot set path in scalar');
  const edit = after ? 'insert-after' : 'insert-before';
  return jsonToText(editDocument(value, { edit, path, value: parseJson(fresh) }));
}

const setDescription = 'document with the value at a path replaced';
define('jsonb_set', ['jsonb', 'text[]', 'jsonb'], 'jsonb', setDescription, (text, path, fresh) =>
  setPath(text, path, fresh),
);
define('jsonb_set', ['jsonb', 'text[]', 'jsonb', 'boolean'], 'jsonb', setDescription, setPath);
const insertDescription = 'document with a value inserted at a path';
define(
  'jsonb_insert',
  ['jsonb', 'text[]', 'jsonb'],
  'jsonb',
  insertDescription,
  (text, path, fresh) => insertPath(text, path, fresh),
);
define(
  'jsonb_insert',
  ['jsonb', 'text[]', 'jsonb', 'boolean'],
  'jsonb',
  insertDescription,
  insertPath,
);

function stripNulls(value: JsonValue, inArrays: boolean): JsonValue {
  if (isJsonArray(value)) {
    const kept = inArrays ? value.filter((item) => item !== null) : value;
    return kept.map((item) => stripNulls(item, inArrays));
  }
  if (!isJsonObject(value)) return value;
  return new Map(
    [...value]
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, stripNulls(item, inArrays)]),
  );
}

define('jsonb_strip_nulls', ['jsonb'], 'jsonb', 'document without members that are null', (text) =>
  jsonToText(stripNulls(parseJson(text), false)),
);
define(
  'jsonb_strip_nulls',
  ['jsonb', 'boolean'],
  'jsonb',
  'document without nulls, in arrays too',
  (text, inArrays) => jsonToText(stripNulls(parseJson(text), inArrays)),
);

/** jsonb_pretty: four blanks a level; empty containers over two lines, as PostgreSQL has them. */
function pretty(value: JsonValue, indent: string): string {
  const deeper = `${indent}    `;
  if (isJsonArray(value)) {
    const items = value.map((item) => deeper + pretty(item, deeper));
    return items.length === 0 ? `[\n${indent}]` : `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (isJsonObject(value)) {
    const items = sortedEntries(value).map(
      ([key, item]) => `${deeper}${quoteJson(key)}: ${pretty(item, deeper)}`,
    );
    return items.length === 0 ? `{\n${indent}}` : `{\n${items.join(',\n')}\n${indent}}`;
  }
  return jsonToText(value);
}

define('jsonb_pretty', ['jsonb'], 'text', 'document over several lines', (text) =>
  pretty(parseJson(text), ''),
);

for (const [key, result, read] of [
  ['jsonb_extract_path', 'jsonb', (found: string | undefined) => found ?? null],
  ['jsonb_extract_path_text', 'text', bareText],
] as const) {
  functions.push({
    name: key,
    parameters: [types.jsonb, types.text],
    variadic: true,
    result: types[result],
    evaluate: (text: string, ...path: readonly string[]): Datum | null => read(follow(text, path)),
    description: 'value at a path',
    family: 'json',
  });
}
