import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { ConsolidateOperator } from '../operator/consolidate.ts';
import type { Consolidate } from './output.ts';

/** One epoch's change of a keyed view as the store wants it: at most one -1 and one +1 a key. */
export function consolidateChange(schema: Schema): Consolidate {
  const operator = new ConsolidateOperator(schema);
  return (batches) => {
    const [first] = batches;
    if (first === undefined || (batches.length === 1 && first.length <= 1)) return batches;
    const net: Batch[] = [];
    const emit = (batch: Batch): void => {
      net.push(batch);
    };
    for (const batch of batches) operator.push(0, batch, emit);
    operator.flush(emit);
    return net;
  };
}
