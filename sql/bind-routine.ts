/** Calls of user-defined functions: which overload, with which arguments, and what stands in the place of the call. */
import type { FunctionCall, TypeName } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type Schema, type SqlType, typeName } from './base/type.ts';
import type { BindExpression } from './bind-aggregate.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindOnce } from './bind-once.ts';
import { type Overload, resolveOverload } from './bind-overload.ts';
import { ambiguousFunction, unknownFunction } from './bind-scalar.ts';
import { columnOf, Scope, type ScopeColumn } from './bind-scope.ts';
import { refuseAggregateClauses } from './bind-table-function.ts';
import { bindTypeName, type TypeScope } from './bind-type.ts';
import { booleanType, coerce, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { holdsSubquery } from './expression-fact.ts';
import { mapColumns, moveInward } from './logical-map.ts';
import type { Routine, RoutineBody, RoutineParameter } from './routine.ts';
import { sameBaseType, withoutModifiers } from './type-category.ts';

/** What a parameter is called in a body beside its own name: `$1` becomes `"$"."$1"`. */
export const PARAMETER_TABLE = '$';
/** Parameters are columns from this number on, while a body is bound. */
const PARAMETER_BASE = 5_000_000;
/** SQL functions that stand in each other; more of them are one that calls itself. */
const INLINED_DEPTH_MAX = 32;

/**
 * The type of a parameter or result, which has no modifiers but those of a domain. Its name means the same in every session.
 * @throws StreamError as bindTypeName.
 */
export function routineType(written: TypeName, { catalog }: TypeScope): SqlType {
  return parameterType(bindTypeName(written, { catalog, statement: { settings: new Map() } }));
}

const parameterType = (type: SqlType): SqlType =>
  type.domain === undefined ? withoutModifiers(type) : type;

/** That of an aggregate. @throws StreamError SQL_NOT_SUPPORTED for a type of a user's own; as bindTypeName. */
export function aggregateType(written: TypeName, scope: TypeScope): SqlType {
  const type = routineType(written, scope);
  if (!isOwn(type)) return type;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `aggregates over types of your own, such as ${typeName(type)}, are not supported yet`,
    {
      at: written.span,
      hint: 'Write text, or the type that it is over, and cast where the aggregate is called.',
    },
  );
}

function isOwn(type: SqlType): boolean {
  if (type.kind === 'enum' || type.domain !== undefined) return true;
  if (type.kind === 'array') return isOwn(type.element);
  return (
    type.kind === 'row' &&
    (type.name !== undefined || type.fields.some((field) => isOwn(field.type)))
  );
}

/** The functions that a call may mean; none for a name with the schema of built-in functions. */
export function functionsNamed(
  call: FunctionCall,
  name: string,
  { catalog }: BindContext,
): readonly Routine[] {
  const [schema] = call.name.parts.length > 1 ? call.name.parts : [];
  if (schema?.name === 'pg_catalog') return [];
  return (catalog.routines?.named(name) ?? []).filter(({ body }) => body.kind !== 'aggregate');
}

interface Candidate extends Overload {
  readonly routine: Routine;
  /** The parameter that each argument of the call is for. */
  readonly placement: readonly number[];
}

export interface ResolvedRoutine {
  readonly routine: Routine;
  /** One a parameter, of its type. */
  readonly args: readonly BoundExpr[];
}

/** @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_AMBIGUOUS_FUNCTION, SQL_SYNTAX (argument names). */
export function resolveRoutine(
  call: FunctionCall,
  name: string,
  routines: readonly Routine[],
  scope: Scope,
  bind: BindExpression,
): ResolvedRoutine {
  const { context } = scope;
  refuseAggregateClauses(call, name);
  if (call.over !== undefined) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `OVER specified, but ${name} is not a window function nor an aggregate function`,
      { at: call.span },
    );
  }
  checkNames(call);
  const values = call.args.map((argument) => bind(argument.value, scope));
  const types = values.map((value) => value.type);
  if (call.star || call.variadic) throw unknownRoutine(name, types, call.span, routines);
  const candidates = routines.flatMap((routine) => candidateFor(routine, call));
  const found = resolveOverload(candidates, types, context);
  if (found.kind === 'none') throw unknownRoutine(name, types, call.span, routines);
  const twins =
    found.kind === 'ambiguous' ? [] : candidates.filter((one) => sameTypes(one, found.candidate));
  if (found.kind === 'ambiguous' || twins.length > 1)
    throw ambiguousFunction(name, types, call.span);
  const { routine, placement } = found.candidate;
  context.catalog.routines?.uses?.(routine);
  const args = routine.parameters.map((parameter, index) => {
    const position = placement.indexOf(index);
    const value = position >= 0 ? values[position] : undefined;
    const given = value ?? bindDefault(parameter.default, scope, bind);
    return coerce(given, parameter.type, context);
  });
  return { routine, args };
}

function candidateFor(routine: Routine, call: FunctionCall): readonly Candidate[] {
  const { parameters } = routine;
  const placement = call.args.map(({ name }, index) =>
    name === undefined ? index : parameters.findIndex((one) => one.name === name.name),
  );
  const isPlaced = placement.every((index) => parameters[index] !== undefined);
  const isRepeated = new Set(placement).size < placement.length;
  const isWhole = parameters.every(
    (parameter, index) => parameter.default !== undefined || placement.includes(index),
  );
  if (!isPlaced || isRepeated || !isWhole) return [];
  const types = placement.flatMap((index) => parameters[index]?.type ?? []);
  return [{ routine, placement, parameters: types }];
}

function checkNames(call: FunctionCall): void {
  const seen = new Set<string>();
  for (const { name, value } of call.args) {
    if (name === undefined) {
      if (seen.size === 0) continue;
      throw new StreamError('SQL_SYNTAX', 'positional argument cannot follow named argument', {
        at: value.span,
      });
    }
    if (seen.has(name.name)) {
      throw new StreamError('SQL_SYNTAX', `argument name "${name.name}" used more than once`, {
        at: name.span,
      });
    }
    seen.add(name.name);
  }
}

const sameTypes = (left: Candidate, right: Candidate): boolean =>
  left.parameters.length === right.parameters.length &&
  left.parameters.every((type, index) => {
    const other = right.parameters[index];
    return other !== undefined && sameBaseType(type, other);
  });

function unknownRoutine(
  name: string,
  types: readonly SqlType[],
  span: Span,
  routines: readonly Routine[],
): StreamError {
  const error = unknownFunction(name, types, span, [name]);
  const known = routines.map(signatureOf).join(', ');
  return new StreamError('SQL_UNKNOWN_FUNCTION', error.message, {
    at: span,
    hint: `There is ${known}. You might need to add explicit type casts.`,
  });
}

interface Signature {
  readonly name: string;
  readonly parameters: readonly Pick<RoutineParameter, 'type'>[];
}

/** `f(integer, text)`, as error messages and DROP FUNCTION name a function. */
export function signatureOf({ name, parameters }: Signature): string {
  return functionSignature(
    name,
    parameters.map(({ type }) => type),
  );
}

export function functionSignature(name: string, types: readonly SqlType[]): string {
  return `${name}(${types.map((type) => typeName(withoutModifiers(type))).join(', ')})`;
}

/** A default was found to name no column when the function was made. */
function bindDefault(
  expression: Routine['parameters'][number]['default'],
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  if (expression === undefined) throw new Error('assertion failed: a parameter without a value');
  const { span: _, ...bound } = bind(expression, scope);
  return bound;
}

/** A call as an expression. @throws StreamError SQL_NOT_SUPPORTED for one that gives rows. */
export function routineExpression(
  { routine, args }: ResolvedRoutine,
  span: Span,
  context: BindContext,
): BoundExpr {
  const { body } = routine;
  switch (body.kind) {
    case 'call':
    case 'set':
      return { kind: 'call', fn: body.fn, args, type: body.fn.result, span };
    case 'rows':
    case 'expression':
      return { ...inlined(routine, body, args, span, context), span };
    case 'aggregate':
      throw new Error('assertion failed: an aggregate is no scalar function');
  }
}

/** The rows of a call: those of `unnest` over the array that the function gives. */
export interface RoutineRows {
  readonly name: 'unnest';
  readonly args: readonly BoundExpr[];
  readonly columns: Schema;
  readonly nameless: boolean;
}

/** @returns undefined for a function that gives one value. */
export function routineRows(
  resolved: ResolvedRoutine,
  span: Span,
  context: BindContext,
): RoutineRows | undefined {
  const { body } = resolved.routine;
  if (body.kind !== 'set' && body.kind !== 'rows') return undefined;
  const { columns, nameless } = body;
  return { name: 'unnest', args: [routineExpression(resolved, span, context)], columns, nameless };
}

type SqlBody = RoutineBody & { readonly kind: 'expression' | 'rows' };

/**
 * The body with the arguments in the place of its parameters, as PostgreSQL inlines a function of one SELECT. An argument
 * that the body names several times is computed once, unless a subquery stands between.
 */
function inlined(
  routine: Routine,
  body: SqlBody,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const bound = bindBody(routine, body, span, context);
  const strict = routine.strict && args.length > 0 ? whereKnown(bound, routine) : bound;
  if (holdsSubquery(strict)) return withArguments(strict, args);
  let result = strict;
  args.forEach((arg, index) => {
    const put = (value: BoundExpr): BoundExpr =>
      withArguments(
        result,
        args.map((_, i) => (i === index ? value : undefined)),
      );
    result = usesOf(result, index) > 1 ? bindOnce(arg, put) : put(arg);
  });
  return result;
}

/** @throws StreamError of the body; SQL_INVALID_FUNCTION when its type is another; SQL_TOO_COMPLEX for endless recursion. */
export function bindBody(
  routine: Routine,
  body: SqlBody,
  span: Span,
  context: BindContext,
): BoundExpr {
  const depth = context.inlined ?? 0;
  if (depth >= INLINED_DEPTH_MAX) {
    throw new StreamError(
      'SQL_TOO_COMPLEX',
      `SQL functions stand in each other more than ${INLINED_DEPTH_MAX} deep at ${signatureOf(routine)}`,
      {
        at: span,
        hint: 'A function cannot call itself: write a recursive query, or use LANGUAGE javascript.',
      },
    );
  }
  const scope = bodyScope(routine, { ...context, inlined: depth + 1 });
  const bound = inBody(routine, span, () => context.rules.expression(body.expression, scope));
  const type: SqlType =
    body.kind === 'rows'
      ? { kind: 'array', element: withoutModifiers(routine.result) }
      : parameterType(routine.result);
  const converted = tryCoerce(bound, type, 'assignment', scope.context);
  if (converted === undefined) {
    throw new StreamError(
      'SQL_INVALID_FUNCTION',
      `return type mismatch in function declared to return ${typeName(type)}`,
      { at: span, detail: `Actual return type is ${typeName(bound.type)}.` },
    );
  }
  return converted;
}

/** What is wrong inside a body has no place in the statement but that of the call. */
export function inBody<Result>(routine: Signature, at: Span, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StreamError) || error.code === 'SQL_TOO_COMPLEX') throw error;
    const { code, message, hint } = error;
    const detail = `In the body of the function ${signatureOf(routine)}.`;
    throw new StreamError(code, message, { at, hint, detail, cause: error });
  }
}

function bodyScope(routine: Routine, context: BindContext): Scope {
  const numbered = routine.parameters.map(
    ({ type }, index): ScopeColumn => ({
      name: `$${index + 1}`,
      expression: columnOf(PARAMETER_BASE + index, withoutModifiers(type)),
    }),
  );
  const named = routine.parameters.flatMap(({ name }, index): readonly ScopeColumn[] => {
    const column = numbered[index];
    return name === undefined || column === undefined ? [] : [{ ...column, name }];
  });
  const table = (name: string, columns: readonly ScopeColumn[]) => ({
    name,
    columns,
    relation: undefined,
    primaryKey: undefined,
  });
  const statement = { ...context.statement, params: [], paramTypes: [], inferred: undefined };
  const scope = new Scope({
    context: { ...context, statement, parameterTypes: [] },
    parent: undefined,
    commonTables: new Map(),
    tables: [table(PARAMETER_TABLE, numbered), table(routine.name, named)],
    columns: named,
  });
  scope.place = places.routine;
  return scope;
}

/** A strict function: NULL where an argument is. */
function whereKnown(body: BoundExpr, { parameters }: Routine): BoundExpr {
  const missing = parameters.map(
    ({ type }, index): BoundExpr => ({
      kind: 'is-null',
      operand: columnOf(PARAMETER_BASE + index, withoutModifiers(type)),
      negated: false,
      type: booleanType,
    }),
  );
  const [only] = missing;
  const when: BoundExpr =
    only !== undefined && missing.length === 1
      ? only
      : { kind: 'or', args: missing, type: booleanType };
  const { type } = body;
  // biome-ignore lint/suspicious/noThenProperty: the contract of a CASE expression names it so.
  const whens = [{ when, then: { kind: 'literal', value: null, type } as const }];
  return { kind: 'case', whens, otherwise: body, type };
}

function withArguments(body: BoundExpr, args: readonly (BoundExpr | undefined)[]): BoundExpr {
  return mapColumns(body, (column, depth) => {
    const arg = args[column.index - PARAMETER_BASE];
    return arg === undefined ? column : moveInward(arg, depth);
  });
}

function usesOf(body: BoundExpr, parameter: number): number {
  let uses = 0;
  mapColumns(body, (column) => {
    if (column.index === PARAMETER_BASE + parameter) uses++;
    return column;
  });
  return uses;
}
