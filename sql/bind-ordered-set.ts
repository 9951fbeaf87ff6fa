/** `f(…) WITHIN GROUP (ORDER BY …)`: the overload, and its arguments as the aggregate's rows hold them. */
import type { FunctionCall } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { unknownFunction } from './bind-scalar.ts';
import { refuseUnknown } from './bind-unknown.ts';
import { coerce, resolveUnknown, tryCoerce, unify } from './coerce.ts';
import type { BoundAggregate, BoundExpr, BoundSortKey } from './expression.ts';
import type { AggregateFunction } from './function/aggregate-function.ts';
import {
  type HypotheticalName,
  hypotheticalAggregate,
  hypotheticalNames,
  type OrderedSetName,
  orderedSetAggregate,
  orderedSetNames,
} from './function/aggregate-ordered-set.ts';
import { mapColumns } from './logical-map.ts';
import { withoutModifiers } from './type-category.ts';

const orderedSets: ReadonlySet<string> = new Set(orderedSetNames);
const hypotheticals: ReadonlySet<string> = new Set(hypotheticalNames);

export const isOrderedSetName = (name: string): name is OrderedSetName => orderedSets.has(name);
const isHypotheticalName = (name: string): name is HypotheticalName => hypotheticals.has(name);

type Parts = Pick<BoundAggregate, 'fn' | 'args' | 'orderBy'>;

/** @throws StreamError SQL_WRONG_OBJECT_TYPE, SQL_UNKNOWN_FUNCTION, SQL_NOT_SUPPORTED, SQL_DATATYPE_MISMATCH. */
export function bindOrderedSet(
  call: FunctionCall,
  name: string,
  direct: readonly BoundExpr[],
  orderBy: readonly BoundSortKey[],
  context: BindContext,
): Parts {
  const types = [...direct, ...orderBy.map((key) => key.expression)].map((arg) => arg.type);
  const unknown = (): StreamError =>
    unknownFunction(name, types, call.span, context.registry.names());
  // PostgreSQL counts the sorted values as arguments, and has no overload of that many.
  if (orderBy.length === 0) throw unknown();
  checkClauses(call, name);
  refuseColumns(direct);
  if (isHypotheticalName(name)) return bindHypothetical(call, name, direct, orderBy, context);
  const [key] = orderBy;
  const fractions = name === 'mode' ? 0 : 1;
  if (!isOrderedSetName(name) || key === undefined || orderBy.length > 1) throw unknown();
  if (direct.length !== fractions) throw unknown();
  if (name !== 'percentile_cont') refuseUnknown(name, types.toReversed(), call.span);
  const value = sortedValue(name, key.expression, context);
  const many = direct[0]?.type.kind === 'array';
  const fn = value && orderedSetAggregate(name, withoutModifiers(value.type), many);
  if (fn === undefined || value === undefined) throw unknown();
  const converted = direct.map((arg) =>
    tryCoerce(arg, fn.parameters[1] ?? arg.type, 'implicit', context),
  );
  if (!converted.every((arg) => arg !== undefined)) throw unknown();
  return { fn, args: [value, ...converted], orderBy: [{ ...key, expression: value }] };
}

/** percentile_cont interpolates between doubles or intervals only. */
function sortedValue(
  name: OrderedSetName,
  expression: BoundExpr,
  context: BindContext,
): BoundExpr | undefined {
  if (name !== 'percentile_cont') return resolveUnknown(expression, context);
  if (expression.type.kind === 'interval') return expression;
  return tryCoerce(expression, { kind: 'double' }, 'implicit', context);
}

function checkClauses(call: FunctionCall, name: string): void {
  const isOrderedSet = isOrderedSetName(name) || isHypotheticalName(name);
  const wrong = (message: string): StreamError =>
    new StreamError('SQL_WRONG_OBJECT_TYPE', message, { at: call.span });
  if (!isOrderedSet) {
    throw wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
  }
  if (call.distinct || call.orderBy.length > 0) {
    const clause = call.distinct ? 'DISTINCT' : 'multiple ORDER BY clauses';
    throw new StreamError('SQL_SYNTAX', `cannot use ${clause} with WITHIN GROUP`, {
      at: call.span,
    });
  }
}

/** A direct argument is one value for the whole group. */
function refuseColumns(direct: readonly BoundExpr[]): void {
  for (const arg of direct) {
    mapColumns(arg, () => {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'columns in the direct arguments of an ordered-set aggregate are not supported',
        { at: arg.span },
      );
    });
  }
}

function bindHypothetical(
  call: FunctionCall,
  name: HypotheticalName,
  direct: readonly BoundExpr[],
  orderBy: readonly BoundSortKey[],
  context: BindContext,
): Parts {
  if (direct.length !== orderBy.length) {
    const types: readonly SqlType[] = [...direct, ...orderBy.map((key) => key.expression)].map(
      (arg) => arg.type,
    );
    const error = unknownFunction(name, types, call.span, context.registry.names());
    const hint = `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments (here ${direct.length}) must match the number of ordering columns (here ${orderBy.length}).`;
    throw new StreamError(error.code, error.message, { at: error.at, hint });
  }
  const pairs = orderBy.map((key, index) => {
    const { type, expressions } = unify(
      [key.expression, direct[index] ?? key.expression],
      'WITHIN GROUP',
      context,
    );
    const [value = key.expression, wanted = key.expression] = expressions;
    return { key: { ...key, expression: value }, wanted, type: withoutModifiers(type) };
  });
  const fn: AggregateFunction = hypotheticalAggregate(
    name,
    pairs.map(({ key: { descending, nullsFirst }, type }) => ({ type, descending, nullsFirst })),
  );
  const values = [...pairs.map(({ key }) => key.expression), ...pairs.map(({ wanted }) => wanted)];
  return {
    fn,
    args: values.map((value, index) => coerce(value, fn.parameters[index] ?? value.type, context)),
    orderBy: pairs.map(({ key }) => key),
  };
}
