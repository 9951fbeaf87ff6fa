import type { Datum } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SqlType } from '../sql/base/type.ts';
import type { StatementContext } from '../sql/catalog.ts';
import type { SessionAccess } from '../sql/function/session.ts';
import { tokenize } from '../sql/lexer.ts';
import type { Core } from './core.ts';

/** Values of `$1`, `$2`, …; one without a type is an untyped literal. */
export interface Parameters {
  readonly values: readonly (Datum | null)[];
  readonly types: readonly (SqlType | undefined)[];
}

export const NO_PARAMETERS: Parameters = { values: [], types: [] };

/**
 * Parameters arrive as JSON values and are given to the binder as untyped literals, which take their type from the place where
 * they stand, as in PostgreSQL's text protocol.
 */
export function parametersOf(params: readonly unknown[]): Parameters {
  return { values: params.map(parameterText), types: [] };
}

/** What a statement sees beside the catalog. */
export function statementContext(
  core: Core,
  settings: ReadonlyMap<string, string>,
  { values, types }: Parameters = NO_PARAMETERS,
  nowMicros: bigint = core.nowMicros(),
  sequences?: SessionAccess,
): StatementContext {
  return { params: values, paramTypes: types, nowMicros, settings, sequences };
}

/**
 * The text of a statement that is kept, with the values of its untyped parameters in it: as literals they mean the same.
 * @throws StreamError SQL_UNDEFINED_PARAMETER.
 */
export function inlineParameters(text: string, { values }: Parameters): string {
  let inlined = '';
  let end = 0;
  for (const token of tokenize(text)) {
    if (token.kind !== 'parameter') continue;
    const value = values[Number(token.text) - 1];
    if (value === undefined) {
      throw new StreamError('SQL_UNDEFINED_PARAMETER', `there is no parameter $${token.text}`);
    }
    const literal = value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`;
    inlined += text.slice(end, token.start) + literal;
    end = token.end;
  }
  return inlined + text.slice(end);
}

function parameterText(value: unknown): Datum | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayText(value);
  if (typeof value === 'object' && isPlain(value)) return JSON.stringify(value);
  return String(value);
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** PostgreSQL's array literal: `{1,2,NULL,"a b"}`. */
function arrayText(items: readonly unknown[]): string {
  const parts = items.map((item) => {
    if (item === null) return 'NULL';
    if (Array.isArray(item)) return arrayText(item);
    const text = String(parameterText(item));
    return typeof item === 'number' ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${parts.join(',')}}`;
}
