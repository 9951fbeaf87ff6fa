/** Queries inside expressions: scalar, EXISTS, ARRAY, IN, ANY and ALL. */
import type { Expression, Query } from './ast.ts';
import type { Datum } from './base/datum.ts';
import { type Span, StreamError } from './base/error.ts';
import type { BindExpression } from './bind-aggregate.ts';
import { compareWithArray } from './bind-array.ts';
import { bindOnce } from './bind-once.ts';
import { bindOperator, combine, resolveOperatorFunction } from './bind-operator.ts';
import { convertOutputs, project } from './bind-output.ts';
import type { Scope } from './bind-scope.ts';
import { booleanType, coerce, commonType, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { callScalar } from './function/define.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import type { LogicalNode } from './logical-plan.ts';

type Node<Kind extends Expression['kind']> = Expression & { readonly kind: Kind };

/** A query whose parent is this scope. */
function bindInner(query: Query, scope: Scope, span: Span, resolveUnknown = true): LogicalNode {
  if (!scope.place.subqueries) {
    throw new StreamError('SQL_NOT_SUPPORTED', `cannot use subquery in ${scope.place.label}`, {
      at: span,
    });
  }
  const { context, commonTables } = scope;
  return context.rules.query(query, { context, parent: scope, commonTables, resolveUnknown });
}

export function bindSubquery(
  node: Node<'scalar-query' | 'exists' | 'array-query'>,
  scope: Scope,
): BoundExpr {
  const { span } = node;
  const plan = bindInner(node.query, scope, span);
  if (node.kind === 'exists') {
    return { kind: 'subquery', mode: 'exists', plan, type: booleanType, span };
  }
  const [column] = plan.schema;
  if (column === undefined || plan.schema.length > 1) {
    throw new StreamError('SQL_SYNTAX', 'subquery must return only one column', { at: span });
  }
  if (node.kind === 'scalar-query') {
    return { kind: 'subquery', mode: 'scalar', plan, type: column.type, span };
  }
  return {
    kind: 'subquery',
    mode: 'array',
    plan,
    type: { kind: 'array', element: column.type },
    span,
  };
}

/** `(a, b) op (query)`: NULL when the query gives no row. The row of the query is computed once. */
export function bindRowComparison(
  op: string,
  left: BoundExpr & { readonly kind: 'row' },
  { query, span: at }: Node<'scalar-query'>,
  span: Span,
  scope: Scope,
): BoundExpr {
  const plan = bindInner(query, scope, at);
  const { schema } = plan;
  if (schema.length !== left.items.length) {
    const size = schema.length > left.items.length ? 'many' : 'few';
    throw new StreamError('SQL_SYNTAX', `subquery has too ${size} columns`, { at: span });
  }
  const items = schema.map(({ type }, index): BoundExpr => ({ kind: 'column', index, type }));
  const type = { kind: 'row', fields: schema } as const;
  const whole = project(plan, [{ name: 'row', expression: { kind: 'row', items, type } }]);
  const value: BoundExpr = { kind: 'subquery', mode: 'scalar', plan: whole, type, span: at };
  return bindOnce(value, (row) => {
    const right: BoundExpr = {
      kind: 'row',
      items: schema.map((field, index) => ({
        kind: 'field',
        operand: row,
        index,
        type: field.type,
        span: at,
      })),
      type,
    };
    return bindOperator(op, [left, right], span, scope.context);
  });
}

/** `x IN (query)` is `x = ANY (query)`, NOT IN is `x <> ALL (query)`; the other forms as written. */
export function bindQuantified(
  node: Node<'in-query' | 'quantified'>,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const operand = bind(node.operand, scope);
  if (node.kind === 'in-query') {
    const mode = node.negated ? 'all' : 'any';
    return bindAnyAll(operand, node.negated ? '<>' : '=', mode, node.query, node.span, scope);
  }
  if (node.right.kind === 'query') {
    return bindAnyAll(operand, node.op, node.quantifier, node.right.query, node.span, scope);
  }
  return bindArrayComparison(operand, node, node.right.array, scope, bind);
}

function bindAnyAll(
  operand: BoundExpr,
  op: string,
  mode: 'any' | 'all',
  query: Query,
  span: Span,
  scope: Scope,
): BoundExpr {
  const { context } = scope;
  const plan = bindInner(query, scope, span);
  const raw = operand.kind === 'row' ? operand.items : [operand];
  if (plan.schema.length !== raw.length) {
    const size = plan.schema.length > raw.length ? 'many' : 'few';
    throw new StreamError('SQL_SYNTAX', `subquery has too ${size} columns`, { at: span });
  }
  const functions = raw.map((item, index) =>
    resolveOperatorFunction(op, [item.type, plan.schema[index]?.type ?? item.type], span, context),
  );
  for (const fn of functions) {
    if (fn.result.kind === 'boolean') continue;
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'operator of ANY/ALL must yield boolean', {
      at: span,
    });
  }
  const operands = raw.map((item, index) =>
    coerce(item, functions[index]?.parameters[0] ?? item.type, context),
  );
  const types = functions.map((fn, index) => fn.parameters[1] ?? raw[index]?.type ?? booleanType);
  const converted = convertOutputs(plan, types, 'implicit', context);
  if (typeof converted === 'number') {
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'subquery column has the wrong type', {
      at: span,
    });
  }
  const compare = compareRows(op, functions, span);
  return { kind: 'subquery', mode, operands, compare, plan: converted, type: booleanType, span };
}

/** One function for (operand columns…, plan columns…). */
function compareRows(op: string, functions: readonly ScalarFunction[], span: Span): ScalarFunction {
  const [only] = functions;
  if (only !== undefined && functions.length === 1) return only;
  if (op !== '=' && op !== '<>') {
    throw new StreamError('SQL_NOT_SUPPORTED', `row ${op} ANY/ALL is not supported`, { at: span });
  }
  // (a, b) = (c, d) is an AND of equalities, <> an OR of inequalities: FALSE resp. TRUE decides.
  const decisive = op === '<>';
  const width = functions.length;
  return {
    name: op,
    parameters: [0, 1].flatMap((side) => functions.flatMap((fn) => fn.parameters[side] ?? [])),
    result: booleanType,
    strict: false,
    evaluate: (...values: readonly (Datum | null)[]) => {
      let undecided = false;
      for (const [index, fn] of functions.entries()) {
        const answer = callScalar(fn, [values[index] ?? null, values[width + index] ?? null]);
        if (answer === decisive) return decisive;
        if (answer === null) undecided = true;
      }
      return undecided ? null : !decisive;
    },
    description: 'comparison of rows',
    family: 'comparison',
  };
}

/** `x op ANY (array)`: a written-out array becomes a list, anything else a call. */
function bindArrayComparison(
  operand: BoundExpr,
  node: Node<'quantified'>,
  arrayNode: Expression,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const { context } = scope;
  const { op, quantifier, span } = node;
  let array = bind(arrayNode, scope);
  if (array.type.kind === 'unknown') {
    const element = operand.type.kind === 'unknown' ? { kind: 'text' as const } : operand.type;
    array = coerce(array, { kind: 'array', element }, context);
  }
  if (array.type.kind !== 'array') {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      'op ANY/ALL (array) requires array on right side',
      {
        at: arrayNode.span,
      },
    );
  }
  const element = array.type.element;
  if (array.kind === 'array' && array.items.every((item) => item.type.kind !== 'array')) {
    return compareWithItems(operand, array.items, node, scope);
  }
  const compare = resolveOperatorFunction(op, [operand.type, element], span, context);
  if (compare.result.kind !== 'boolean') {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      'op ANY/ALL (array) requires operator to yield boolean',
      {
        at: span,
      },
    );
  }
  const [left = element, right = element] = compare.parameters;
  const items = tryCoerce(array, { kind: 'array', element: right }, 'implicit', context) ?? array;
  return compareWithArray(coerce(operand, left, context), items, compare, quantifier, span);
}

function compareWithItems(
  operand: BoundExpr,
  items: readonly BoundExpr[],
  node: Node<'quantified'>,
  scope: Scope,
): BoundExpr {
  const { context } = scope;
  const { op, quantifier, span } = node;
  if (items.length === 0) {
    return { kind: 'literal', value: quantifier === 'all', type: booleanType, span };
  }
  const common = commonType(
    [operand, ...items].map((item) => item.type),
    context,
  );
  const isList = (op === '=' && quantifier === 'any') || (op === '<>' && quantifier === 'all');
  if (isList && 'kind' in common) {
    const fn = resolveOperatorFunction('=', [common, common], span, context);
    const type = fn.parameters[0] ?? common;
    return {
      kind: 'in-list',
      operand: coerce(operand, type, context),
      items: items.map((item) => coerce(item, type, context)),
      negated: quantifier === 'all',
      type: booleanType,
      span,
    };
  }
  const compared = items.map((item) => bindOperator(op, [operand, item], span, context));
  return combine(quantifier === 'any' ? 'or' : 'and', compared, span);
}
