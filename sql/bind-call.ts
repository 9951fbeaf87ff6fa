/** Function calls: aggregates, windows, set-returning functions, constructs of the grammar, scalar functions. */
import type { Expression, FunctionCall } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type SqlType, type TypeKind, typeName } from './base/type.ts';
import { type BindExpression, bindAggregate, isAggregateName } from './bind-aggregate.ts';
import { orderArguments } from './bind-argument-name.ts';
import type { BindContext } from './bind-context.ts';
import { bindInputIsValid } from './bind-input-valid.ts';
import { bindPathCall, isPathCall } from './bind-json-path.ts';
import { bindLambdaCall, takesLambda } from './bind-lambda.ts';
import { bindMap } from './bind-map.ts';
import { bindOnce } from './bind-once.ts';
import { bindOperator } from './bind-operator.ts';
import { functionsNamed, resolveRoutine, routineExpression, routineRows } from './bind-routine.ts';
import { bindScalar, unknownFunction } from './bind-scalar.ts';
import { columnOf, type PendingSet, type Scope, SET_BASE } from './bind-scope.ts';
import { bindSession, isSessionFunction } from './bind-session.ts';
import { bindStruct } from './bind-struct.ts';
import {
  bindTableFunction,
  isTableFunction,
  refuseAggregateClauses,
} from './bind-table-function.ts';
import { bindVariadic } from './bind-variadic.ts';
import { bindWindowCall, isRankingName } from './bind-window.ts';
import { castExplicitly, resolveUnknown, textType, unify } from './coerce.ts';
import { isByOffset, readEndValue, refuseOffset } from './dialect/offset.ts';
import { readDialect } from './dialect-call.ts';
import type { BoundExpr } from './expression.ts';
import { WHOLE_ROWS } from './function/table-rows.ts';
import { readJsonConstructor } from './json-constructor.ts';
import type { Routine } from './routine.ts';
import { categoryOf, withoutModifiers } from './type-category.ts';

export function bindCall(node: FunctionCall, scope: Scope, bind: BindExpression): BoundExpr {
  const { context } = scope;
  const name = functionName(node);
  const routines = functionsNamed(node, name, context);
  if (routines.length > 0) return bindRoutine(node, name, routines, scope, bind);
  // In quotes it is the name of a function that does not exist.
  const [only, ...others] = node.name.parts;
  if (isPathCall(name) && only?.quoted === false && others.length === 0) {
    return bindPathCall(name, node, scope, bind);
  }
  if (takesLambda(name)) return bindLambdaCall(name, node, scope, bind);
  const composed = constructors.get(name);
  if (composed !== undefined) return composed(node, (value) => bind(value, scope), context);
  const dialect =
    readDialect(node, name) ?? readEndValue(node, name) ?? readJsonConstructor(node, name);
  if (dialect !== undefined) return bindDialect(dialect, node, name, scope, bind);
  const call = orderArguments(node, name);
  const matched = scope.specialCalls?.bind(call, name, scope, bind);
  if (matched !== undefined) return matched;
  if (call.semantics !== undefined) {
    throw new StreamError(
      'SQL_SYNTAX',
      `${call.semantics.toUpperCase()} belongs before FIRST, LAST or an aggregate in MEASURES of MATCH_RECOGNIZE`,
      { at: call.span },
    );
  }
  if (call.over !== undefined) return bindWindowCall(call, name, scope, bind);
  if (isRankingName(name) && call.withinGroup.length === 0) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `window function ${name} requires an OVER clause`,
      { at: call.span },
    );
  }
  if (isAggregateName(name, context) || isRankingName(name))
    return bindAggregate(call, name, scope, bind);
  if (isTableFunction(name)) return bindSet(call, name, scope, bind);
  const setCount = scope.pending.sets.length;
  const args = call.args.map((argument) => bind(argument.value, scope));
  if (name === 'coalesce') refuseSets(setCount, 'COALESCE', scope, call.span);
  const construct = constructs.get(name);
  // Of an unknown function the first thing to say is that it is unknown.
  const isKnown =
    construct !== undefined || isSessionFunction(name) || context.registry.scalars(name).length > 0;
  if (isKnown) refuseAggregateClauses(call, name);
  if (call.star) throw unknownFunction(name, [], call.span, context.registry.names());
  if (construct !== undefined) return construct(args, call.span, context);
  if (isSessionFunction(name)) return bindSession(name, args, call.span, context);
  if (call.keyword && args.length === 1) return bindClock(name, args, call.span, context);
  return call.variadic
    ? bindVariadic(name, args, call.span, context)
    : bindScalar(name, args, call.span, context);
}

/** What a call in another dialect is read as. */
function bindDialect(
  read: Expression,
  call: FunctionCall,
  name: string,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  try {
    return bind(read, scope);
  } catch (error) {
    const isOfRecord =
      error instanceof StreamError && error.code === 'SQL_UNKNOWN_COLUMN' && isByOffset(name);
    throw isOfRecord && /row(time|partition|offset)/.test(error.message)
      ? refuseOffset(call)
      : error;
  }
}

/** The function's name; a schema must be one of PostgreSQL's or Millrace's own. */
export function functionName(call: FunctionCall): string {
  const { parts } = call.name;
  const last = parts.at(-1);
  const schema = parts.length > 1 ? parts[0]?.name : undefined;
  if (schema !== undefined && schema !== 'pg_catalog' && schema !== 'public') {
    throw new StreamError('SQL_UNKNOWN_SCHEMA', `schema "${schema}" does not exist`, {
      at: call.name.span,
    });
  }
  return last?.name ?? '';
}

type Construct = (args: readonly BoundExpr[], span: Span, context: BindContext) => BoundExpr;

const constructs: ReadonlyMap<string, Construct> = new Map<string, Construct>([
  ['coalesce', bindCoalesce],
  ['nullif', bindNullIf],
  ['greatest', (args, span, context) => bindExtreme('greatest', args, span, context)],
  ['least', (args, span, context) => bindExtreme('least', args, span, context)],
  ['pg_typeof', bindTypeOf],
  ['pg_input_is_valid', bindInputIsValid],
  ['age', bindAge],
  ['unix_timestamp', bindUnixTimestamp],
  ['overlaps', bindOverlaps],
  ['timezone', bindTimeZone],
  ['merge_action', refuseMergeAction],
]);

/** Calls whose arguments have names of their own. */
const constructors: ReadonlyMap<string, typeof bindMap> = new Map([
  ['map', bindMap],
  ['struct', bindStruct],
]);

export const isConstruct = (name: string): boolean =>
  constructs.has(name) || constructors.has(name) || takesLambda(name);

/** Where it may stand it is found before the constructs. */
function refuseMergeAction(_: readonly BoundExpr[], at: Span): never {
  throw new StreamError(
    'SQL_SYNTAX',
    'MERGE_ACTION() can only be used in the RETURNING list of a MERGE command',
    { at },
  );
}

/** The type's name, as text: there is no type regtype. */
function bindTypeOf(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const [value] = args;
  if (value === undefined || args.length > 1) return bindScalar('pg_typeof', args, span, context);
  // Of its two names for char without a length PostgreSQL shows the other one in columns.
  const name = value.type.kind === 'char' ? 'character' : typeName(withoutModifiers(value.type));
  return { kind: 'literal', value: name, type: textType, span };
}

/** age(x) counts from the midnight before now. */
function bindAge(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const [only] = args;
  if (only === undefined || args.length > 1) return bindScalar('age', args, span, context);
  return bindScalar('age', [bindScalar('current_date', [], span, context), only], span, context);
}

/** unix_timestamp() is that of the statement's time. */
function bindUnixTimestamp(
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const times = args.length > 0 ? args : [bindScalar('now', [], span, context)];
  return bindScalar('unix_timestamp', times, span, context);
}

/** AT LOCAL is the cast in the session's zone. */
function bindTimeZone(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const [only] = args;
  const kind = only?.type.kind;
  if (args.length !== 1 || only === undefined || (kind !== 'timestamp' && kind !== 'timestamptz')) {
    return bindScalar('timezone', args, span, context);
  }
  const to: SqlType = { kind: kind === 'timestamp' ? 'timestamptz' : 'timestamp' };
  return castExplicitly(only, to, false, span, context);
}

/** A period may be written as its start and its length. */
function bindOverlaps(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const ends = args.map((arg, i) => {
    const start = args[i - 1];
    if (i % 2 === 0 || start === undefined || arg.type.kind !== 'interval') return arg;
    return bindOperator('+', [start, arg], span, context);
  });
  return bindScalar('overlaps', ends, span, context);
}

function bindCoalesce(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const { type, expressions } = unify(args, 'COALESCE', context);
  return { kind: 'coalesce', args: expressions, type, span };
}

function bindExtreme(
  name: 'greatest' | 'least',
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const { type, expressions } = unify(args, name.toUpperCase(), context);
  const call = bindScalar(name, expressions, span, context);
  return { ...call, type };
}

/** Kinds that PostgreSQL compares without converting one to the other. */
const comparableFamilies: readonly ReadonlySet<TypeKind>[] = [
  new Set(['smallint', 'integer', 'bigint']),
  new Set(['real', 'double']),
  new Set(['date', 'timestamp', 'timestamptz']),
];

/** NULLIF(a, b) is CASE WHEN a = b THEN NULL ELSE a END; a keeps its type where = needs no cast. */
function bindNullIf(args: readonly BoundExpr[], span: Span, context: BindContext): BoundExpr {
  const [raw, second] = args;
  if (raw === undefined || second === undefined) return bindScalar('nullif', args, span, context);
  return bindOnce(raw, (first) => {
    const equal = bindOperator('=', [first, second], span, context);
    const converted = equal.kind === 'call' ? equal.args[0] : undefined;
    const family = comparableFamilies.find((kinds) => kinds.has(first.type.kind));
    const keeps =
      family?.has(second.type.kind) === true ||
      // real = numeric is a comparison of real with double precision.
      (first.type.kind === 'real' && categoryOf(second.type) === 'numeric');
    const value = keeps || converted === undefined ? resolveUnknown(first, context) : converted;
    const type: SqlType = value.type;
    const then: BoundExpr = { kind: 'literal', value: null, type, span };
    return { kind: 'case', whens: [{ when: equal, then }], otherwise: value, type, span };
  });
}

/** CURRENT_TIMESTAMP(3) and the like: the value with fewer digits. */
function bindClock(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const value = bindScalar(name, [], span, context);
  const [digits] = args;
  const precision = digits?.kind === 'literal' ? Number(digits.value) : 6;
  const { kind } = value.type;
  if (kind !== 'timestamp' && kind !== 'timestamptz' && kind !== 'time') return value;
  return castExplicitly(value, { kind, precision: Math.min(precision, 6) }, false, span, context);
}

/**
 * Where an expression may be left out, functions that multiply rows have no place.
 * @param before  how many set-returning functions the query had before the expression.
 * @throws StreamError SQL_NOT_SUPPORTED, as PostgreSQL does.
 */
export function refuseSets(before: number, where: string, scope: Scope, span: Span): void {
  if (scope.pending.sets.length === before) return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `set-returning functions are not allowed in ${where}`,
    {
      at: span,
      hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
    },
  );
}

/** A set-returning function in a select list: the query joins it below its projection. */
function bindSet(call: FunctionCall, name: string, scope: Scope, bind: BindExpression): BoundExpr {
  const { context } = scope;
  refuseAggregateClauses(call, name);
  const args = call.args.map((argument) => bind(argument.value, scope));
  const bound = bindTableFunction(name, args, call.span, context);
  return joinSet(call, name, bound, scope);
}

/** A call of a user-defined function, of one value or of rows. */
function bindRoutine(
  call: FunctionCall,
  name: string,
  routines: readonly Routine[],
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const { context } = scope;
  const resolved = resolveRoutine(call, name, routines, scope, bind);
  const rows = routineRows(resolved, call.span, context);
  if (rows === undefined) return routineExpression(resolved, call.span, context);
  return joinSet(call, name, { name: rows.name, args: rows.args, schema: rows.columns }, scope);
}

function joinSet(call: FunctionCall, name: string, bound: PendingSet, scope: Scope): BoundExpr {
  const { place } = scope;
  if (!place.sets) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `set-returning functions are not allowed in ${place.label}`,
      { at: call.span },
    );
  }
  const { sets } = scope.pending;
  const { schema } = bound;
  const type: SqlType =
    schema.length === 1 && schema[0] !== undefined
      ? schema[0].type
      : { kind: 'row', fields: schema };
  const column = { name, type, nullable: true };
  // Several columns are one value, a row.
  sets.push(
    schema.length === 1
      ? { name: bound.name, args: bound.args, schema }
      : { name: `${WHOLE_ROWS}${bound.name}`, args: bound.args, schema: [column] },
  );
  return { ...columnOf(SET_BASE + sets.length - 1, column.type), span: call.span };
}
