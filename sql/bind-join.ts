/** Joins of FROM: conditions, USING and NATURAL with their merged columns. */
import type { FromItem, Identifier } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { asLateral } from './bind-asof.ts';
import type { BindContext } from './bind-context.ts';
import { places } from './bind-context.ts';
import {
  asNullable,
  type BindFromItem,
  type BoundFrom,
  bindRight,
  combineNames,
  type FromPlace,
  moveColumns,
  requireNewName,
  scopeOver,
} from './bind-from-place.ts';
import { readyForGrace } from './bind-grace.ts';
import { bindOperator, combine } from './bind-operator.ts';
import { columnOf, renameColumns, type ScopeColumn, type ScopeTable } from './bind-scope.ts';
import { checkArrival, looksUp, withoutSystemTime } from './bind-system-time.ts';
import { withinCondition, withinGrace } from './bind-within.ts';
import { coerce, coerceToBoolean, tryCoerce, unify } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { conjunction } from './join-keys.ts';
import type { JoinType } from './logical-plan.ts';

type JoinItem = FromItem & { readonly kind: 'join' };

export function bindJoin(written: JoinItem, place: FromPlace, bindItem: BindFromItem): BoundFrom {
  const { item: timed, atArrival: isAsked } = withoutSystemTime(written, place, bindItem);
  const isAsof = timed.type === 'asof' || timed.type === 'asof-left';
  const item = isAsof ? asLateral(timed, place, bindItem) : timed;
  const type = joinType(item);
  const side = (bound: BoundFrom): BoundFrom =>
    item.within?.grace === undefined ? bound : readyForGrace(bound, place);
  const left = side(bindItem(item.left, place));
  const atArrival = isAsked ?? looksUp(left.node, item, place);
  if (atArrival) checkArrival(left.node, written, place);
  const { right, lateral } = bindRight(left, place, (inner) => side(bindItem(item.right, inner)));
  if (lateral && (type === 'right' || type === 'full')) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `invalid reference to FROM-clause entry for table "${left.tables[0]?.name ?? ''}"`,
      {
        at: item.span,
        detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.',
      },
    );
  }
  const names = combineNames(left, right, item.right.span);
  const { context } = place;
  const merged = mergedNames(item, left, right);
  const using = merged && mergeColumns(merged, left, right, type, item, context);
  const columns = using === undefined ? names.columns : using.columns;
  const condition = using === undefined ? bindCondition(item, names, left, right, place) : using.on;
  const within = item.within && withinCondition(item.within, left, right, place);
  const on = conjunction([condition, within].flatMap((part) => part ?? []));
  const onlyLeft = type === 'semi' || type === 'anti';
  const joined: BoundFrom = {
    node: {
      kind: 'join',
      type,
      left: item.within === undefined ? left.node : withinGrace(item.within, left, place),
      right: item.within === undefined ? right.node : withinGrace(item.within, right, place),
      on,
      lateral,
      atArrival,
      schema: joinSchema(type, left.node.schema, right.node.schema),
    },
    tables: onlyLeft
      ? left.tables
      : [...maybeAbsent(type, names.tables, left, right), ...(using?.tables ?? [])],
    columns: onlyLeft ? left.columns : columns,
  };
  return item.alias === undefined ? joined : underAlias(joined, item.alias);
}

export function joinSchema(type: JoinType, left: Schema, right: Schema): Schema {
  switch (type) {
    case 'semi':
    case 'anti':
      return left;
    case 'inner':
      return [...left, ...right];
    case 'left':
      return [...left, ...asNullable(right)];
    case 'right':
      return [...asNullable(left), ...right];
    case 'full':
      return [...asNullable(left), ...asNullable(right)];
    default:
      return type satisfies never;
  }
}

/**
 * The tables of both sides, told when a row of theirs may be missing. A column that is never NULL shows it; on a side without one, a
 * row of NULLs alone is taken for a missing one.
 */
function maybeAbsent(
  type: JoinType,
  tables: readonly ScopeTable[],
  left: BoundFrom,
  right: BoundFrom,
): readonly ScopeTable[] {
  const by = left.node.schema.length;
  return tables.map((table, index) => {
    const isLeft = index < left.tables.length;
    const outer = isLeft ? type === 'right' || type === 'full' : type === 'left' || type === 'full';
    // What an outer join further in says about its row is true as well when this one has none.
    if (!outer || table.absent !== undefined) return table;
    const { schema } = (isLeft ? left : right).node;
    const marker = schema.findIndex((column) => !column.nullable);
    const column = schema[marker];
    const shown =
      column === undefined
        ? table.columns.map(({ expression }) => expression)
        : [columnOf(isLeft ? marker : marker + by, column.type)];
    const tests = shown.map((operand) => isNull(operand));
    return tests.length === 0 ? table : { ...table, absent: conjunction(tests) };
  });
}

const isNull = (operand: BoundExpr): BoundExpr => ({
  kind: 'is-null',
  operand,
  negated: false,
  type: { kind: 'boolean' },
});

function joinType(item: JoinItem): JoinType {
  switch (item.type) {
    case 'cross':
      return 'inner';
    case 'asof':
    case 'asof-left':
      throw new Error('assertion failed: an ASOF join is bound as a lateral one');
    default:
      return item.type;
  }
}

function bindCondition(
  item: JoinItem,
  names: { readonly tables: readonly ScopeTable[]; readonly columns: readonly ScopeColumn[] },
  left: BoundFrom,
  right: BoundFrom,
  place: FromPlace,
): BoundExpr | undefined {
  const { on } = item;
  if (on === undefined) return undefined;
  const schema = [...left.node.schema, ...right.node.schema];
  const scope = scopeOver({ ...names, node: { kind: 'values', rows: [], schema } }, place);
  const bound = scope.within(places.on, () => place.context.rules.expression(on, scope));
  return coerceToBoolean(bound, 'JOIN/ON', place.context);
}

/** The names that USING lists or NATURAL finds; undefined for a join with neither. */
function mergedNames(
  item: JoinItem,
  left: BoundFrom,
  right: BoundFrom,
): readonly Identifier[] | undefined {
  if (item.using !== undefined) return item.using.columns;
  if (!item.natural) return undefined;
  const rights = new Set(visible(right).map((column) => column.name));
  const shared = [...new Set(visible(left).map((column) => column.name))].filter((name) =>
    rights.has(name),
  );
  return shared.map((name) => ({ name, quoted: true, span: item.span }));
}

const visible = (from: BoundFrom): readonly ScopeColumn[] =>
  from.columns.filter((column) => column.hidden !== true);

/** One column for each shared name, in front; then the other columns of both sides. */
function mergeColumns(
  names: readonly Identifier[],
  left: BoundFrom,
  right: BoundFrom,
  type: JoinType,
  item: JoinItem,
  context: BindContext,
): {
  readonly columns: readonly ScopeColumn[];
  readonly on: BoundExpr | undefined;
  readonly tables: readonly ScopeTable[];
} {
  const moved = moveColumns(right.columns, left.node.schema.length);
  const merged: ScopeColumn[] = [];
  const conditions: BoundExpr[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.name)) {
      throw new StreamError(
        'SQL_DUPLICATE_COLUMN',
        `column name "${name.name}" appears more than once in USING clause`,
        { at: name.span },
      );
    }
    seen.add(name.name);
    const a = onlyColumn(left.columns, name, 'left');
    const b = onlyColumn(moved, name, 'right');
    conditions.push(
      bindOperator('=', [a.expression, b.expression], name.span ?? item.span, context),
    );
    merged.push({ name: name.name, expression: mergedValue(a, b, type, context) });
  }
  const rest = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    columns.filter((column) => !seen.has(column.name));
  const alias = item.using?.alias;
  if (alias !== undefined) {
    requireNewName(alias.name, [...left.tables, ...right.tables], alias.span ?? item.span);
  }
  const tables =
    alias === undefined
      ? []
      : [{ name: alias.name, columns: merged, relation: undefined, primaryKey: undefined }];
  return {
    columns: [...merged, ...rest(left.columns), ...rest(moved)],
    on: conditions.length === 0 ? undefined : combine('and', conditions, item.span),
    tables,
  };
}

function onlyColumn(
  columns: readonly ScopeColumn[],
  name: Identifier,
  side: 'left' | 'right',
): ScopeColumn {
  const matches = columns.filter((column) => column.name === name.name);
  const [first] = matches;
  if (first === undefined) {
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${name.name}" specified in USING clause does not exist in ${side} table`,
      { at: name.span },
    );
  }
  if (matches.length > 1) {
    throw new StreamError(
      'SQL_AMBIGUOUS_COLUMN',
      `common column name "${name.name}" appears more than once in ${side} table`,
      { at: name.span },
    );
  }
  return first;
}

/** The value of a shared column: of the side that is always there, else of the one that is. */
function mergedValue(
  left: ScopeColumn,
  right: ScopeColumn,
  type: JoinType,
  context: BindContext,
): BoundExpr {
  const { type: common, expressions } = unify(
    [left.expression, right.expression],
    'JOIN/USING',
    context,
  );
  if (type === 'full') return { kind: 'coalesce', args: expressions, type: common };
  const chosen = coerce(type === 'right' ? right.expression : left.expression, common, context);
  // Of varchar(3) and varchar(6) it is varchar, whichever side is chosen; an implicit conversion leaves the modifier.
  return tryCoerce(chosen, common, 'explicit', context) ?? chosen;
}

/** `(a JOIN b …) AS j`: the names inside are hidden behind the alias. */
function underAlias(from: BoundFrom, alias: NonNullable<JoinItem['alias']>): BoundFrom {
  const columns = renameColumns(from.columns, alias.columns, alias.name.name);
  const table = { name: alias.name.name, columns, relation: undefined, primaryKey: undefined };
  return { node: from.node, tables: [table], columns };
}
