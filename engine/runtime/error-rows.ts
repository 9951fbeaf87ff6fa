/** Records that could not be read, on their way into their stream's error table with the next epoch. */
import type { RecordBatch } from '../../connectors/connector.ts';
import type { StreamError } from '../../sql/base/error.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { ViewOutput } from './output.ts';
import type { PlanSet } from './plan-set.ts';

/** Bytes of a bad record that its error row keeps. */
const RAW_BYTES_MAX = 64 * 1024;
/** Error rows of one stream per epoch; more are counted but not stored. */
const ROWS_PER_EPOCH_MAX = 10_000;

export class ErrorRows {
  readonly #plans: PlanSet;
  readonly #byTable = new Map<number, BatchBuilder>();

  constructor(plans: PlanSet) {
    this.#plans = plans;
  }

  add(
    tableId: number,
    topic: string,
    records: RecordBatch,
    record: number,
    error: StreamError,
  ): void {
    const rows = this.#rowsOf(tableId);
    if (rows === undefined || rows.length >= ROWS_PER_EPOCH_MAX) return;
    const start = records.valueStarts[record] as number;
    const length = Math.max(records.valueLengths[record] as number, 0);
    const raw = records.bytes.subarray(start, start + Math.min(length, RAW_BYTES_MAX));
    rows.add([
      topic,
      records.partition,
      BigInt(records.offsets[record] as number),
      BigInt(Math.round(records.timestampsMs[record] as number)) * 1000n,
      error.sqlstate,
      error.message,
      Uint8Array.from(raw),
    ]);
  }

  #rowsOf(tableId: number): BatchBuilder | undefined {
    const known = this.#byTable.get(tableId);
    if (known !== undefined) return known;
    const output = this.#plans.tasks.get(tableId)?.output;
    if (!(output instanceof ViewOutput)) return undefined;
    const fresh = new BatchBuilder(output.relation.schema);
    this.#byTable.set(tableId, fresh);
    return fresh;
  }

  /** Hands the rows gathered so far to their tables. */
  emit(): void {
    for (const [tableId, rows] of this.#byTable) {
      if (rows.length > 0) this.#plans.tasks.get(tableId)?.root.emit(rows.take());
    }
  }
}
