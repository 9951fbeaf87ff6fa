/** Helpers that read a SourceReader to some point, for tests. */
import assert from 'node:assert/strict';
import type { SourceReader, StoredRecord } from '../../connectors/connector.ts';
import { storedRecord } from '../../connectors/record-batch.ts';

/** Reads until `count` records have come; fails after `timeoutMs`. Checks order within partitions. */
export async function readRecords(
  reader: SourceReader,
  count: number,
  timeoutMs = 20_000,
  bytesMax = 4 * 1024 * 1024,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  const last = new Map<number, number>();
  const deadline = Date.now() + timeoutMs;
  while (records.length < count) {
    const readable = nextReadable(reader);
    const batches = reader.poll(bytesMax);
    for (const batch of batches) {
      for (let r = 0; r < batch.length; r++) {
        const record = storedRecord(batch, r);
        const before = last.get(record.partition) ?? -1;
        assert.ok(record.offset > before, `offset ${record.offset} comes after ${before}`);
        last.set(record.partition, record.offset);
        records.push(record);
      }
    }
    if (records.length >= count) break;
    if (batches.length > 0) continue;
    const leftMs = deadline - Date.now();
    const fault = reader.fault();
    assert.ok(leftMs > 0, `${records.length} of ${count} records, fault ${fault?.message}`);
    // The timer catches a source that forgets to announce: such a read takes visibly long.
    await Promise.race([readable, sleep(Math.min(leftMs, 1000))]);
  }
  return records;
}

export function nextReadable(reader: SourceReader): Promise<void> {
  return new Promise((resolve) => {
    reader.onReadable(() => resolve());
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export function values(records: readonly StoredRecord[]): (string | null)[] {
  return records.map((record) => record.value?.toString() ?? null);
}
