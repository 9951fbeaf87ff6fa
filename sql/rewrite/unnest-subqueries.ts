/** Subqueries of conditions and of projections as joins. */
import type { Column, SqlType } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import type { BoundExpr, BoundSubquery } from '../expression.ts';
import { holdsSubquery, isRepeatable } from '../expression-fact.ts';
import { mapOperands } from '../expression-map.ts';
import { mayBeNull } from '../expression-null.ts';
import { registry } from '../function/builtin.ts';
import type { ScalarFunction } from '../function/scalar-function.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import { mapExpressions, mapInputs, substitute } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { sameBaseType } from '../type-category.ts';
import { overJoin, type Pulled, pullCorrelation, type Use } from './pull-correlation.ts';
import { filter } from './push-filters.ts';
import { type ScalarJoin, scalarJoin } from './scalar-join.ts';

/**
 * filter(x, EXISTS (y) AND p)      =>  filter(semi join(x, y'), p);  NOT EXISTS: anti join
 * filter(x, a = ANY (y) AND p)     =>  filter(semi join(x, y' on a = y.1), p)
 * filter(x, a op ALL (y) AND p)    =>  filter(anti join(x, y' on (a op y.1) IS NOT TRUE), p);  NOT (a op ANY (y)) likewise
 * op(x, … (scalar subquery) …)     =>  project(op(join(x, y'), … column …))
 * Pays: joins are kept up to date by the changes of both sides; a subquery would be computed again for every row.
 * Safe: y' is y with the conditions that compare it with x (or with outer columns) moved into the ON; this
 * is done only where nothing below them counts or limits rows. A semi join keeps each row once, as a
 * condition does. For ALL one comparison that is false or NULL is enough to lose the row, which IS NOT
 * TRUE says; only where no NULL is possible `<> ALL` becomes an equality, and so a key.
 */
export function unnestSubqueries(node: LogicalNode, catalog: Catalog | undefined): LogicalNode {
  const rules: Unnesting = {
    pull: pullCorrelation,
    value: (input, subquery) =>
      subquery.mode === 'scalar' ? scalarJoin(input, subquery, catalog) : undefined,
  };
  const unnest = (plan: LogicalNode): LogicalNode => unnestBelow(plan, unnest, rules);
  return unnest(node);
}

function unnestBelow(
  node: LogicalNode,
  unnest: (node: LogicalNode) => LogicalNode,
  rules: Unnesting,
): LogicalNode {
  const inner = unnestInside(node, unnest);
  switch (inner.kind) {
    case 'filter':
      return unnestFilter(inner, rules);
    case 'project':
      return unnestProject(inner, rules);
    case 'join':
      return inner.lateral ? unnestLateral(inner, rules) : inner;
    default:
      return inner;
  }
}

/** What a subquery becomes; which it can become depends on who runs the plan. */
export interface Unnesting {
  /** @param input  the rows whose columns the plan's outer columns of depth 1 are. */
  readonly pull: (plan: LogicalNode, use: Use, input: LogicalNode) => Pulled | undefined;
  readonly value: (input: LogicalNode, subquery: BoundSubquery) => ScalarJoin | undefined;
}

/** The node with its inputs and the plans of its subqueries unnested, those inside others first. */
export function unnestInside(
  node: LogicalNode,
  unnest: (node: LogicalNode) => LogicalNode,
): LogicalNode {
  const inside = (expression: BoundExpr): BoundExpr => {
    const next = mapOperands(expression, inside);
    if (next.kind !== 'subquery') return next;
    const plan = unnest(next.plan);
    return plan === next.plan ? next : { ...next, plan };
  };
  return mapExpressions(mapInputs(node, unnest), inside);
}

/**
 * join lateral(x, y)               =>  join(x, y' on what compared y with x)
 * join lateral(x, project(y, f))   =>  project(join lateral(x, y), f)  for an inner join whose f reads x
 */
export function unnestLateral(
  node: LogicalNode & { readonly kind: 'join' },
  rules: Unnesting,
): LogicalNode {
  const pulled = rules.pull(node.right, 'rows', node.left);
  if (pulled === undefined) return hoistProject(node, rules);
  const width = node.left.schema.length;
  const onlyLeft = node.type === 'semi' || node.type === 'anti';
  const conditions = pulled.conditions.map((condition) => overJoin(condition, width));
  const joined: LogicalNode = {
    ...node,
    right: pulled.plan,
    on: conjunction([...conjunctsOf(node.on), ...conditions]),
    lateral: false,
    schema: onlyLeft
      ? node.schema
      : [...node.schema, ...pulled.plan.schema.slice(node.right.schema.length)],
  };
  // Columns that only the conditions need are behind the right side's own.
  const own = node.schema.length;
  if (joined.schema.length === own) return joined;
  return {
    kind: 'project',
    input: joined,
    expressions: node.schema.map(({ type }, index) => columnOf(index, type)),
    schema: node.schema,
  };
}

function hoistProject(
  node: LogicalNode & { readonly kind: 'join' },
  rules: Unnesting,
): LogicalNode {
  const { left, right, on } = node;
  if (node.type !== 'inner' || right.kind !== 'project') return node;
  if (right.expressions.some((e) => holdsSubquery(e) || !isRepeatable(e))) return node;
  const width = left.schema.length;
  const expressions = [
    ...left.schema.map(({ type }, index) => columnOf(index, type)),
    ...right.expressions.map((expression) => overJoin(expression, width)),
  ];
  const joined: LogicalNode = {
    ...node,
    right: right.input,
    on: on && substitute(on, expressions),
    schema: [...left.schema, ...right.input.schema],
  };
  return { kind: 'project', input: unnestLateral(joined, rules), expressions, schema: node.schema };
}

export function unnestFilter(
  node: LogicalNode & { readonly kind: 'filter' },
  rules: Unnesting,
): LogicalNode {
  let input = node.input;
  const kept: BoundExpr[] = [];
  for (const part of conjunctsOf(node.where)) {
    const joined = semiJoin(input, part, rules);
    if (joined === undefined) kept.push(part);
    else input = joined;
  }
  const width = input.schema.length;
  const { input: widened, expressions } = joinScalars(input, kept, rules);
  if (widened === input) return input === node.input ? node : filter(input, kept);
  const filtered = filter(widened, expressions);
  return {
    kind: 'project',
    input: filtered,
    expressions: input.schema.map(({ type }, index) => columnOf(index, type)),
    schema: filtered.schema.slice(0, width),
  };
}

function unnestProject(
  node: LogicalNode & { readonly kind: 'project' },
  rules: Unnesting,
): LogicalNode {
  const { input, expressions } = joinScalars(node.input, node.expressions, rules);
  return input === node.input ? node : { ...node, input, expressions };
}

/** Joins the input with the subqueries of the expressions, as far as they are joins. */
export function joinScalars(
  start: LogicalNode,
  expressions: readonly BoundExpr[],
  rules: Unnesting,
): { readonly input: LogicalNode; readonly expressions: readonly BoundExpr[] } {
  let input = start;
  const replace = (expression: BoundExpr): BoundExpr => {
    const next = mapOperands(expression, replace);
    const joined = next.kind === 'subquery' ? rules.value(input, next) : undefined;
    if (joined === undefined) return next;
    input = joined.node;
    return joined.value;
  };
  const replaced = expressions.map(replace);
  return { input, expressions: replaced };
}

// ---------------------------------------------------------------- semi joins

function semiJoin(input: LogicalNode, part: BoundExpr, rules: Unnesting): LogicalNode | undefined {
  const negated = part.kind === 'not';
  const subquery = negated ? part.operand : part;
  if (subquery.kind !== 'subquery') return undefined;
  switch (subquery.mode) {
    case 'exists':
      return join(input, subquery, negated ? 'anti' : 'semi', [], rules);
    case 'any':
    case 'all': {
      const isAny = subquery.mode === 'any';
      // A subquery that is compared would come into the ON; as a column of the input it is out of the way.
      if (subquery.operands.some(holdsSubquery)) return undefined;
      // NOT (x op ALL y) is no question of a partner: an undecided row would have to stay out.
      if (negated && !isAny) return undefined;
      const on = isAny && !negated ? partner(subquery, input) : objection(subquery, input, isAny);
      return on && join(input, subquery, isAny && !negated ? 'semi' : 'anti', [on], rules);
    }
    default:
      return undefined;
  }
}

type Quantified = BoundSubquery & { readonly mode: 'any' | 'all' };

/** `operand op column` over the input's columns, then the plan's. */
function partner(subquery: Quantified, input: LogicalNode): BoundExpr | undefined {
  const { compare, operands, plan, span } = subquery;
  const width = input.schema.length;
  const columns = plan.schema.map(({ type }, index) => columnOf(width + index, type));
  const [first] = operands;
  if (first === undefined || operands.length === 1) {
    const args = [...operands, ...columns];
    return { kind: 'call', fn: compare, args, type: compare.result, span };
  }
  if (compare.name !== '=') return undefined;
  const pairs = operands.map((operand, index): BoundExpr | undefined => {
    const column = columns[index];
    const fn = column && equality(operand.type);
    return fn && column && { kind: 'call', fn, args: [operand, column], type: fn.result, span };
  });
  if (!pairs.every((pair) => pair !== undefined)) return undefined;
  return conjunction(pairs);
}

/**
 * What a row of the plan must meet for the outer row to go: a comparison that is not true (ALL), or one that
 * is not false (NOT ANY). Where no NULL is possible, `<> ALL` and `NOT = ANY` go by an equality, which is a key.
 */
function objection(
  subquery: Quantified,
  input: LogicalNode,
  isAny: boolean,
): BoundExpr | undefined {
  const { compare, operands, plan, span } = subquery;
  const [operand] = operands;
  const [column] = plan.schema;
  if (operand === undefined || column === undefined || operands.length > 1) return undefined;
  const args = [operand, columnOf(input.schema.length, column.type)];
  if (compare.name === (isAny ? '=' : '<>') && !mayMeetNull(operand, column, input)) {
    const fn = isAny ? compare : equality(operand.type);
    if (fn !== undefined) return { kind: 'call', fn, args, type: fn.result, span };
  }
  const comparison: BoundExpr = { kind: 'call', fn: compare, args, type: compare.result, span };
  return {
    kind: 'is-truth',
    operand: comparison,
    value: !isAny,
    negated: true,
    type: compare.result,
    span,
  };
}

const mayMeetNull = (operand: BoundExpr, column: Column, input: LogicalNode): boolean =>
  column.nullable || mayBeNull(operand, input.schema);

/** The `=` of two values of one type. */
function equality(type: SqlType): ScalarFunction | undefined {
  return registry
    .scalars('=')
    .find((fn) => fn.parameters.every((parameter) => sameBaseType(parameter, type)));
}

function join(
  left: LogicalNode,
  subquery: BoundSubquery,
  type: 'semi' | 'anti',
  comparison: readonly BoundExpr[],
  rules: Unnesting,
): LogicalNode | undefined {
  const pulled = rules.pull(subquery.plan, 'exists', left);
  if (pulled === undefined) return undefined;
  const conditions = pulled.conditions.map((condition) => overJoin(condition, left.schema.length));
  return {
    kind: 'join',
    type,
    left,
    right: pulled.plan,
    on: conjunction([...comparison, ...conditions]),
    lateral: false,
    schema: left.schema,
  };
}
