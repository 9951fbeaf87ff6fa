/**
 * ALTER …: the statement that made the relation is changed, bound again and kept in place of the old one, together with the stored
 * rows in their new form. What reads the relation must mean the same as before; otherwise nothing is changed and the reason is told.
 */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { TableRebuild } from '../engine/store/store.ts';
import { renderQuery } from '../engine/view/pull.ts';
import type { Identifier } from '../sql/ast.ts';
import { assert } from '../sql/base/assert.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { sameType } from '../sql/base/type.ts';
import { uniqueOver } from '../sql/bind-constraint.ts';
import { findNamed, splitKey } from '../sql/bind-schema.ts';
import { settleExpression } from '../sql/bind-volatile.ts';
import { bindContext } from '../sql/binder.ts';
import {
  isCalled,
  type Reference,
  type Relation,
  type SourceRelation,
  type StatementContext,
} from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import { someExpression } from '../sql/expression-map.ts';
import { LATE_COLUMNS } from '../sql/late-relation.ts';
import { parseStatement } from '../sql/parser.ts';
import { withIdentities } from './alter-identity.ts';
import {
  type Altered,
  type AlterStatement,
  applyActions,
  type CreateStatement,
} from './alter-text.ts';
import {
  compileConversions,
  convertedRows,
  requireConvertible,
  usedByView,
} from './column-conversion.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { relationOf } from './ddl.ts';
import { storedTable } from './definitions.ts';
import { storedLate } from './event-time.ts';
import { requireRows } from './existing-rows.ts';
import { inTurns } from './in-turns.ts';
import { withAlteredIndexes } from './indexes.ts';
import { alterCatalog } from './lifecycle/alter.ts';
import { LiveCatalog, type LiveRelation } from './live-catalog.ts';
import { withRenamedRelation } from './rename-relation.ts';
import { okResult } from './row-result.ts';
import type { SequenceState } from './sequences.ts';
import { boundTables } from './table-change.ts';
import { withChangedReferences, withFullReferences } from './table-definition.ts';

/** @throws StreamError as PostgreSQL; SQL_DEPENDENT_OBJECTS naming who would no longer mean the same. */
export async function alterRelation(
  core: Core,
  statement: AlterStatement,
  context: StatementContext,
): Promise<StatementResult> {
  const tag = `ALTER ${statement.object.replaceAll('-', ' ').toUpperCase()}`;
  const relation = findNamed(statement.name, bindContext(core.catalog, context, 'view'));
  const written = statement.name.parts.map((part) => part.name).join('.');
  if (relation === undefined) {
    const message = `relation "${written}" does not exist`;
    if (statement.ifExists) return okResult(tag, `${message}, skipping`);
    throw new StreamError('SQL_UNKNOWN_RELATION', message, { at: statement.name.span });
  }
  requireKind(statement, relation, core);
  const writer = core.writers.get(relation.id);
  const bound = boundTables(core, writer === undefined ? [] : [writer]);
  await inTurns(bound, () =>
    relation.kind === 'table' && relation.input === undefined
      ? withIdentities(core, statement, relation, (one) => alter(core, one, relation, context))
      : alter(core, statement, relation, context),
  );
  return okResult(tag, '');
}

function requireKind({ object, name }: AlterStatement, relation: Relation, core: Core): void {
  if (!isCalled(relation, object)) {
    const noun = object.replaceAll('-', ' ');
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" is not a ${noun}`, {
      at: name.span,
    });
  }
  if (core.catalog.find(relation.name)?.owner === undefined) return;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" belongs to its stream`, {
    at: name.span,
  });
}

async function alter(
  core: Core,
  statement: AlterStatement,
  relation: Relation,
  context: StatementContext,
): Promise<void> {
  const found = core.catalog.find(relation.name);
  assert(found !== undefined, 'the relation is in the catalog');
  const entry = withAlteredIndexes(found, statement);
  const created = parseStatement(relation.sql) as CreateStatement;
  const { definition, origins, conversions } = applyActions(statement, relation, created);
  if (relation.kind === 'table') requireConvertible(core, relation, conversions, context);
  const trial = trialCatalog(core, relation);
  const altered = alteredRelation({ ...core, catalog: trial }, definition, entry);
  if (altered.name !== relation.name) refuseTaken(core, altered.name, statement);
  const newName = newNameOf(core, statement, relation);
  if (newName === undefined) refuseReaders(core, statement, relation, altered);
  const rebound = rebindReaders(core, trial, entry, altered, newName);
  const referring = reboundReferences(core, trial, relation, altered, origins);
  const { lateId } = entry.detail;
  const rebuild =
    relation.kind === 'table' && altered.kind === 'table' && relation.input === undefined
      ? await tableRebuild(core, relation, altered, { origins, conversions }, context)
      : altered.kind === 'stream' && lateId !== undefined
        ? lateRebuild(altered, lateId, origins)
        : undefined;
  await alterCatalog(core, entry, altered, { readers: rebound, referring }, rebuild);
  await moveSequences(core, relation, altered, origins);
}

/** The sequences of a table follow its name and those of its columns, and go with these. */
async function moveSequences(
  core: Core,
  before: Relation,
  after: Relation,
  origins: readonly (number | undefined)[],
): Promise<void> {
  const owned = core.sequences.ownedBy(before.name);
  if (owned.length === 0) return;
  const gone: SequenceState[] = [];
  const moved: SequenceState[] = [];
  for (const state of owned) {
    const index = before.schema.findIndex(({ name }) => name === state.owner?.column);
    // Of a new column the sequence is there already.
    const isNew = index < 0 && after.schema.some(({ name }) => name === state.owner?.column);
    const column = isNew ? state.owner?.column : after.schema[origins.indexOf(index)]?.name;
    if (column === undefined || state.owner === undefined) gone.push(state);
    else moved.push({ ...state, owner: { ...state.owner, table: after.name, column } });
  }
  await core.engine.atBoundary(async () => {
    await core.sequences.remove(gone);
    await core.sequences.put(moved);
  });
}

/** Constraints that are new are looked at as those of a new table. */
function alteredRelation(core: Core, definition: CreateStatement, entry: LiveRelation): Relation {
  const { relation, detail } = entry;
  const bind = (sql: string): Relation =>
    relationOf(core, sql, relation.id, detail, { isNew: true });
  const altered = bind(deparse(definition));
  if (altered.kind !== 'table' || definition.kind !== 'create-relation') return altered;
  const full = withFullReferences(definition, altered.references ?? [], core.catalog);
  return full === definition ? altered : bind(deparse(full));
}

/**
 * Tables that refer to the altered one, with its new names.
 * @throws StreamError SQL_DEPENDENT_OBJECTS when a foreign key would have nothing to refer to.
 */
function reboundReferences(
  core: Core,
  trial: LiveCatalog,
  before: Relation,
  after: Relation,
  origins: readonly (number | undefined)[],
): readonly LiveRelation[] {
  if (before.kind !== 'table' || after.kind !== 'table') return [];
  const renamed = (name: string): string => {
    const index = before.schema.findIndex((column) => column.name === name);
    const now = origins.indexOf(index);
    return now < 0 ? '' : (after.schema[now]?.name ?? '');
  };
  const isSame = (reference: Reference): boolean =>
    after.name === before.name && reference.targetColumns.every((name) => renamed(name) === name);
  const changed = new Map<number, LiveRelation>();
  for (const { relation, reference } of core.catalog.referring(before.name)) {
    const targetColumns = reference.targetColumns.map(renamed);
    const columns = targetColumns.map((name) =>
      after.schema.findIndex((column) => column.name === name),
    );
    if (columns.includes(-1) || uniqueOver(after.uniques ?? [], columns) === undefined) {
      if (
        relation.id === before.id &&
        !(after.references ?? []).some(({ name }) => name === reference.name)
      )
        continue;
      throw referredError(before, relation, reference);
    }
    if (isSame(reference) || relation.id === before.id) continue;
    const entry = core.catalog.find(relation.name);
    if (entry === undefined) continue;
    const other = withChangedReferences({ ...core, catalog: trial }, entry, (one) =>
      one.target === before.name
        ? { ...one, target: after.name, targetColumns: one.targetColumns.map(renamed) }
        : one,
    );
    changed.set(relation.id, other);
    trial.put(other);
  }
  return [...changed.values()];
}

function referredError(table: Relation, child: Relation, { name }: Reference): StreamError {
  return new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot alter table ${table.name} because other objects depend on it`,
    {
      detail: `constraint ${name} on table ${child.name} depends on a key of table ${table.name}`,
      hint: `ALTER TABLE ${child.name} DROP CONSTRAINT ${name} first.`,
    },
  );
}

/** The catalog without the relation, in which its changed statement can be bound. */
function trialCatalog({ catalog }: Core, without: Relation): LiveCatalog {
  const trial = new LiveCatalog();
  for (const schema of catalog.schemas()) {
    const id = catalog.schemaId(schema);
    if (id !== undefined) trial.addSchema(schema, id);
  }
  for (const type of catalog.types()) trial.putType(type);
  for (const entry of catalog.live()) if (entry.relation.id !== without.id) trial.put(entry);
  return trial;
}

function refuseTaken(core: Core, name: string, { name: at }: AlterStatement): void {
  if (core.catalog.relation(name) === undefined) return;
  throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${name}" already exists`, {
    at: at.span,
  });
}

/** Readers name the relation in their text, count its columns, and streams' readers have read their records already. */
function refuseReaders(
  core: Core,
  statement: AlterStatement,
  relation: Relation,
  altered: Relation,
): void {
  const [reader] = core.catalog
    .withDependents(relation.name)
    .filter((one) => one.relation.id !== relation.id && one.owner !== relation.id);
  if (reader === undefined) return;
  const isAppended = relation.schema.every((column, i) => {
    const now = altered.schema[i];
    return now?.name === column.name && sameType(now.type, column.type);
  });
  const isStream = relation.kind === 'stream' && altered.schema.length !== relation.schema.length;
  // Also to the type that the column has: USING may give it other values.
  const converted = statement.actions.find((action) => action.kind === 'alter-type');
  if (converted !== undefined) throw usedByView(converted, reader.relation);
  if (altered.name === relation.name && isAppended && !isStream) return;
  throw dependentError(
    relation,
    reader.relation,
    statement.actions.map(({ kind }) => kind).join(', '),
  );
}

/**
 * The new name, where nothing else changes and definitions that say the old one can be written anew: records of
 * streams go by theirs, and in other schemas a bare name means what the search path of then made of it.
 */
function newNameOf(
  core: Core,
  { actions }: AlterStatement,
  relation: Relation,
): Identifier | undefined {
  const [action, ...others] = actions;
  if (action?.kind !== 'rename' || others.length > 0) return undefined;
  if (relation.kind === 'stream' || (relation.kind === 'table' && relation.input !== undefined)) {
    return undefined;
  }
  const bare = (name: string): string => splitKey(core.catalog, name).name;
  const [own, ...same] = core.catalog
    .relations()
    .filter(({ name }) => [relation.name, action.to.name].includes(bare(name)));
  return own?.id === relation.id && same.length === 0 ? action.to : undefined;
}

/**
 * Everything that reads the relation, bound anew: after a restart it will be.
 * @throws StreamError SQL_DEPENDENT_OBJECTS when something would have other columns or another key.
 */
function rebindReaders(
  core: Core,
  trial: LiveCatalog,
  entry: LiveRelation,
  altered: Relation,
  newName: Identifier | undefined,
): readonly LiveRelation[] {
  trial.put({ ...entry, relation: altered });
  const readers = core.catalog
    .withDependents(entry.relation.name)
    .filter((one) => one.relation.id !== entry.relation.id && one.owner === undefined)
    .sort((a, b) => a.relation.id - b.relation.id);
  return readers.map((reader) => {
    const { relation: before, detail } = reader;
    let after: Relation;
    try {
      const sql = readerText(before, entry.relation, newName);
      after = relationOf({ ...core, catalog: trial }, sql, before.id, detail);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      throw dependentError(entry.relation, before, error.message);
    }
    if (!sameShape(before, after)) {
      throw dependentError(entry.relation, before, 'it would have other columns, or another key');
    }
    const rebound = { ...reader, relation: after };
    trial.put(rebound);
    return rebound;
  });
}

/** A reader's definition, with the relation's new name when it gets one. */
function readerText(reader: Relation, relation: Relation, newName: Identifier | undefined): string {
  if (newName === undefined) return reader.sql;
  const statement = parseStatement(reader.sql) as CreateStatement;
  const renamed = withRenamedRelation(statement, relation.name, newName);
  if (renamed !== undefined) return deparse(renamed);
  throw dependentError(
    relation,
    reader,
    'an item of its WITH clause has the old name or the new one',
  );
}

function sameShape(before: Relation, after: Relation): boolean {
  const keyOf = (relation: Relation): string =>
    relation.kind === 'materialized-view' || relation.kind === 'sink' ? relation.key.join() : '';
  return (
    before.schema.length === after.schema.length &&
    keyOf(before) === keyOf(after) &&
    before.schema.every((column, i) => {
      const now = after.schema[i];
      return now?.name === column.name && sameType(now.type, column.type);
    })
  );
}

function dependentError(relation: Relation, reader: Relation, why: string): StreamError {
  return new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot alter ${relation.kind} ${relation.name} because ${reader.kind} ${reader.name} depends on it`,
    { detail: why, hint: `DROP ${reader.name} first, and create it again.` },
  );
}

/** Late rows have the stream's columns, and then where each record was. */
function lateRebuild(
  stream: SourceRelation,
  lateId: number,
  origins: readonly (number | undefined)[],
): TableRebuild {
  const before = origins.filter((origin) => origin !== undefined).length;
  return {
    relation: storedLate(stream, lateId),
    columns: [
      ...origins.map((from) => (from === undefined ? { sql: 'NULL' } : { from })),
      ...Array.from({ length: LATE_COLUMNS }, (_, i) => ({ from: before + i })),
    ],
    counted: false,
  };
}

/** The value of a new column in rows that are there. */
interface AddedValue {
  /** Of a default that has one value. */
  readonly once?: Datum | null;
  /** Of a default that gives each row one of its own. */
  readonly each?: (row: Row) => Datum | null;
  /** Over the new row. */
  readonly generated?: (row: Row) => Datum | null;
}

function addedValues(
  core: Core,
  { columns }: SourceRelation,
  origins: readonly (number | undefined)[],
  context: StatementContext,
): readonly (AddedValue | undefined)[] {
  return columns.map(({ default: value, from }, i): AddedValue | undefined => {
    if (origins[i] !== undefined) return undefined;
    if (from.kind === 'generated') return { generated: compileScalar(from.expression) };
    if (value === undefined) return undefined;
    const isOwn = someExpression(value, (one) => one.kind === 'call' && one.fn.name === 'nextval');
    const bound = settleExpression(value, bindContext(core.catalog, context, 'pull'));
    const compute = compileScalar(bound);
    return isOwn ? { each: () => compute([]) } : { once: compute([]) };
  });
}

/**
 * How the stored rows become those of the new table.
 * @throws StreamError CONSTRAINT_… when a row does not fit.
 */
async function tableRebuild(
  core: Core,
  relation: SourceRelation,
  altered: SourceRelation,
  { origins, conversions }: Pick<Altered, 'origins' | 'conversions'>,
  context: StatementContext,
): Promise<TableRebuild | undefined> {
  await core.writers.get(relation.id)?.settled();
  const added = addedValues(core, altered, origins, context);
  const defaults = added.map((value) => value?.once ?? null);
  const convert = compileConversions(core, relation, altered, origins, conversions, context);
  const rowOf = (row: Row): Row => {
    const values = origins.map((origin, i) => {
      const value = convert[i];
      if (value !== undefined) return value(row);
      if (origin !== undefined) return row[origin] ?? null;
      return added[i]?.each?.(row) ?? defaults[i] ?? null;
    });
    return values.map((value, i) => added[i]?.generated?.(values) ?? value);
  };
  if (conversions.size > 0 || added.some((one) => one?.each ?? one?.generated)) {
    const rows = await convertedRows(core.store, relation, altered, rowOf);
    await requireRows(core, relation, altered, rowOf, rows);
    return { relation: storedTable(altered), rows };
  }
  await requireRows(core, relation, altered, rowOf);
  const hadKey = relation.primaryKey.length > 0;
  const isSame = origins.every((origin, i) => origin === i);
  const isSameKey = String(relation.primaryKey) === String(altered.primaryKey);
  if (isSame && isSameKey && origins.length === relation.schema.length) return undefined;
  const columns = origins.map((origin, i) => {
    if (origin !== undefined) return { from: origin };
    const column = altered.schema[i];
    assert(column !== undefined, 'an origin for each column');
    const literal = { kind: 'literal', value: defaults[i] ?? null, type: column.type } as const;
    const plan = { kind: 'values', rows: [[literal]], schema: [column] } as const;
    const { sql, calls } = renderQuery(plan, () => {
      throw new Error('assertion failed: a constant reads nothing');
    });
    assert(calls.length === 0, 'a constant calls nothing');
    return { sql };
  });
  return { relation: storedTable(altered), columns, counted: !hadKey };
}
