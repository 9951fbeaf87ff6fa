/** ON ERROR of a stream: what happens to a record that is no row of it. */
import type { ProduceRecord } from '../connectors/connector.ts';
import type { Batch } from '../engine/delta/batch.ts';
import { deadLetterFragment } from '../engine/runtime/dead-letters.ts';
import { RECORD_ERROR } from '../engine/runtime/error-schema.ts';
import type { SinkDefinition } from '../engine/runtime/plan-task.ts';
import { headersOf } from '../engine/runtime/replay-batch.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { OUTBOX_BYTES_MAX_DEFAULT } from './sink-definition.ts';

export type ErrorPolicy =
  /** It goes to the error relation. */
  | { readonly kind: 'skip' }
  /** The stream stops at it. */
  | { readonly kind: 'fail' }
  /** It goes to the error relation and, whole, to a topic. */
  | { readonly kind: 'dlq'; readonly topic: string };

/** @throws StreamError SQL_INVALID_OPTION. */
export function errorPolicy(options: ReadonlyMap<string, string>): ErrorPolicy {
  const text = options.get('on_error')?.toLowerCase();
  const topic = options.get('dlq_topic');
  switch (text) {
    case 'dlq':
      if (topic === undefined || topic === '') {
        throw new StreamError('SQL_INVALID_OPTION', "on_error = 'dlq' needs a topic", {
          hint: "Add dlq_topic = '…', or write ON ERROR DLQ '…'.",
        });
      }
      return { kind: 'dlq', topic };
    case 'fail':
      return { kind: 'fail' };
    case undefined:
    case 'skip':
      return { kind: 'skip' };
    default:
      throw new StreamError('SQL_INVALID_OPTION', `invalid value for "on_error": "${text}"`, {
        hint: "It is 'skip', 'fail' or 'dlq'.",
      });
  }
}

export interface DeadLetterSink extends SinkDefinition {
  /** Bad records go there now. */
  readonly receives: boolean;
}

/**
 * The sink of a stream's bad records; undefined when the stream names no topic for them. It is there under any policy, for
 * what an earlier one has left in the outbox.
 * @throws StreamError SQL_INVALID_OPTION.
 */
export function deadLetterSink(
  core: Core,
  stream: SourceRelation,
  id: number,
): DeadLetterSink | undefined {
  if (stream.input === undefined) return undefined;
  const { kind } = errorPolicy(stream.input.options);
  const topic = stream.input.options.get('dlq_topic');
  if (topic === undefined) return undefined;
  if (topic === stream.input.topic) {
    throw new StreamError('SQL_INVALID_OPTION', 'bad records cannot go back to their own topic');
  }
  const type = core.connectors.log(stream.input.connector)?.type ?? core.defaultLog.type;
  const options = new Map([['topic', topic]]);
  const connector = core.connectors.sink(type);
  connector.validate(options, [], [], true);
  const identity = { id, name: `millrace-${core.identity}-${id}` };
  return {
    receives: kind === 'dlq',
    id,
    name: `${stream.name} (dead letters)`,
    fragment: deadLetterFragment(id),
    failures: { tableId: undefined, report: () => {} },
    delivery: {
      guarantee: connector.guarantee(options, []),
      outboxBytesMax: OUTBOX_BYTES_MAX_DEFAULT,
      encode: (batches) => batches.flatMap((batch) => letters(stream.name, batch)),
      open: () => connector.open(options, [], [], identity),
    },
  };
}

function letters(stream: string, batch: Batch): ProduceRecord[] {
  return Array.from({ length: batch.length }, (_, i) => letter(stream, batch.row(i)));
}

/** The record as it came, with headers that say where it was and what is wrong with it. */
function letter(stream: string, row: Row): ProduceRecord {
  const timestamp = row[RECORD_ERROR.timestamp];
  const about = {
    stream,
    topic: row[RECORD_ERROR.topic],
    partition: row[RECORD_ERROR.partition],
    offset: row[RECORD_ERROR.offset],
    sqlstate: row[RECORD_ERROR.sqlstate],
    reason: row[RECORD_ERROR.reason],
    ...(row[RECORD_ERROR.cut] === true ? { cut: true } : {}),
  };
  return {
    key: bytesAt(row, RECORD_ERROR.key),
    value: bytesAt(row, RECORD_ERROR.raw),
    timestampMs: typeof timestamp === 'bigint' ? Number(timestamp / 1000n) : undefined,
    headers: [
      ...headersOf(row),
      ...Object.entries(about).map(([name, value]) => ({
        key: `millrace.${name}`,
        value: Buffer.from(String(value)),
      })),
    ],
  };
}

function bytesAt(row: Row, column: number): Buffer | null {
  const value = row[column];
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}
