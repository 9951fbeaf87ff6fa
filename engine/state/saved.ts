import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/** What can be written between two epochs and read back into a new instance of the same making. */
export interface Saved {
  save(to: StateWriter): void;
  /** Into an instance as its constructor left it. @throws StreamError STATE_DAMAGED for bytes that are not its own. */
  load(from: StateReader): void;
}

export function saveAll(parts: readonly Saved[], to: StateWriter): void {
  for (const part of parts) part.save(to);
}

export function loadAll(parts: readonly Saved[], from: StateReader): void {
  for (const part of parts) part.load(from);
}
