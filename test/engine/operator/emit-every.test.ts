/**
 * EMIT EVERY and AFTER WATERMARK against a list of what waits: changes add up, come out together, and not more often than they may;
 * rows that the watermark has passed wait no longer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batch } from '../../../engine/delta/batch.ts';
import { EmitEveryOperator, type EmitEveryShape } from '../../../engine/operator/emit-every.ts';
import type { Operator } from '../../../engine/operator/operator.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { runs } from '../../property/history.ts';
import { restarted } from '../../property/restart.ts';

const EVERY = 10n;
const AFTER = { column: 0, micros: 2n };
const shapes: Readonly<Record<string, EmitEveryShape>> = {
  'by the clock': { micros: EVERY, after: undefined, watermarks: 0 },
  'by the clock and the watermark': { micros: EVERY, after: AFTER, watermarks: 1 },
  'by the watermark': { micros: undefined, after: AFTER, watermarks: 1 },
};
const schema: Schema = [{ name: 'v', type: { kind: 'bigint' }, nullable: true }];

const batchOf = (rows: readonly (readonly [bigint | null, number])[]): Batch => {
  const values = BigInt64Array.from(rows.map(([value]) => value ?? 0n));
  const nulls = Uint8Array.from(rows.map(([value]) => (value === null ? 1 : 0)));
  const weights = Int32Array.from(rows.map(([, weight]) => weight));
  return new Batch(rows.length, [{ physical: 'i64', values, nulls }], weights);
};

type Bag = Map<bigint | null, number>;

function addTo(bag: Bag, value: bigint | null, weight: number): void {
  const sum = (bag.get(value) ?? 0) + weight;
  if (sum === 0) bag.delete(value);
  else bag.set(value, sum);
}

const epoch = fc.record({
  rows: fc.array(fc.tuple(fc.constantFrom(null, 1n, 2n, 3n), fc.constantFrom(1, 1, 2, -1)), {
    maxLength: 4,
  }),
  passed: fc.constantFrom(undefined, 1n, 4n, 9n, 30n),
  watermark: fc.constantFrom(undefined, undefined, 2n, 3n, 4n, 5n),
  restarts: fc.boolean(),
});
type Epoch = typeof epoch extends fc.Arbitrary<infer T> ? T : never;

/** The definition, with time by the clock and by the watermark, which never go back. */
class Reference {
  readonly waiting: Bag = new Map();
  readonly #shape: EmitEveryShape;
  now = 0n;
  watermark: bigint | undefined;
  #last: bigint | undefined;

  constructor(shape: EmitEveryShape) {
    this.#shape = shape;
  }

  /** What comes out in an epoch. */
  epoch({ rows, passed, watermark }: Epoch): Bag {
    const { micros, after } = this.#shape;
    for (const [value, weight] of rows) addTo(this.waiting, value, weight);
    if (micros !== undefined) this.now += passed ?? 0n;
    if (after !== undefined && watermark !== undefined) {
      if (this.watermark === undefined || watermark > this.watermark) this.watermark = watermark;
    }
    const out: Bag = new Map();
    for (const [value, weight] of [...this.waiting]) {
      if (after === undefined || this.watermark === undefined || value === null) continue;
      if (value + after.micros > this.watermark) continue;
      out.set(value, weight);
      this.waiting.delete(value);
    }
    const due = this.dueMicros;
    if (due === undefined || this.now === 0n || this.now < due) return out;
    this.#last = this.now;
    for (const [value, weight] of this.waiting) out.set(value, weight);
    this.waiting.clear();
    return out;
  }

  get dueMicros(): bigint | undefined {
    const { micros } = this.#shape;
    if (micros === undefined || this.waiting.size === 0) return undefined;
    return this.#last === undefined ? 0n : this.#last + micros;
  }
}

for (const [name, shape] of Object.entries(shapes)) {
  test(`changes wait, add up, and come out together, ${name}`, () => {
    fc.assert(
      fc.property(fc.array(epoch, { size: 'max', maxLength: 40 }), (epochs) => {
        const reference = new Reference(shape);
        let operator: Operator = new EmitEveryOperator(schema, shape);
        for (const one of epochs) {
          if (one.restarts) operator = restarted(operator, new EmitEveryOperator(schema, shape));
          const out: Bag = new Map();
          let batches = 0;
          const emit = (batch: Batch): void => {
            batches++;
            for (let row = 0; row < batch.length; row++) {
              addTo(out, batch.row(row)[0] as bigint | null, batch.weight(row));
            }
          };
          const due = reference.epoch(one);
          if (one.rows.length > 0) operator.push(0, batchOf(one.rows), emit);
          if (shape.micros !== undefined && one.passed !== undefined) {
            operator.push(1, batchOf([[reference.now, 1]]), emit);
          }
          if (shape.after !== undefined && one.watermark !== undefined) {
            operator.push(shape.micros === undefined ? 1 : 2, batchOf([[one.watermark, 1]]), emit);
          }
          assert.equal(batches, 0, 'nothing comes before the flush');
          operator.flush(emit);
          assert.deepEqual(new Map([...out].sort()), new Map([...due].sort()));
          assert.equal(operator.stateEntries(), reference.waiting.size);
          assert.equal(operator.dueMicros, reference.dueMicros);
        }
      }),
      { numRuns: runs },
    );
  });
}
