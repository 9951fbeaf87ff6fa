/** How far in time the rows of a window look back and ahead. */
import { intervalSpan } from '../../sql/base/interval.ts';
import type {
  PhysicalFrame,
  PhysicalFrameBound,
  PhysicalNode,
  PhysicalWindowCall,
} from './physical-node.ts';

export type WindowNode = PhysicalNode & { readonly kind: 'window' };

/** In microseconds of the first column of the order; undefined = as far as the partition goes. */
export interface FrameReach {
  readonly back: bigint | undefined;
  readonly ahead: bigint | undefined;
}

/** Functions that count the rows before a row and its peers. */
const LOOKING_BACK: ReadonlySet<string> = new Set(['row_number', 'rank', 'dense_rank']);
/** Functions that look at the rows of their frame. */
const FRAMED: ReadonlySet<string> = new Set(['first_value', 'last_value', 'nth_value']);

/** The farthest reach of a window's calls; undefined for an order that does not begin with a rising time. */
export function frameReach({ orderBy, calls, inputs }: WindowNode): FrameReach | undefined {
  const [key] = orderBy;
  const type = key && inputs[0]?.schema[key.column]?.type.kind;
  const isTime = type === 'timestamp' || type === 'timestamptz';
  if (key === undefined || key.descending || !isTime) return undefined;
  const reaches = calls.map(callReach);
  return {
    back: farthest(reaches.map(({ back }) => back)),
    ahead: farthest(reaches.map(({ ahead }) => ahead)),
  };
}

function farthest(lengths: readonly (bigint | undefined)[]): bigint | undefined {
  let most = 0n;
  for (const length of lengths) {
    if (length === undefined) return undefined;
    if (length > most) most = length;
  }
  return most;
}

function callReach(call: PhysicalWindowCall): FrameReach {
  if (call.kind === 'ranking' && LOOKING_BACK.has(call.name)) return { back: undefined, ahead: 0n };
  if (call.kind === 'ranking' && !FRAMED.has(call.name)) {
    return { back: undefined, ahead: undefined };
  }
  const { start, end } = call.frame;
  return {
    back: boundReach(call.frame, start, 'preceding'),
    ahead: boundReach(call.frame, end, 'following'),
  };
}

/** How far a bound lies in its own direction; the other direction counts as nothing. */
function boundReach(
  { unit }: PhysicalFrame,
  bound: PhysicalFrameBound,
  direction: 'preceding' | 'following',
): bigint | undefined {
  if (bound.kind === `unbounded-${direction}`) return undefined;
  // Rows at one time may stand before and behind each other.
  if (bound.kind === 'current-row') return 0n;
  if (!('offset' in bound) || bound.kind !== direction) return 0n;
  const { offset } = bound;
  if (unit !== 'range' || typeof offset !== 'object' || !('micros' in offset)) return undefined;
  if (!('months' in offset) || offset.months !== 0) return undefined;
  return intervalSpan(offset);
}
