/** ksqlDB's `PRINT topic [FROM BEGINNING] [LIMIT n]`: a topic's records as they are, and then as they come. */
import { setTimeout as wait } from 'node:timers/promises';
import type { StoredRecord, TopicLog } from '../connectors/connector.ts';
import type { Statement } from '../sql/ast-statement.ts';
import type { Row } from '../sql/base/datum.ts';
import type { Schema } from '../sql/base/type.ts';
import type { Core } from './core.ts';
import type { StatementResult, SubscriptionEvent } from './database.ts';
import { BIGINT, INTEGER, TEXT, TIMESTAMPTZ } from './row-result.ts';
import { logWith } from './topic-log.ts';

/** Between two looks at a topic that had nothing new. */
const LOOK_EVERY_MS = 100;
/** Records of one read of one partition. */
const RECORDS_A_READ = 500;

const COLUMNS: Schema = [
  { name: 'rowtime', type: TIMESTAMPTZ, nullable: false },
  { name: 'key', type: TEXT, nullable: true },
  { name: 'value', type: TEXT, nullable: true },
  { name: 'partition', type: INTEGER, nullable: false },
  { name: 'offset', type: BIGINT, nullable: false },
];

/**
 * Rows when there is a limit, which end with it; else a subscription that goes on.
 * @throws StreamError SOURCE_UNKNOWN_TOPIC.
 */
export async function printTopic(
  core: Core,
  { topic, fromBeginning, limit, span }: Statement & { readonly kind: 'print' },
  signal: AbortSignal,
): Promise<StatementResult> {
  const hint = 'SHOW TOPICS lists those that are there.';
  const log = await logWith(core, topic, { at: span, hint });
  const bounds = await log.bounds(topic);
  const from = new Map(
    [...bounds].map(([partition, { earliest, end }]) => [
      partition,
      fromBeginning ? earliest : end,
    ]),
  );
  if (limit !== undefined) {
    const chunks = limited(recordsOf(log, topic, from, signal), limit, signal);
    return { kind: 'rows', tag: 'PRINT', schema: COLUMNS, chunks };
  }
  const closed = new AbortController();
  const events = async function* (): AsyncGenerator<SubscriptionEvent> {
    yield { kind: 'snapshot', version: 0, rows: [], last: true };
    let version = 0;
    const until = AbortSignal.any([signal, closed.signal]);
    for await (const rows of recordsOf(log, topic, from, until)) {
      const changes = rows.map((row) => ({ op: 'insert', row }) as const);
      yield { kind: 'changes', version: ++version, changes };
    }
  };
  const subscription = { schema: COLUMNS, events: events(), close: () => closed.abort() };
  return { kind: 'subscription', subscription };
}

/** The records behind the offsets, in the order of each partition, until `signal`. */
async function* recordsOf(
  log: TopicLog,
  topic: string,
  from: Map<number, number>,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  while (!signal.aborted) {
    let isIdle = true;
    for (const [partition, offset] of from) {
      const records = await log.read(topic, partition, offset, RECORDS_A_READ);
      const last = records.at(-1);
      if (last === undefined) continue;
      isIdle = false;
      from.set(partition, last.offset + 1);
      yield records.map(rowOf);
    }
    // Cut short by `signal`, which the loop sees next.
    if (isIdle) await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

async function* limited(
  chunks: AsyncIterable<Row[]>,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  let left = limit;
  if (left <= 0) return;
  for await (const rows of chunks) {
    yield rows.slice(0, left);
    left -= rows.length;
    if (left <= 0) return;
  }
  signal.throwIfAborted();
}

function rowOf({ timestampMs, key, value, partition, offset }: StoredRecord): Row {
  const micros = BigInt(Math.round(timestampMs)) * 1000n;
  return [micros, textOf(key), textOf(value), partition, BigInt(offset)];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes that are no UTF-8 as PostgreSQL prints bytea. */
function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return `\\x${bytes.toString('hex')}`;
  }
}
