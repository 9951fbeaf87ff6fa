import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import { concat, gather } from '../delta/gather.ts';
import { KeyedState } from '../state/keyed-state.ts';

/**
 * Sums the weights of equal rows over batches: sum(batches) = sum(result), no row stands twice and no weight is 0.
 * Rows are equal when they print equal, so a numeric that only changes its scale stays a change.
 */
export function consolidateBatches(
  schema: Schema,
): (batches: readonly Batch[]) => readonly Batch[] {
  const physicals = schema.map(({ type }) => physicalOf(type));
  return (batches) => {
    const [first] = batches;
    if (first === undefined || (batches.length === 1 && first.length <= 1)) return batches;
    const all = batches.length === 1 ? first : concat(batches);
    const state = new KeyedState(physicals, [], 'exact');
    const rowOf = new Int32Array(all.length);
    state.claim(all.columns, all.length, rowOf);
    const weights = new Int32Array(all.length);
    const sources = new Int32Array(all.length).fill(-1);
    for (let row = 0; row < all.length; row++) {
      const own = rowOf[row] as number;
      if (sources[own] === -1) sources[own] = row;
      weights[own] = (weights[own] as number) + all.weight(row);
    }
    let count = 0;
    for (let own = 0; own < all.length; own++) {
      if (weights[own] === 0) continue;
      sources[count] = sources[own] as number;
      weights[count] = weights[own] as number;
      count++;
    }
    return count === 0 ? [] : [gather(all, sources, count, weights)];
  };
}
