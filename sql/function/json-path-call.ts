/** JSON_EXISTS, JSON_VALUE and JSON_QUERY: what they give for the items that a path finds. */
import { assertNever } from '../base/assert.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonToText,
  parseJson,
} from '../base/json.ts';
import { isPathFailure, pathExists, pathItems } from '../base/json-path.ts';
import { parseJsonPath } from '../base/json-path-parse.ts';
import { utc } from '../base/timezone.ts';
import type { SqlType } from '../base/type.ts';
import { literalFromText } from './cast.ts';
import { recordMember } from './json-record.ts';

export type PathCallName = 'json_exists' | 'json_value' | 'json_query';

/** What is given where there is no item, or where the search fails. */
export type Behaviour =
  | { readonly kind: 'value'; readonly value: Datum | null }
  | { readonly kind: 'error' }
  /** The datum of the argument of this number. */
  | { readonly kind: 'argument'; readonly index: number };

export interface PathCall {
  readonly name: PathCallName;
  readonly type: SqlType;
  readonly wrapper: 'without' | 'conditional' | 'unconditional';
  readonly omitQuotes: boolean;
  readonly onEmpty: Behaviour;
  readonly onError: Behaviour;
  /** Names of the variables, whose values are the arguments from the third on. */
  readonly variables: readonly string[];
}

const EMPTY = Symbol('no item');

/**
 * @param args  document, path, and whatever `call` names by number.
 * @param variables  the variables' values as JSON.
 * @throws StreamError of the search where the call says ERROR, and always for a path or a variable that is none.
 */
export function callPath(
  call: PathCall,
  args: readonly (Datum | null)[],
  variables: JsonObject,
): Datum | null {
  const [document, path] = args;
  if (typeof document !== 'string' || typeof path !== 'string') return null;
  const parsed = parseJsonPath(path);
  const silent = call.onError.kind !== 'error';
  try {
    if (call.name === 'json_exists')
      return pathExists(parsed, parseJson(document), variables, silent);
    const items = [...pathItems(parsed, parseJson(document), variables, silent)];
    const value = call.name === 'json_value' ? scalarOf(items, call) : documentOf(items, call);
    if (value !== EMPTY) return value;
  } catch (cause) {
    if (!isPathFailure(cause) || call.onError.kind === 'error') throw cause;
    return behave(call.onError, args);
  }
  if (call.onEmpty.kind !== 'error') return behave(call.onEmpty, args);
  throw new StreamError('VALUE_JSON_NO_ITEM', 'no SQL/JSON item found for specified path');
}

function behave(behaviour: Behaviour, args: readonly (Datum | null)[]): Datum | null {
  switch (behaviour.kind) {
    case 'value':
      return behaviour.value;
    case 'argument':
      return args[behaviour.index] ?? null;
    case 'error':
      return null;
    default:
      return assertNever(behaviour);
  }
}

function scalarOf(items: readonly JsonValue[], { type }: PathCall): Datum | null | typeof EMPTY {
  const [item, ...others] = items;
  if (item === undefined) return EMPTY;
  if (others.length > 0 || isJsonArray(item) || isJsonObject(item)) {
    throw new StreamError(
      others.length > 0 ? 'VALUE_JSON_MANY_ITEMS' : 'VALUE_JSON_NO_SCALAR',
      'JSON path expression in JSON_VALUE must return single scalar item',
    );
  }
  if (item === null) return null;
  if (type.kind === 'json' || type.kind === 'jsonb') return jsonToText(item);
  // A truth value goes through the text of the type boolean.
  const text = typeof item === 'boolean' ? (item ? 't' : 'f') : String(item);
  return textTo(text, type);
}

function documentOf(items: readonly JsonValue[], call: PathCall): Datum | null | typeof EMPTY {
  const [item, ...others] = items;
  if (item === undefined) return EMPTY;
  const { type } = call;
  if (call.wrapper === 'unconditional' || (call.wrapper === 'conditional' && others.length > 0)) {
    return jsonTo([...items], type);
  }
  if (others.length > 0) {
    throw new StreamError(
      'VALUE_JSON_MANY_ITEMS',
      'JSON path expression in JSON_QUERY must return single item when no wrapper is requested',
      { hint: 'Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.' },
    );
  }
  if (!call.omitQuotes || typeof item !== 'string') return jsonTo(item, type);
  return type.kind === 'json' || type.kind === 'jsonb'
    ? jsonTo(parseJson(item), type)
    : textTo(item, type);
}

const textTo = (text: string, type: SqlType): Datum =>
  literalFromText(text, type, 'assignment', 0n, utc);

function jsonTo(value: JsonValue, type: SqlType): Datum | null {
  const text = jsonToText(value);
  switch (type.kind) {
    case 'json':
    case 'jsonb':
      return text;
    case 'text':
    case 'varchar':
    case 'char':
      return textTo(text, type);
    case 'bytea':
      return new TextEncoder().encode(text);
    default:
      return recordMember(text, type);
  }
}

/** Behaviours of a kind of document: EMPTY ARRAY and EMPTY OBJECT. @throws StreamError as the type does. */
export function emptyDocument(kind: 'array' | 'object', type: SqlType): Datum | null {
  return jsonTo(kind === 'array' ? [] : new Map(), type);
}
