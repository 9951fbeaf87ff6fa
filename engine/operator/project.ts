import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Emit, Operator } from './operator.ts';

/** The kept rows of a batch with their new columns and their weights; undefined when none is kept. */
export type Projection = (batch: Batch) => Batch | undefined;

/**
 * Filter and projection in one: a row's image depends on nothing but the row, so that weights pass through and
 * d(P(R)) = P(dR). A row whose expressions fail is reported and leaves the plan, in both directions. No state.
 */
export class ProjectOperator implements Operator {
  readonly schema: Schema;
  readonly #projection: Projection;

  constructor(schema: Schema, projection: Projection) {
    this.schema = schema;
    this.#projection = projection;
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const image = this.#projection(batch);
    if (image !== undefined && image.length > 0) emit(image);
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
