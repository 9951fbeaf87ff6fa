/** A restart that finds the records of a stream gone, as after their retention. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { openDuckdbStore } from '../../engine/store/duckdb-store.ts';
import type { Subject } from './both-sides.ts';

const SAVED_WAIT_MS = 60_000;

/** Waits until a restart needs no record of a stream any more. */
export async function stateSaved(subject: Subject): Promise<void> {
  const endMs = performance.now() + SAVED_WAIT_MS;
  while (subject.database.status().operatorState?.unsavedPlans !== 0) {
    assert.ok(performance.now() < endMs, 'the state of all plans is saved in time');
    await wait(20);
  }
}

/**
 * The database is closed, loses all records that it has consumed of a topic of the embedded log, and is opened again.
 * @param folder  the data directory.
 * @param topic   the only one that its streams read.
 */
export async function reopenWithout(
  subject: Subject,
  folder: string,
  topic: string,
): Promise<void> {
  await subject.reopen(async () => {
    const store = await openDuckdbStore({ path: folder, readers: 1 });
    const { positions } = await store.status();
    const ends = new Map<number, number>();
    for (const { partition, offset } of positions) {
      ends.set(partition, Math.max(offset, ends.get(partition) ?? 0));
    }
    for (const [partition, end] of ends) await store.log.trim(topic, partition, end);
    await store.close();
  });
  assertNoneFailed(subject);
}

export function assertNoneFailed(subject: Subject): void {
  for (const { name, state, reason } of subject.database.status().views) {
    assert.notEqual(state, 'failed', `${name}: ${reason}`);
  }
}
