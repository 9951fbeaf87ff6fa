/** Failures on their way into the error relations with the next epoch: records of streams, and rows of plans. */
import type { RecordBatch } from '../../connectors/connector.ts';
import type { Row } from '../../sql/base/datum.ts';
import type { StreamError } from '../../sql/base/error.ts';
import type { Store, StoredRelation } from '../store/store.ts';
import { RECORD_ERROR } from './error-schema.ts';
import { ErrorTable } from './error-table.ts';
import type { FailureTap, GraphNode } from './graph.ts';
import type { PlanSet } from './plan-set.ts';
import type { FailureDefinition, PlanTask } from './plan-task.ts';
import { RecordPlaces } from './record-place.ts';
import { errorRowOf, shortened } from './row-failure.ts';

/** Bytes that an error row keeps of a record's value, of its key, and of all its headers. */
export const ERROR_RECORD_BYTES_MAX = 64 * 1024;

export class ErrorRows {
  readonly places = new RecordPlaces();
  readonly #plans: PlanSet;
  readonly #tables = new Map<number, ErrorTable>();

  readonly #evicted: ReadonlyMap<number, number>;

  /** @param evicted  per relation, the failures that it counted and no longer held at the last commit. */
  constructor(plans: PlanSet, evicted: ReadonlyMap<number, number>) {
    this.#plans = plans;
    this.#evicted = evicted;
  }

  addTable(stored: StoredRelation): void {
    this.#tables.set(stored.id, new ErrorTable(stored, this.#evicted.get(stored.id) ?? 0));
  }

  table(id: number): ErrorTable | undefined {
    return this.#tables.get(id);
  }

  remove(id: number): void {
    this.#tables.delete(id);
  }

  /** After a restart: what the relations hold. */
  async load(store: Store): Promise<void> {
    for (const table of this.#tables.values()) {
      for await (const batch of store.scan(table.stored)) table.restore(batch);
    }
  }

  /** A record that is no row of its stream. */
  addRecord(
    tableId: number,
    topic: string,
    records: RecordBatch,
    record: number,
    error: StreamError,
  ): void {
    this.#tables.get(tableId)?.add(recordErrorRow(topic, records, record, error), 1);
  }

  /** Offsets in [first, last] of the records that the relation holds. */
  refused(tableId: number, partition: number, first: number, last: number): ReadonlySet<number> {
    const offsets = new Set<number>();
    for (const row of this.#tables.get(tableId)?.rows() ?? []) {
      const offset = Number(row[RECORD_ERROR.offset]);
      if (row[RECORD_ERROR.partition] !== partition || offset < first || offset > last) continue;
      offsets.add(offset);
    }
    return offsets;
  }

  /** Rows that fail in the plan's operators go to its error relation, unless a replay only repeats them. */
  follow(task: PlanTask, nodes: readonly GraphNode[], definition: FailureDefinition): void {
    const { tableId, report } = definition;
    const table = tableId === undefined ? undefined : this.#tables.get(tableId);
    const tap: FailureTap = (failure) => {
      if (task.output.muted) return;
      if (failure.weight > 0) failures.total += failure.weight;
      report(failure);
      const place = this.places.of(failure.batch, failure.row);
      table?.add(errorRowOf(failure, place), failure.weight);
    };
    const failures = { tableId, tap, total: 0 };
    task.failures = failures;
    for (const node of nodes) node.addFailureTap(tap);
  }

  /** The plan computes everything anew. */
  restart(task: PlanTask): void {
    const id = task.failures?.tableId;
    if (id !== undefined) this.#tables.get(id)?.clear();
  }

  /** Hands the changes gathered so far to the relations; true when there were any. */
  emit(): boolean {
    let any = false;
    for (const [id, table] of this.#tables) {
      const batch = table.drain();
      if (batch === undefined) continue;
      any = true;
      this.#plans.tasks.get(id)?.root.emit(batch);
    }
    return any;
  }

  /** Eviction counts that the next commit has to hold; undefined when none has changed. */
  takeEvicted(): ReadonlyMap<number, number> | undefined {
    const changed = new Map<number, number>();
    for (const [id, table] of this.#tables) {
      const count = table.takeEvicted();
      if (count !== undefined) changed.set(id, count);
    }
    return changed.size === 0 ? undefined : changed;
  }
}

/**
 * In the columns of RECORD_ERROR_SCHEMA.
 * @param bytesMax  kept of the value, of the key, and of all headers together.
 */
export function recordErrorRow(
  topic: string,
  records: RecordBatch,
  record: number,
  error: StreamError,
  bytesMax = ERROR_RECORD_BYTES_MAX,
): Row {
  let cut = false;
  const part = (starts: Int32Array, lengths: Int32Array): Uint8Array | null => {
    const length = lengths[record] as number;
    if (length < 0) return null;
    const start = starts[record] as number;
    if (length > bytesMax) cut = true;
    const end = start + Math.min(length, bytesMax);
    return Uint8Array.from(records.bytes.subarray(start, end));
  };
  const { keyStarts, keyLengths } = records;
  const raw = part(records.valueStarts, records.valueLengths);
  const key =
    keyStarts === undefined || keyLengths === undefined ? null : part(keyStarts, keyLengths);
  const headers: Row[] = [];
  let room = bytesMax;
  for (const header of records.headers?.(record) ?? []) {
    room -= header.key.length + (header.value?.length ?? 0);
    if (room < 0) {
      cut = true;
      break;
    }
    headers.push([header.key, header.value === null ? null : Uint8Array.from(header.value)]);
  }
  return [
    topic,
    records.partition,
    BigInt(records.offsets[record] as number),
    BigInt(Math.round(records.timestampsMs[record] as number)) * 1000n,
    error.sqlstate,
    shortened(error.message),
    raw,
    key,
    headers.length === 0 ? null : headers,
    cut,
  ];
}
