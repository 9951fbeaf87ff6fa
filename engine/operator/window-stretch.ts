import type { CompareRows } from '../state/row-order.ts';

/**
 * Neighbouring rows of one partition, of which those in [from, to) are to be computed. The others are what these
 * look at: the stretch reaches to the partition's ends, or one row further back than any frame of its rows, except for
 * frames that begin at the partition's first row.
 */
export class Stretch {
  readonly partition: number;
  /** Row numbers of the state, in order. */
  readonly rows: readonly number[];
  readonly from: number;
  readonly to: number;
  /** How many rows of the partition come before the stretch; meaningless where no call asks for it. */
  readonly base: number;
  /** The stretch is the partition, all of which is computed anew. */
  readonly isWhole: boolean;
  /** Rows that have gone from the partition since it was last computed; their cells are still there. */
  readonly removed: readonly number[];
  readonly isFresh: (row: number) => boolean;
  /** Visits the rows before the stretch, in order, until `visit` answers false. */
  readonly walkHead: (visit: (row: number) => boolean) => void;
  readonly #comparePeers: CompareRows;
  #groupOf: Int32Array | undefined;
  readonly #groupStarts: number[] = [];

  constructor(facts: {
    readonly partition: number;
    readonly rows: readonly number[];
    readonly from: number;
    readonly to: number;
    readonly base: number;
    readonly isWhole: boolean;
    readonly removed: readonly number[];
    readonly isFresh: (row: number) => boolean;
    readonly walkHead: (visit: (row: number) => boolean) => void;
    readonly comparePeers: CompareRows;
  }) {
    this.partition = facts.partition;
    this.rows = facts.rows;
    this.from = facts.from;
    this.to = facts.to;
    this.base = facts.base;
    this.isWhole = facts.isWhole;
    this.removed = facts.removed;
    this.isFresh = facts.isFresh;
    this.walkHead = facts.walkHead;
    this.#comparePeers = facts.comparePeers;
  }

  get length(): number {
    return this.rows.length;
  }

  rowAt(index: number): number {
    return this.rows[index] as number;
  }

  /** Whether a row sorts equal to the one before it, which must be in the stretch. */
  isPeerOfPrevious(index: number): boolean {
    return this.#comparePeers(this.rowAt(index - 1), this.rowAt(index)) === 0;
  }

  /** The number of a row's peer group, counted from the stretch's first row. */
  groupOf(index: number): number {
    this.#groupOf ??= this.#findGroups();
    return this.#groupOf[index] as number;
  }

  /** Where a group begins; the stretch's end for groups behind it. */
  groupStart(group: number): number {
    this.#groupOf ??= this.#findGroups();
    return this.#groupStarts[group] ?? this.length;
  }

  #findGroups(): Int32Array {
    const groupOf = new Int32Array(this.length);
    for (let index = 0; index < this.length; index++) {
      if (index === 0 || !this.isPeerOfPrevious(index)) this.#groupStarts.push(index);
      groupOf[index] = this.#groupStarts.length - 1;
    }
    return groupOf;
  }
}
