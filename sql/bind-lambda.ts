/** ksqlDB's functions of lists and maps that take a function: TRANSFORM, FILTER and REDUCE. */
import type { Expression, FunctionCall, Identifier } from './ast.ts';
import { flattenArray } from './base/array-shape.ts';
import type { Datum } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import { type MapEntry, mapOf } from './base/map.ts';
import { isMapType, keyAndValue, mapType, type SqlType, typeName } from './base/type.ts';
import type { BindExpression } from './bind-aggregate.ts';
import { places } from './bind-context.ts';
import { named, scopeOver } from './bind-from-place.ts';
import type { Scope } from './bind-scope.ts';
import { booleanType, coerce, resolveUnknown, unify } from './coerce.ts';
import { evaluate } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import { holdsSubquery, isRepeatable } from './expression-fact.ts';
import { mapOperands } from './expression-map.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { nameOf } from './parser-call.ts';

type Value = Datum | null;
type Values = readonly Value[];
type ArrayType = SqlType & { readonly kind: 'array' };

interface Lambda {
  readonly parameters: readonly Identifier[];
  readonly body: Expression;
}

/** A call while it is bound. */
interface Use {
  readonly call: FunctionCall;
  readonly scope: Scope;
  readonly bind: BindExpression;
  readonly list: BoundExpr;
  readonly type: ArrayType;
  /** Types of what a function gets of one element: the element, or a key and a value. */
  readonly parts: readonly SqlType[];
  /** What functions read of the row around the call: further arguments, behind the list and the state. */
  readonly captured: BoundExpr[];
}

const USAGES: ReadonlyMap<string, string> = new Map([
  ['transform', 'TRANSFORM(list, x => …), or TRANSFORM(map, (k, v) => …, (k, v) => …)'],
  ['filter', 'FILTER(list, x => …), or FILTER(map, (k, v) => …)'],
  ['reduce', 'REDUCE(list, state, (s, x) => …), or REDUCE(map, state, (s, k, v) => …)'],
]);

const rules: ReadonlyMap<string, (use: Use) => BoundExpr> = new Map([
  ['transform', bindTransform],
  ['filter', bindFilter],
  ['reduce', bindReduce],
]);

export const takesLambda = (name: string): boolean => rules.has(name);

/** @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_SYNTAX, SQL_NOT_SUPPORTED. */
export function bindLambdaCall(
  name: string,
  call: FunctionCall,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const first = call.args[0];
  const rule = rules.get(name);
  const clauses = call.distinct || call.filter !== undefined || call.over !== undefined;
  if (rule === undefined || first === undefined || call.star || call.variadic || clauses) {
    throw usage(call);
  }
  const list = bind(first.value, scope);
  const { type } = list;
  if (type.kind !== 'array') {
    throw new StreamError(
      'SQL_UNKNOWN_FUNCTION',
      `function ${name}(${typeName(type)}, …) does not exist`,
      { at: call.span, hint: `Write ${USAGES.get(name)}.` },
    );
  }
  const parts = isMapType(type) ? Object.values(keyAndValue(type)) : [type.element];
  return rule({ call, scope, bind, list, type, parts, captured: [] });
}

function usage(call: FunctionCall): StreamError {
  const name = nameOf(call);
  return new StreamError('SQL_SYNTAX', `${name} is not called like this`, {
    at: call.span,
    hint: `Write ${USAGES.get(name.toLowerCase())}.`,
  });
}

/** The function at a place of the call; the grammar reads `x => …` as an argument by name. */
function lambdaAt({ call }: Use, place: number, count: number): Lambda {
  const argument = call.args[place];
  const lambda =
    argument?.name !== undefined
      ? { parameters: [argument.name], body: argument.value }
      : argument?.value;
  if (lambda !== undefined && 'parameters' in lambda && lambda.parameters.length === count) {
    return lambda;
  }
  throw usage(call);
}

function bindTransform(use: Use): BoundExpr {
  const { parts, type, call } = use;
  const isMap = isMapType(type);
  if (call.args.length !== parts.length + 1) throw usage(call);
  const bodies = parts.map((_, i) => bindBody(lambdaAt(use, i + 1, parts.length), parts, use));
  const [first, second] = bodies;
  if (first === undefined) throw usage(call);
  if (!isMap || second === undefined) {
    const result: SqlType = { kind: 'array', element: first.type };
    return over(use, result, first, (items, step) => items.map(step));
  }
  const fields = bodies.map((body, i) => ({
    name: i === 0 ? 'key' : 'value',
    type: body.type,
    nullable: true,
  }));
  const pair: BoundExpr = {
    kind: 'row',
    items: bodies,
    type: { kind: 'row', fields },
    span: call.span,
  };
  return over(use, mapType(first.type, second.type), pair, (items, step) =>
    mapOf(
      items.map((item) => step(item) as MapEntry),
      first.type,
    ),
  );
}

function bindFilter(use: Use): BoundExpr {
  const { parts, type, call, scope } = use;
  if (call.args.length !== 2) throw usage(call);
  const condition = bindBody(lambdaAt(use, 1, parts.length), parts, use);
  const body = coerce(condition, booleanType, scope.context);
  return over(use, type, body, (items, step) => items.filter((item) => step(item) === true));
}

/**
 * Goes from element to element, of a map in the order of its keys: the state is what the function made of the one before.
 * It has the type that the first one and what the function gives have in common. Without a list the result is the first state.
 */
function bindReduce(use: Use): BoundExpr {
  const { parts, call, scope, bind } = use;
  const { context } = scope;
  const state = call.args[1];
  if (call.args.length !== 3 || state === undefined || state.name !== undefined) throw usage(call);
  const lambda = lambdaAt(use, 2, parts.length + 1);
  const first = resolveUnknown(bind(state.value, scope), context);
  const tried = bindBody(lambda, [first.type, ...parts], { ...use, captured: [] });
  const { type } = unify([first, tried], 'REDUCE', context);
  const body = coerce(bindBody(lambda, [type, ...parts], use), type, context);
  const fn = lambdaFunction(use, [type], type, body, (list, [before, ...captured]) => {
    if (before === null || before === undefined) return null;
    return elementsOf(use.type, list ?? []).reduce<Value>(
      (now, item) => evaluate(body, [now, ...partsOf(use.type, item), ...captured]),
      before,
    );
  });
  const args = [use.list, coerce(first, type, context), ...use.captured];
  return { kind: 'call', fn, args, type, span: call.span };
}

// ------------------------------------------------------------------ functions

/** A function over the elements, NULL without a list. */
function over(
  use: Use,
  result: SqlType,
  body: BoundExpr,
  whole: (items: Values, step: (item: Value) => Value) => Datum,
): BoundExpr {
  const fn = lambdaFunction(use, [], result, body, (list, captured) =>
    list === null
      ? null
      : whole(elementsOf(use.type, list), (item) =>
          evaluate(body, [...partsOf(use.type, item), ...captured]),
        ),
  );
  return { kind: 'call', fn, args: [use.list, ...use.captured], type: result, span: use.call.span };
}

function lambdaFunction(
  { call, type, captured }: Use,
  parameters: readonly SqlType[],
  result: SqlType,
  body: BoundExpr,
  compute: (list: Values | null, others: Values) => Value,
): ScalarFunction {
  return {
    name: nameOf(call).toLowerCase(),
    parameters: [type, ...parameters, ...captured.map((value) => value.type)],
    result,
    body,
    strict: false,
    evaluate: (list: Values | null, ...others: Values) => compute(list, others),
    description: 'what a function makes of the elements of a list or map',
    family: 'array',
  };
}

/** Of all dimensions. */
const elementsOf = (type: ArrayType, list: Values): Values => flattenArray(list, type.element);

const partsOf = (type: ArrayType, item: Value): Values =>
  isMapType(type) && Array.isArray(item) ? (item as Values) : [item];

// --------------------------------------------------------------------- bodies

/** Over the parameters, and behind them what is captured. */
function bindBody(
  { parameters, body: node }: Lambda,
  types: readonly SqlType[],
  use: Use,
): BoundExpr {
  const { scope, bind, captured } = use;
  const schema = parameters.map(({ name }, i) => ({
    name,
    type: types[i] ?? ({ kind: 'text' } as const),
    nullable: true,
  }));
  const from = named({ kind: 'values', rows: [], schema }, undefined, undefined, undefined);
  const { context, commonTables } = scope;
  const inner = scopeOver(from, { context, commonTables, parent: scope });
  const body = resolveUnknown(
    inner.within(places.transform, () => bind(node, inner)),
    context,
  );
  if (holdsSubquery(body) || !isRepeatable(body)) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'subqueries and volatile functions are not supported in functions of elements',
      { at: node.span, hint: 'Compute them outside, and use the value.' },
    );
  }
  return capture(body, captured, types.length);
}

/** Columns around the call become columns behind those of the function. */
function capture(body: BoundExpr, captured: BoundExpr[], width: number): BoundExpr {
  if (body.kind !== 'outer-column') {
    return mapOperands(body, (part) => capture(part, captured, width));
  }
  const { depth, index, type, span } = body;
  captured.push(
    depth === 1 ? { kind: 'column', index, type, span } : { ...body, depth: depth - 1 },
  );
  return { kind: 'column', index: width + captured.length - 1, type, span };
}
