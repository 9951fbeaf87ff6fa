import type { SqlType } from '../../sql/base/type.ts';
import type { PhysicalWindowCall, WindowArgument } from '../plan/physical-node.ts';
import type { Saved } from '../state/saved.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import type { StoredColumn } from '../state/stored-column.ts';
import type { RangeKey } from './window-frame.ts';
import { Frame } from './window-frame.ts';
import type { OutputColumn, ReportPosition } from './window-output.ts';
import type { Stretch } from './window-stretch.ts';

/**
 * Which rows of a partition a change of one row may give other values: those near it, all from it on, or all. The
 * strongest need of an operator's calls decides what is computed again.
 */
export type Extent = 'near' | 'from-change' | 'partition';

/** How a row sees another one of its partition, so many rows and peer groups away. */
export type Reach = (row: number, other: number, rows: number, groups: number) => boolean;

/** One window call: which rows depend on which, and their values. */
export interface WindowCall {
  readonly extent: Extent;
  /** Whether a row's value may depend on a row behind it; once false with growing distance, it stays so. */
  readonly reachesAhead: Reach;
  /** The same for a row before it. */
  readonly reachesBack: Reach;
  /** Whether the rows from `other` on must be at hand to compute `row` and rows behind it. */
  readonly looksBackAt: Reach;
  readonly output: OutputColumn;
  /** Writes the values of the stretch's rows [from, to) to the output, the first one at `position`. */
  compute(stretch: Stretch, position: number, report: ReportPosition): void;
  /** Drops what is kept to go on from in a partition. */
  forget(partition: number): void;
  bytes(): number;
  /** What is kept to go on from: where equal values print differently, what is made anew may answer another one of them. */
  readonly kept?: Saved | undefined;
}

/** What a call needs of the operator's state. */
export interface CallColumns {
  readonly type: SqlType;
  readonly read: (argument: WindowArgument) => ReadCell;
  readonly stored: (column: number) => StoredColumn;
  /** Where the call's own values are kept. */
  readonly own: StoredColumn;
  readonly rangeKey: RangeKey | undefined;
}

export function frameOf(call: PhysicalWindowCall, columns: CallColumns): Frame {
  return new Frame(call.frame, columns.rangeKey);
}

export function extentOf(frame: Frame): Extent {
  if (frame.toLast) return 'partition';
  return frame.fromFirst ? 'from-change' : 'near';
}

/** How a call reads a frame of rows. */
export function reachesOf(
  frame: Frame,
): Pick<WindowCall, 'reachesAhead' | 'reachesBack' | 'looksBackAt'> {
  return {
    reachesAhead: (row, other, rows, groups) => frame.endReaches(row, other, rows, groups),
    reachesBack: (row, other, rows, groups) => frame.startReaches(row, other, rows, groups),
    looksBackAt: (row, other, rows, groups) => frame.looksBackAt(row, other, rows, groups),
  };
}
