/** Outer joins that need not be. */

import { joinSchema } from '../bind-join.ts';
import type { BoundExpr } from '../expression.ts';
import { keepsNothing } from '../expression-fact.ts';
import { conjunctsOf } from '../join-keys.ts';
import { columnsRead, mapColumns, mapInputs, shiftColumns, substitute } from '../logical-map.ts';
import type { JoinType, LogicalNode } from '../logical-plan.ts';
import { foldExpression } from './fold-constants.ts';

type Join = LogicalNode & { readonly kind: 'join' };

/**
 * filter(left join(x, y), p)  =>  filter(inner join(x, y), p)  where p is never true for NULLs from y
 * (right and full joins likewise; an inner join's ON counts as a filter above its inputs)
 * Pays: an inner join keeps no unmatched rows and takes conditions on both sides.
 * Safe: the rows that differ are those filled up with NULLs. p is folded with NULL in the place of every
 * column of y; if that is false or NULL, the filter drops all these rows anyway.
 */
export function strengthenJoins(node: LogicalNode): LogicalNode {
  return strengthen(node, []);
}

/** @param above  conditions over the node's columns that hold for every row which is used. */
function strengthen(node: LogicalNode, above: readonly BoundExpr[]): LogicalNode {
  switch (node.kind) {
    case 'filter': {
      const input = strengthen(node.input, [...above, ...conjunctsOf(node.where)]);
      return input === node.input ? node : { ...node, input };
    }
    case 'project': {
      const below = above.map((part) => substitute(part, node.expressions));
      const input = strengthen(node.input, below);
      return input === node.input ? node : { ...node, input };
    }
    case 'sort': {
      const input = strengthen(node.input, above);
      return input === node.input ? node : { ...node, input };
    }
    case 'join':
      return strengthenJoin(node, above);
    default:
      return mapInputs(node, (input) => strengthen(input, []));
  }
}

function strengthenJoin(join: Join, above: readonly BoundExpr[]): LogicalNode {
  const width = join.left.schema.length;
  const type = strengthened(join.type, above, width);
  // Conditions of this join that its inputs' rows must meet to be used.
  const own = type === 'inner' || type === 'semi' ? conjunctsOf(join.on) : [];
  const all = [...above, ...own];
  const only = (test: (index: number) => boolean): readonly BoundExpr[] =>
    all.filter((part) => {
      const read = columnsRead([part]);
      return read.length > 0 && read.every(test);
    });
  const keepsLeft = type !== 'right' && type !== 'full';
  const keepsRight = type === 'inner' || type === 'right' || type === 'semi';
  const left = strengthen(join.left, keepsLeft ? only((index) => index < width) : []);
  const rights = keepsRight && !join.lateral ? only((index) => index >= width) : [];
  const right = strengthen(
    join.right,
    rights.map((part) => shiftColumns(part, -width)),
  );
  if (type === join.type && left === join.left && right === join.right) return join;
  return { ...join, type, left, right, schema: renamed(join, type) };
}

function renamed(join: Join, type: JoinType): LogicalNode['schema'] {
  return joinSchema(type, join.left.schema, join.right.schema).map((column, index) => ({
    ...column,
    name: join.schema[index]?.name ?? column.name,
  }));
}

function strengthened(type: JoinType, above: readonly BoundExpr[], width: number): JoinType {
  const rejects = (test: (index: number) => boolean): boolean =>
    above.some((part) => rejectsNull(part, test));
  const noMissingRight = (): boolean => rejects((index) => index >= width);
  const noMissingLeft = (): boolean => rejects((index) => index < width);
  switch (type) {
    case 'left':
      return noMissingRight() ? 'inner' : 'left';
    case 'right':
      return noMissingLeft() ? 'inner' : 'right';
    case 'full': {
      if (noMissingRight()) return noMissingLeft() ? 'inner' : 'right';
      return noMissingLeft() ? 'left' : 'full';
    }
    default:
      return type;
  }
}

/** Whether the condition is never true when all these columns are NULL. */
export function rejectsNull(condition: BoundExpr, columns: (index: number) => boolean): boolean {
  const withNulls = mapColumns(condition, (column) =>
    columns(column.index)
      ? { kind: 'literal', value: null, type: column.type, span: column.span }
      : column,
  );
  return withNulls !== condition && keepsNothing(foldExpression(withNulls));
}
