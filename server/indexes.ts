/**
 * CREATE INDEX and DROP INDEX. A unique index keeps the rows of a table apart; any other is kept in the catalog only: rows are found by
 * key in the engine's own tables, and scanned in columns otherwise.
 */
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { bindIndex, freeName, plainColumns } from '../sql/bind-constraint.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { searchPath, splitKey } from '../sql/bind-schema.ts';
import { bindContext } from '../sql/binder.ts';
import {
  PUBLIC_SCHEMA,
  type Relation,
  relationKey,
  type SourceRelation,
  type StatementContext,
} from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import { parseStatement } from '../sql/parser.ts';
import type { AlterStatement } from './alter-text.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { requireRows } from './existing-rows.ts';
import { inTurns } from './in-turns.ts';
import { redefineRelation } from './lifecycle/alter.ts';
import type { LiveRelation } from './live-catalog.ts';
import { namesColumn, withRenamedColumn } from './rename-column.ts';
import { okResult } from './row-result.ts';
import { boundTables } from './table-change.ts';
import { fullName, identifier } from './table-definition.ts';
import { isNameTaken } from './table-expansion.ts';

type CreateIndex = Statement & { readonly kind: 'create-index' };
type Drop = Statement & { readonly kind: 'drop' };

/** The relation with what its indexes add to it. */
export function withIndexes(
  relation: Relation,
  texts: readonly string[],
  context: BindContext,
): Relation {
  if (texts.length === 0) return relation;
  const statements = texts.map((sql) => parseStatement(sql) as CreateIndex);
  const indexes = statements.map((statement, i) => ({
    name: statement.name?.name ?? '',
    unique: statement.unique,
    sql: texts[i] ?? '',
  }));
  // Names and functions must still mean something, also in an index that keeps nothing apart.
  const bound = statements.map((statement, i) => ({
    statement,
    key: bindIndex(statement, indexes[i]?.name ?? '', relation.schema, context),
  }));
  if (relation.kind !== 'table') return { ...relation, indexes };
  const uniques = bound.flatMap(({ statement, key }) => (statement.unique ? [key] : []));
  return { ...relation, indexes, uniques: [...(relation.uniques ?? []), ...uniques] };
}

/** Indexes follow the names of their columns and of their table, and go with a column that is dropped. */
export function withAlteredIndexes(entry: LiveRelation, { actions }: AlterStatement): LiveRelation {
  const { indexes = [] } = entry.detail;
  if (indexes.length === 0) return entry;
  let statements = indexes.map((sql) => parseStatement(sql) as CreateIndex);
  for (const action of actions) {
    if (action.kind === 'drop-column') {
      statements = statements.filter(
        ({ items, where }) => !namesColumn([items, where], action.column.name),
      );
    } else if (action.kind === 'rename-column') {
      const { column, to } = action;
      statements = statements.map((one) => ({
        ...one,
        items: withRenamedColumn(one.items, column.name, to.name),
        where: withRenamedColumn(one.where, column.name, to.name),
      }));
    } else if (action.kind === 'rename') {
      const { to } = action;
      statements = statements.map((one) => {
        const parts = one.relation.parts.with(-1, to);
        return { ...one, relation: { ...one.relation, parts } };
      });
    }
  }
  return { ...entry, detail: { ...entry.detail, indexes: statements.map(deparse) } };
}

/** @throws StreamError SQL_DUPLICATE_RELATION when an index has the name. */
export function refuseTakenName(core: Core, key: string): void {
  if (core.catalog.withIndex(key) === undefined && core.sequences.find(key) === undefined) return;
  throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${key}" already exists`);
}

/** @throws StreamError SQL_DUPLICATE_RELATION for a constraint whose index would have the name of something else. */
export function refuseTakenIndexes(core: Core, table: SourceRelation): void {
  const { schema } = splitKey(core.catalog, table.name);
  for (const { name } of table.uniques ?? []) {
    const key = relationKey(schema, name);
    const other = core.catalog.withIndex(key);
    const isTaken = other !== undefined && other.relation.name !== table.name;
    if (isTaken || core.catalog.relation(key) !== undefined || key === table.name) {
      throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${name}" already exists`);
    }
  }
}

/** @throws StreamError SQL_DUPLICATE_RELATION, SQL_WRONG_OBJECT_TYPE, SQL_NOT_SUPPORTED, CONSTRAINT_UNIQUE. */
export async function createIndex(
  core: Core,
  statement: CreateIndex,
  context: StatementContext,
): Promise<StatementResult> {
  const tag = 'CREATE INDEX';
  const bind = bindContext(core.catalog, context, 'view');
  const relation = requireRelation(statement.relation, bind);
  const { schema, name: table } = splitKey(core.catalog, relation.name);
  const isTaken = (one: string): boolean => {
    return isNameTaken(core, relationKey(schema, one));
  };
  const name = statement.name?.name ?? freeName(indexName(table, statement), isTaken);
  if (isTaken(name)) {
    const message = `relation "${name}" already exists`;
    if (statement.ifNotExists) return okResult(tag, `${message}, skipping`);
    throw new StreamError('SQL_DUPLICATE_RELATION', message, { at: statement.name?.span });
  }
  requireIndexable(statement, relation, bind);
  const writer = core.writers.get(relation.id);
  await inTurns(boundTables(core, writer === undefined ? [] : [writer]), async () => {
    const entry = core.catalog.find(relation.name);
    if (entry === undefined) throw unknownRelation(relation.name);
    const full = fullName(core.catalog, relation.name);
    const kept = { ...statement, ifNotExists: false, name: identifier(name), relation: full };
    const next = await withIndexTexts(core, entry, context, [
      ...(entry.detail.indexes ?? []),
      deparse(kept),
    ]);
    await redefineRelation(core, next);
  });
  return okResult(tag, '');
}

/** `table_a_lower_idx`, as PostgreSQL calls an index without a name. */
function indexName(table: string, { items }: CreateIndex): string {
  const parts = items.map(({ expression }) => {
    if (expression.kind === 'column' || expression.kind === 'call') {
      return expression.name.parts.at(-1)?.name ?? 'expr';
    }
    return 'expr';
  });
  return [table, ...parts, 'idx'].join('_');
}

function requireIndexable(statement: CreateIndex, relation: Relation, context: BindContext): void {
  const at = statement.relation.span;
  if (relation.kind === 'view' || relation.kind === 'sink' || relation.id === 0) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `cannot create index on relation "${relation.name}"`,
      { at, detail: `This operation is not supported for ${relation.kind}s.` },
    );
  }
  if (!statement.unique) return;
  if (relation.kind === 'table' && relation.input === undefined && !relation.readOnly) return;
  const key = relation.kind === 'materialized-view' ? relation.key : [];
  const own = plainColumns(bindIndex(statement, '', relation.schema, context)) ?? [];
  if (key.length > 0 && key.every((index) => own.includes(index))) return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `a unique index on ${relation.kind.replace('-', ' ')} "${relation.name}" cannot be kept`,
    {
      at,
      detail:
        relation.kind === 'materialized-view'
          ? 'Its rows follow from its query, which does not prove that these columns are different in each.'
          : 'Its records are in a topic, where others write too.',
      hint: 'CREATE INDEX without UNIQUE, or GROUP BY these columns.',
    },
  );
}

async function withIndexTexts(
  core: Core,
  entry: LiveRelation,
  context: StatementContext,
  texts: readonly string[],
): Promise<LiveRelation> {
  const { relation, detail } = entry;
  const bare =
    relation.kind === 'table'
      ? {
          ...relation,
          uniques: (relation.uniques ?? []).filter(({ origin }) => origin !== 'index'),
        }
      : relation;
  const next = withIndexes(
    { ...bare, indexes: undefined },
    texts,
    bindContext(core.catalog, context, 'view'),
  );
  if (next.kind === 'table' && relation.kind === 'table' && core.writers.has(next.id)) {
    await core.writers.get(next.id)?.settled();
    await requireRows(core, relation, next);
  }
  return { ...entry, relation: next, detail: { ...detail, indexes: texts } };
}

/** @throws StreamError SQL_UNKNOWN_OBJECT, SQL_DEPENDENT_OBJECTS for the index of a constraint. */
export async function dropIndexes(
  core: Core,
  statement: Drop,
  context: StatementContext,
): Promise<StatementResult> {
  const notes: string[] = [];
  for (const name of statement.names) {
    const bare = name.parts.at(-1)?.name ?? '';
    const schema = name.parts.at(-2)?.name;
    const schemas = schema === undefined ? searchPath(context.settings) : [schema];
    const found = [...schemas, PUBLIC_SCHEMA]
      .map((one) => core.catalog.withIndex(relationKey(one, bare)))
      .find((one) => one !== undefined);
    if (found === undefined) {
      const message = `index "${bare}" does not exist`;
      if (!statement.ifExists) {
        throw new StreamError('SQL_UNKNOWN_OBJECT', message, { at: name.span });
      }
      notes.push(`${message}, skipping`);
      continue;
    }
    await dropIndex(core, found, bare, context);
  }
  return okResult('DROP INDEX', notes.join('; '));
}

async function dropIndex(
  core: Core,
  { relation: { id, name: table } }: LiveRelation,
  name: string,
  context: StatementContext,
): Promise<void> {
  const writer = core.writers.get(id);
  await inTurns(boundTables(core, writer === undefined ? [] : [writer]), async () => {
    const entry = core.catalog.find(table);
    if (entry === undefined) throw unknownRelation(table);
    const indexes = entry.relation.indexes ?? [];
    if (!indexes.some((index) => index.name === name)) {
      throw new StreamError(
        'SQL_DEPENDENT_OBJECTS',
        `cannot drop index ${name} because constraint ${name} on table ${table} requires it`,
        { hint: `You can drop constraint ${name} on table ${table} instead.` },
      );
    }
    refuseReferred(core, entry.relation, name);
    const texts = indexes.filter((index) => index.name !== name).map(({ sql }) => sql);
    await redefineRelation(core, await withIndexTexts(core, entry, context, texts));
  });
}

/** A foreign key may rely on a unique index. */
function refuseReferred(core: Core, table: Relation, name: string): void {
  if (table.kind !== 'table') return;
  const index = (table.uniques ?? []).find((unique) => unique.name === name);
  const columns = index === undefined ? undefined : plainColumns(index);
  if (columns === undefined) return;
  const names = columns.map((column) => table.schema[column]?.name ?? '');
  const referrer = core.catalog
    .referring(table.name)
    .find(
      ({ reference: { targetColumns } }) =>
        targetColumns.length === names.length && targetColumns.every((one) => names.includes(one)),
    );
  if (referrer === undefined) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop index ${name} because other objects depend on it`,
    {
      detail: `constraint ${referrer.reference.name} on table ${referrer.relation.name} depends on index ${name}`,
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    },
  );
}

function unknownRelation(name: string): StreamError {
  return new StreamError('SQL_UNKNOWN_RELATION', `relation "${name}" does not exist`);
}
