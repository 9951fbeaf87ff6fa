/** The statement that made a table, in the form in which it is kept and changed: constraints have names, foreign keys full ones. */

import type { Identifier, QualifiedName } from '../sql/ast.ts';
import type { ColumnDefinition, TableConstraint } from '../sql/ast-relation.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import { statementConstraints } from '../sql/bind-constraint.ts';
import { splitKey } from '../sql/bind-schema.ts';
import type { Catalog, Reference, SourceRelation } from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import { parseStatement } from '../sql/parser.ts';
import type { Core } from './core.ts';
import { relationOf } from './ddl.ts';
import type { LiveRelation } from './live-catalog.ts';

export type CreateRelation = Statement & { readonly kind: 'create-relation' };

const NOWHERE = { start: 0, end: 0 };

export const identifier = (name: string): Identifier => ({ name, quoted: true, span: NOWHERE });

/** A catalog's name with its schema. */
export function fullName(catalog: Catalog, key: string): QualifiedName {
  const { schema, name } = splitKey(catalog, key);
  return { parts: [identifier(schema), identifier(name)], span: NOWHERE };
}

/** All constraints beside the columns and under their names, so that they keep these whatever else changes. */
export function withNamedConstraints(
  definition: CreateRelation,
  { constraintNames = [] }: Pick<SourceRelation, 'constraintNames'>,
): CreateRelation {
  const constraints = statementConstraints(definition).map((constraint, i): TableConstraint => {
    const name = constraintNames[i];
    return name === undefined ? constraint : { ...constraint, name: identifier(name) };
  });
  const columns = definition.columns.map(
    (column): ColumnDefinition => ({
      ...column,
      primaryKey: false,
      unique: false,
      check: undefined,
      constraints: undefined,
    }),
  );
  return { ...definition, columns, constraints };
}

/** Foreign keys with the schema and the columns of their targets: what they mean must not depend on the session. */
export function withFullReferences(
  definition: CreateRelation,
  references: readonly Reference[],
  catalog: Catalog,
): CreateRelation {
  if (references.length === 0) return definition;
  let number = 0;
  const full = (constraint: TableConstraint): TableConstraint => {
    if (constraint.kind !== 'foreign-key') return constraint;
    const reference = references[number++];
    if (reference === undefined) return constraint;
    const target = fullName(catalog, reference.target);
    return { ...constraint, target, targetColumns: reference.targetColumns.map(identifier) };
  };
  // In the order of statementConstraints.
  const columns = definition.columns.map((column) =>
    column.constraints === undefined
      ? column
      : { ...column, constraints: column.constraints.map(full) },
  );
  return { ...definition, columns, constraints: definition.constraints.map(full) };
}

/**
 * A table whose foreign keys have become others: targets that are gone or have another name.
 * @param change  undefined takes the foreign key away.
 */
export function withChangedReferences(
  core: Core,
  entry: LiveRelation,
  change: (reference: Reference) => Reference | undefined,
): LiveRelation {
  const { relation, detail } = entry;
  assert(relation.kind === 'table', 'foreign keys are of tables');
  const created = parseStatement(relation.sql);
  assert(created.kind === 'create-relation', 'a table has its own statement');
  const named = withNamedConstraints(created, relation);
  const references = new Map((relation.references ?? []).map((one) => [one.name, change(one)]));
  const kept = named.constraints.filter(
    ({ kind, name }) => kind !== 'foreign-key' || references.get(name?.name ?? '') !== undefined,
  );
  const definition = withFullReferences(
    { ...named, constraints: kept },
    [...references.values()].flatMap((one) => one ?? []),
    core.catalog,
  );
  const sql = deparse({ ...definition, orReplace: false, ifNotExists: false });
  return { ...entry, relation: relationOf(core, sql, relation.id, detail) };
}
