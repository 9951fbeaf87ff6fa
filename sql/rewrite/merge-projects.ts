/** Projections of projections, and projections that change nothing. */
import type { BoundExpr } from '../expression.ts';
import { holdsSubquery, isRepeatable, isTrivial } from '../expression-fact.ts';
import { mapColumns, mapInputs, substitute } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

type Project = LogicalNode & { readonly kind: 'project' };

/**
 * project(project(x, f), g)  =>  project(x, g ∘ f);  project(x, all columns in order)  =>  x
 * Pays: one pass a batch, no column in between.
 * Safe: an expression of f goes into g only where g uses it once or it costs nothing, so nothing is
 * computed more often than before; volatile ones and subqueries stay where they are.
 */
export function mergeProjects(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, mergeProjects);
  if (next.kind !== 'project') return next;
  const merged = mergeWithInput(next);
  return isIdentity(merged) ? withSchema(merged.input, merged) : merged;
}

function mergeWithInput(outer: Project): Project {
  const inner = outer.input;
  if (inner.kind !== 'project') return outer;
  const uses = inner.expressions.map(() => 0);
  for (const expression of outer.expressions) {
    mapColumns(expression, (column, depth) => {
      // Inside a subquery an expression would be computed once per row of that.
      uses[column.index] = (uses[column.index] ?? 0) + (depth === 0 ? 1 : 2);
      return column;
    });
  }
  const movable = (expression: BoundExpr, index: number): boolean =>
    isTrivial(expression) ||
    ((uses[index] ?? 0) <= 1 && isRepeatable(expression) && !holdsSubquery(expression));
  if (!inner.expressions.every(movable)) return outer;
  const expressions = outer.expressions.map((expression) =>
    substitute(expression, inner.expressions),
  );
  return mergeWithInput({ ...outer, input: inner.input, expressions });
}

function isIdentity(node: Project): boolean {
  const { expressions, input } = node;
  return (
    expressions.length === input.schema.length &&
    expressions.every(
      (expression, index) => expression.kind === 'column' && expression.index === index,
    )
  );
}

/** The input under the projection's names; a node that names its own columns can take others. */
function withSchema(input: LogicalNode, project: Project): LogicalNode {
  const same = input.schema.every((column, index) => column.name === project.schema[index]?.name);
  if (same) return input;
  // A scan's names are the catalog's.
  if (input.kind === 'scan') return project;
  const schema = input.schema.map((column, index) => ({
    ...column,
    name: project.schema[index]?.name ?? column.name,
  }));
  return { ...input, schema };
}
