/** Rows that are there when a constraint comes: they must keep it too. */
import type { Batch } from '../engine/delta/batch.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation, UniqueKey } from '../sql/catalog.ts';
import { bareName, compileConstraints, type FindViolation } from './constraints.ts';
import type { Core } from './core.ts';
import { storedTable } from './definitions.ts';
import { keyPair, missing, mixed } from './foreign-keys.ts';
import { type KeyOf, keyText, shownKey, uniqueKey } from './row-index.ts';

/**
 * @param rowOf  a row of the table as it will be.
 * @param converted  those rows when columns have another type, so that every key is to be compared again.
 * @throws StreamError CONSTRAINT_… for the first row that does not fit.
 */
export async function requireRows(
  core: Core,
  relation: SourceRelation,
  altered: SourceRelation,
  rowOf: (row: Row) => Row = (row) => row,
  converted?: readonly Batch[],
): Promise<void> {
  const checkRow = notNullAndChecks(relation, altered);
  const checks = [
    ...(converted === undefined ? newUniques(relation, altered) : (altered.uniques ?? [])).map(
      distinct,
    ),
    ...(await newReferences(core, relation, altered)),
  ];
  let broken: StreamError | undefined;
  for await (const batch of converted ?? core.store.scan(storedTable(relation))) {
    for (let i = 0; i < batch.length; i++) {
      const row = converted === undefined ? rowOf(batch.row(i)) : batch.row(i);
      broken ??= checkRow(row);
      for (const check of checks) check(row, batch.weight(i));
    }
  }
  // As PostgreSQL, which makes the index before it looks at the values.
  if (broken !== undefined) throw broken;
}

/** @throws StreamError for a row that may not be there. */
type CheckRow = (row: Row, count: number) => void;

function notNullAndChecks(relation: SourceRelation, altered: SourceRelation): FindViolation {
  const findViolation = compileConstraints(altered);
  const known = new Set((relation.checks ?? []).map(({ name }) => name));
  const isNew = (altered.checks ?? []).some(({ name }) => !known.has(name));
  return (row) => {
    const violation = findViolation(row);
    if (violation === undefined) return undefined;
    // Of rows that are there PostgreSQL says which constraint, and not which row.
    if (violation.code === 'CONSTRAINT_CHECK' && isNew) return brokenCheck(altered, row);
    if (violation.code === 'CONSTRAINT_NOT_NULL') return brokenNotNull(altered, row);
    return violation;
  };
}

function brokenCheck(table: SourceRelation, row: Row): StreamError {
  const broken = (table.checks ?? []).find(
    ({ expression }) => compileScalar(expression)(row) === false,
  );
  return new StreamError(
    'CONSTRAINT_CHECK',
    `check constraint "${broken?.name}" of relation "${bareName(table)}" is violated by some row`,
  );
}

function brokenNotNull(table: SourceRelation, row: Row): StreamError {
  const index = table.columns.findIndex(({ notNull }, i) => notNull && (row[i] ?? null) === null);
  return new StreamError(
    'CONSTRAINT_NOT_NULL',
    `column "${table.schema[index]?.name}" of relation "${bareName(table)}" contains null values`,
  );
}

/** Keys are told by what they keep apart, as a column may have another number or name now. */
function newUniques(relation: SourceRelation, altered: SourceRelation): readonly UniqueKey[] {
  const known = new Set((relation.uniques ?? []).map(({ name }) => name));
  return (altered.uniques ?? []).filter(({ name }) => !known.has(name));
}

function distinct(unique: UniqueKey): CheckRow {
  const keyOf: KeyOf = uniqueKey(unique);
  const seen = new Set<string>();
  return (row, count) => {
    const key = keyOf(row);
    if (key === undefined) return;
    if (count > 1 || seen.has(key)) {
      throw new StreamError('CONSTRAINT_UNIQUE', `could not create unique index "${unique.name}"`, {
        detail: `${shownKey(unique.items, row)} is duplicated.`,
      });
    }
    seen.add(key);
  };
}

async function newReferences(
  core: Core,
  relation: SourceRelation,
  altered: SourceRelation,
): Promise<readonly CheckRow[]> {
  const known = new Set((relation.references ?? []).map(({ name }) => name));
  const checks: CheckRow[] = [];
  for (const [number, reference] of (altered.references ?? []).entries()) {
    if (known.has(reference.name)) continue;
    const isOwn = reference.target === altered.name;
    const parent = isOwn ? altered : core.catalog.relation(reference.target);
    if (parent?.kind !== 'table') continue;
    const pair = keyPair(reference, number, altered, parent);
    const { parentColumns, childColumns, types } = pair;
    const there = new Set<string>();
    await core.writers.get(parent.id)?.settled();
    for await (const batch of core.store.scan(storedTable(isOwn ? relation : parent))) {
      for (let i = 0; i < batch.length; i++) {
        const row = batch.row(i);
        const key = keyText(
          parentColumns.map((index) => row[index] ?? null),
          types,
        );
        if (key !== undefined) there.add(key);
      }
    }
    checks.push((row) => {
      const values = childColumns.map((index) => row[index] ?? null);
      const key = keyText(values, types);
      if (key === undefined) {
        if (reference.matchFull && values.some((value) => value !== null)) throw mixed(pair);
      } else if (!there.has(key)) throw missing(pair, row);
    });
  }
  return checks;
}
