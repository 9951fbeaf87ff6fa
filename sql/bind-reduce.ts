/** ksqlDB's `REDUCE(list, state, (s, x) => …)` and `REDUCE(map, state, (s, k, v) => …)`. */
import type { Expression, FunctionCall } from './ast.ts';
import type { Datum } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import { isMapType, keyAndValue, type SqlType, sameType, typeName } from './base/type.ts';
import type { BindExpression } from './bind-aggregate.ts';
import { places } from './bind-context.ts';
import { named, scopeOver } from './bind-from-place.ts';
import type { Scope } from './bind-scope.ts';
import { coerce, resolveUnknown, unify } from './coerce.ts';
import { evaluate } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import { holdsSubquery, isRepeatable } from './expression-fact.ts';
import { mapOperands } from './expression-map.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

type Value = Datum | null;
type Lambda = Expression & { readonly kind: 'lambda' };

/** What the function reads of the row around the call; these are further arguments of the call. */
interface Step {
  /** Over the state, the parts of an element, and then what is captured. */
  readonly body: BoundExpr;
  readonly captured: readonly BoundExpr[];
}

const USAGE =
  'Write REDUCE(list, state, (s, x) => …), or REDUCE(map, state, (s, k, v) => …) for a map.';

/**
 * Goes from element to element, of a map in the order of its keys: the state is what the function made of the one before. Without
 * a list, or without a first state, the result is the first state.
 * @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_SYNTAX, SQL_NOT_SUPPORTED.
 */
export function bindReduce(call: FunctionCall, scope: Scope, bind: BindExpression): BoundExpr {
  const [listArg, stateArg, lambda] = call.args.map(({ value }) => value);
  const { span } = call;
  if (lambda?.kind !== 'lambda' || listArg === undefined || stateArg === undefined)
    throw usage(call);
  if (call.args.length !== 3 || call.args.some(({ name }) => name !== undefined)) throw usage(call);
  const { context } = scope;
  const list = bind(listArg, scope);
  if (list.type.kind !== 'array') {
    throw new StreamError(
      'SQL_UNKNOWN_FUNCTION',
      `function reduce(${typeName(list.type)}, …) does not exist`,
      { at: span, hint: USAGE },
    );
  }
  const parts = isMapType(list.type) ? Object.values(keyAndValue(list.type)) : [list.type.element];
  if (lambda.parameters.length !== parts.length + 1) throw usage(call);
  const first = resolveUnknown(bind(stateArg, scope), context);
  const { type, body, captured } = settleStep(lambda, first, parts, scope, bind);
  const args = [list, coerce(first, type, context), ...captured];
  const fn = reduction(
    args.map((arg) => arg.type),
    type,
    body,
    isMapType(list.type),
  );
  return { kind: 'call', fn, args, type, span };
}

function usage(call: FunctionCall): StreamError {
  return new StreamError('SQL_SYNTAX', 'REDUCE takes a list or map, a state and a function', {
    at: call.span,
    hint: USAGE,
  });
}

/** The state has the type that the first one and what the function gives have in common. */
function settleStep(
  lambda: Lambda,
  first: BoundExpr,
  parts: readonly SqlType[],
  scope: Scope,
  bind: BindExpression,
): Step & { readonly type: SqlType } {
  const { context } = scope;
  const step = bindStep(lambda, [first.type, ...parts], scope, bind);
  const { type } = unify([first, step.body], 'REDUCE', context);
  const settled = sameType(type, first.type)
    ? step
    : bindStep(lambda, [type, ...parts], scope, bind);
  return { ...settled, type, body: coerce(settled.body, type, context) };
}

function bindStep(
  { parameters, body: node }: Lambda,
  types: readonly SqlType[],
  scope: Scope,
  bind: BindExpression,
): Step {
  const schema = parameters.map(({ name }, i) => ({
    name,
    type: types[i] ?? ({ kind: 'text' } as const),
    nullable: true,
  }));
  const from = named({ kind: 'values', rows: [], schema }, undefined, undefined, undefined);
  const { context, commonTables } = scope;
  const inner = scopeOver(from, { context, commonTables, parent: scope });
  const bound = inner.within(places.transform, () => bind(node, inner));
  const body = resolveUnknown(bound, context);
  if (holdsSubquery(body) || !isRepeatable(body)) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'subqueries, functions over elements and volatile functions are not supported in REDUCE',
      { at: node.span, hint: 'Compute them in the list or in the state.' },
    );
  }
  const captured: BoundExpr[] = [];
  return { body: capture(body, captured, types.length), captured };
}

/** Columns around the call become columns behind those of the function. */
function capture(body: BoundExpr, captured: BoundExpr[], width: number): BoundExpr {
  if (body.kind !== 'outer-column')
    return mapOperands(body, (part) => capture(part, captured, width));
  const { depth, index, type, span } = body;
  const outside: BoundExpr =
    depth === 1 ? { kind: 'column', index, type, span } : { ...body, depth: depth - 1 };
  captured.push(outside);
  return { kind: 'column', index: width + captured.length - 1, type, span };
}

function reduction(
  parameters: readonly SqlType[],
  result: SqlType,
  body: BoundExpr,
  isMap: boolean,
): ScalarFunction {
  return {
    name: 'reduce',
    parameters,
    result,
    body,
    strict: false,
    evaluate: (list: readonly Value[] | null, first: Value, ...captured: readonly Value[]) => {
      if (first === null) return null;
      return (list ?? []).reduce<Value>((state, item) => {
        const parts = isMap && Array.isArray(item) ? (item as readonly Value[]) : [item];
        return evaluate(body, [state, ...parts, ...captured]);
      }, first);
    },
    description: 'what a function makes of a state and one element after the other',
    family: 'array',
  };
}
