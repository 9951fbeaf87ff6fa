/**
 * Bad records on their way into the topics that their streams name for them, in the commit of the epoch that read them. They
 * are whole, but for the ones that no stream reads for their size: no topic would take those.
 */
import type { RecordBatch } from '../../connectors/connector.ts';
import type { StreamError } from '../../sql/base/error.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { recordErrorRow } from './error-rows.ts';
import { RECORD_ERROR_SCHEMA } from './error-schema.ts';
import { GraphNode } from './graph.ts';
import type { PlanSet } from './plan-set.ts';
import type { PlanFragment } from './plan-task.ts';
import { RECORD_BYTES_MAX } from './scan-cursor.ts';

/** Records that wait in one batch. */
const RECORDS_PER_BATCH_MAX = 1_000;

export class DeadLetters {
  readonly #plans: PlanSet;
  /** By the stream's id: the sink that takes its bad records, and those of the running epoch. */
  readonly #byStream = new Map<number, { readonly sinkId: number; readonly rows: BatchBuilder }>();

  constructor(plans: PlanSet) {
    this.#plans = plans;
  }

  /** @param sinkId  a sink over `deadLetterFragment`; undefined = the stream has none. */
  route(streamId: number, sinkId: number | undefined): void {
    if (sinkId === undefined) this.#byStream.delete(streamId);
    else this.#byStream.set(streamId, { sinkId, rows: new BatchBuilder(RECORD_ERROR_SCHEMA) });
  }

  add(
    streamId: number,
    topic: string,
    records: RecordBatch,
    record: number,
    error: StreamError,
  ): void {
    const route = this.#byStream.get(streamId);
    if (route === undefined) return;
    route.rows.add(recordErrorRow(topic, records, record, error, RECORD_BYTES_MAX));
    if (route.rows.length >= RECORDS_PER_BATCH_MAX) this.#send(route);
  }

  /** Hands the records gathered so far to their sinks. */
  emit(): void {
    for (const route of this.#byStream.values()) if (route.rows.length > 0) this.#send(route);
  }

  #send({ sinkId, rows }: { readonly sinkId: number; readonly rows: BatchBuilder }): void {
    this.#plans.tasks.get(sinkId)?.root.emit(rows.take());
  }
}

/** A plan without operators, which `DeadLetters` feeds with rows of RECORD_ERROR_SCHEMA. */
export function deadLetterFragment(sinkId: number): PlanFragment {
  const root = new GraphNode(`dead letters:${sinkId}`, 'dead letters', undefined, []);
  return { nodes: [root], root, leaves: [], stateless: true };
}
