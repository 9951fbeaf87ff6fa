/** Expressions over a relation's own columns: CHECK, DEFAULT, generated columns, index items. */
import type { Expression } from './ast.ts';
import type { Schema } from './base/type.ts';
import type { BindContext, Place } from './bind-context.ts';
import { named, scopeOver } from './bind-from-place.ts';
import type { BoundExpr } from './expression.ts';

export function bindOver(
  node: Expression,
  schema: Schema,
  place: Place,
  context: BindContext,
  shown?: string,
): BoundExpr {
  const from = named({ kind: 'values', rows: [], schema }, undefined, shown, undefined);
  const scope = scopeOver(from, { context, parent: undefined, commonTables: new Map() });
  return scope.within(place, () => context.rules.expression(node, scope));
}
