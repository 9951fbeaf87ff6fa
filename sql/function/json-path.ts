/** jsonb_path_…(), @? and @@: documents searched by SQL/JSON paths. */
import type { Datum, Row } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonToText,
  parseJson,
} from '../base/json.ts';
import { isPathFailure, pathExists, pathItems } from '../base/json-path.ts';
import { parseJsonPath } from '../base/json-path-parse.ts';
import { family } from './define.ts';

const { functions, define } = family('json');
export const jsonPathFunctions = functions;

const noVariables: JsonObject = new Map();

/** @throws StreamError VALUE_INVALID_PARAMETER for anything but an object. */
export function pathVariables(text: string): JsonObject {
  const value = parseJson(text);
  if (isJsonObject(value)) return value;
  throw new StreamError('VALUE_INVALID_PARAMETER', '"vars" argument is not an object', {
    detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
  });
}

/** The items up to the first failure, which is thrown unless the search is silent. */
function* found(
  document: string,
  path: string,
  variables: JsonObject,
  silent: boolean,
): Generator<JsonValue, void> {
  try {
    yield* pathItems(parseJsonPath(path), parseJson(document), variables, silent);
  } catch (cause) {
    if (!silent || !isPathFailure(cause)) throw cause;
  }
}

function exists(
  document: string,
  path: string,
  variables: JsonObject,
  silent: boolean,
): boolean | null {
  const parsed = parseJsonPath(path);
  try {
    return pathExists(parsed, parseJson(document), variables, silent);
  } catch (cause) {
    if (silent && isPathFailure(cause)) return null;
    throw cause;
  }
}

function match(
  document: string,
  path: string,
  variables: JsonObject,
  silent: boolean,
): boolean | null {
  const [only, ...others] = found(document, path, variables, silent);
  if (others.length === 0 && (typeof only === 'boolean' || only === null)) return only;
  if (silent) return null;
  throw new StreamError('VALUE_JSON_NOT_SINGLETON', 'single boolean result is expected');
}

function first(
  document: string,
  path: string,
  variables: JsonObject,
  silent: boolean,
): string | null {
  // All of them are computed: a later one may fail.
  const [item] = [...found(document, path, variables, silent)];
  return item === undefined ? null : jsonToText(item);
}

function all(document: string, path: string, variables: JsonObject, silent: boolean): string {
  return jsonToText([...found(document, path, variables, silent)]);
}

type Search = (
  document: string,
  path: string,
  variables: JsonObject,
  silent: boolean,
) => Datum | null;

const searches: readonly (readonly [string, 'boolean' | 'jsonb', string, Search])[] = [
  ['jsonb_path_exists', 'boolean', 'does the path find an item', exists],
  ['jsonb_path_match', 'boolean', "the path's only item, a truth value", match],
  ['jsonb_path_query_first', 'jsonb', 'first item that the path finds', first],
  ['jsonb_path_query_array', 'jsonb', 'items that the path finds', all],
];
for (const [name, result, description, search] of searches) {
  define(name, ['jsonb', 'text'], result, description, (document, path) =>
    search(document, path, noVariables, false),
  );
  define(
    name,
    ['jsonb', 'text', 'jsonb'],
    result,
    `${description}, with variables`,
    (document, path, variables) => search(document, path, pathVariables(variables), false),
  );
  define(
    name,
    ['jsonb', 'text', 'jsonb', 'boolean'],
    result,
    `${description}, with variables; true: failures are passed over`,
    (document, path, variables, silent) => search(document, path, pathVariables(variables), silent),
  );
}
define(
  '@?',
  ['jsonb', 'text'],
  'boolean',
  'does the SQL/JSON path find an item',
  (document, path) => exists(document, path, noVariables, true),
);
define(
  '@@',
  ['jsonb', 'text'],
  'boolean',
  "the SQL/JSON path's only item, a truth value",
  (document, path) => match(document, path, noVariables, true),
);

/** The rows of jsonb_path_query(). */
export function jsonPathRows([
  document,
  path,
  variables,
  silent,
]: readonly (Datum | null)[]): Row[] {
  const named = typeof variables === 'string' ? pathVariables(variables) : noVariables;
  const items = found(document as string, path as string, named, silent === true);
  return Array.from(items, (item): Row => [jsonToText(item)]);
}
