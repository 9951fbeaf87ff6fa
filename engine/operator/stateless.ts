import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Emit, Operator } from './operator.ts';

/** An operator whose answer to a batch depends on nothing but that batch. */
export abstract class StatelessOperator implements Operator {
  readonly schema: Schema;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  abstract push(port: number, batch: Batch, emit: Emit): void;

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
