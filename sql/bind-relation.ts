/** Names of relations in FROM: WITH items first, then the catalog. */
import type { FromItem, QualifiedName } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { type BoundFrom, type FromPlace, named } from './bind-from-place.ts';
import { closestName } from './bind-near-miss.ts';
import { findNamed } from './bind-schema.ts';
import { columnOf, type ScopeColumn, scopeColumns } from './bind-scope.ts';
import type { Relation, SourceRelation } from './catalog.ts';
import { shiftPlanOuter } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

type RelationItem = FromItem & { readonly kind: 'relation' };

export function findRelation(item: RelationItem, place: FromPlace): BoundFrom {
  refuseClauses(item);
  const name = item.name.parts.at(-1)?.name ?? '';
  const shown = item.alias?.name.name ?? name;
  const common = item.name.parts.length === 1 ? place.commonTables.get(name) : undefined;
  if (common !== undefined) {
    const level = place.parent === undefined ? 0 : place.parent.level + 1;
    return named(shiftPlanOuter(common.plan, level - common.level), item.alias, shown, name);
  }
  const relation = requireRelation(item.name, place.context);
  const node = relationPlan(relation, item.name);
  if (relation.kind !== 'stream' && relation.kind !== 'table') {
    return named(node, item.alias, shown, relation.name);
  }
  const primaryKey = relation.primaryKey.length > 0 ? relation.primaryKey : undefined;
  return named(node, item.alias, shown, relation.name, primaryKey, sourceColumns(relation));
}

/** The catalog's entry. @throws StreamError SQL_UNKNOWN_RELATION with a near miss. */
export function requireRelation(name: QualifiedName, context: BindContext): Relation {
  const relation = findNamed(name, context);
  if (relation !== undefined) return relation;
  const names = context.catalog.relations().map((other) => other.name);
  const written = name.parts.map((part) => part.name).join('.');
  const near = closestName(written.replace(/^public\./, ''), names);
  throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${written}" does not exist`, {
    at: name.span,
    hint: near === undefined ? undefined : `Perhaps you meant the relation "${near}".`,
  });
}

/** How a query reads a relation: a plain view is its query, everything else is scanned. */
export function relationPlan(relation: Relation, name: QualifiedName): LogicalNode {
  switch (relation.kind) {
    case 'view':
      return { ...relation.query, schema: relation.schema };
    case 'sink':
      throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot read from sink "${relation.name}"`, {
        at: name.span,
        hint: 'Read the relation that the sink is fed from.',
      });
    default:
      return scanOf(relation);
  }
}

/** The relation's columns; generated ones are computed above the scan, which then need not hold them. */
function scanOf(relation: Exclude<Relation, { readonly kind: 'view' | 'sink' }>): LogicalNode {
  const { schema } = relation;
  const scan: LogicalNode = { kind: 'scan', relation: relation.name, schema };
  if (relation.kind === 'materialized-view') return scan;
  if (!relation.columns.some(({ from }) => from.kind === 'generated')) return scan;
  const expressions = schema.map(({ type }, index) => {
    const from = relation.columns[index]?.from;
    return from?.kind === 'generated' ? from.expression : columnOf(index, type);
  });
  return { kind: 'project', input: scan, expressions, schema };
}

/** The stream or table of which a plan is the rows, column by column. */
export function sourceRead(
  node: LogicalNode,
  { catalog }: BindContext,
): SourceRelation | undefined {
  const scan = node.kind === 'project' ? node.input : node;
  const relation = scan.kind === 'scan' ? catalog.relation(scan.relation) : undefined;
  if (relation?.kind !== 'stream' && relation?.kind !== 'table') return undefined;
  const isRead =
    node.kind !== 'project' ||
    node.expressions.every((expression, index) =>
      expression.kind === 'column'
        ? expression.index === index
        : relation.columns[index]?.from.kind === 'generated',
    );
  return isRead && node.schema.length === relation.schema.length ? relation : undefined;
}

function sourceColumns(relation: SourceRelation): readonly ScopeColumn[] {
  return scopeColumns(relation.schema).map((column, index) =>
    relation.columns[index]?.hidden === true ? { ...column, hidden: true } : column,
  );
}

function refuseClauses(item: RelationItem): void {
  if (item.sample !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'TABLESAMPLE is not supported', { at: item.span });
  }
  if (item.systemTime !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'FOR SYSTEM_TIME AS OF belongs to the right side of a join',
      {
        at: item.span,
        hint: 'Write: l JOIN t FOR SYSTEM_TIME AS OF l.time ON l.k = t.k.',
      },
    );
  }
}
