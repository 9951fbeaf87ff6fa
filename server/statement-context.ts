import type { Datum } from '../sql/base/datum.ts';
import type { StatementContext } from '../sql/catalog.ts';
import type { Core } from './core.ts';

/**
 * What a statement sees beside the catalog. Parameters arrive as JSON values and are given to the binder as untyped
 * literals, which take their type from the place where they stand, as in PostgreSQL's text protocol.
 */
export function statementContext(
  core: Core,
  settings: ReadonlyMap<string, string>,
  params: readonly unknown[],
  nowMicros: bigint = core.nowMicros(),
): StatementContext {
  return {
    params: params.map(parameterText),
    paramTypes: [],
    nowMicros,
    settings,
  };
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
