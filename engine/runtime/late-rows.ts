/** Rows that came too late, on their way into their stream's table of late rows with the next epoch. */
import type { RecordBatch } from '../../connectors/connector.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { LATE_COLUMNS } from '../../sql/late-relation.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { ViewOutput } from './output.ts';
import type { PlanSet } from './plan-set.ts';
import type { StreamTask } from './stream-task.ts';

export class LateRows {
  readonly #plans: PlanSet;
  readonly #byTable = new Map<number, BatchBuilder>();

  constructor(plans: PlanSet) {
    this.#plans = plans;
  }

  add(
    tableId: number,
    stream: StreamTask,
    records: RecordBatch,
    record: number,
    watermark: bigint,
  ): void {
    const output = this.#plans.tasks.get(tableId)?.output;
    if (!(output instanceof ViewOutput)) return;
    const { schema } = output.relation;
    let rows = this.#byTable.get(tableId);
    if (rows === undefined) {
      rows = new BatchBuilder(schema);
      this.#byTable.set(tableId, rows);
    }
    const offset = BigInt(records.offsets[record] as number);
    const values = rowOf(stream, schema.length - LATE_COLUMNS, records, record);
    rows.add([...values, records.partition, offset, watermark]);
  }

  /** Hands the rows gathered so far to their tables. */
  emit(): void {
    for (const [tableId, rows] of this.#byTable) {
      if (rows.length > 0) this.#plans.tasks.get(tableId)?.root.emit(rows.take());
    }
  }
}

/** The whole row: its plans may read only some of the columns. Late rows are few, so each is decoded by itself. */
function rowOf(
  stream: StreamTask,
  columns: number,
  records: RecordBatch,
  record: number,
): readonly (Datum | null)[] {
  const decoder = stream.definition.compile(Array.from({ length: columns }, (_, i) => i));
  return decoder.decode(records, record, record + 1).batch.row(0);
}
