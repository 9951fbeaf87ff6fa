/** NOT NULL and CHECK of a relation's columns, for rows on their way in. */
import { compileScalar } from '../engine/kernel/scalar.ts';
import { holdsArray, requireStorable } from '../sql/base/array-shape.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { toText } from '../sql/base/text-output.ts';
import type { Schema, SqlType } from '../sql/base/type.ts';
import type { SourceRelation } from '../sql/catalog.ts';

/** Gives the complaint about a row, or undefined. */
export type FindViolation = (row: Row) => StreamError | undefined;

/** Characters of a value that messages show, as in PostgreSQL. */
const SHOWN_CHARACTERS_MAX = 64;

export function hasChecks(relation: SourceRelation): boolean {
  return relation.checks !== undefined;
}

/** CHECK constraints. An error of an expression is thrown. */
export function compileChecks(relation: SourceRelation): FindViolation {
  const checks = (relation.checks ?? []).map(({ name, expression }) => ({
    name,
    holds: compileScalar(expression),
  }));
  return (row) => {
    for (const { name, holds } of checks) {
      // A CHECK fails only on false: NULL passes.
      if (holds(row) !== false) continue;
      return new StreamError(
        'CONSTRAINT_CHECK',
        `new row for relation "${bareName(relation)}" violates check constraint "${name}"`,
        { detail: failingRow(row, relation.schema) },
      );
    }
    return undefined;
  };
}

const TEXT: SqlType = { kind: 'text' };

/** All constraints of a row that a statement writes. What the log fills in (offset, partition) is not there yet. */
export function compileConstraints(relation: SourceRelation): FindViolation {
  const check = compileChecks(relation);
  const notNull = relation.columns.flatMap(({ notNull: isSet, from }, i) =>
    isSet && from.kind !== 'metadata' && from.kind !== 'header' ? [i] : [],
  );
  const arrays = relation.schema.flatMap(({ type }, i) => (holdsArray(type) ? [i] : []));
  return (row) => {
    for (const i of arrays) {
      const { name = '', type = TEXT } = relation.schema[i] ?? {};
      requireStorable(row[i] ?? null, type, name);
    }
    for (const i of notNull) {
      if ((row[i] ?? null) !== null) continue;
      return new StreamError(
        'CONSTRAINT_NOT_NULL',
        `null value in column "${relation.schema[i]?.name}" of relation "${bareName(relation)}" violates not-null constraint`,
        { detail: failingRow(row, relation.schema) },
      );
    }
    return check(row);
  };
}

function failingRow(row: Row, schema: Schema): string {
  const values = schema.map(({ type }, i) => {
    const value = row[i] ?? null;
    const text = value === null ? 'null' : toText(value, type);
    return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
  });
  return `Failing row contains (${values.join(', ')}).`;
}

/** Messages name a relation without its schema. */
export function bareName({ name }: Pick<SourceRelation, 'name'>): string {
  return name.slice(name.indexOf('.') + 1);
}
