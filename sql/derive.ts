/** What a plan proves about its rows: a unique key, and whether rows only ever come. */
import { assertNever } from './base/assert.ts';
import type { Catalog } from './catalog.ts';
import type { BoundExpr } from './expression.ts';
import { operandsOf } from './expression-map.ts';
import { joinKeys } from './join-keys.ts';
import { streamOfLate } from './late-relation.ts';
import { visitExpressions } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';
import { matchValueOf } from './row-pattern.ts';

/**
 * Columns of the output that no two rows share. The empty list means at most one row, undefined
 * that no key is known.
 */
export function deriveKey(node: LogicalNode, catalog: Catalog): readonly number[] | undefined {
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      if (relation?.kind === 'table') return nonEmpty(relation.primaryKey);
      return relation?.kind === 'materialized-view' ? nonEmpty(relation.key) : undefined;
    }
    case 'values':
      return node.rows.length <= 1 ? [] : undefined;
    case 'filter':
    case 'sort':
    case 'emit-final':
    case 'emit-every':
    case 'once':
    case 'temporal-filter':
      return deriveKey(node.input, catalog);
    case 'limit':
      return isOne(node.limit) && !node.withTies ? [] : deriveKey(node.input, catalog);
    case 'project':
      return keyThroughProject(deriveKey(node.input, catalog), node.expressions);
    case 'join':
      return joinKey(node, catalog);
    case 'aggregate':
      return node.groupingSets === undefined ? node.keys.map((_, index) => index) : undefined;
    case 'distinct':
      return deriveKey(node.input, catalog) ?? node.schema.map((_, index) => index);
    case 'distinct-on':
      return columnNumbers(node.keys) ?? deriveKey(node.input, catalog);
    case 'set-operation': {
      if (node.op === 'union') return node.all ? undefined : node.schema.map((_, index) => index);
      const left = deriveKey(node.left, catalog);
      return left ?? (node.all ? undefined : node.schema.map((_, index) => index));
    }
    case 'window':
      return deriveKey(node.input, catalog);
    case 'top-n': {
      const first = node.rank === 'row_number' && node.limit === 1;
      const partition = first ? columnNumbers(node.partitionBy) : undefined;
      return partition ?? deriveKey(node.input, catalog);
    }
    case 'window-table': {
      const key = deriveKey(node.input, catalog);
      if (key === undefined || node.window.kind === 'tumble') return key;
      // A row of several windows is told apart by the window's start (CUMULATE: its end).
      const start = node.input.schema.length + (node.window.kind === 'cumulate' ? 1 : 0);
      return [...key, start];
    }
    case 'table-function':
      return node.ordinality ? [node.schema.length - 1] : undefined;
    case 'flat-map': {
      const key = deriveKey(node.input, catalog);
      return key !== undefined && node.ordinality && !node.outer
        ? [...key, node.schema.length - 1]
        : undefined;
    }
    case 'recursive':
      return node.all ? undefined : node.schema.map((_, index) => index);
    case 'recursive-reference':
      return undefined;
    case 'match-recognize':
      return matchKey(node);
    default:
      return assertNever(node);
  }
}

/** With ONE ROW PER MATCH a match is known by its partition and its number, where these come out. */
export function matchKey(
  node: Pick<
    LogicalNode & { readonly kind: 'match-recognize' },
    'partitionBy' | 'outputs' | 'rowsPerMatch' | 'measures' | 'values'
  >,
): readonly number[] | undefined {
  if (node.rowsPerMatch !== 'one') return undefined;
  const valueBehind = (measure: BoundExpr | undefined): number | undefined => {
    if (measure?.kind === 'let-value') return matchValueOf(measure.id);
    // In a physical plan values are columns.
    return measure?.kind === 'column' ? measure.index : undefined;
  };
  const number = node.outputs.findIndex((output) => {
    const value =
      output.kind === 'measure' ? valueBehind(node.measures[output.measure]) : undefined;
    return value !== undefined && node.values[value]?.kind === 'match-number';
  });
  const partition = node.partitionBy.map((column) =>
    node.outputs.findIndex((output) => output.kind === 'column' && output.column === column),
  );
  return number < 0 || partition.includes(-1) ? undefined : [...partition, number];
}

const nonEmpty = (key: readonly number[]): readonly number[] | undefined =>
  key.length === 0 ? undefined : key;

const isOne = (limit: BoundExpr | undefined): boolean =>
  limit?.kind === 'literal' && limit.value === 1n;

function columnNumbers(keys: readonly BoundExpr[]): readonly number[] | undefined {
  const numbers = keys.flatMap((key) => (key.kind === 'column' ? [key.index] : []));
  return numbers.length === keys.length ? numbers : undefined;
}

/** A key survives a projection that keeps all its columns. */
function keyThroughProject(
  key: readonly number[] | undefined,
  expressions: readonly BoundExpr[],
): readonly number[] | undefined {
  const places = key?.map((index) =>
    expressions.findIndex(
      (expression) => expression.kind === 'column' && expression.index === index,
    ),
  );
  return places?.every((place) => place >= 0) === true ? places : undefined;
}

/**
 * If the equalities of a join cover one side's key, a row of the other side meets at most one row:
 * the other side's key is a key of the result. Else the two keys together are one. Rows that outer joins fill
 * up with NULLs stay apart only by the key of the side that is always there.
 */
function joinKey(
  node: LogicalNode & { readonly kind: 'join' },
  catalog: Catalog,
): readonly number[] | undefined {
  const left = deriveKey(node.left, catalog);
  if (node.type === 'semi' || node.type === 'anti') return left;
  const width = node.left.schema.length;
  const right = node.lateral ? undefined : deriveKey(node.right, catalog);
  const shifted = right?.map((index) => index + width);
  const { pairs } = joinKeys(node.on, width);
  const covers = (key: readonly number[] | undefined, side: 'left' | 'right'): boolean =>
    key?.every((index) =>
      pairs.some((pair) => pair[side].kind === 'column' && pair[side].index === index),
    ) === true;
  const oneRight = covers(right, 'right');
  const oneLeft = covers(left, 'left');
  if (node.type === 'inner' || node.type === 'left') {
    if (oneRight && left !== undefined) return left;
  }
  if (node.type === 'inner' || node.type === 'right') {
    if (oneLeft && shifted !== undefined) return shifted;
  }
  if (left === undefined || shifted === undefined) return undefined;
  if (node.type === 'full') {
    // A missing side is NULL in all its key columns, which must not be what a row there can be.
    const nullable =
      left.some((index) => node.left.schema[index]?.nullable !== false) ||
      shifted.some((index) => node.right.schema[index - width]?.nullable !== false);
    if (nullable || left.length === 0 || shifted.length === 0) return undefined;
  }
  return [...left, ...shifted];
}

/** Whether rows of the result, once there, are never deleted or changed. */
export function isAppendOnly(node: LogicalNode, catalog: Catalog): boolean {
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      if (relation?.kind === 'stream') return true;
      if (streamOfLate(node.relation, catalog) !== undefined) return true;
      return relation?.kind === 'materialized-view' && relation.appendOnly;
    }
    case 'values':
    case 'emit-final':
      return true;
    case 'filter':
    case 'project':
    case 'sort':
    case 'distinct':
    case 'emit-every':
    case 'once':
    case 'flat-map':
      return isAppendOnly(node.input, catalog) && !holdsSubquery(node);
    case 'temporal-filter':
      return node.until === undefined && isAppendOnly(node.input, catalog);
    case 'match-recognize':
      return node.inEventTime;
    case 'window-table':
      return node.window.kind !== 'session' && isAppendOnly(node.input, catalog);
    case 'join':
      if (node.atArrival === true) return isAppendOnly(node.left, catalog);
      return (
        (node.type === 'inner' || node.type === 'semi') &&
        isAppendOnly(node.left, catalog) &&
        isAppendOnly(node.right, catalog)
      );
    case 'set-operation':
      return (
        node.op !== 'except' &&
        isAppendOnly(node.left, catalog) &&
        isAppendOnly(node.right, catalog)
      );
    case 'recursive':
      return isAppendOnly(node.base, catalog) && isAppendOnly(node.step, catalog);
    case 'recursive-reference':
    case 'table-function':
      return true;
    case 'aggregate':
    case 'distinct-on':
    case 'window':
    case 'limit':
    case 'top-n':
      return false;
    default:
      return assertNever(node);
  }
}

/** Whether rows come with this column's time, and only until a watermark has passed it. */
export function isEventTime(node: LogicalNode, column: number, catalog: Catalog): boolean {
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      return relation?.kind === 'stream' && relation.watermark?.column === column;
    }
    case 'filter':
    case 'sort':
      return isEventTime(node.input, column, catalog);
    case 'project': {
      const expression = node.expressions[column];
      return expression?.kind === 'column' && isEventTime(node.input, expression.index, catalog);
    }
    case 'set-operation':
      return (
        node.op === 'union' &&
        node.all &&
        isEventTime(node.left, column, catalog) &&
        isEventTime(node.right, column, catalog)
      );
    default:
      return false;
  }
}

function holdsSubquery(node: LogicalNode): boolean {
  const inside = (expression: BoundExpr): boolean =>
    expression.kind === 'subquery' || operandsOf(expression).some(inside);
  let found = false;
  visitExpressions(node, (expression) => {
    found ||= inside(expression);
  });
  return found;
}
