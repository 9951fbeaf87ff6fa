/**
 * Schemas: what a name of a relation means. In the catalog a relation of `public` has its bare name, one of another schema
 * `schema.name`.
 */
import type { QualifiedName } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { type Catalog, PUBLIC_SCHEMA, type Relation, relationKey } from './catalog.ts';
import { systemRelation } from './system-catalog.ts';
import { isTemporarySchema, TEMPORARY_SCHEMA } from './temporary.ts';

/** The schema and the bare name behind a catalog name. */
export function splitKey(catalog: Catalog, key: string): { schema: string; name: string } {
  const dot = key.indexOf('.');
  const schema = key.slice(0, Math.max(dot, 0));
  if (dot < 0 || !catalog.schemas().includes(schema)) return { schema: PUBLIC_SCHEMA, name: key };
  return { schema, name: key.slice(dot + 1) };
}

/** The catalog name of `name` in the schema of what `key` is the catalog name of. */
export const keyBeside = (catalog: Catalog, key: string, name: string): string =>
  relationKey(splitKey(catalog, key).schema, name);

/** Schemas where a bare name is looked for, in this order. */
export function searchPath(settings: ReadonlyMap<string, string>): readonly string[] {
  const text = settings.get('search_path') ?? PUBLIC_SCHEMA;
  return text
    .split(',')
    .map((part) => part.trim().replace(/^"(.*)"$/, '$1'))
    .filter((part) => part !== '' && part !== '$user');
}

/** What `pg_temp` means in the session; undefined for other schemas, and while it has none. */
function ownSchema(schema: string, settings: ReadonlyMap<string, string>): string | undefined {
  return schema === TEMPORARY_SCHEMA ? searchPath(settings).find(isTemporarySchema) : undefined;
}

/** @throws StreamError SQL_NOT_INCREMENTAL for a view over a system catalog. */
export function findNamed(name: QualifiedName, context: BindContext): Relation | undefined {
  const { catalog, statement, purpose } = context;
  const bare = name.parts.at(-1)?.name ?? '';
  const schema = name.parts.at(-2)?.name;
  const schemas =
    schema === undefined
      ? searchPath(statement.settings)
      : [ownSchema(schema, statement.settings) ?? schema];
  // PostgreSQL looks into pg_catalog first.
  const system =
    schema === undefined
      ? systemRelation('pg_catalog', bare, catalog)
      : systemRelation(schema, bare, catalog);
  if (system !== undefined && (schema !== undefined || catalog.relation(bare) === undefined)) {
    if (purpose === 'pull') return system;
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      `"${bare}" is a system catalog, which only queries can read`,
      {
        at: name.span,
      },
    );
  }
  for (const one of schemas) {
    if (one !== PUBLIC_SCHEMA && !catalog.schemas().includes(one)) continue;
    const found = catalog.relation(relationKey(one, bare));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The catalog name of a relation that is to be made.
 * @throws StreamError SQL_UNKNOWN_SCHEMA; SQL_INVALID_DEFINITION for a name that reads like one in another schema.
 */
export function nameToCreate(name: QualifiedName, { catalog, statement }: BindContext): string {
  const bare = name.parts.at(-1)?.name ?? '';
  const written = name.parts.at(-2)?.name;
  const schema =
    written === undefined
      ? searchPath(statement.settings).find(
          (one) => !isTemporarySchema(one) && catalog.schemas().includes(one),
        )
      : (ownSchema(written, statement.settings) ?? written);
  if (schema === undefined) {
    throw new StreamError('SQL_UNKNOWN_SCHEMA', 'no schema has been selected to create in', {
      at: name.span,
    });
  }
  if (!catalog.schemas().includes(schema)) {
    throw new StreamError('SQL_UNKNOWN_SCHEMA', `schema "${schema}" does not exist`, {
      at: name.span,
    });
  }
  if (schema === PUBLIC_SCHEMA && splitKey(catalog, bare).schema !== PUBLIC_SCHEMA) {
    throw new StreamError(
      'SQL_INVALID_DEFINITION',
      `the name "${bare}" is that of a relation in another schema`,
      {
        at: name.span,
      },
    );
  }
  return relationKey(schema, bare);
}
