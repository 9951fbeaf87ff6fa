/** NOT NULL and CHECK of a relation's columns, for rows on their way in. */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation } from '../sql/catalog.ts';

/** Gives the complaint about a row, or undefined. */
export type FindViolation = (row: Row) => StreamError | undefined;

export function hasChecks(relation: SourceRelation): boolean {
  return relation.columns.some(({ check }) => check !== undefined);
}

/** CHECK constraints. An error of an expression is thrown. */
export function compileChecks(relation: SourceRelation): FindViolation {
  const checks = relation.columns.flatMap(({ check }, i) => {
    if (check === undefined) return [];
    const name = `${relation.name}_${relation.schema[i]?.name}_check`;
    return [{ name, holds: compileScalar(check) }];
  });
  return (row) => {
    for (const { name, holds } of checks) {
      // A CHECK fails only on false: NULL passes.
      if (holds(row) !== false) continue;
      return new StreamError(
        'CONSTRAINT_CHECK',
        `new row for relation "${relation.name}" violates check constraint "${name}"`,
      );
    }
    return undefined;
  };
}

/** All constraints of a row that a statement writes. What the log fills in (offset, partition) is not there yet. */
export function compileConstraints(relation: SourceRelation): FindViolation {
  const check = compileChecks(relation);
  const notNull = relation.columns.flatMap(({ notNull: isSet, from }, i) =>
    isSet && from.kind !== 'metadata' && from.kind !== 'header' ? [i] : [],
  );
  return (row) => {
    for (const i of notNull) {
      if ((row[i] ?? null) !== null) continue;
      return new StreamError(
        'CONSTRAINT_NOT_NULL',
        `null value in column "${relation.schema[i]?.name}" of relation "${relation.name}" violates not-null constraint`,
      );
    }
    return check(row);
  };
}
