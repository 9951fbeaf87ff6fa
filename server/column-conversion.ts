/** ALTER COLUMN … TYPE: the values of the rows that are there in the new type. */
import type { Batch } from '../engine/delta/batch.ts';
import { BatchBuilder } from '../engine/delta/builder.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Store } from '../engine/store/store.ts';
import type { Identifier } from '../sql/ast.ts';
import type { AlterAction } from '../sql/ast-alter.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { typeName } from '../sql/base/type.ts';
import { places } from '../sql/bind-context.ts';
import { bindOver } from '../sql/bind-over.ts';
import { columnOf } from '../sql/bind-scope.ts';
import { bindTypeName } from '../sql/bind-type.ts';
import { settleExpression } from '../sql/bind-volatile.ts';
import { bindContext } from '../sql/binder.ts';
import type { Relation, SourceRelation, StatementContext } from '../sql/catalog.ts';
import { tryCoerce } from '../sql/coerce.ts';
import type { Core } from './core.ts';
import { storedTable } from './definitions.ts';

export type AlterType = AlterAction & { readonly kind: 'alter-type' };

/** By a column's number in the old relation. */
export type Conversions = ReadonlyMap<number, AlterType>;

/**
 * How each changed column of the new relation is computed from a row of the old one.
 * @param origins  per column of the new relation: its number in the old one.
 * @throws StreamError SQL_DATATYPE_MISMATCH when there is no cast that an assignment may use.
 */
export function compileConversions(
  { catalog }: Core,
  relation: SourceRelation,
  altered: SourceRelation,
  origins: readonly (number | undefined)[],
  conversions: Conversions,
  statement: StatementContext,
): readonly (((row: Row) => Datum | null) | undefined)[] {
  const context = bindContext(catalog, statement, 'pull');
  const shown = relation.name.split('.').at(-1);
  return origins.map((origin, index) => {
    const action = origin === undefined ? undefined : conversions.get(origin);
    const column = altered.schema[index];
    const old = origin === undefined ? undefined : relation.schema[origin];
    if (action === undefined || column === undefined || old === undefined) return undefined;
    const { using } = action;
    const bound =
      using === undefined
        ? columnOf(origin ?? 0, old.type)
        : bindOver(using, relation.schema, places.transform, context, shown);
    const coerced = tryCoerce(bound, column.type, 'assignment', context);
    if (coerced === undefined) throw noCast(action, typeName(column.type));
    return compileScalar(settleExpression(coerced, context));
  });
}

function noCast({ column, using }: AlterType, type: string): StreamError {
  const what = using === undefined ? 'column' : 'result of USING clause for column';
  return new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `${what} "${column.name}" cannot be cast automatically to type ${type}`,
    {
      at: (using ?? column).span,
      hint:
        using === undefined
          ? `You might need to specify "USING ${column.name}::${type}".`
          : 'You might need to add an explicit cast.',
    },
  );
}

/**
 * Before the table is bound with the new types, which would read the text of a default anew.
 * @throws StreamError SQL_DATATYPE_MISMATCH for a default that no cast of an assignment takes there; SQL_NOT_SUPPORTED.
 */
export function requireConvertible(
  core: Core,
  relation: SourceRelation,
  conversions: Conversions,
  statement: StatementContext,
): void {
  const context = bindContext(core.catalog, statement, 'pull');
  for (const [index, { column, type: written }] of conversions) {
    refuseTied(core, column, relation);
    const type = bindTypeName(written, context);
    const value = relation.columns[index]?.default;
    if (value === undefined || tryCoerce(value, type, 'assignment', context) !== undefined)
      continue;
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `default for column "${column.name}" cannot be cast automatically to type ${typeName(type)}`,
      { at: column.span, hint: 'DROP DEFAULT first, and SET it again.' },
    );
  }
}

/** @throws StreamError SQL_NOT_SUPPORTED: the keys of both tables are compared as values of one type. */
function refuseTied({ catalog }: Core, column: Identifier, relation: SourceRelation): void {
  const { name, span } = column;
  const index = relation.schema.findIndex((one) => one.name === name);
  const own = (relation.references ?? []).find(({ columns }) => columns.includes(index));
  const others = catalog.referring(relation.name).map(({ reference }) => reference);
  const foreign = own ?? others.find(({ targetColumns }) => targetColumns.includes(name));
  if (foreign === undefined) return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `cannot alter type of column "${name}", which a foreign key uses`,
    {
      at: span,
      detail: `constraint ${foreign.name} depends on column "${name}"`,
      hint: 'Drop the constraint, alter the columns of both tables, and add it again.',
    },
  );
}

/** PostgreSQL's words for a column that a view reads; here every reader of the table counts. */
export function usedByView({ column }: AlterType, { kind, name }: Relation): StreamError {
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    'cannot alter type of a column used by a view or rule',
    {
      at: column.span,
      detail: `${kind.replaceAll('-', ' ')} ${name} reads the table of column "${column.name}"`,
      hint: `DROP ${name} first, and create it again.`,
    },
  );
}

/** The table's rows in their new form; each is computed once, also when its value is random. */
export async function convertedRows(
  store: Store,
  relation: SourceRelation,
  altered: SourceRelation,
  rowOf: (row: Row) => Row,
): Promise<readonly Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of store.scan(storedTable(relation))) {
    const builder = new BatchBuilder(altered.schema);
    for (let i = 0; i < batch.length; i++) builder.add(rowOf(batch.row(i)), batch.weight(i));
    batches.push(builder.take());
  }
  return batches;
}
