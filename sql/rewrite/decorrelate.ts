/** Every subquery and every lateral join as joins, for plans that are kept up to date. */
import { joinSchema } from '../bind-join.ts';
import type { Catalog } from '../catalog.ts';
import type { BoundExpr } from '../expression.ts';
import { holdsSubquery } from '../expression-fact.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import {
  inputsOf,
  mapColumns,
  mapExpressions,
  renumberColumns,
  shiftOuter,
  shiftPlanOuter,
  visitExpressions,
} from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { pick, range, refused, unionAll } from './domain.ts';
import { flatMapJoin } from './flat-map.ts';
import { pullCorrelation } from './pull-correlation.ts';
import { pullByDomain } from './pull-domain.ts';
import { filter } from './push-filters.ts';
import { subqueryValue } from './subquery-value.ts';
import {
  joinScalars,
  type Unnesting,
  unnestFilter,
  unnestInside,
  unnestLateral,
} from './unnest-subqueries.ts';

type Join = LogicalNode & { readonly kind: 'join' };
type WithInput = LogicalNode & { readonly input: LogicalNode };

/**
 * op(x, … subquery of x …)  =>  op(join(x, subquery for each distinct value that it reads of x))
 * Pays: no other form can be kept up to date.
 * Safe: see `push`; NULLs meet NULLs in these joins (IS NOT DISTINCT FROM), and a value for which the subquery has no
 * row gives what the subquery gives over no rows.
 * @throws StreamError SQL_NOT_INCREMENTAL for the little that has no such form.
 */
export function decorrelate(plan: LogicalNode, catalog: Catalog): LogicalNode {
  if (!isEntangled(plan)) return plan;
  const rules: Unnesting = {
    pull: (inner, use, input) => pullCorrelation(inner, use) ?? pullByDomain(inner, input),
    value: (input, subquery) => subqueryValue(input, subquery, catalog),
  };
  const visit = (node: LogicalNode): LogicalNode => disentangle(unnestInside(node, visit), rules);
  return visit(plan);
}

function isEntangled(node: LogicalNode): boolean {
  let found = node.kind === 'join' && node.lateral;
  visitExpressions(node, (expression) => {
    found ||= holdsSubquery(expression);
  });
  return found || inputsOf(node).some(isEntangled);
}

function disentangle(node: LogicalNode, rules: Unnesting): LogicalNode {
  switch (node.kind) {
    case 'filter':
      return unnestFilter(node, rules);
    case 'join':
      return disentangleJoin(node, rules);
    case 'values':
      return disentangleValues(node, rules);
    case 'table-function': {
      if (!holdsSubqueries(node)) return node;
      const input: LogicalNode = { kind: 'values', rows: [[]], schema: [] };
      return withValues({ ...node, kind: 'flat-map', input, on: undefined, outer: false }, rules);
    }
    case 'limit':
      if (holdsSubqueries(node)) throw refused('a LIMIT that is no constant', node.limit?.span);
      return node;
    case 'project':
    case 'aggregate':
    case 'distinct-on':
    case 'window':
    case 'sort':
    case 'top-n':
    case 'flat-map':
      return withValues(node, rules);
    default:
      return node;
  }
}

function holdsSubqueries(node: LogicalNode): boolean {
  let found = false;
  visitExpressions(node, (expression) => {
    found ||= holdsSubquery(expression);
  });
  return found;
}

/** The node over its input joined with the subqueries of its expressions. */
function withValues(node: WithInput, rules: Unnesting): LogicalNode {
  if (!holdsSubqueries(node)) return node;
  const before: BoundExpr[] = [];
  visitExpressions(node, (expression) => {
    before.push(expression);
  });
  const { input, expressions } = joinScalars(node.input, before, rules);
  const width = node.input.schema.length;
  const added = input.schema.length - width;
  const changed = mapInOrder(node, expressions);
  if (node.kind === 'project' || node.kind === 'aggregate') {
    return { ...changed, input } as LogicalNode;
  }
  const own = node.schema.slice(width);
  const widened = { ...changed, input, schema: [...input.schema, ...own] } as LogicalNode;
  return pick(widened, [...range(0, width), ...range(width + added, width + added + own.length)]);
}

function mapInOrder(node: LogicalNode, expressions: readonly BoundExpr[]): LogicalNode {
  let next = 0;
  return mapExpressions(node, () => expressions[next++] as BoundExpr);
}

function disentangleValues(
  node: LogicalNode & { readonly kind: 'values' },
  rules: Unnesting,
): LogicalNode {
  if (!holdsSubqueries(node)) return node;
  const input: LogicalNode = { kind: 'values', rows: [[]], schema: [] };
  return node.rows
    .map((row) =>
      withValues({ kind: 'project', input, expressions: row, schema: node.schema }, rules),
    )
    .reduce(unionAll);
}

// ---------------------------------------------------------------------- joins

function disentangleJoin(node: Join, rules: Unnesting): LogicalNode {
  const parts = conjunctsOf(node.on);
  const difficult = parts.filter(holdsSubquery);
  if (difficult.length === 0) {
    if (!node.lateral) return node;
    return flatMapJoin(node) ?? unnestLateral(node, rules);
  }
  const on = conjunction(parts.filter((part) => !holdsSubquery(part)));
  if (node.type === 'inner') {
    const joined = disentangleJoin({ ...node, on }, rules);
    const filtered = filter(joined, difficult);
    return filtered.kind === 'filter' ? unnestFilter(filtered, rules) : filtered;
  }
  if (node.type === 'full') throw refused('a subquery in the ON of a FULL JOIN', node.on?.span);
  if (node.type === 'right') return mirrored(node, rules);
  return disentangleJoin(intoRight({ ...node, on }, difficult, rules), rules);
}

/** A right join as the left join of its sides the other way round. */
function mirrored(node: Join, rules: Unnesting): LogicalNode {
  const { left, right } = node;
  const leftWidth = left.schema.length;
  const rightWidth = right.schema.length;
  const swapped: Join = {
    ...node,
    type: 'left',
    left: right,
    right: left,
    on:
      node.on &&
      renumberColumns(node.on, (index) =>
        index < leftWidth ? index + rightWidth : index - leftWidth,
      ),
    schema: joinSchema('left', right.schema, left.schema),
  };
  const joined = disentangleJoin(swapped, rules);
  return pick(joined, [...range(rightWidth, rightWidth + leftWidth), ...range(0, rightWidth)]);
}

/** Conditions become the right side's own, which then depends on the left one. */
function intoRight(node: Join, conditions: readonly BoundExpr[], rules: Unnesting): Join {
  const width = node.left.schema.length;
  const moved = conditions.map((condition) =>
    mapColumns(shiftOuter(condition, 1), (column, depth) => {
      const { index, type, span } = column;
      if (index >= width) return { ...column, index: index - width };
      return { kind: 'outer-column', depth: depth + 1, index, type, span };
    }),
  );
  const own = node.lateral ? node.right : shiftPlanOuter(node.right, 1);
  const filtered = filter(own, moved);
  const right = filtered.kind === 'filter' ? unnestFilter(filtered, rules) : filtered;
  return {
    ...node,
    right,
    lateral: true,
    schema: joinSchema(node.type, node.left.schema, right.schema),
  };
}
