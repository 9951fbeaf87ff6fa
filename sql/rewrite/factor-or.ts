/** Conditions that every branch of an OR has. */
import type { BoundExpr } from '../expression.ts';
import { equalExpressions } from '../expression-equal.ts';
import { isRepeatable } from '../expression-fact.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import { mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

/**
 * (a AND b) OR (a AND c)  =>  a AND (b OR c), in WHERE and ON
 * Pays: `a` can be pushed down or be what a join looks up by; inside the OR every pair of rows is tried.
 * Safe: AND distributes over OR also with NULLs. A branch that is nothing but `a` makes the whole condition `a`.
 */
export function factorOr(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, factorOr);
  if (next.kind === 'filter') {
    const where = factored(next.where);
    return where === undefined ? next : { ...next, where };
  }
  if (next.kind === 'join' && next.on !== undefined) {
    const on = factored(next.on);
    return on === undefined ? next : { ...next, on };
  }
  return next;
}

/** @returns undefined where there is nothing to factor out. */
function factored(condition: BoundExpr): BoundExpr | undefined {
  const parts = conjunctsOf(condition);
  const next = parts.map((part) => (part.kind === 'or' ? withoutCommon(part, part.args) : part));
  return next.every((part, index) => part === parts[index]) ? undefined : conjunction(next);
}

/** @param args  what is between the ORs */
function withoutCommon(or: BoundExpr, args: readonly BoundExpr[]): BoundExpr {
  const branches = args.map(conjunctsOf);
  const [first = [], ...later] = branches;
  const isIn = (part: BoundExpr, branch: readonly BoundExpr[]): boolean =>
    branch.some((other) => equalExpressions(part, other));
  const common = first.filter(
    (part) => isRepeatable(part) && later.every((branch) => isIn(part, branch)),
  );
  if (common.length === 0) return or;
  const rests = branches.map((branch) => branch.filter((part) => !isIn(part, common)));
  const others = rests.flatMap((rest) => conjunction(rest) ?? []);
  // A branch without anything else is true whenever what is common is.
  if (others.length < rests.length) return conjunction(common) ?? or;
  return conjunction([...common, { kind: 'or', args: others, type: or.type, span: or.span }]) ?? or;
}
