/** Subqueries of conditions and of projections as joins. */
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import type { BoundExpr, BoundSubquery } from '../expression.ts';
import { mapOperands } from '../expression-map.ts';
import { registry } from '../function/builtin.ts';
import type { ScalarFunction } from '../function/scalar-function.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import { mapExpressions, mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { sameBaseType } from '../type-category.ts';
import { overJoin, pullCorrelation } from './pull-correlation.ts';
import { filter } from './push-filters.ts';
import { scalarJoin } from './scalar-join.ts';

/**
 * filter(x, EXISTS (y) AND p)      =>  filter(semi join(x, y'), p);  NOT EXISTS: anti join
 * filter(x, a = ANY (y) AND p)     =>  filter(semi join(x, y' on a = y.1), p)
 * filter(x, a <> ALL (y) AND p)    =>  anti join, where neither side can be NULL
 * op(x, … (scalar subquery) …)     =>  project(op(join(x, y'), … column …))
 * Pays: joins are kept up to date by the changes of both sides; a subquery would be computed again for every row.
 * Safe: y' is y with the conditions that compare it with x (or with outer columns) moved into the ON; this
 * is done only where nothing below them counts or limits rows. A semi join keeps each row once, as a
 * condition does. A NULL makes `<> ALL` NULL, which an anti join does not know, hence the restriction.
 */
export function unnestSubqueries(node: LogicalNode, catalog: Catalog | undefined): LogicalNode {
  const next = mapInputs(node, (input) => unnestSubqueries(input, catalog));
  const inner = mapExpressions(next, (expression) => unnestInside(expression, catalog));
  switch (inner.kind) {
    case 'filter':
      return unnestFilter(inner, catalog);
    case 'project':
      return unnestProject(inner, catalog);
    case 'join':
      return unnestLateral(inner);
    default:
      return inner;
  }
}

/** Subqueries inside subqueries first. */
function unnestInside(expression: BoundExpr, catalog: Catalog | undefined): BoundExpr {
  const next = mapOperands(expression, (operand) => unnestInside(operand, catalog));
  if (next.kind !== 'subquery') return next;
  const plan = unnestSubqueries(next.plan, catalog);
  return plan === next.plan ? next : { ...next, plan };
}

/** join lateral(x, y)  =>  join(x, y' on what compared y with x) */
function unnestLateral(node: LogicalNode & { readonly kind: 'join' }): LogicalNode {
  if (!node.lateral) return node;
  const pulled = pullCorrelation(node.right, 'rows');
  if (pulled === undefined) return node;
  const width = node.left.schema.length;
  const conditions = pulled.conditions.map((condition) => overJoin(condition, width));
  const joined: LogicalNode = {
    ...node,
    right: pulled.plan,
    on: conjunction([...conjunctsOf(node.on), ...conditions]),
    lateral: false,
    schema: [...node.schema, ...pulled.plan.schema.slice(node.right.schema.length)],
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

function unnestFilter(
  node: LogicalNode & { readonly kind: 'filter' },
  catalog: Catalog | undefined,
): LogicalNode {
  let input = node.input;
  const kept: BoundExpr[] = [];
  for (const part of conjunctsOf(node.where)) {
    const joined = semiJoin(input, part);
    if (joined === undefined) kept.push(part);
    else input = joined;
  }
  const width = input.schema.length;
  const { input: widened, expressions } = joinScalars(input, kept, catalog);
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
  catalog: Catalog | undefined,
): LogicalNode {
  const { input, expressions } = joinScalars(node.input, node.expressions, catalog);
  return input === node.input ? node : { ...node, input, expressions };
}

/** Joins the input with the scalar subqueries of the expressions, as far as they are joins. */
function joinScalars(
  start: LogicalNode,
  expressions: readonly BoundExpr[],
  catalog: Catalog | undefined,
): { readonly input: LogicalNode; readonly expressions: readonly BoundExpr[] } {
  let input = start;
  const replace = (expression: BoundExpr): BoundExpr => {
    const next = mapOperands(expression, replace);
    if (next.kind !== 'subquery' || next.mode !== 'scalar') return next;
    const joined = scalarJoin(input, next, catalog);
    if (joined === undefined) return next;
    input = joined.node;
    return joined.value;
  };
  const replaced = expressions.map(replace);
  return { input, expressions: replaced };
}

// ---------------------------------------------------------------- semi joins

function semiJoin(input: LogicalNode, part: BoundExpr): LogicalNode | undefined {
  const negated = part.kind === 'not';
  const subquery = negated ? part.operand : part;
  if (subquery.kind !== 'subquery') return undefined;
  switch (subquery.mode) {
    case 'exists':
      return join(input, subquery, negated ? 'anti' : 'semi', []);
    case 'any':
      return negated
        ? undefined
        : join(input, subquery, 'semi', comparisons(subquery, input, false));
    case 'all': {
      const canBeNull = negated || subquery.compare.name !== '<>' || mayMeetNull(subquery, input);
      return canBeNull
        ? undefined
        : join(input, subquery, 'anti', comparisons(subquery, input, true));
    }
    default:
      return undefined;
  }
}

function mayMeetNull(
  subquery: BoundSubquery & { readonly mode: 'any' | 'all' },
  input: LogicalNode,
): boolean {
  const operands = subquery.operands.some(
    (operand) => operand.kind !== 'column' || input.schema[operand.index]?.nullable !== false,
  );
  return operands || subquery.plan.schema.some((column) => column.nullable);
}

/** `operand op column` over the input's columns, then the plan's. Only one column: its function is known. */
function comparisons(
  subquery: BoundSubquery & { readonly mode: 'any' | 'all' },
  input: LogicalNode,
  negated: boolean,
): readonly BoundExpr[] | undefined {
  const { compare, operands, plan, span } = subquery;
  const [operand] = operands;
  const [column] = plan.schema;
  if (operand === undefined || column === undefined || operands.length > 1) return undefined;
  const right = columnOf(input.schema.length, column.type);
  const fn = negated ? equalityOf(compare) : compare;
  if (fn === undefined) return undefined;
  return [{ kind: 'call', fn, args: [operand, right], type: fn.result, span }];
}

/** The `=` of the types that a `<>` compares. */
function equalityOf(different: ScalarFunction): ScalarFunction | undefined {
  return registry.scalars('=').find((fn) =>
    fn.parameters.every((parameter, index) => {
      const other = different.parameters[index];
      return other !== undefined && sameBaseType(parameter, other);
    }),
  );
}

function join(
  left: LogicalNode,
  subquery: BoundSubquery,
  type: 'semi' | 'anti',
  comparison: readonly BoundExpr[] | undefined,
): LogicalNode | undefined {
  if (comparison === undefined) return undefined;
  const pulled = pullCorrelation(subquery.plan, 'exists');
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
