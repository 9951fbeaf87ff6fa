/** CREATE SCHEMA and DROP SCHEMA. */
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { splitKey } from '../sql/bind-schema.ts';
import { PUBLIC_SCHEMA, type StatementContext, type UserType } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { SCHEMA_KIND } from './lifecycle/entry.ts';
import type { LiveRelation } from './live-catalog.ts';
import { okResult } from './row-result.ts';
import type { SequenceState } from './sequences.ts';
import { carryOut, fallOf } from './type-statement.ts';

const TAG = 'CREATE SCHEMA';

/** @throws StreamError SQL_DUPLICATE_SCHEMA, SQL_RESERVED_NAME. */
export async function createSchema(
  core: Core,
  statement: Statement & { readonly kind: 'create-schema' },
): Promise<StatementResult> {
  const name = statement.name.parts.at(-1)?.name ?? '';
  const at = statement.name.span;
  if (name.startsWith('pg_') || name.includes('.')) {
    throw new StreamError('SQL_RESERVED_NAME', `unacceptable schema name "${name}"`, {
      at,
      detail: name.includes('.')
        ? 'The name of a schema has no dot.'
        : 'The prefix "pg_" is reserved for system schemas.',
    });
  }
  const { catalog } = core;
  if (catalog.schemas().includes(name) || name === 'information_schema') {
    const message = `schema "${name}" already exists`;
    if (statement.ifNotExists) return okResult(TAG, `${message}, skipping`);
    throw new StreamError('SQL_DUPLICATE_SCHEMA', message, { at });
  }
  const taken = catalog.relations().find((relation) => relation.name.startsWith(`${name}.`));
  if (taken !== undefined) {
    throw new StreamError(
      'SQL_DUPLICATE_RELATION',
      `relation "${taken.name}" is named like one in this schema`,
      {
        at,
      },
    );
  }
  await addSchema(core, name);
  return okResult(TAG, '');
}

/** @param name  that no schema has. */
export async function addSchema(core: Core, name: string): Promise<void> {
  const { catalog } = core;
  const id = catalog.nextId();
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [{ id, name, kind: SCHEMA_KIND, sql: '', detail: '{}' }],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    catalog.addSchema(name, id);
  });
}

/** Refused while the schema holds something, unless CASCADE. @throws StreamError SQL_UNKNOWN_SCHEMA, SQL_DEPENDENT_OBJECTS. */
export async function dropSchemas(
  core: Core,
  statement: Statement & { readonly kind: 'drop' },
  context: StatementContext,
): Promise<StatementResult> {
  const { catalog } = core;
  const notes: string[] = [];
  const ids: { readonly name: string; readonly id: number }[] = [];
  const doomed: LiveRelation[] = [];
  const sequences: SequenceState[] = [];
  const types: UserType[] = [];
  for (const written of statement.names) {
    const name = written.parts.at(-1)?.name ?? '';
    const id = catalog.schemaId(name);
    if (name === PUBLIC_SCHEMA) {
      throw new StreamError(
        'SQL_DEPENDENT_OBJECTS',
        'cannot drop schema public because the database requires it',
        {
          at: written.span,
        },
      );
    }
    if (id === undefined) {
      const message = `schema "${name}" does not exist`;
      if (!statement.ifExists) {
        throw new StreamError('SQL_UNKNOWN_SCHEMA', message, { at: written.span });
      }
      notes.push(`${message}, skipping`);
      continue;
    }
    ids.push({ name, id });
    const own = catalog.relations().filter((one) => splitKey(catalog, one.name).schema === name);
    const inSchema = core.sequences.names().filter((key) => splitKey(catalog, key).schema === name);
    for (const key of inSchema) {
      const sequence = core.sequences.find(key);
      if (sequence !== undefined) sequences.push(sequence);
    }
    const ownTypes = catalog.types().filter((one) => splitKey(catalog, one.name).schema === name);
    types.push(...ownTypes);
    const isEmpty = own.length === 0 && inSchema.length === 0 && ownTypes.length === 0;
    if (!isEmpty && !statement.cascade) {
      throw new StreamError(
        'SQL_DEPENDENT_OBJECTS',
        `cannot drop schema ${name} because other objects depend on it`,
        {
          at: written.span,
          detail: [
            ...own.map((one) => `${one.kind} ${one.name} depends on schema ${name}`),
            ...ownTypes.map((one) => `type ${one.name} depends on schema ${name}`),
            ...inSchema.map((key) => `sequence ${key} depends on schema ${name}`),
          ].join('\n'),
          hint: 'Use DROP … CASCADE to drop the dependent objects too.',
        },
      );
    }
    for (const relation of own) {
      for (const one of catalog.withDependents(relation.name)) {
        if (!doomed.includes(one)) doomed.push(one);
      }
    }
  }
  await carryOut(core, fallOf(core, types, doomed), context);
  await core.engine.atBoundary(async () => {
    await core.sequences.remove(sequences);
    await core.store.changeCatalog({
      put: [],
      remove: ids.map(({ id }) => id),
      createTables: [],
      dropTables: [],
    });
    for (const { name } of ids) catalog.removeSchema(name);
  });
  if (doomed.length > 0) notes.push(`drop cascades to ${doomed.length} other objects`);
  return okResult('DROP SCHEMA', notes.join('; '));
}
