import type { Growth } from './growth.ts';
import type { PhysicalNode } from './physical-node.ts';

/** How long what an operator keeps is kept; empty for what needs no word. */
export function explainState(node: PhysicalNode, growth: Growth): string {
  const parts: string[] = [];
  const { forgets } = node;
  if (forgets !== undefined) {
    const sides = ['left', 'right'].filter((_, side) => forgets.rules[side] !== undefined);
    const what = node.kind === 'join' && sides.length === 1 ? `${sides[0]} rows ` : '';
    parts.push(`, ${what}dropped behind the ${watermarks(forgets.streams)}`);
    const newest = ['left', 'right'].filter((_, side) => forgets.rules[side]?.keepsNewest);
    if (newest.length > 0)
      parts.push(`, of ${newest.join(' and ')} rows all but the newest of each key`);
  }
  const streams = growth.get(node);
  if (streams !== undefined) {
    const side = forgets?.rules[0] === undefined ? 'left' : 'right';
    const what = node.kind === 'join' && forgets !== undefined ? `${side} rows grow` : 'grows';
    parts.push(`, ${what} without end with ${streams.join(', ')}`);
  }
  return parts.join('');
}

function watermarks(streams: readonly string[]): string {
  return `${streams.length === 1 ? 'watermark' : 'watermarks'} of ${streams.join(', ')}`;
}
