import { type ErrorCode, StreamError } from '../../sql/base/error.ts';
import type { Saved } from '../state/saved.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';

/** Why rows of the state fail, by row: as much of an error as tells it from others and is shown to people. */
export function saveErrors(errors: ReadonlyMap<number, StreamError>, to: StateWriter): void {
  to.number(errors.size);
  for (const [row, { code, message, hint, detail }] of errors) {
    to.number(row);
    to.data([code, message, hint ?? null, detail ?? null]);
  }
}

export function savedErrors(errors: Map<number, StreamError>): Saved {
  return { save: (to) => saveErrors(errors, to), load: (from) => loadErrors(errors, from) };
}

export function loadErrors(errors: Map<number, StreamError>, from: StateReader): void {
  for (let left = from.number(); left > 0; left--) {
    const row = from.number();
    const [code, message, hint, detail] = from.data() as readonly (string | null)[];
    const context = { hint: hint ?? undefined, detail: detail ?? undefined };
    errors.set(row, new StreamError(code as ErrorCode, message ?? '', context));
  }
}
