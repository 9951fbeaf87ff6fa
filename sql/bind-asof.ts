/**
 * `l ASOF [LEFT] JOIN r ON l.k = r.k AND l.t >= r.t`: each row of l with the one row of r that is nearest in time, as
 * DuckDB and Snowflake have it. It is the same as a lateral join with the first row by that time.
 */
import type { Expression, FromItem, TableAlias } from './ast.ts';
import { StreamError } from './base/error.ts';
import { places } from './bind-context.ts';
import { type BindFromItem, type FromPlace, scopeOver } from './bind-from-place.ts';
import { plainQuery, plainSelect, starItem } from './plain-query.ts';

type JoinItem = FromItem & { readonly kind: 'join' };
type Comparison = Expression & { readonly kind: 'binary' };

/** Operators that say which row is nearest, and how r's times are sorted when its time stands on the right. */
const FALLING: Readonly<Record<string, boolean>> = {
  '>=': true,
  '>': true,
  '<=': false,
  '<': false,
};

/** The join as the lateral one that it means. @throws StreamError SQL_INVALID_DEFINITION, naming what is missing. */
export function asLateral(item: JoinItem, place: FromPlace, bindItem: BindFromItem): JoinItem {
  const { right, span } = item;
  const alias = aliasOf(right);
  const belongs = (part: Expression): boolean => belongsTo(part, right, place, bindItem);
  const all = conjuncts(item.on).filter(
    (part): part is Comparison => part.kind === 'binary' && part.op in FALLING,
  );
  // Of several the one that compares a column of each side.
  const isBetween = (part: Comparison): boolean =>
    part.left.kind === 'column' &&
    part.right.kind === 'column' &&
    belongs(part.left) !== belongs(part.right);
  const comparisons = all.length > 1 ? all.filter(isBetween) : all;
  const [nearest] = comparisons;
  if (alias === undefined || nearest === undefined || comparisons.length > 1) {
    throw new StreamError(
      'SQL_INVALID_DEFINITION',
      'an ASOF join needs one comparison of times in ON, and a named right side',
      { at: span, hint: 'Write: l ASOF JOIN r ON l.k = r.k AND l.t >= r.t.' },
    );
  }
  const falling = FALLING[nearest.op] === true;
  const onRight = belongs(nearest.right);
  const expression = onRight ? nearest.right : nearest.left;
  const body = plainSelect({ items: [starItem(span)], from: [right], where: item.on }, span);
  const query = plainQuery(body, {
    orderBy: [{ expression, descending: falling === onRight, nulls: undefined, span }],
    limit: { kind: 'number', text: '1', span },
  });
  return {
    ...item,
    type: item.type === 'asof-left' ? 'left' : 'inner',
    right: { kind: 'derived', query, lateral: true, alias, span: right.span },
    on: { kind: 'boolean', value: true, span },
  };
}

function aliasOf(item: FromItem): TableAlias | undefined {
  if (item.kind === 'relation') {
    const name = item.name.parts.at(-1);
    return item.alias ?? (name === undefined ? undefined : { name, columns: [] });
  }
  return 'alias' in item ? item.alias : undefined;
}

function conjuncts(condition: Expression | undefined): readonly Expression[] {
  if (condition === undefined) return [];
  if (condition.kind !== 'and') return [condition];
  return [...conjuncts(condition.left), ...conjuncts(condition.right)];
}

/** Whether an expression can be read from one item alone. */
function belongsTo(
  expression: Expression,
  item: FromItem,
  place: FromPlace,
  bindItem: BindFromItem,
): boolean {
  const scope = scopeOver(bindItem(item, place), place);
  try {
    scope.within(places.on, () => place.context.rules.expression(expression, scope));
    return true;
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}
