/** RETURNING of INSERT, UPDATE, DELETE and MERGE: what a statement tells of each row that it has changed. */

import type { Identifier } from './ast.ts';
import type { ReturningClause } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { places } from './bind-context.ts';
import { asNullable, type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import { columnOf, type ScopeTable, type SpecialCalls, scopeColumns } from './bind-scope.ts';
import { bindTargets } from './bind-target.ts';
import { settleExpression } from './bind-volatile.ts';
import type { Returning } from './bound-statement.ts';
import type { SourceRelation } from './catalog.ts';
import { resolveUnknown } from './coerce.ts';
import { mayBeNull } from './expression-null.ts';

/**
 * RETURNING over the columns of the target and of the items beside it, and over the row before and after the change.
 * @param from  the target and the items; its schema is what stands before the two rows.
 * @param calls  what some calls mean here alone.
 * @returns undefined without the clause.
 */
export function bindReturning(
  clause: ReturningClause,
  relation: SourceRelation,
  from: BoundFrom,
  place: FromPlace,
  calls?: SpecialCalls,
): Returning | undefined {
  if (clause.items.length === 0) return undefined;
  const { context } = place;
  const start = from.node.schema.length;
  const over = [...from.node.schema, ...bothRows(relation)];
  const tables = [...from.tables, ...rowNames(clause, relation, from.tables, start)];
  const scope = scopeOver({ ...from, tables }, place);
  scope.specialCalls = calls;
  const targets = scope.within(places.returning, () => bindTargets(clause.items, scope));
  const expressions = targets.map((target) =>
    settleExpression(resolveUnknown(target.expression, context), context),
  );
  const schema = expressions.map((expression, index) => ({
    name: targets[index]?.name ?? '?column?',
    type: expression.type,
    nullable: mayBeNull(expression, over),
  }));
  return { schema, over, expressions };
}

const flag = (name: string) =>
  ({ name, type: { kind: 'boolean' }, nullable: false }) as const satisfies Schema[number];

/** The old row, the new one, and whether there is none. */
function bothRows({ schema }: SourceRelation): Schema {
  const row = asNullable(schema);
  return [...row, ...row, flag('no_old'), flag('no_new')];
}

/** A name that the statement gives to something else means that. @throws StreamError SQL_DUPLICATE_ALIAS for one given here. */
function rowNames(
  clause: ReturningClause,
  { schema, name: relation }: SourceRelation,
  taken: readonly ScopeTable[],
  start: number,
): readonly ScopeTable[] {
  const width = schema.length;
  const table = (which: 'old' | 'new', given: Identifier | undefined): readonly ScopeTable[] => {
    const name = given?.name ?? which;
    const isTaken =
      taken.some((other) => other.name === name) ||
      (given !== undefined && clause[which === 'old' ? 'new' : 'old']?.name === name);
    if (isTaken && given === undefined) return [];
    if (isTaken) {
      throw new StreamError(
        'SQL_DUPLICATE_ALIAS',
        `table name "${name}" specified more than once`,
        { at: given?.span },
      );
    }
    const place = which === 'old' ? 0 : 1;
    return [
      {
        name,
        columns: scopeColumns(asNullable(schema), start + place * width),
        relation,
        primaryKey: undefined,
        absent: columnOf(start + 2 * width + place, { kind: 'boolean' }),
      },
    ];
  };
  return [...table('old', clause.old), ...table('new', clause.new)];
}
