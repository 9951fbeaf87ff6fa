/** Documents from arrays of text, NULL-skipping constructors, and the reading functions of json. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import {
  isJsonArray,
  isJsonObject,
  jsonChildren,
  jsonToText,
  parseJson,
  quoteJson,
} from '../base/json.ts';
import { bareText } from '../base/json-scan.ts';
import { duplicateKey } from './aggregate-json.ts';
import { family, types } from './define.ts';
import { rawFollow } from './json.ts';

const { functions, define } = family('json');
export const jsonObjectFunctions = functions;

type Texts = readonly (string | null)[];

const wrongCount = (message: string): StreamError =>
  new StreamError('VALUE_ARRAY_SUBSCRIPT', message);

/** Keys and values one after the other, or in arrays of two. */
function pairsOf(items: readonly (Datum | null)[]): [string | null, string | null][] {
  const nested = items.length > 0 && items.every((item) => Array.isArray(item));
  const rows = nested ? (items as unknown as readonly Texts[]) : undefined;
  if (rows?.some((row) => row.length !== 2)) throw wrongCount('array must have two columns');
  if (rows === undefined && items.length % 2 !== 0) {
    throw wrongCount('array must have even number of elements');
  }
  const flat = (rows?.flat() ?? items) as Texts;
  return Array.from({ length: flat.length / 2 }, (_, i) => [
    flat[2 * i] ?? null,
    flat[2 * i + 1] ?? null,
  ]);
}

function objectOf(
  pairs: readonly (readonly [string | null, string | null])[],
  canonical: boolean,
): string {
  const members = pairs.map(([key, value]): readonly [string, string | null] => {
    if (key === null) {
      throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'null value not allowed for object key');
    }
    return [key, value];
  });
  if (canonical) return jsonToText(new Map(members));
  const text = (value: string | null): string => (value === null ? 'null' : quoteJson(value));
  return `{${members.map(([key, value]) => `${quoteJson(key)} : ${text(value)}`).join(', ')}}`;
}

for (const key of ['json', 'jsonb'] as const) {
  const canonical = key === 'jsonb';
  define(`${key}_object`, ['text[]'], key, 'object of keys and texts in one array', (items) =>
    objectOf(pairsOf(items), canonical),
  );
  define(
    `${key}_object`,
    ['text[]', 'text[]'],
    key,
    'object of an array of keys and one of texts',
    (keys, values) => {
      if (keys.length !== values.length) throw wrongCount('mismatched array dimensions');
      return objectOf(
        keys.map((name, i) => [name, values[i] ?? null]),
        canonical,
      );
    },
  );
}

for (const [name, result, read] of [
  ['json_extract_path', 'json', (found: string | undefined) => found ?? null],
  ['json_extract_path_text', 'text', bareText],
] as const) {
  functions.push({
    name,
    parameters: [types.json, types.text],
    variadic: true,
    result: types[result],
    evaluate: (text: string, ...path: readonly string[]): Datum | null =>
      read(rawFollow(text, path)),
    description: 'value at a path',
    family: 'json',
  });
}

/** The text without blanks between its parts, members that are null left out. */
function compactWithoutNulls(text: string, inArrays: boolean): string {
  const children = jsonChildren(text);
  if (children === undefined) return text.trim();
  if (children.kind === 'object') {
    const kept = [...children.members].filter(([, value]) => value.trim() !== 'null');
    return `{${kept.map(([key, value]) => `${quoteJson(key)}:${compactWithoutNulls(value, inArrays)}`).join(',')}}`;
  }
  const { items } = children;
  const kept = inArrays ? items.filter((item) => item.trim() !== 'null') : items;
  return `[${kept.map((item) => compactWithoutNulls(item, inArrays)).join(',')}]`;
}

define('json_strip_nulls', ['json'], 'json', 'document without members that are null', (text) =>
  compactWithoutNulls(text, false),
);
define(
  'json_strip_nulls',
  ['json', 'boolean'],
  'json',
  'document without nulls, in arrays too',
  compactWithoutNulls,
);

/** IS JSON; a detail is one of scalar, array, object, `with unique` after it. */
export function isJson(text: string, detail: string | undefined): boolean {
  try {
    if (detail?.endsWith('with unique') && hasDuplicateKeys(text)) return false;
    const value = parseJson(text);
    const kind = detail?.replace(/ ?with unique$/, '') ?? '';
    if (kind === 'array') return isJsonArray(value);
    if (kind === 'object') return isJsonObject(value);
    return kind !== 'scalar' || !(isJsonArray(value) || isJsonObject(value));
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}

define(
  'json_unique_keys',
  ['json'],
  'json',
  'the document; an error if a key comes twice in an object',
  (text) => {
    if (hasDuplicateKeys(text)) throw duplicateKey();
    return text;
  },
);

/** A reviver sees members after their duplicates are merged, so that the keys are counted in the text. */
function hasDuplicateKeys(text: string): boolean {
  const seen: Set<string>[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === '{') seen.push(new Set());
    else if (token === '}') seen.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      const keys = seen.at(-1);
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}
