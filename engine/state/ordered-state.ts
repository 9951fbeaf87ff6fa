import type { SqlType } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type Physical, physicalOf } from '../delta/column.ts';
import {
  type CompareRows,
  inTurn,
  orderBy,
  orderExactly,
  type RowOrderColumn,
} from './row-order.ts';
import { NONE, RowStore } from './row-store.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
import { borrowRows, returnRows } from './scratch.ts';
import { Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/**
 * Weighted rows in order, in any number of separate trees: treaps (Seidel and Aragon, "Randomized Search Trees",
 * Algorithmica 16, 1996) over row numbers. A row's priority is a bijective mix of its number, so that no two rows
 * share one and no randomness is needed. The owner keeps the roots: NONE is the empty tree.
 */
export class OrderedState implements Saved {
  readonly rows: RowStore;
  readonly weights = Segments.int32();
  /** By the ORDER BY columns alone; 0 = peers. */
  readonly comparePeers: CompareRows;
  /** The order of the trees; 0 = rows that print alike. */
  readonly compare: CompareRows;
  readonly #left = Segments.int32();
  readonly #right = Segments.int32();
  readonly #path: number[] = [];
  /** Rows that left their tree and are still readable, until `releaseRetired`. */
  readonly #retired: number[] = [];

  /** @param payload  further columns of a row, which the owner fills and the order does not see. */
  constructor(
    types: readonly SqlType[],
    order: readonly RowOrderColumn[],
    payload: readonly Physical[] = [],
  ) {
    this.rows = new RowStore([...types.map(physicalOf), ...payload]);
    const columns = this.rows.columns.slice(0, types.length);
    this.comparePeers = orderBy(columns, types, order);
    this.compare = inTurn([this.comparePeers, orderExactly(columns, types)]);
  }

  get count(): number {
    return this.rows.count;
  }

  /** Call after rows were allocated and before they are added. */
  ensure(): void {
    const { end } = this.rows;
    this.weights.ensure(end);
    this.#left.ensure(end);
    this.#right.ensure(end);
  }

  /**
   * Adds `weight` copies of a stored row that is in no tree. When an equal row is in the tree its weight changes
   * instead, and the given row is released; a row of weight 0 leaves the tree and is retired.
   * @returns the new root.
   */
  add(root: number, row: number, weight: number): number {
    const path = this.#path;
    let depth = 0;
    let at = root;
    let order = 0;
    while (at !== NONE) {
      order = this.compare(row, at);
      if (order === 0) {
        this.rows.release(row);
        return this.#addWeight(root, at, weight, depth);
      }
      path[depth++] = at;
      at = order < 0 ? this.#left.get(at) : this.#right.get(at);
    }
    return this.#hang(root, row, weight, depth, order < 0);
  }

  /**
   * Adds the weighted rows of a batch; those whose weight comes to 0 leave the tree and are released.
   * @param seen  is shown each row, and its place in the batch, before it is added.
   * @returns the new root.
   */
  addBatch(root: number, batch: Batch, seen?: (row: number, index: number) => void): number {
    const { length } = batch;
    const from = borrowRows(length);
    const to = borrowRows(length);
    for (let row = 0; row < length; row++) {
      from[row] = row;
      to[row] = this.rows.allocate();
    }
    this.ensure();
    this.rows.put(batch.columns, from, to, length);
    let top = root;
    for (let row = 0; row < length; row++) {
      const stored = to[row] as number;
      seen?.(stored, row);
      top = this.add(top, stored, batch.weight(row));
    }
    this.releaseRetired();
    returnRows(to);
    returnRows(from);
    return top;
  }

  /** Adds a row that is in no tree behind the rows equal to it, as a row of its own. @returns the new root. */
  insert(root: number, row: number, weight: number): number {
    const path = this.#path;
    let depth = 0;
    let at = root;
    let isLeft = false;
    while (at !== NONE) {
      isLeft = this.compare(row, at) < 0;
      path[depth++] = at;
      at = isLeft ? this.#left.get(at) : this.#right.get(at);
    }
    return this.#hang(root, row, weight, depth, isLeft);
  }

  /** The last row of a tree that equals a stored row in the tree or in none; NONE = there is none. */
  lastEqual(root: number, row: number): number {
    let found = NONE;
    let at = root;
    while (at !== NONE) {
      const order = this.compare(row, at);
      if (order === 0) found = at;
      at = order < 0 ? this.#left.get(at) : this.#right.get(at);
    }
    return found;
  }

  /** Takes the row that `lastEqual` finds out of the tree, and retires it. @returns the new root. */
  removeLastEqual(root: number, row: number): number {
    const path = this.#path;
    let depth = 0;
    let found = NONE;
    let foundDepth = 0;
    let at = root;
    while (at !== NONE) {
      const order = this.compare(row, at);
      if (order === 0) {
        found = at;
        foundDepth = depth;
      }
      path[depth++] = at;
      at = order < 0 ? this.#left.get(at) : this.#right.get(at);
    }
    return found === NONE ? root : this.#unlink(root, found, foundDepth);
  }

  /** The first row of a tree, or NONE. */
  first(root: number): number {
    return this.#end(root, this.#left);
  }

  /** The last row of a tree, or NONE. */
  last(root: number): number {
    return this.#end(root, this.#right);
  }

  /** Visits rows in order until `visit` answers false. */
  walk(root: number, visit: (row: number) => boolean): void {
    const stack: number[] = [];
    let at = root;
    while (at !== NONE || stack.length > 0) {
      while (at !== NONE) {
        stack.push(at);
        at = this.#left.get(at);
      }
      at = stack.pop() as number;
      if (!visit(at)) return;
      at = this.#right.get(at);
    }
  }

  /** Visits rows in order, from the first one for which `isReached` holds, until `visit` answers false; it holds for all behind. */
  walkFrom(
    root: number,
    isReached: (row: number) => boolean,
    visit: (row: number) => boolean,
  ): void {
    this.#walkFrom(root, isReached, visit, this.#left, this.#right);
  }

  /** The same in reverse order: from the last row for which `isReached` holds; it holds for all before. */
  walkBack(
    root: number,
    isReached: (row: number) => boolean,
    visit: (row: number) => boolean,
  ): void {
    this.#walkFrom(root, isReached, visit, this.#right, this.#left);
  }

  #walkFrom(
    root: number,
    isReached: (row: number) => boolean,
    visit: (row: number) => boolean,
    near: Segments<Int32Array>,
    far: Segments<Int32Array>,
  ): void {
    const stack: number[] = [];
    for (let at = root; at !== NONE; ) {
      if (isReached(at)) {
        stack.push(at);
        at = near.get(at);
      } else at = far.get(at);
    }
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      if (!visit(row)) return;
      for (let at = far.get(row); at !== NONE; at = near.get(at)) stack.push(at);
    }
  }

  /** Rows that have left their tree since the last `releaseRetired`. */
  get retired(): readonly number[] {
    return this.#retired;
  }

  /** Takes the last row out of a tree that has one, and retires it. @returns the new root. */
  removeLast(root: number): number {
    let parent = NONE;
    let at = root;
    for (let next = this.#right.get(at); next !== NONE; next = this.#right.get(at)) {
      parent = at;
      at = next;
    }
    const rest = this.#left.get(at);
    this.#retired.push(at);
    if (parent === NONE) return rest;
    this.#right.set(parent, rest);
    return root;
  }

  /** Retires a whole tree. */
  clear(root: number): void {
    this.walk(root, (row) => {
      this.#retired.push(row);
      return true;
    });
  }

  /** Gives the numbers of retired rows free. */
  releaseRetired(): void {
    for (const row of this.#retired) this.rows.release(row);
    this.#retired.length = 0;
    this.rows.compact();
  }

  /** Whether a stored row that is in no tree would come after all rows of a tree. */
  isBehind(root: number, row: number): boolean {
    return root !== NONE && this.compare(row, this.last(root)) > 0;
  }

  bytes(): number {
    return this.rows.bytes() + this.weights.bytes + this.#left.bytes + this.#right.bytes;
  }

  save(to: StateWriter): void {
    to.data(this.#retired);
    saveAll([this.rows, this.weights, this.#left, this.#right], to);
  }

  load(from: StateReader): void {
    for (const row of from.data()) this.#retired.push(row as number);
    loadAll([this.rows, this.weights, this.#left, this.#right], from);
  }

  #addWeight(root: number, row: number, weight: number, depth: number): number {
    const sum = this.weights.get(row) + weight;
    this.weights.set(row, sum);
    return sum === 0 ? this.#unlink(root, row, depth) : root;
  }

  /** Links a new leaf below the last of `depth` rows of the path. @returns the new root. */
  #hang(root: number, row: number, weight: number, depth: number, isLeft: boolean): number {
    this.weights.set(row, weight);
    this.#left.set(row, NONE);
    this.#right.set(row, NONE);
    if (depth === 0) return row;
    this.#relink(this.#path[depth - 1] as number, isLeft, row);
    return this.#rise(root, row, depth);
  }

  /** Takes a row out that stands below `depth` rows of the path, and retires it. @returns the new root. */
  #unlink(root: number, row: number, depth: number): number {
    const rest = this.#merge(this.#left.get(row), this.#right.get(row));
    this.#retired.push(row);
    if (depth === 0) return rest;
    const parent = this.#path[depth - 1] as number;
    this.#relink(parent, this.#left.get(parent) === row, rest);
    return root;
  }

  /** Rotates a new leaf up while its priority is above its parent's. */
  #rise(root: number, row: number, leafDepth: number): number {
    const path = this.#path;
    let depth = leafDepth;
    while (depth > 0) {
      const parent = path[depth - 1] as number;
      if (priority(parent) > priority(row)) return root;
      if (this.#left.get(parent) === row) {
        this.#left.set(parent, this.#right.get(row));
        this.#right.set(row, parent);
      } else {
        this.#right.set(parent, this.#left.get(row));
        this.#left.set(row, parent);
      }
      depth--;
      if (depth === 0) return row;
      const above = path[depth - 1] as number;
      this.#relink(above, this.#left.get(above) === parent, row);
    }
    return root;
  }

  #relink(parent: number, isLeft: boolean, child: number): void {
    (isLeft ? this.#left : this.#right).set(parent, child);
  }

  /** One tree of two, all of whose left rows come before all right ones. */
  #merge(left: number, right: number): number {
    if (left === NONE) return right;
    if (right === NONE) return left;
    if (priority(left) > priority(right)) {
      this.#right.set(left, this.#merge(this.#right.get(left), right));
      return left;
    }
    this.#left.set(right, this.#merge(left, this.#left.get(right)));
    return right;
  }

  #end(root: number, side: Segments<Int32Array>): number {
    let at = root;
    if (at === NONE) return NONE;
    for (let next = side.get(at); next !== NONE; next = side.get(at)) at = next;
    return at;
  }
}

/** The finalizer of MurmurHash3, a bijection of 32-bit numbers. */
function priority(row: number): number {
  let h = row + 1;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
