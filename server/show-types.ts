/** SHOW TYPES: what CREATE TYPE and CREATE DOMAIN made. */
import type { SqlType } from '../sql/base/type.ts';
import type { UserType } from '../sql/catalog.ts';
import type { StatementResult } from './database.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { rowsResult, TEXT } from './row-result.ts';

const TEXTS: SqlType = { kind: 'array', element: { kind: 'text' } };

export function showTypes({ catalog }: { readonly catalog: LiveCatalog }): StatementResult {
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['kind', TEXT],
      ['labels', TEXTS],
      ['statement', TEXT],
    ],
    catalog.types().map((type) => [type.name, kindOf(type), labelsOf(type), type.sql]),
  );
}

function kindOf({ type, domain }: UserType): string {
  if (domain !== undefined) return 'domain';
  return type.kind === 'enum' ? 'enum' : 'composite';
}

function labelsOf({ type, domain }: UserType): readonly string[] | null {
  return type.kind === 'enum' && domain === undefined
    ? type.enumeration.labels.map(({ label }) => label)
    : null;
}
