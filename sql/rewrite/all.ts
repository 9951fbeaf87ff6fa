/** The rewrites and their order. */
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import type { BoundExpr } from '../expression.ts';
import { mapOperands } from '../expression-map.ts';
import { mapExpressions, mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { dropDependentKeys } from './drop-dependent-keys.ts';
import { factorOr } from './factor-or.ts';
import { foldConstants } from './fold-constants.ts';
import { mergeFilters } from './merge-filters.ts';
import { mergeProjects } from './merge-projects.ts';
import { pruneColumns } from './prune-columns.ts';
import { pushFilters } from './push-filters.ts';
import { rankToTopN } from './rank-to-top-n.ts';
import { strengthenJoins } from './strengthen-joins.ts';
import { unnestSubqueries } from './unnest-subqueries.ts';

/** Rounds of the rules that make work for each other; real plans settle after two. */
const ROUNDS_MAX = 5;

/**
 * Rewrites a bound plan into one that gives the same rows (and, below no LIMIT, any order that ORDER BY
 * allows) for less work.
 * @param catalog  keys of relations; without it scalar look-ups by key stay subqueries.
 */
export function optimize(plan: LogicalNode, catalog?: Catalog): LogicalNode {
  const unnested = unnestSubqueries(foldConstants(plan), catalog);
  const settled = optimizeSubqueries(settle(unnested), catalog);
  const grouped = dropDependentKeys(mergeProjects(settled), catalog);
  const pruned = mergeFilters(mergeProjects(pruneColumns(grouped)));
  return withNames(pruned, plan);
}

/** The answer's columns keep their names, whatever was left out above them. */
function withNames(node: LogicalNode, like: LogicalNode): LogicalNode {
  const same = node.schema.every((column, index) => column.name === like.schema[index]?.name);
  if (same) return node;
  const schema = node.schema.map((column, index) => ({
    ...column,
    name: like.schema[index]?.name ?? column.name,
  }));
  if (node.kind !== 'scan') return { ...node, schema };
  const expressions = schema.map(({ type }, index) => columnOf(index, type));
  return { kind: 'project', input: node, expressions, schema };
}

const settling: readonly ((node: LogicalNode) => LogicalNode)[] = [
  foldConstants,
  mergeFilters,
  factorOr,
  strengthenJoins,
  pushFilters,
  mergeFilters,
  rankToTopN,
];

function settle(plan: LogicalNode): LogicalNode {
  let current = plan;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = settling.reduce((node, rule) => rule(node), current);
    if (next === current) break;
    current = next;
  }
  return current;
}

/** What is still a subquery is rewritten by itself. */
function optimizeSubqueries(node: LogicalNode, catalog: Catalog | undefined): LogicalNode {
  const inner = (expression: BoundExpr): BoundExpr => {
    const next = mapOperands(expression, inner);
    if (next.kind !== 'subquery') return next;
    const plan = optimize(next.plan, catalog);
    return plan === next.plan ? next : { ...next, plan };
  };
  const inputs = mapInputs(node, (input) => optimizeSubqueries(input, catalog));
  return mapExpressions(inputs, inner);
}
