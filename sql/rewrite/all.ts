/** The rewrites in their order. */
import type { LogicalNode } from '../logical-plan.ts';
import { foldConstants } from './fold-constants.ts';
import { mergeFilters } from './merge-filters.ts';
import { mergeProjects } from './merge-projects.ts';
import { pushFilters } from './push-filters.ts';
import { rankToTopN } from './rank-to-top-n.ts';
import { strengthenJoins } from './strengthen-joins.ts';

const RULES = [
  foldConstants,
  mergeFilters,
  strengthenJoins,
  pushFilters,
  rankToTopN,
  mergeProjects,
] as const;

/** Rewrites a bound plan; the result gives the same rows. */
export function optimize(node: LogicalNode): LogicalNode {
  let plan = node;
  for (const rule of RULES) plan = rule(plan);
  return plan;
}
