/** Group keys that split no group and that nobody reads. */
import type { Catalog } from '../catalog.ts';
import type { BoundExpr } from '../expression.ts';
import { columnsRead, mapInputs, renumberColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

type Aggregate = LogicalNode & { readonly kind: 'aggregate' };

/**
 * project(aggregate(x by (k, d))), d not read, k determines d  =>  project(aggregate(x by (k)))  (filters may stand between)
 * Pays: GROUP BY with a table's primary key makes all its columns keys, so that each may be asked for; without this a view
 * carries and keeps all of them.
 * Safe: rows of x with the same k have the same d, so the groups are the same ones. What determines is a table's primary
 * key, also above joins: where an outer join fills a row with NULLs, it fills key and columns.
 */
export function dropDependentKeys(node: LogicalNode, catalog: Catalog | undefined): LogicalNode {
  const next = mapInputs(node, (input) => dropDependentKeys(input, catalog));
  if (next.kind !== 'project' || catalog === undefined) return next;
  const filters: (LogicalNode & { readonly kind: 'filter' })[] = [];
  let below = next.input;
  while (below.kind === 'filter') {
    filters.push(below);
    below = below.input;
  }
  if (below.kind !== 'aggregate') return next;
  const read = columnsRead([...next.expressions, ...filters.map(({ where }) => where)]);
  const dropped = droppable(below, new Set(read), catalog);
  if (dropped.size === 0) return next;
  const places = placesWithout(below.schema.length, dropped);
  const move = (expression: BoundExpr): BoundExpr =>
    renumberColumns(expression, (index) => places[index] ?? index);
  let input: LogicalNode = {
    ...below,
    keys: below.keys.filter((_, index) => !dropped.has(index)),
    schema: below.schema.filter((_, index) => !dropped.has(index)),
  };
  for (const { where } of filters.reverse()) {
    input = { kind: 'filter', input, where: move(where), schema: input.schema };
  }
  return { ...next, input, expressions: next.expressions.map(move) };
}

function droppable(
  { input, keys, groupingSets, groupings }: Aggregate,
  read: ReadonlySet<number>,
  catalog: Catalog,
): ReadonlySet<number> {
  const dropped = new Set<number>();
  if (groupingSets !== undefined || groupings.length > 0) return dropped;
  // From the last one on: a table's key stands before what it determines.
  for (let key = keys.length - 1; key >= 0; key--) {
    const expression = keys[key];
    if (read.has(key) || expression?.kind !== 'column') continue;
    const others = keys.flatMap((other, index) =>
      index === key || dropped.has(index) || other.kind !== 'column' ? [] : [other.index],
    );
    if (determinedBy(input, new Set(others), catalog).has(expression.index)) dropped.add(key);
  }
  return dropped;
}

function placesWithout(width: number, dropped: ReadonlySet<number>): readonly number[] {
  let place = 0;
  return Array.from({ length: width }, (_, index) => (dropped.has(index) ? -1 : place++));
}

/** Columns of the node in which two rows agree that agree in the known ones. */
function determinedBy(
  node: LogicalNode,
  known: ReadonlySet<number>,
  catalog: Catalog,
): ReadonlySet<number> {
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      const key = relation?.kind === 'table' ? relation.primaryKey : [];
      const isWhole = key.length > 0 && key.every((column) => known.has(column));
      return isWhole ? new Set(node.schema.map((_, index) => index)) : known;
    }
    case 'filter':
      return determinedBy(node.input, known, catalog);
    case 'project': {
      const columns = node.expressions.map((expression) =>
        expression.kind === 'column' ? expression.index : undefined,
      );
      const inside = [...known].flatMap((index) => columns[index] ?? []);
      const below = determinedBy(node.input, new Set(inside), catalog);
      return new Set([
        ...known,
        ...columns.flatMap((column, index) =>
          column !== undefined && below.has(column) ? [index] : [],
        ),
      ]);
    }
    case 'join': {
      const width = node.left.schema.length;
      const left = [...known].filter((index) => index < width);
      const right = [...known].flatMap((index) => (index < width ? [] : [index - width]));
      const ofRight = node.lateral ? right : determinedBy(node.right, new Set(right), catalog);
      return new Set([
        ...determinedBy(node.left, new Set(left), catalog),
        ...[...ofRight].map((index) => index + width),
      ]);
    }
    default:
      return known;
  }
}
