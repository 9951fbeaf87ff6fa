/** What one INSERT, UPDATE, DELETE or MERGE does to the rows of a table of Millrace's own, in its draft. */
import { compileScalar } from '../engine/kernel/scalar.ts';
import { assert } from '../sql/base/assert.ts';
import type { Row } from '../sql/base/datum.ts';
import type {
  BoundDelete,
  BoundInsert,
  BoundManipulation,
  BoundMerge,
  BoundOnConflict,
  BoundUpdate,
} from '../sql/bound-statement.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import { enforceReferences } from './foreign-keys.ts';
import { mergeChanges, type ShownChange } from './merge.ts';
import { evaluateOver, type RunQuery } from './returning.ts';
import type { StatementDrafts } from './table-change.ts';
import type { OnConflict, TableDraft } from './table-draft.ts';

/** Where a statement, or a part of one, changes rows. */
export interface ChangeStep {
  readonly drafts: StatementDrafts;
  /** Runs a query over the state before the statement. */
  readonly run: RunQuery;
  /** Of a statement that has changed rows before, in another part: what it has done. */
  readonly earlier?: EarlierChanges | undefined;
}

export interface EarlierChanges {
  /** Names of keys of the table that are written. */
  written(draft: TableDraft): Set<string>;
  /** Leaves out changes of rows that were changed before, and remembers the others. */
  onlyFirst(draft: TableDraft, changes: readonly ShownChange[]): readonly ShownChange[];
}

/**
 * Call it in the turn of the table's writer.
 * @param rows  of an INSERT, when they are known already.
 */
export async function changeRows(
  { drafts, run, earlier }: ChangeStep,
  statement: BoundManipulation,
  rows?: readonly Row[],
): Promise<readonly ShownChange[]> {
  const { relation } = statement;
  const writer = drafts.core.writers.get(relation.id);
  assert(writer !== undefined, 'the relation is a table of its own');
  const draft = await drafts.of(writer);
  if (statement.kind === 'insert') {
    const proposed = rows ?? (await insertedRows(statement, run));
    const rule = await conflictRule(statement, draft, proposed, run);
    const changes = draft.insert(proposed, rule, earlier?.written(draft));
    await enforceReferences(drafts, relation, changes);
    return changes.map((change) => ({ ...change, shown: change.after ?? [] }));
  }
  const found = await foundChanges(statement, run);
  const changes = earlier?.onlyFirst(draft, found) ?? found;
  draft.replace(changes);
  await enforceReferences(drafts, relation, changes);
  return changes;
}

/** What UPDATE, DELETE and MERGE would do. */
export async function foundChanges(
  statement: BoundUpdate | BoundDelete | BoundMerge,
  run: RunQuery,
): Promise<readonly ShownChange[]> {
  const rows = await run(statement.plan);
  return statement.kind === 'merge' ? mergeChanges(statement, rows) : changesOf(statement, rows);
}

function changesOf(
  { kind, relation, joined }: BoundUpdate | BoundDelete,
  rows: readonly Row[],
): readonly ShownChange[] {
  const width = relation.schema.length;
  return rows.filter(firstOfItsRow(joined)).map((row): ShownChange => {
    const before = row.slice(0, width);
    if (kind === 'delete') return { before, after: undefined, shown: row };
    return { before, after: row.slice(width, 2 * width), shown: row.slice(width) };
  });
}

/** A target row that several rows of the joined items match is changed once; its number is the last column. */
function firstOfItsRow(joined: boolean): (row: Row) => boolean {
  const seen = new Set<Row[number]>();
  return (row) => {
    if (!joined) return true;
    const number = row.at(-1) ?? null;
    const isFirst = !seen.has(number);
    seen.add(number);
    return isFirst;
  };
}

/** Constant rows are computed here; a query, also one inside VALUES, is run. */
export async function insertedRows({ rows }: BoundInsert, run: RunQuery): Promise<readonly Row[]> {
  if (
    rows.kind !== 'values' ||
    rows.item !== undefined ||
    rows.rows.some((row) => row.some(holdsSubquery))
  ) {
    return run(rows);
  }
  return rows.rows.map((row) => row.map((expression) => compileScalar(expression)([])));
}

const expressionsOf = ({ set, where }: BoundOnConflict): readonly BoundExpr[] => [
  ...set.map(({ value }) => value),
  ...(where === undefined ? [] : [where]),
];

/** Does a clause ask the database for its new values? */
export const holdsQuery = (clause: BoundOnConflict | undefined): boolean =>
  clause !== undefined && expressionsOf(clause).some(holdsSubquery);

async function conflictRule(
  { onConflict, relation }: BoundInsert,
  draft: TableDraft,
  proposed: readonly Row[],
  run: RunQuery,
): Promise<OnConflict> {
  if (onConflict === undefined) return { kind: 'error' };
  const { keys, set, where } = onConflict;
  if (onConflict.action === 'nothing') return { kind: 'nothing', keys };
  const values = await conflictValues(onConflict, draft, proposed, run);
  const width = relation.schema.length;
  const generated = relation.columns.flatMap(({ from }, column) =>
    from.kind === 'generated' ? [{ column, value: compileScalar(from.expression) }] : [],
  );
  return {
    kind: 'update',
    keys: keys ?? [],
    merge: (existing, row) => {
      const given = values(existing, row);
      if (where !== undefined && given.at(-1) !== true) return undefined;
      const merged = existing.slice(0, width);
      for (const [index, { column }] of set.entries()) merged[column] = given[index] ?? null;
      for (const { column, value } of generated) merged[column] = value(merged);
      return merged;
    },
  };
}

/**
 * What SET and WHERE of the clause come to for a pair of an existing and a proposed row. Where they ask the database that is done
 * for all pairs before; a row that the statement itself has written is no part of a pair, as that is an error.
 */
async function conflictValues(
  clause: BoundOnConflict,
  draft: TableDraft,
  proposed: readonly Row[],
  run: RunQuery,
): Promise<(existing: Row, proposed: Row) => Row> {
  const { keys, set, where, over } = clause;
  const expressions = expressionsOf(clause);
  if (!expressions.some(holdsSubquery)) {
    const compiled = set.map(({ value }) => compileScalar(value));
    const condition = where && compileScalar(where);
    return (existing, row) => {
      const both = [...existing, ...row];
      if (condition === undefined) return compiled.map((value) => value(both));
      return condition(both) === true ? [...compiled.map((value) => value(both)), true] : [false];
    };
  }
  const existing = draft.conflicts(proposed, keys);
  const pairs = proposed.flatMap((row, index) => {
    const met = existing[index];
    return met === undefined ? [] : [{ row, both: [...met, ...row] }];
  });
  const results = await evaluateOver(
    expressions,
    over,
    pairs.map(({ both }) => both),
    run,
  );
  const byRow = new Map(pairs.map(({ row }, index) => [row, results[index]]));
  return (_, row) => {
    const found = byRow.get(row);
    assert(found !== undefined, 'rows that meet another have been looked at');
    return found;
  };
}
