/**
 * Foreign keys, when the rows of a statement are in their drafts: rows that refer to something must find it, and rows that are
 * referred to take the others along, as ON DELETE and ON UPDATE say. What an action changes is looked at in the same way.
 */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { ReferentialAction } from '../sql/ast-relation.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { toText } from '../sql/base/text-output.ts';
import type { SqlType } from '../sql/base/type.ts';
import { plainColumns } from '../sql/bind-constraint.ts';
import type { Reference, SourceRelation } from '../sql/catalog.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import { keyText } from './row-index.ts';
import type { StatementDrafts } from './table-change.ts';
import type { RowChange, TableDraft } from './table-draft.ts';

/** Rows that the actions of one statement may change, in all tables. */
const ACTION_ROWS_MAX = 10_000_000;

/** Both ends of a foreign key, column by column in the order of the target's unique key. */
export interface KeyPair {
  readonly reference: Reference;
  /** The number of the reference in its table. */
  readonly number: number;
  readonly child: SourceRelation;
  readonly parent: SourceRelation;
  /** The number of the parent's unique key. */
  readonly unique: number;
  readonly childColumns: readonly number[];
  readonly parentColumns: readonly number[];
  readonly types: readonly SqlType[];
}

/**
 * Row by row, in PostgreSQL's order: what refers to the row (in the order of the tables), with all that follows from that, then
 * what the row refers to. So the first violation is the one that PostgreSQL tells.
 * @throws StreamError CONSTRAINT_FOREIGN_KEY, CONSTRAINT_RESTRICT, and what the changed rows break themselves.
 */
export async function enforceReferences(
  drafts: StatementDrafts,
  table: SourceRelation,
  changes: readonly RowChange[],
): Promise<void> {
  await enforce(drafts, table, changes, { rows: 0 });
}

async function enforce(
  drafts: StatementDrafts,
  table: SourceRelation,
  changes: readonly RowChange[],
  done: { rows: number },
): Promise<void> {
  const { core } = drafts;
  const referrers = referrersOf(core, table);
  const references = referencesOf(core, table);
  if (referrers.length === 0 && references.length === 0) return;
  done.rows += changes.length;
  if (done.rows > ACTION_ROWS_MAX) throw tooMany();
  for (const change of changes) {
    for (const pair of referrers) {
      if (!isLost(pair, change)) continue;
      const acted = await act(drafts, pair, change);
      await enforce(drafts, pair.child, acted, done);
      const action = actionOf(pair, change);
      // A default may be the very key that is lost.
      if (action === 'no action' || action === 'set default') {
        await requireNoChildren(drafts, pair, change);
      }
    }
    for (const pair of references) await requireParent(drafts, pair, change);
  }
}

function referencesOf(core: Core, child: SourceRelation): readonly KeyPair[] {
  return (child.references ?? []).flatMap((reference, number) => {
    const parent = core.catalog.relation(reference.target);
    return parent?.kind === 'table' ? [keyPair(reference, number, child, parent)] : [];
  });
}

function referrersOf(core: Core, parent: SourceRelation): readonly KeyPair[] {
  return core.catalog
    .referring(parent.name)
    .map(({ relation, number, reference }) => keyPair(reference, number, relation, parent));
}

/** @throws an assertion when the target has lost its key, which ALTER and DROP refuse. */
export function keyPair(
  reference: Reference,
  number: number,
  child: SourceRelation,
  parent: SourceRelation,
): KeyPair {
  const written = reference.targetColumns.map((name) =>
    parent.schema.findIndex((column) => column.name === name),
  );
  const uniques = parent.uniques ?? [];
  const unique = uniques.findIndex((one) => {
    const plain = plainColumns(one);
    return plain?.length === written.length && written.every((index) => plain.includes(index));
  });
  const parentColumns = plainColumns(uniques[unique] as (typeof uniques)[number]) ?? [];
  const childColumns = parentColumns.map(
    (index) => reference.columns[written.indexOf(index)] ?? -1,
  );
  const types = parentColumns.map(
    (index) => parent.schema[index]?.type ?? ({ kind: 'text' } as const),
  );
  return { reference, number, child, parent, unique, childColumns, parentColumns, types };
}

const valuesAt = (row: Row, columns: readonly number[]): readonly (Datum | null)[] =>
  columns.map((index) => row[index] ?? null);

const parentKey = ({ parentColumns, types }: KeyPair, row: Row): string | undefined =>
  keyText(valuesAt(row, parentColumns), types);

const childKey = ({ childColumns, types }: KeyPair, row: Row): string | undefined =>
  keyText(valuesAt(row, childColumns), types);

async function draftOf(drafts: StatementDrafts, relation: SourceRelation): Promise<TableDraft> {
  const writer = drafts.core.writers.get(relation.id);
  if (writer === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${relation.name}" does not exist`);
  }
  return drafts.of(writer);
}

/** A row that came, or whose key changed, must refer to something, unless an action has taken it away since. */
async function requireParent(
  drafts: StatementDrafts,
  pair: KeyPair,
  { before, after }: RowChange,
): Promise<void> {
  if (after === undefined) return;
  const { parent, child, reference, unique, childColumns } = pair;
  const key = childKey(pair, after);
  if (key === undefined) {
    const nulls = childColumns.filter((index) => (after[index] ?? null) === null).length;
    if (reference.matchFull && nulls < childColumns.length) throw mixed(pair);
    return;
  }
  if (before !== undefined && childKey(pair, before) === key) return;
  const parents = await draftOf(drafts, parent);
  if (parents.reliesOn(unique, key)) return;
  const children = await draftOf(drafts, child);
  if (children.referring(pair.number, ownKey(pair, after)).length > 0) throw missing(pair, after);
}

/** The key in the child's index, whose columns stand in the order of its own statement. */
function ownKey({ reference, child }: KeyPair, row: Row): string {
  const types = reference.columns.map(
    (index) => child.schema[index]?.type ?? ({ kind: 'text' } as const),
  );
  return keyText(valuesAt(row, reference.columns), types) ?? '';
}

/** The key of a parent's row in the child's index. */
function referringKey(pair: KeyPair, parentRow: Row): string {
  const { reference, childColumns, parentColumns, types } = pair;
  const order = reference.columns.map((index) => childColumns.indexOf(index));
  const values = order.map((at) => parentRow[parentColumns[at] ?? -1] ?? null);
  const ordered = order.map((at) => types[at] ?? ({ kind: 'text' } as const));
  return keyText(values, ordered) ?? '';
}

/** Is the row's key no longer its own? */
function isLost(pair: KeyPair, { before, after }: RowChange): boolean {
  const key = before === undefined ? undefined : parentKey(pair, before);
  return key !== undefined && (after === undefined || parentKey(pair, after) !== key);
}

const actionOf = ({ reference }: KeyPair, { after }: RowChange): ReferentialAction =>
  after === undefined ? reference.onDelete : reference.onUpdate;

/** Does what ON DELETE or ON UPDATE says. @returns what became of the child's rows. */
async function act(
  drafts: StatementDrafts,
  pair: KeyPair,
  change: RowChange,
): Promise<readonly RowChange[]> {
  const action = actionOf(pair, change);
  if (action === 'no action' || change.before === undefined) return [];
  const children = await draftOf(drafts, pair.child);
  const rows = children.referring(pair.number, referringKey(pair, change.before));
  if (rows.length === 0) return [];
  if (action === 'restrict') throw restricted(pair, change.before);
  const pairs = rows.map((row) => ({ before: row, after: changedRow(pair, row, change, action) }));
  children.replace(pairs);
  return pairs;
}

function changedRow(
  pair: KeyPair,
  row: Row,
  { after }: RowChange,
  action: ReferentialAction,
): Row | undefined {
  const { reference, child, childColumns, parentColumns } = pair;
  if (action === 'cascade' && after === undefined) return undefined;
  const next = [...row];
  if (action === 'cascade') {
    childColumns.forEach((index, at) => {
      next[index] = after?.[parentColumns[at] ?? -1] ?? null;
    });
  } else {
    const columns = after === undefined ? reference.setColumns : reference.columns;
    for (const index of columns) {
      const value = child.columns[index]?.default;
      next[index] =
        action === 'set default' && value !== undefined ? compileScalar(value)([]) : null;
    }
  }
  for (const [index, { from }] of child.columns.entries()) {
    if (from.kind === 'generated') next[index] = compileScalar(from.expression)(next);
  }
  return next;
}

/** NO ACTION looks whether somebody else has the key now. */
async function requireNoChildren(
  drafts: StatementDrafts,
  pair: KeyPair,
  { before }: RowChange,
): Promise<void> {
  const key = before === undefined ? undefined : parentKey(pair, before);
  if (before === undefined || key === undefined) return;
  const children = await draftOf(drafts, pair.child);
  if (children.referring(pair.number, referringKey(pair, before)).length === 0) return;
  const parents = await draftOf(drafts, pair.parent);
  if (!parents.reliesOn(pair.unique, key)) throw referred(pair, before);
}

// --------------------------------------------------------------------- errors

function shown(relation: SourceRelation, columns: readonly number[], row: Row): string {
  const names = columns.map((index) => relation.schema[index]?.name).join(', ');
  const values = columns.map((index) => {
    const value = row[index] ?? null;
    const type = relation.schema[index]?.type;
    return value === null || type === undefined ? 'null' : toText(value, type);
  });
  return `Key (${names})=(${values.join(', ')})`;
}

/** The parent's columns as the statement that made the key wrote them. */
function writtenColumns({ reference, parent }: KeyPair): readonly number[] {
  return reference.targetColumns.map((name) =>
    parent.schema.findIndex((column) => column.name === name),
  );
}

export function missing(pair: KeyPair, row: Row): StreamError {
  const { child, parent, reference } = pair;
  return new StreamError(
    'CONSTRAINT_FOREIGN_KEY',
    `insert or update on table "${bareName(child)}" violates foreign key constraint "${reference.name}"`,
    {
      detail: `${shown(child, reference.columns, row)} is not present in table "${bareName(parent)}".`,
    },
  );
}

export function mixed({ child, reference }: KeyPair): StreamError {
  return new StreamError(
    'CONSTRAINT_FOREIGN_KEY',
    `insert or update on table "${bareName(child)}" violates foreign key constraint "${reference.name}"`,
    { detail: 'MATCH FULL does not allow mixing of null and nonnull key values.' },
  );
}

function referred(pair: KeyPair, row: Row): StreamError {
  const { child, parent, reference } = pair;
  return new StreamError(
    'CONSTRAINT_FOREIGN_KEY',
    `update or delete on table "${bareName(parent)}" violates foreign key constraint "${reference.name}" on table "${bareName(child)}"`,
    {
      detail: `${shown(parent, writtenColumns(pair), row)} is still referenced from table "${bareName(child)}".`,
    },
  );
}

function restricted(pair: KeyPair, row: Row): StreamError {
  const { child, parent, reference } = pair;
  return new StreamError(
    'CONSTRAINT_RESTRICT',
    `update or delete on table "${bareName(parent)}" violates RESTRICT setting of foreign key constraint "${reference.name}" on table "${bareName(child)}"`,
    {
      detail: `${shown(parent, writtenColumns(pair), row)} is referenced from table "${bareName(child)}".`,
    },
  );
}

function tooMany(): StreamError {
  return new StreamError(
    'TRANSACTION_TOO_LARGE',
    `foreign keys of one statement may change at most ${ACTION_ROWS_MAX} rows`,
  );
}
