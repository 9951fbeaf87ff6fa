import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Emit } from './operator.ts';
import { StatelessOperator } from './stateless.ts';

/** The kept rows of a batch with their new columns and their weights; undefined when none is kept. */
export type Projection = (batch: Batch) => Batch | undefined;

/**
 * Filter and projection in one: a row's image depends on nothing but the row, so that weights pass through and
 * d(P(R)) = P(dR). A row whose expressions fail is reported and leaves the plan, in both directions. No state.
 */
export class ProjectOperator extends StatelessOperator {
  readonly #projection: Projection;

  constructor(schema: Schema, projection: Projection) {
    super(schema);
    this.#projection = projection;
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const image = this.#projection(batch);
    if (image !== undefined && image.length > 0) emit(image);
  }
}
