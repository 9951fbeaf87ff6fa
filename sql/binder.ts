/** From the syntax tree and the catalog to a logical plan: all errors about names and types are raised here. */
import type { Query } from './ast.ts';
import type { SqlType } from './base/type.ts';
import type { BindContext, Purpose } from './bind-context.ts';
import { bindExpression } from './bind-expression.ts';
import { bindQueryNode } from './bind-query.ts';
import { settlePlan } from './bind-volatile.ts';
import type { Catalog, RoutineCatalog, StatementContext } from './catalog.ts';
import { registry } from './function/builtin.ts';
import type { FunctionRegistry } from './function/registry.ts';
import type { LogicalNode } from './logical-plan.ts';

export interface BindOptions {
  readonly purpose: Purpose;
}

/** The state of one binding run. */
export function bindContext(
  catalog: Catalog,
  statement: StatementContext,
  purpose: Purpose,
): BindContext {
  let commonId = 0;
  const parameterTypes: (SqlType | undefined)[] = statement.inferred ?? [...statement.paramTypes];
  return {
    catalog,
    statement,
    registry: withAggregates(registry, catalog.routines),
    purpose,
    rules: { query: bindQueryNode, expression: bindExpression },
    parameterTypes,
    nextCommonId: () => ++commonId,
    viewsNamed: new Set(),
  };
}

/** User-defined aggregates are bound like those that are built in, whose names they cannot have. */
function withAggregates(
  builtin: FunctionRegistry,
  routines: RoutineCatalog | undefined,
): FunctionRegistry {
  if (routines === undefined) return builtin;
  return {
    ...builtin,
    aggregates: (name) => {
      const known = builtin.aggregates(name);
      if (known.length > 0) return known;
      return routines
        .named(name)
        .flatMap(({ body }) => (body.kind === 'aggregate' ? [body.fn] : []));
    },
    names: () => [...builtin.names(), ...new Set(routines.all().map(({ name }) => name))],
  };
}

/**
 * Binds a query. In a `pull` query now() and its like are replaced by the statement's time; in a
 * `view` or `sink` everything whose value is not fixed by its arguments is refused.
 * @returns the plan as written: pass it to `optimize` before it is lowered or rendered.
 * @throws StreamError with PostgreSQL's messages and SQLSTATEs; SQL_NOT_INCREMENTAL.
 */
export function bindQuery(
  query: Query,
  catalog: Catalog,
  statement: StatementContext,
  options: BindOptions,
): LogicalNode {
  const context = bindContext(catalog, statement, options.purpose);
  return bindQueryIn(query, context);
}

/** The same as a part of a statement that binds more than the query. */
export function bindQueryIn(query: Query, context: BindContext): LogicalNode {
  const plan = bindQueryNode(query, {
    context,
    parent: undefined,
    commonTables: new Map(),
    resolveUnknown: true,
  });
  return settlePlan(plan, context);
}
