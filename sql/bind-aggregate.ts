/** Aggregate calls and GROUPING: whose they are, what they compute, where they may stand. */
import type { Expression, FunctionCall, SortItem } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import { type BindContext, type Place, places } from './bind-context.ts';
import { bindOrderedSet, isOrderedSetName } from './bind-ordered-set.ts';
import { parametersFor, resolveOverload } from './bind-overload.ts';
import { ambiguousFunction, unknownFunction } from './bind-scalar.ts';
import { AGGREGATE_BASE, columnOf, GROUPING_BASE, type Scope } from './bind-scope.ts';
import { refuseUnknown } from './bind-unknown.ts';
import { coerce, coerceToBoolean, integerType, resolveUnknown, textType } from './coerce.ts';
import type { BoundAggregate, BoundExpr, BoundSortKey } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';
import { mapAggregate } from './expression-map.ts';
import { polymorphicAggregateNames } from './function/aggregate.ts';
import type { AggregateFunction } from './function/aggregate-function.ts';
import { resolvePolymorphicAggregate } from './function/builtin.ts';
import { mapColumns, shiftOuter, visitOuterColumns } from './logical-map.ts';

export type BindExpression = (node: Expression, scope: Scope) => BoundExpr;

const inArguments: Place = {
  label: 'aggregate arguments',
  aggregates: false,
  windows: false,
  sets: false,
  subqueries: true,
};

const polymorphicNames: ReadonlySet<string> = new Set(polymorphicAggregateNames);

/** Names of ksqlDB's and Flink's for what PostgreSQL spells otherwise; the approximate one is exact here. */
const synonyms: ReadonlyMap<string, { readonly name: string; readonly distinct: boolean }> =
  new Map([
    ['approx_count_distinct', { name: 'count', distinct: true }],
    ['count_distinct', { name: 'count', distinct: true }],
    ['collect_list', { name: 'array_agg', distinct: false }],
    ['collect_set', { name: 'array_agg', distinct: true }],
  ]);

export const isAggregateName = (name: string, context: Pick<BindContext, 'registry'>): boolean =>
  context.registry.aggregates(name).length > 0 ||
  polymorphicNames.has(name) ||
  synonyms.has(name) ||
  isOrderedSetName(name);

/** An aggregate without OVER: it joins the list of the query that it belongs to. */
export function bindAggregate(
  call: FunctionCall,
  name: string,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const aggregate = bindAggregateParts(call, name, scope, bind);
  const depth = ownerDepth(aggregate);
  const owner = scopeAt(scope, depth);
  checkPlace(owner, call, scope);
  const inward =
    depth === 0 ? aggregate : mapAggregate(aggregate, (part) => shiftOuter(part, -depth));
  const index = AGGREGATE_BASE + register(owner.pending.aggregates, inward);
  const { type } = aggregate;
  const span = call.span;
  return depth === 0
    ? { ...columnOf(index, type), span }
    : { kind: 'outer-column', depth, index, type, span };
}

function register(list: BoundAggregate[], aggregate: BoundAggregate): number {
  const known = list.findIndex((other) => equalAggregates(other, aggregate));
  if (known >= 0) return known;
  list.push(aggregate);
  return list.length - 1;
}

function equalAggregates(left: BoundAggregate, right: BoundAggregate): boolean {
  const row = (aggregate: BoundAggregate): BoundExpr => ({
    kind: 'row',
    items: [
      ...aggregate.args,
      ...aggregate.orderBy.map((key) => key.expression),
      ...(aggregate.filter === undefined ? [] : [aggregate.filter]),
    ],
    type: { kind: 'unknown' },
  });
  return (
    left.fn.name === right.fn.name &&
    left.distinct === right.distinct &&
    left.args.length === right.args.length &&
    (left.filter === undefined) === (right.filter === undefined) &&
    left.orderBy.length === right.orderBy.length &&
    left.orderBy.every((key, index) => {
      const other = right.orderBy[index];
      return key.descending === other?.descending && key.nullsFirst === other.nullsFirst;
    }) &&
    equalExpressions(row(left), row(right))
  );
}

/** Binds the call itself, wherever its value goes; also used for aggregates with OVER. */
export function bindAggregateParts(
  written: FunctionCall,
  writtenName: string,
  scope: Scope,
  bind: BindExpression,
  argumentPlace: Place = inArguments,
): BoundAggregate {
  const { context } = scope;
  const synonym = synonyms.get(writtenName);
  const name = synonym?.name ?? writtenName;
  const call = synonym?.distinct === true ? { ...written, distinct: true } : written;
  const isOrderedSet = call.withinGroup.length > 0 || isOrderedSetName(name);
  const { args, orderBy } = scope.within(argumentPlace, () => ({
    args: call.args.map((argument) => bind(argument.value, scope)),
    orderBy: isOrderedSet
      ? call.withinGroup.map((item) => ({
          expression: bind(item.expression, scope),
          ...sortDirection(item),
        }))
      : bindSortItems(call.orderBy, scope, bind),
  }));
  const filter = call.filter && bindFilter(call.filter, scope, bind);
  if (isOrderedSet) {
    const parts = bindOrderedSet(call, name, args, orderBy, context);
    return { ...parts, distinct: false, filter, type: parts.fn.result };
  }
  const fn = resolveAggregateFunction(call, name, args, context);
  noteUse(fn, context);
  const parameters = parametersFor(fn, args.length) ?? fn.parameters;
  const converted = args.map((arg, index) => coerce(arg, parameters[index] ?? arg.type, context));
  const result = { fn, args: converted, distinct: call.distinct, filter, type: fn.result };
  if (!call.distinct) return { ...result, orderBy };
  // An argument is one of the distinct values as the function takes it, also where it is written otherwise.
  const ofArguments = orderBy.map((key) => {
    const index = args.findIndex((arg) => equalExpressions(arg, key.expression));
    return { ...key, expression: converted[index] ?? key.expression };
  });
  checkDistinct(call, converted, ofArguments);
  return { ...result, orderBy: ofArguments };
}

function noteUse(fn: AggregateFunction, { catalog }: BindContext): void {
  const routines = catalog.routines;
  const used = routines
    ?.named(fn.name)
    .find(({ body }) => body.kind === 'aggregate' && body.fn === fn);
  if (used !== undefined) routines?.uses?.(used);
}

function bindFilter(filter: Expression, scope: Scope, bind: BindExpression): BoundExpr {
  const bound = scope.within(places.filter, () => bind(filter, scope));
  return coerceToBoolean(bound, 'FILTER', scope.context);
}

/** The keys of an ORDER BY that knows neither ordinals nor aliases. */
export function bindSortItems(
  items: readonly SortItem[],
  scope: Scope,
  bind: BindExpression,
): readonly BoundSortKey[] {
  return items.map((item) => ({
    expression: resolveUnknown(bind(item.expression, scope), scope.context),
    ...sortDirection(item),
  }));
}

/** NULLs are the largest values unless the text says otherwise. */
export const sortDirection = (item: SortItem): Omit<BoundSortKey, 'expression'> => ({
  descending: item.descending,
  nullsFirst: item.nulls === undefined ? item.descending : item.nulls === 'first',
});

function checkDistinct(
  call: FunctionCall,
  args: readonly BoundExpr[],
  orderBy: readonly BoundSortKey[],
): void {
  if (args.length === 0) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      'DISTINCT is not possible without arguments',
      { at: call.span },
    );
  }
  const json = args.find((arg) => arg.type.kind === 'json');
  if (json !== undefined) {
    throw new StreamError(
      'SQL_UNKNOWN_FUNCTION',
      'could not identify an equality operator for type json',
      { at: json.span },
    );
  }
  const foreign = orderBy.find((key) => !args.some((arg) => equalExpressions(arg, key.expression)));
  if (foreign !== undefined) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
      { at: foreign.expression.span },
    );
  }
}

/** Aggregates over any types that take two arguments. */
const pairwise: ReadonlySet<string> = new Set([
  ...['json', 'jsonb'].flatMap((kind) =>
    ['', '_strict', '_unique', '_unique_strict'].map((end) => `${kind}_object_agg${end}`),
  ),
  'min_by',
  'max_by',
  'arg_min',
  'arg_max',
]);

function resolveAggregateFunction(
  call: FunctionCall,
  name: string,
  args: readonly BoundExpr[],
  context: BindContext,
): AggregateFunction {
  const overloads = context.registry.aggregates(name);
  if (call.star) {
    const parameterless = overloads.find((fn) => fn.parameters.length === 0);
    if (parameterless !== undefined) return parameterless;
    throw unknownFunction(name, [], call.span, context.registry.names());
  }
  if (args.length === 0 && overloads.some((fn) => fn.parameters.length === 0)) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `${name}(*) must be used to call a parameterless aggregate function`,
      { at: call.span },
    );
  }
  const types: readonly SqlType[] = args.map((arg) => arg.type);
  const found = resolveOverload(overloads, types, context);
  if (found.kind === 'found') return found.candidate;
  refuseUnknown(name, types, call.span);
  // PostgreSQL has one array_agg of elements and one of arrays.
  if (name === 'array_agg' && types.length === 1 && types[0]?.kind === 'unknown') {
    throw ambiguousFunction(name, types, call.span);
  }
  const known = types.map((type) => (type.kind === 'unknown' ? textType : type));
  const arity = pairwise.has(name) ? 2 : 1;
  const polymorphic =
    found.kind === 'none' && types.length === arity
      ? resolvePolymorphicAggregate(name, known)
      : undefined;
  if (polymorphic !== undefined) return polymorphic;
  throw found.kind === 'ambiguous'
    ? ambiguousFunction(name, types, call.span)
    : unknownFunction(name, types, call.span, context.registry.names());
}

/**
 * An aggregate belongs to the innermost query whose columns it uses; without any, to its own.
 */
function ownerDepth(aggregate: BoundAggregate): number {
  let own = false;
  let nearest = Number.POSITIVE_INFINITY;
  mapAggregate(aggregate, (part) => {
    mapColumns(part, (column) => {
      own = true;
      return column;
    });
    visitOuterColumns(part, (depth) => {
      nearest = Math.min(nearest, depth);
    });
    return part;
  });
  return own || nearest === Number.POSITIVE_INFINITY ? 0 : nearest;
}

function scopeAt(scope: Scope, depth: number): Scope {
  let at = scope;
  for (let step = 0; step < depth; step++) at = at.parent ?? at;
  return at;
}

function checkPlace(owner: Scope, call: FunctionCall, scope: Scope): void {
  const { place } = owner;
  if (place === inArguments && owner === scope) {
    throw new StreamError('SQL_GROUPING', 'aggregate function calls cannot be nested', {
      at: call.span,
    });
  }
  if (owner.lateral) {
    throw new StreamError(
      'SQL_GROUPING',
      'aggregate functions are not allowed in FROM clause of their own query level',
      { at: call.span },
    );
  }
  if (!place.aggregates) {
    throw new StreamError('SQL_GROUPING', `aggregate functions are not allowed in ${place.label}`, {
      at: call.span,
    });
  }
}

/** `GROUPING(a, b)`: bits that tell which keys a grouping set leaves out. */
export function bindGrouping(
  node: Expression & { readonly kind: 'grouping' },
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  if (!scope.place.aggregates) {
    throw new StreamError(
      'SQL_GROUPING',
      `grouping operations are not allowed in ${scope.place.label}`,
      { at: node.span },
    );
  }
  const items = scope.within(inArguments, () => node.items.map((item) => bind(item, scope)));
  const call: BoundExpr = {
    ...columnOf(GROUPING_BASE + scope.pending.groupings.length, integerType),
    span: node.span,
  };
  scope.pending.groupings.push({ items, call });
  return call;
}

export const isAggregateArguments = (place: Place): boolean => place === inArguments;
