import type { TableWriter } from './table-writer.ts';

/** In the order given, which is the same for everybody, so that no two wait for each other. */
export function inTurns<Result>(
  writers: readonly TableWriter[],
  work: () => Promise<Result>,
): Promise<Result> {
  const [first, ...rest] = writers;
  return first === undefined ? work() : first.inTurn(() => inTurns(rest, work));
}
