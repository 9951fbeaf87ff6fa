/** A restart in miniature: what an operator keeps is written, read into a new one, and both go on alike. */
import assert from 'node:assert/strict';
import type { Batch } from '../../engine/delta/batch.ts';
import type { Operator } from '../../engine/operator/operator.ts';
import { loadAll, saveAll } from '../../engine/state/saved.ts';
import { StateReader } from '../../engine/state/state-reader.ts';
import { StateWriter } from '../../engine/state/state-writer.ts';

export function savedBytes(operator: Operator): Buffer {
  const writer = new StateWriter();
  saveAll(operator.savedParts(), writer);
  return Buffer.concat(writer.blocks());
}

/** `fresh` with the state of `operator`, which is between two epochs. */
export function restarted(operator: Operator, fresh: Operator): Operator {
  const bytes = savedBytes(operator);
  // Blocks of 13 bytes: whatever is read lies across their borders somewhere.
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 13) blocks.push(bytes.subarray(at, at + 13));
  const reader = StateReader.of(blocks);
  loadAll(fresh.savedParts(), reader);
  assert.ok(reader.isAtEnd, 'everything that was saved is loaded');
  assert.ok(savedBytes(fresh).equals(bytes), 'what was loaded is saved as the same bytes');
  assert.equal(fresh.stateEntries(), operator.stateEntries());
  return fresh;
}

/** Batches as plain data: rows in order with their weights. */
export function emission(batches: readonly Batch[]): unknown {
  return batches.map((batch) =>
    Array.from({ length: batch.length }, (_, row) => [batch.weight(row), ...batch.row(row)]),
  );
}
