/** CREATE AGGREGATE over functions that are there. */

import type { Expression, FunctionCall, QualifiedName } from './ast.ts';
import type { AggregateOption } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Datum } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import { fromText } from './base/text-input.ts';
import { type SqlType, sameType, typeName } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { invalid, routineName } from './bind-create-function.ts';
import {
  aggregateType,
  functionsNamed,
  resolveRoutine,
  routineExpression,
} from './bind-routine.ts';
import { columnOf, Scope, type ScopeColumn } from './bind-scope.ts';
import { withSpan } from './coerce.ts';
import { evaluate } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import { holdsSubquery, isRepeatable } from './expression-fact.ts';
import type { AggregateFunction } from './function/aggregate-function.ts';
import {
  type StateFunction,
  type UserAggregate,
  userAccumulator,
} from './function/aggregate-user.ts';
import { callOf, nameOf } from './parser-call.ts';
import type { Routine } from './routine.ts';
import { withoutModifiers } from './type-category.ts';

type CreateAggregate = Statement & { readonly kind: 'create-aggregate' };

/** What PostgreSQL has beside these changes how it runs, not what it answers. */
const IGNORED: ReadonlySet<string> = new Set([
  ...['sspace', 'msspace', 'parallel', 'combinefunc', 'serialfunc', 'deserialfunc'],
  ...['finalfunc_modify', 'mfinalfunc_modify', 'sortop'],
]);
const KNOWN: ReadonlySet<string> = new Set([
  ...['sfunc', 'stype', 'initcond', 'finalfunc'],
  ...['msfunc', 'minvfunc', 'mstype', 'minitcond', 'mfinalfunc'],
]);

/**
 * With MINVFUNC the functions of its kind (MSFUNC, MSTYPE, …) are those that are used: they take rows back one by one.
 * @throws StreamError SQL_INVALID_FUNCTION, SQL_UNKNOWN_FUNCTION, SQL_NOT_SUPPORTED.
 */
export function bindCreateAggregate(
  statement: CreateAggregate,
  context: BindContext,
): Omit<Routine, 'id' | 'sql'> {
  const name = routineName(statement, context);
  const parameters = statement.parameters.map((parameter) => ({
    name: parameter.name?.name,
    type: aggregateType(parameter.type, context),
    default: undefined,
  }));
  const types = parameters.map(({ type }) => type);
  const options = new Options(statement);
  for (const key of ['sfunc', 'stype']) options.require(key);
  const isMoving = options.has('minvfunc');
  if (isMoving) for (const key of ['msfunc', 'mstype']) options.require(key);
  const prefix = isMoving ? 'm' : '';
  const stateType = options.type(`${prefix}stype`, context);
  const step = options.state(`${prefix}sfunc`, [stateType, ...types], stateType, context);
  const inverse = isMoving
    ? options.state('minvfunc', [stateType, ...types], stateType, context)
    : undefined;
  const finalKey = `${prefix}finalfunc`;
  const final = options.has(finalKey) ? options.final(finalKey, stateType, context) : undefined;
  const result = final?.type ?? stateType;
  const initial = options.initial(`${prefix}initcond`, stateType);
  if (initial === undefined && step.strict && !startsWithRow(types, stateType)) {
    throw invalid(
      'must not omit initial value when transition function is strict and transition type is not compatible with input type',
      statement.span,
    );
  }
  const aggregate: UserAggregate = { parameters: types, initial, step, inverse, final };
  const fn: AggregateFunction = {
    name,
    parameters: types,
    result,
    strict: step.strict && types.length > 0,
    accumulator: () => userAccumulator(aggregate),
    description: 'a user-defined aggregate',
  };
  return {
    name,
    parameters,
    result,
    source: undefined,
    language: 'internal',
    volatility: 'immutable',
    strict: false,
    body: { kind: 'aggregate', fn },
  };
}

const startsWithRow = ([first]: readonly SqlType[], state: SqlType): boolean =>
  first !== undefined && sameType(first, state);

class Options {
  readonly #statement: CreateAggregate;
  readonly #byKey = new Map<string, AggregateOption>();

  constructor(statement: CreateAggregate) {
    this.#statement = statement;
    for (const option of statement.options) {
      const { key, span: at } = option;
      if (key === 'hypothetical' || key.endsWith('_extra')) {
        throw new StreamError(
          'SQL_NOT_SUPPORTED',
          `aggregate attribute "${key}" is not supported`,
          {
            at,
          },
        );
      }
      if (this.#byKey.has(key)) throw invalid('conflicting or redundant options', at);
      if (IGNORED.has(key)) continue;
      if (!KNOWN.has(key)) {
        throw invalid(
          `aggregate attribute "${key}" not recognized`,
          at,
          `There are ${[...KNOWN].join(', ')}.`,
        );
      }
      this.#byKey.set(key, option);
    }
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  require(key: string): void {
    if (this.has(key)) return;
    throw invalid(`aggregate ${key} must be specified`, this.#statement.span);
  }

  type(key: string, context: BindContext): SqlType {
    const option = this.#byKey.get(key);
    if (option?.value.kind !== 'type') throw invalid(`${key} is a type`, option?.span);
    return aggregateType(option.value.type, context);
  }

  initial(key: string, type: SqlType): Datum | undefined {
    const option = this.#byKey.get(key);
    if (option === undefined) return undefined;
    const { value, span } = option;
    if (value.kind !== 'text') throw invalid(`${key} is a string`, span);
    return withSpan(span, () => fromText(value.text, type));
  }

  /** A function whose result is the next state. */
  state(
    key: string,
    types: readonly SqlType[],
    result: SqlType,
    context: BindContext,
  ): StateFunction {
    const option = this.#byKey.get(key);
    const { expression, strict } = this.#function(key, types, context);
    if (!sameType(withoutModifiers(expression.type), result)) {
      throw invalid(
        `return type of ${key} function is ${typeName(expression.type)}, not ${typeName(result)}`,
        option?.span,
      );
    }
    return { strict, evaluate: (values) => evaluate(expression, values) };
  }

  final(
    key: string,
    state: SqlType,
    context: BindContext,
  ): StateFunction & { readonly type: SqlType } {
    const { expression, strict } = this.#function(key, [state], context);
    return {
      strict,
      type: withoutModifiers(expression.type),
      evaluate: (values) => evaluate(expression, values),
    };
  }

  #function(key: string, types: readonly SqlType[], context: BindContext): Step {
    const option = this.#byKey.get(key);
    if (option?.value.kind !== 'name')
      throw invalid(`${key} is the name of a function`, option?.span);
    const { name } = option.value;
    const { call, scope } = callOver(name, types, context);
    const { expression, strict } = bindStep(call, scope);
    if (holdsSubquery(expression) || !isRepeatable(expression)) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        `the function of ${key} reads more than its arguments`,
        { at: option.span, hint: 'The state of an aggregate follows from its rows alone.' },
      );
    }
    return { expression, strict };
  }
}

interface Step {
  readonly expression: BoundExpr;
  /** Of the function as declared: what is written into the place of its call may say it otherwise. */
  readonly strict: boolean;
}

function bindStep(call: FunctionCall, scope: Scope): Step {
  const { context } = scope;
  const name = nameOf(call);
  const routines = functionsNamed(call, name, context);
  if (routines.length > 0) {
    const resolved = resolveRoutine(call, name, routines, scope, context.rules.expression);
    const { strict } = resolved.routine;
    return { expression: routineExpression(resolved, call.span, context), strict };
  }
  const expression = context.rules.expression(call, scope);
  return { expression, strict: expression.kind === 'call' && expression.fn.strict !== false };
}

/** The call of a function over columns of these types. */
function callOver(
  name: QualifiedName,
  types: readonly SqlType[],
  context: BindContext,
): { readonly call: FunctionCall; readonly scope: Scope } {
  const { span } = name;
  const columns = types.map(
    (type, index): ScopeColumn => ({ name: `${index}`, expression: columnOf(index, type) }),
  );
  const scope = new Scope({ context, parent: undefined, commonTables: new Map(), columns });
  const args = columns.map((column): Expression => {
    const part = { name: column.name, quoted: true, span };
    return { kind: 'column', name: { parts: [part], span }, span };
  });
  return { call: callOf(name, args, span), scope };
}
