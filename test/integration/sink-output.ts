/** What the tests of sinks share: numbered bids through Kafka, and what must have come out of them. */
import assert from 'node:assert/strict';
import type { ProduceRecord } from '../../connectors/connector.ts';
import type { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import type { TestPostgres } from '../postgres/start-postgres.ts';
import type { ServerProcess } from './server-process.ts';

export const AUCTIONS = 37;

export function bid(id: number): ProduceRecord {
  const value = JSON.stringify({ id, auction: id % AUCTIONS, price: (id * 7919) % 1000 });
  return { key: Buffer.from(String(id % AUCTIONS)), value: Buffer.from(value) };
}

/** Reads a topic whole, as a consumer of committed records, oldest first within a partition. */
export async function committed(log: KafkaLog, topic: string): Promise<ProduceRecord[]> {
  const records: ProduceRecord[] = [];
  for (const [partition, { earliest }] of await log.bounds(topic)) {
    for (const record of await log.read(topic, partition, earliest, 1_000_000)) {
      records.push(record);
    }
  }
  return records;
}

/** Every row of an append-only sink is there once. */
export function checkOnce(ids: readonly number[], total: number): void {
  const seen = new Set(ids);
  assert.equal(ids.length - seen.size, 0, 'rows that came twice');
  assert.equal(total - seen.size, 0, 'rows that are missing');
}

/** The changes of a view: per key each count comes once, in order, and the last is the view's. */
export function checkChanges(
  records: readonly ProduceRecord[],
  view: readonly (readonly unknown[])[],
): void {
  const last = new Map<number, readonly unknown[]>();
  for (const { value } of records) {
    const { auction, bids, total } = JSON.parse(String(value));
    const before = Number(last.get(auction)?.[1] ?? 0);
    assert.ok(bids > before, `auction ${auction}: ${bids} bids after ${before}`);
    last.set(auction, [auction, bids, total]);
  }
  assert.deepEqual([...last.values()].sort(byFirst), [...view].sort(byFirst));
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return Number(a[0]) - Number(b[0]);
}

export async function checkTable(
  postgres: TestPostgres,
  table: string,
  view: readonly (readonly unknown[])[],
): Promise<void> {
  const found = await postgres.rows(`SELECT auction, bids, total FROM ${table}`);
  const expected = view.map((row) => row.map(String));
  assert.deepEqual(found.sort(byFirst), expected.sort(byFirst));
}

export async function tableIds(postgres: TestPostgres, table: string): Promise<number[]> {
  return (await postgres.rows(`SELECT id FROM ${table}`)).map(([id]) => Number(id));
}

export interface SinkRow {
  readonly name: string;
  readonly state: string;
  readonly guarantee: string;
  readonly rows: number;
  readonly delivered: number;
  readonly lag_rows: number;
  readonly lag_bytes: number;
  readonly lag_seconds: number;
  readonly error: string | null;
  readonly error_since: string | null;
}

export async function sinkRows(server: ServerProcess): Promise<SinkRow[]> {
  const [result] = await server.sql('SHOW SINKS');
  const names = (result?.columns ?? []).map((column) => column.name);
  return (result?.rows ?? []).map(
    (row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as unknown as SinkRow,
  );
}

/** Asks until something is so. */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  waitMs = 25_000,
): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `in ${waitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
