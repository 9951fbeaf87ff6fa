import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch } from './batch.ts';
import {
  type BatchColumn,
  type Nulls,
  type Physical,
  physicalOf,
  StringColumn,
  WIDE_SCALE,
} from './column.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Collects rows of datums into a batch: the general way in, for INSERT, tests and snapshots. Sources
 * and operators fill columns by generated loops instead.
 */
export class BatchBuilder {
  readonly #physicals: readonly Physical[];
  readonly #columns: (Datum | null)[][];
  readonly #weights: number[] = [];
  #plain = true;

  constructor(schema: Schema) {
    this.#physicals = schema.map((column) => physicalOf(column.type));
    this.#columns = schema.map(() => []);
  }

  get length(): number {
    return this.#weights.length;
  }

  /** @param weight  copies added; negative takes copies back; never 0. */
  add(row: readonly (Datum | null)[], weight = 1): void {
    for (let i = 0; i < this.#columns.length; i++) this.#columns[i]?.push(row[i] ?? null);
    this.#weights.push(weight);
    if (weight !== 1) this.#plain = false;
  }

  /** The rows so far, and an empty builder afterwards. */
  take(): Batch {
    const length = this.#weights.length;
    const columns = this.#columns.map((values, i) =>
      columnOf(this.#physicals[i] as Physical, values),
    );
    const weights = this.#plain ? null : Int32Array.from(this.#weights);
    for (const values of this.#columns) values.length = 0;
    this.#weights.length = 0;
    this.#plain = true;
    return new Batch(length, columns, weights);
  }
}

/** A column of the given physical form holding `values`, null meaning NULL. */
export function columnOf(physical: Physical, values: readonly (Datum | null)[]): BatchColumn {
  const length = values.length;
  let nulls: Nulls = null;
  for (let row = 0; row < length; row++) {
    if (values[row] !== null) continue;
    nulls ??= new Uint8Array(length);
    nulls[row] = 1;
  }
  switch (physical) {
    case 'bool':
      return { physical, values: Uint8Array.from(values, (v) => (v === true ? 1 : 0)), nulls };
    case 'i32':
      return { physical, values: Int32Array.from(values, (v) => (v as number | null) ?? 0), nulls };
    case 'i64':
      return {
        physical,
        values: BigInt64Array.from(values, (v) => (v as bigint | null) ?? 0n),
        nulls,
      };
    case 'f64':
      return {
        physical,
        values: Float64Array.from(values, (v) => (v as number | null) ?? 0),
        nulls,
      };
    case 'str':
      return StringColumn.ofStrings(
        values.map((v) => (v === null ? undefined : (v as string))),
        nulls,
      );
    case 'obj':
      return { physical, values: values.slice(), nulls };
    case 'num': {
      const unscaled = new BigInt64Array(length);
      const scales = new Int16Array(length);
      let wide: (Numeric | undefined)[] | null = null;
      for (let row = 0; row < length; row++) {
        const value = values[row] as Numeric | null;
        if (value === null || value === undefined) continue;
        if (
          value.special === 'finite' &&
          value.unscaled >= INT64_MIN &&
          value.unscaled <= INT64_MAX
        ) {
          unscaled[row] = value.unscaled;
          scales[row] = value.scale;
        } else {
          wide ??= new Array(length);
          wide[row] = value;
          scales[row] = WIDE_SCALE;
        }
      }
      return { physical, values: unscaled, scales, wide, nulls };
    }
    default:
      return assertNever(physical);
  }
}
