import type { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Extent, WindowCall } from './window-call.ts';
import { Stretch } from './window-stretch.ts';

/** A partition whose tree holds the changes already. */
export interface ChangedPartition {
  readonly partition: number;
  readonly root: number;
  /** Rows in it. */
  readonly count: number;
  /** Where it has changed, in order, one row a place: the first of equal rows that came, or the last that has gone. */
  readonly marks: readonly number[];
  readonly removed: readonly number[];
}

/** How far a row of a walk is from where the walk began. */
class Distance {
  rows = 0;
  groups = 0;
  #last: number;
  readonly #state: OrderedState;

  constructor(state: OrderedState, from: number) {
    this.#state = state;
    this.#last = from;
  }

  /** Goes on to the next row of the walk. */
  step(row: number): void {
    this.rows++;
    if (this.#state.comparePeers(this.#last, row) !== 0) this.groups++;
    this.#last = row;
  }
}

/**
 * Finds the rows of a partition that changes of some of its rows can give other values, and the rows that these look at.
 * Costs O(log n) a place, and what is visited.
 */
export class RegionFinder {
  readonly #state: OrderedState;
  readonly #calls: readonly WindowCall[];
  readonly #extent: Extent;
  readonly #isFresh: (row: number) => boolean;

  constructor(
    state: OrderedState,
    calls: readonly WindowCall[],
    isFresh: (row: number) => boolean,
  ) {
    this.#state = state;
    this.#calls = calls;
    this.#extent = strongest(calls);
    this.#isFresh = isFresh;
  }

  /** Calls `compute` for stretches that have no row to compute in common. */
  find(changed: ChangedPartition, compute: (stretch: Stretch) => void): void {
    if (changed.marks.length === 0) return;
    if (this.#extent === 'partition') {
      const rows: number[] = [];
      this.#walk(changed.root, (row) => {
        rows.push(row);
        return true;
      });
      compute(this.#stretch(changed, [], rows, [], true));
      return;
    }
    let end = NONE;
    for (let m = 0; m < changed.marks.length; ) {
      const region = this.#backRegion(changed, m, end);
      const after: number[] = [];
      m = this.#forwardRegion(changed, m, region, after);
      const first = region[0];
      if (first === undefined && this.#extent === 'near') continue;
      const before = first === undefined ? [] : this.#context(changed.root, first);
      compute(this.#stretch(changed, before, region, after, false));
      end = region.at(-1) ?? end;
    }
  }

  #stretch(
    changed: ChangedPartition,
    before: readonly number[],
    region: readonly number[],
    after: readonly number[],
    isWhole: boolean,
  ): Stretch {
    const rows = [...before, ...region, ...after];
    const [first] = rows;
    return new Stretch({
      partition: changed.partition,
      rows,
      from: before.length,
      to: before.length + region.length,
      base: changed.count - rows.length,
      isWhole,
      removed: changed.removed,
      isFresh: this.#isFresh,
      walkHead: (visit) => this.#walk(changed.root, (row) => (row === first ? false : visit(row))),
      comparePeers: this.#state.comparePeers,
    });
  }

  /**
   * The rows before the m-th change that see it, and rows that came there as copies of one another, in order.
   * @param end  the last row of the region before, where this one has to begin behind.
   */
  #backRegion(changed: ChangedPartition, m: number, end: number): number[] {
    const mark = changed.marks[m] as number;
    const fresh: number[] = [];
    const seeing: number[] = [];
    const distance = new Distance(this.#state, mark);
    this.#walkBack(changed.root, mark, (row) => {
      if (row === end) return false;
      if (this.#isFresh(row)) {
        fresh.push(row);
        return true;
      }
      distance.step(row);
      const { rows, groups } = distance;
      if (!this.#calls.some((call) => call.reachesAhead(row, mark, rows, groups))) return false;
      seeing.push(row);
      return true;
    });
    return [...seeing.reverse(), ...fresh.reverse()];
  }

  /**
   * Adds to the region the rows behind the m-th change that see it, or a later change on the way, and to `after` those
   * that the region's last rows look at.
   * @returns the first change that is behind the region.
   */
  #forwardRegion(changed: ChangedPartition, m: number, region: number[], after: number[]): number {
    const { marks, root } = changed;
    let mark = marks[m] as number;
    let next = m + 1;
    let distance = new Distance(this.#state, mark);
    let last = NONE;
    const isAll = this.#extent === 'from-change';
    this.#walkAfter(root, mark, (row) => {
      if (last !== NONE) return this.#collectAhead(row, last, distance, after);
      if (isAll) {
        region.push(row);
        return true;
      }
      for (; next < marks.length; next++) {
        const candidate = marks[next] as number;
        // Rows equal to the changed one stand before it.
        if (candidate !== row && this.#state.compare(candidate, row) >= 0) break;
        mark = candidate;
        distance = new Distance(this.#state, mark);
      }
      if (this.#isFresh(row)) {
        mark = row;
        distance = new Distance(this.#state, mark);
        region.push(row);
        return true;
      }
      distance.step(row);
      const { rows, groups } = distance;
      if (this.#calls.some((call) => call.reachesBack(row, mark, rows, groups))) {
        region.push(row);
        return true;
      }
      last = region.at(-1) ?? NONE;
      if (last === NONE) return false;
      distance = new Distance(this.#state, last);
      return this.#collectAhead(row, last, distance, after);
    });
    return isAll ? marks.length : next;
  }

  #collectAhead(row: number, last: number, distance: Distance, after: number[]): boolean {
    distance.step(row);
    const { rows, groups } = distance;
    if (!this.#calls.some((call) => call.reachesAhead(last, row, rows, groups))) return false;
    after.push(row);
    return true;
  }

  /** The rows before `first` that it and the rows behind it look at, and one more, in order. */
  #context(root: number, first: number): number[] {
    const context: number[] = [];
    let isBefore = false;
    let base = NONE;
    let distance = new Distance(this.#state, first);
    this.#walkBack(root, first, (row) => {
      if (!isBefore) {
        isBefore = row === first;
        return true;
      }
      context.push(row);
      if (base === NONE) {
        base = row;
        distance = new Distance(this.#state, base);
        return true;
      }
      distance.step(row);
      const { rows, groups } = distance;
      return this.#calls.some((call) => call.looksBackAt(base, row, rows, groups));
    });
    return context.reverse();
  }

  #walk(root: number, visit: (row: number) => boolean): void {
    this.#state.walk(root, (row) => this.#state.weights.get(row) < 0 || visit(row));
  }

  #walkBack(root: number, from: number, visit: (row: number) => boolean): void {
    this.#state.walkBack(
      root,
      (at) => this.#state.compare(from, at) >= 0,
      (row) => this.#state.weights.get(row) < 0 || visit(row),
    );
  }

  #walkAfter(root: number, from: number, visit: (row: number) => boolean): void {
    this.#state.walkFrom(
      root,
      (at) => this.#state.compare(from, at) < 0,
      (row) => this.#state.weights.get(row) < 0 || visit(row),
    );
  }
}

function strongest(calls: readonly WindowCall[]): Extent {
  const extents = calls.map((call) => call.extent);
  if (extents.includes('partition')) return 'partition';
  return extents.includes('from-change') ? 'from-change' : 'near';
}
