/** Subqueries inside expressions. */
import { assertNever } from '../../sql/base/assert.ts';
import type { BoundSubquery } from '../../sql/expression.ts';
import { comparisonSides } from './pull-comparison.ts';
import { computed, inputScope, type PullContext, type Scope, type Sql } from './pull-context.ts';
import { renderFunction } from './pull-function.ts';
import { computedType } from './pull-literal.ts';
import { orderBy } from './pull-order.ts';

export function renderSubquery(context: PullContext, expr: BoundSubquery, scope: Scope): Sql {
  context.subqueries++;
  switch (expr.mode) {
    case 'scalar': {
      const { text, forms } = context.node(expr.plan, scope);
      const alias = context.alias();
      return { text: `(SELECT ${alias}.c0 FROM (${text}) AS ${alias})`, decimal: forms[0] };
    }
    case 'exists':
      return { text: `EXISTS (${context.node(expr.plan, scope).text})` };
    case 'array':
      return renderArray(context, expr, scope);
    case 'any':
    case 'all':
      return renderQuantified(context, expr, scope);
    default:
      return assertNever(expr);
  }
}

/** ARRAY(query): its rows in their order; empty, not NULL, for none. */
function renderArray(
  context: PullContext,
  expr: BoundSubquery & { readonly mode: 'scalar' | 'exists' | 'array' },
  scope: Scope,
): Sql {
  const { plan } = expr;
  const alias = context.alias();
  const sorted = plan.kind === 'sort';
  const { text, forms } = context.node(sorted ? plan.input : plan, scope);
  const inner = inputScope(alias, forms, scope);
  // An aggregate keeps no order but the one that it names itself.
  const order = sorted ? ` ${orderBy(context, plan.keys, inner)}` : '';
  const list = `list(${computed(inner.column(0))}${order})`;
  const empty = `CAST([] AS ${computedType(expr.type)})`;
  return { text: `(SELECT COALESCE(${list}, ${empty}) FROM (${text}) AS ${alias})` };
}

/**
 * ANY is true when the comparison is for some row, else NULL when it is NULL for some, else false; ALL is the
 * negation of ANY of the negation, with the same NULLs.
 */
function renderQuantified(
  context: PullContext,
  expr: BoundSubquery & { readonly mode: 'any' | 'all' },
  scope: Scope,
): Sql {
  const alias = context.alias();
  const { text, forms } = context.node(expr.plan, scope);
  const inner = inputScope(alias, forms, scope);
  const operands = expr.operands.map((operand) => context.expression(operand, scope));
  const columns = expr.plan.schema.map((_, i) => inner.column(i));
  const values = [...operands, ...columns];
  const types = [
    ...expr.operands.map((operand) => operand.type),
    ...expr.plan.schema.map((column) => column.type),
  ];
  const args = types.map((type) => ({ type }));
  const { name } = expr.compare;
  const sides = comparisonSides(context, expr.compare, args, values);
  if (
    sides !== undefined &&
    ((expr.mode === 'any' && name === '=') || (expr.mode === 'all' && name === '<>'))
  ) {
    const operator = expr.mode === 'any' ? 'IN' : 'NOT IN';
    return { text: `(${sides[0]} ${operator} (SELECT ${sides[1]} FROM (${text}) AS ${alias}))` };
  }
  const compared =
    sides === undefined
      ? renderFunction(context, expr.compare, types, { kind: 'boolean' }, values).text
      : `(${sides[0]} ${name} ${sides[1]})`;
  const [fold, found, otherwise] =
    expr.mode === 'any' ? ['bool_or', 'TRUE', 'FALSE'] : ['bool_and', 'FALSE', 'TRUE'];
  const decided = expr.mode === 'any' ? `${fold}(q)` : `NOT ${fold}(q)`;
  return {
    text:
      `(SELECT CASE WHEN ${decided} THEN ${found} WHEN count(*) > count(q) THEN NULL ` +
      `ELSE ${otherwise} END FROM (SELECT ${compared} AS q FROM (${text}) AS ${alias}))`,
  };
}
