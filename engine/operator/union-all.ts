import type { Schema } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import type { Emit, Operator } from './operator.ts';

/** UNION ALL: d(L + R) = dL + dR. Names go, since both inputs may be one relation. No state. */
export class UnionAllOperator implements Operator {
  readonly schema: Schema;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    emit(batch.named === null ? batch : new Batch(batch.length, batch.columns, batch.weights));
  }

  flush(): void {}

  stateBytes(): number {
    return 0;
  }

  stateEntries(): number {
    return 0;
  }

  savedParts(): readonly [] {
    return [];
  }
}
