/** What MERGE does to each row, from the pairs of its target and its source. */
import type { Datum, Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BoundMerge } from '../sql/bound-statement.ts';
import type { RowChange } from './table-draft.ts';

/** A change, and what RETURNING is computed over. */
export interface ShownChange extends RowChange {
  readonly shown: Row;
}

/**
 * @param rows  of the statement's plan.
 * @throws StreamError SQL_CARDINALITY when several source rows change one row of the target.
 */
export function mergeChanges(
  { relation, effects }: BoundMerge,
  rows: readonly Row[],
): readonly ShownChange[] {
  const width = relation.schema.length;
  const changed = new Set<Datum>();
  return rows.map((row): ShownChange => {
    const number = row.at(-1) ?? null;
    if (number !== null) {
      if (changed.has(number)) throw changedTwice();
      changed.add(number);
    }
    const effect = effects[Number(row.at(-2))];
    const before = effect === 'insert' ? undefined : row.slice(0, width);
    const after = effect === 'delete' ? undefined : row.slice(width, 2 * width);
    const shown = [
      ...row.slice(2 * width, -2),
      ...(after ?? before ?? []),
      effect?.toUpperCase() ?? null,
    ];
    return { before, after, shown };
  });
}

function changedTwice(): StreamError {
  return new StreamError('SQL_CARDINALITY', 'MERGE command cannot affect row a second time', {
    hint: 'Ensure that not more than one source row matches any one target row.',
  });
}
