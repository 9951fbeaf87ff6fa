/** Casts between json, jsonb and scalars. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { isJsonArray, type JsonValue, jsonToText, parseJson } from '../base/json.ts';
import { Numeric } from '../base/numeric.ts';
import { type SqlType, type TypeKind, typeName } from '../base/type.ts';
import { numberCasts } from './cast-number.ts';
import type { CastRule } from './cast-rule.ts';

function jsonKind(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof Numeric) return 'numeric';
  return isJsonArray(value) ? 'array' : 'object';
}

function cannot(value: JsonValue, to: SqlType): StreamError {
  const kind = jsonKind(value);
  const what = kind === 'array' || kind === 'object' ? 'array or object' : kind;
  return new StreamError(
    'VALUE_INVALID_PARAMETER',
    `cannot cast jsonb ${what} to type ${typeName({ kind: to.kind } as SqlType)}`,
  );
}

/** A JSON null becomes NULL, as of PostgreSQL 18. */
function jsonToNumber(to: TypeKind): CastRule {
  const rule = numberCasts.find((cast) => cast.from === 'numeric' && cast.to === to);
  return {
    from: 'jsonb',
    to,
    context: 'explicit',
    convert: (type, context) => {
      const convert = rule?.convert(type, context) as
        | ((value: Numeric) => Datum | null)
        | undefined;
      return ((text: string) => {
        const value = parseJson(text);
        if (value === null) return null;
        if (!(value instanceof Numeric)) throw cannot(value, type);
        return convert === undefined ? value : convert(value);
      }) as (value: never) => Datum | null;
    },
  };
}

export const jsonCasts: readonly CastRule[] = [
  ...(['smallint', 'integer', 'bigint', 'real', 'double', 'numeric'] as const).map(jsonToNumber),
  {
    from: 'jsonb',
    to: 'boolean',
    context: 'explicit',
    convert: (type) => (text: string) => {
      const value = parseJson(text);
      if (value === null || typeof value === 'boolean') return value;
      throw cannot(value, type);
    },
  },
  {
    from: 'json',
    to: 'jsonb',
    context: 'assignment',
    convert: () => (text: string) => jsonToText(parseJson(text)),
  },
  {
    from: 'jsonb',
    to: 'json',
    context: 'assignment',
    convert: () => (text: string) => text,
  },
];
