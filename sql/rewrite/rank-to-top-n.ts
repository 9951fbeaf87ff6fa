/** Ranks that are only compared with a constant. */
import type { BoundExpr, BoundWindowCall } from '../expression.ts';
import { isLiteral } from '../expression-fact.ts';
import { conjunctsOf } from '../join-keys.ts';
import { mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { filter } from './push-filters.ts';

type Window = LogicalNode & { readonly kind: 'window' };

/**
 * filter(window(x, r = row_number() OVER (PARTITION BY p ORDER BY o)), r <= n AND q)
 *   =>  filter(top-n(x, p, o, n, r), q)   (rank and dense_rank likewise; a lower bound for row_number only)
 * Pays: per partition only the first rows matter for the answer, so a change looks at these alone;
 * a window function would have to renumber the whole partition.
 * Safe: the ranks count from 1 along the order, so the rows with r <= n are the first ones.
 */
export function rankToTopN(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, rankToTopN);
  if (next.kind !== 'filter' || next.input.kind !== 'window') return next;
  return topN(next.input, conjunctsOf(next.where)) ?? next;
}

function topN(window: Window, parts: readonly BoundExpr[]): LogicalNode | undefined {
  const [call, second] = window.calls;
  const rank = call === undefined || second !== undefined ? undefined : rankOf(call);
  if (call === undefined || rank === undefined) return undefined;
  const rankColumn = window.input.schema.length;
  let first = 1;
  let last = Number.POSITIVE_INFINITY;
  const rest: BoundExpr[] = [];
  for (const part of parts) {
    const bounds = boundsOf(part, rankColumn);
    if (bounds === undefined) {
      rest.push(part);
      continue;
    }
    first = Math.max(first, bounds.first);
    last = Math.min(last, bounds.last);
  }
  if (!Number.isSafeInteger(last)) return undefined;
  if (last < first) return { kind: 'values', rows: [], schema: window.schema };
  // Only row numbers are dense and unique: an offset in rows is an offset in ranks.
  if (first > 1 && rank !== 'row_number') return undefined;
  const node: LogicalNode = {
    kind: 'top-n',
    input: window.input,
    partitionBy: call.partitionBy,
    orderBy: call.orderBy,
    rank,
    limit: last - first + 1,
    offset: first - 1,
    emitRank: true,
    schema: window.schema,
  };
  return filter(node, rest);
}

function rankOf({ fn }: BoundWindowCall): 'row_number' | 'rank' | 'dense_rank' | undefined {
  if (fn.kind !== 'ranking') return undefined;
  const { name } = fn;
  return name === 'row_number' || name === 'rank' || name === 'dense_rank' ? name : undefined;
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

const flipped: ReadonlyMap<string, string> = new Map([
  ['<', '>'],
  ['<=', '>='],
  ['>', '<'],
  ['>=', '<='],
  ['=', '='],
]);

/** The ranks that a comparison of the rank with a whole number lets through. */
function boundsOf(part: BoundExpr, rankColumn: number): Bounds | undefined {
  if (part.kind !== 'call') return undefined;
  const [left, right] = part.args;
  if (left === undefined || right === undefined) return undefined;
  const isRank = (side: BoundExpr): boolean => side.kind === 'column' && side.index === rankColumn;
  const direct = isRank(left);
  const op = direct ? part.fn.name : flipped.get(part.fn.name);
  const constant = direct ? right : left;
  if (!(direct || isRank(right)) || !isLiteral(constant)) return undefined;
  const { value } = constant;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) return undefined;
  const none = Number.POSITIVE_INFINITY;
  switch (op) {
    case '<=':
      return { first: 1, last: number };
    case '<':
      return { first: 1, last: number - 1 };
    case '=':
      return { first: number, last: number };
    case '>=':
      return { first: number, last: none };
    case '>':
      return { first: number + 1, last: none };
    default:
      return undefined;
  }
}
