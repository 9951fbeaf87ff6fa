/** Names of relations in FROM: WITH items first, then the catalog. */
import type { FromItem, QualifiedName } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { type BoundFrom, type FromPlace, named } from './bind-from-place.ts';
import { closestName } from './bind-near-miss.ts';
import { withRecordTime } from './bind-record-time.ts';
import { findNamed } from './bind-schema.ts';
import { columnOf, type ScopeColumn, scopeColumns } from './bind-scope.ts';
import { hiddenFromOf, type Relation, type SourceRelation } from './catalog.ts';
import { shiftPlanOuter } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';
import { recordNames, recordStart, scanWithRecord } from './record-column.ts';

type RelationItem = FromItem & { readonly kind: 'relation' };

export function findRelation(item: RelationItem, place: FromPlace): BoundFrom {
  refuseClauses(item);
  const name = item.name.parts.at(-1)?.name ?? '';
  const shown = item.alias?.name.name ?? name;
  const common = item.name.parts.length === 1 ? place.commonTables.get(name) : undefined;
  if (common !== undefined) {
    if (common.withoutRows) throw withoutRows(name, item);
    const level = place.parent === undefined ? 0 : place.parent.level + 1;
    const plan = shiftPlanOuter(common.plan, level - common.level);
    const columns = scopeColumns(plan.schema, 0, common.hiddenFrom);
    return named(plan, item.alias, shown, name, undefined, columns);
  }
  const relation = requireRelation(item.name, place.context);
  if (relation.kind !== 'stream' && relation.kind !== 'table') {
    const plan = relationPlan(relation, item.name);
    const hiddenFrom = hiddenFromOf(relation);
    const columns = scopeColumns(plan.schema, 0, hiddenFrom);
    return named(plan, item.alias, shown, relation.name, undefined, columns);
  }
  const isStream = relation.kind === 'stream';
  const scan = scanOf(relation, isStream);
  const node = isStream ? withRecordTime(scan, relation, item.span, place.context) : scan;
  const primaryKey = relation.primaryKey.length > 0 ? relation.primaryKey : undefined;
  return named(node, item.alias, shown, relation.name, primaryKey, sourceColumns(relation));
}

const withoutRows = (name: string, { span }: RelationItem): StreamError =>
  new StreamError('SQL_NOT_SUPPORTED', `WITH query "${name}" does not have a RETURNING clause`, {
    at: span,
  });

/** The catalog's entry. @throws StreamError SQL_UNKNOWN_RELATION with a near miss. */
export function requireRelation(name: QualifiedName, context: BindContext): Relation {
  const relation = findNamed(name, context);
  if (relation !== undefined) {
    // Those of the system have no number.
    if (relation.kind === 'view' && relation.id !== 0) context.viewsNamed.add(relation.name);
    return relation;
  }
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

/**
 * The relation's columns; generated ones are computed above the scan, which then need not hold them.
 * @param withRecord  of a stream: the columns of its records follow.
 */
function scanOf(
  relation: Exclude<Relation, { readonly kind: 'view' | 'sink' }>,
  withRecord = false,
): LogicalNode {
  if (relation.kind === 'materialized-view') {
    return { kind: 'scan', relation: relation.name, schema: relation.schema };
  }
  const scan: LogicalNode = withRecord
    ? scanWithRecord(relation)
    : { kind: 'scan', relation: relation.name, schema: relation.schema };
  if (!relation.columns.some(({ from }) => from.kind === 'generated')) return scan;
  const { schema } = scan;
  const expressions = schema.map(({ type }, index) => {
    const from = relation.columns[index]?.from;
    return from?.kind === 'generated' ? from.expression : columnOf(index, type);
  });
  return { kind: 'project', input: scan, expressions, schema, recordFrom: recordStart(scan) };
}

/** The stream or table of which a plan is the rows, column by column. */
export function sourceRead(
  node: LogicalNode,
  { catalog }: BindContext,
): SourceRelation | undefined {
  const scan = node.kind === 'project' ? node.input : node;
  const relation = scan.kind === 'scan' ? catalog.relation(scan.relation) : undefined;
  if (relation?.kind !== 'stream' && relation?.kind !== 'table') return undefined;
  const width = recordStart(node) ?? node.schema.length;
  const isRead =
    node.kind !== 'project' ||
    node.expressions
      .slice(0, width)
      .every((expression, index) =>
        expression.kind === 'column'
          ? expression.index === index
          : relation.columns[index]?.from.kind === 'generated',
      );
  return isRead && width === relation.schema.length ? relation : undefined;
}

function sourceColumns(relation: SourceRelation): readonly ScopeColumn[] {
  const { schema } = relation;
  const own = scopeColumns(schema);
  return relation.kind === 'stream' ? [...own, ...recordNames(schema, schema.length)] : own;
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
