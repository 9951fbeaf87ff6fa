import { Batch } from '../delta/batch.ts';
import type { Emit } from './operator.ts';
import { StatelessOperator } from './stateless.ts';

/** UNION ALL: d(L + R) = dL + dR. Names go, since both inputs may be one relation. No state. */
export class UnionAllOperator extends StatelessOperator {
  push(_port: number, batch: Batch, emit: Emit): void {
    emit(batch.named === null ? batch : new Batch(batch.length, batch.columns, batch.weights));
  }
}
