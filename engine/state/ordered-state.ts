import type { SqlType } from '../../sql/base/type.ts';
import { physicalOf } from '../delta/column.ts';
import {
  type CompareRows,
  inTurn,
  orderBy,
  orderExactly,
  type RowOrderColumn,
} from './row-order.ts';
import { NONE, RowStore } from './row-store.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
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
  readonly #compare: CompareRows;
  readonly #left = Segments.int32();
  readonly #right = Segments.int32();
  readonly #path: number[] = [];
  /** Rows that left their tree and are still readable, until `releaseRetired`. */
  readonly #retired: number[] = [];

  constructor(types: readonly SqlType[], order: readonly RowOrderColumn[]) {
    this.rows = new RowStore(types.map(physicalOf));
    const { columns } = this.rows;
    this.comparePeers = orderBy(columns, types, order);
    this.#compare = inTurn([this.comparePeers, orderExactly(columns, types)]);
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
      order = this.#compare(row, at);
      if (order === 0) {
        this.rows.release(row);
        return this.#addWeight(root, at, weight, depth);
      }
      path[depth++] = at;
      at = order < 0 ? this.#left.get(at) : this.#right.get(at);
    }
    this.weights.set(row, weight);
    this.#left.set(row, NONE);
    this.#right.set(row, NONE);
    if (depth === 0) return row;
    this.#relink(path[depth - 1] as number, order < 0, row);
    return this.#rise(root, row, depth);
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
    return root !== NONE && this.#compare(row, this.last(root)) > 0;
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
    if (sum !== 0) return root;
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

  #end(root: number, side: Segments<Int32Array<ArrayBuffer>>): number {
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
