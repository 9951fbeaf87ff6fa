/**
 * Row numbers by 32-bit hash: extendible hashing (Fagin et al., TODS 4(3), 1979) over open-addressing tables with linear
 * probing. A table that is full splits in two, so growth moves at most one table's entries at a time.
 * Generated code probes `directory` by itself; everything else goes through the methods.
 */
import type { Saved } from './saved.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

const TABLE_SLOTS_FIRST = 16;
const TABLE_SLOTS_MAX = 1 << 15;
/** Past this depth the hashes do not differ enough to split by; tables grow instead. */
const DEPTH_MAX = 16;

export class HashTable {
  /** [hash, row + 1] per slot; a second word of 0 means free. */
  slots: Int32Array;
  /** Number of slots - 1. */
  mask: number;
  count = 0;
  /** How many high bits of the hash all entries share. */
  readonly depth: number;

  constructor(slotCount: number, depth: number) {
    this.slots = new Int32Array(slotCount * 2);
    this.mask = slotCount - 1;
    this.depth = depth;
  }

  put(hash: number, row: number): void {
    const slots = this.slots;
    const mask = this.mask;
    let i = hash & mask;
    while (slots[2 * i + 1] !== 0) i = (i + 1) & mask;
    slots[2 * i] = hash;
    slots[2 * i + 1] = row + 1;
    this.count++;
  }

  /** The slot that holds a row, which must be there. */
  slotOf(hash: number, row: number): number {
    const slots = this.slots;
    const mask = this.mask;
    let i = hash & mask;
    while (slots[2 * i + 1] !== row + 1) {
      if (slots[2 * i + 1] === 0) throw new Error(`assertion failed: row ${row} is not indexed`);
      i = (i + 1) & mask;
    }
    return i;
  }

  removeAt(slot: number): void {
    const slots = this.slots;
    const mask = this.mask;
    let hole = slot;
    // Entries after the hole move into it unless they already stand at or after their own place.
    for (let i = (hole + 1) & mask; slots[2 * i + 1] !== 0; i = (i + 1) & mask) {
      const home = (slots[2 * i] as number) & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots[2 * hole] = slots[2 * i] as number;
      slots[2 * hole + 1] = slots[2 * i + 1] as number;
      hole = i;
    }
    slots[2 * hole + 1] = 0;
    this.count--;
  }

  get isFull(): boolean {
    return this.count * 5 > this.mask * 3;
  }
}

export class HashIndex implements Saved {
  /** 2^depth entries; entry number = high bits of the hash: `(hash >>> 1) >>> shift`. */
  directory: HashTable[] = [new HashTable(TABLE_SLOTS_FIRST, 0)];
  shift = 31;
  /** Rows of different keys that have entered have different hashes; kept by generated code. */
  isInjective = true;
  #depth = 0;
  #count = 0;
  #slots = TABLE_SLOTS_FIRST;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#slots * 8 + this.directory.length * 8;
  }

  /** Enters a row; the caller knows that it is not there. */
  add(hash: number, row: number): void {
    let table = this.#tableOf(hash);
    while (table.isFull) {
      this.#enlarge(table);
      table = this.#tableOf(hash);
    }
    table.put(hash, row);
    this.#count++;
  }

  /** The same for generated code, which has found the free slot of a table that is not full. */
  put(table: HashTable, slot: number, hash: number, row: number): void {
    table.slots[2 * slot] = hash;
    table.slots[2 * slot + 1] = row + 1;
    table.count++;
    this.#count++;
  }

  remove(hash: number, row: number): void {
    const table = this.#tableOf(hash);
    table.removeAt(table.slotOf(hash, row));
    this.#count--;
  }

  /** Puts `twin`, which has the same key, where `row` stood. */
  replace(hash: number, row: number, twin: number): void {
    const table = this.#tableOf(hash);
    table.slots[2 * table.slotOf(hash, row) + 1] = twin + 1;
  }

  /** Forgets all rows; a table of one size is kept. */
  clear(): void {
    const [table] = this.directory;
    if (this.directory.length > 1 || table === undefined) {
      this.directory = [new HashTable(TABLE_SLOTS_MAX, 0)];
      this.shift = 31;
      this.#depth = 0;
      this.#slots = TABLE_SLOTS_MAX;
    } else {
      table.slots.fill(0);
      table.count = 0;
    }
    this.#count = 0;
    this.isInjective = true;
  }

  /** Tables as they are: hashes have no seed of the process, so slots mean the same in the next one. */
  save(to: StateWriter): void {
    to.number(this.#depth);
    to.byte(this.isInjective ? 1 : 0);
    for (let i = 0; i < this.directory.length; ) {
      const table = this.directory[i] as HashTable;
      to.number(table.depth);
      to.number(table.mask + 1);
      to.number(table.count);
      to.cells(table.slots);
      i += 1 << (this.#depth - table.depth);
    }
  }

  load(from: StateReader): void {
    this.#depth = from.number();
    this.isInjective = from.byte() === 1;
    this.shift = 31 - this.#depth;
    this.#count = 0;
    this.#slots = 0;
    const directory: HashTable[] = [];
    while (directory.length < 1 << this.#depth) {
      const depth = from.number();
      const table = new HashTable(from.number(), depth);
      table.count = from.number();
      from.cells(table.slots);
      this.#count += table.count;
      this.#slots += table.mask + 1;
      for (let i = 1 << (this.#depth - depth); i > 0; i--) directory.push(table);
    }
    this.directory = directory;
  }

  #tableOf(hash: number): HashTable {
    return this.directory[(hash >>> 1) >>> this.shift] as HashTable;
  }

  #enlarge(table: HashTable): void {
    const slotCount = table.mask + 1;
    if (slotCount < TABLE_SLOTS_MAX || table.depth >= DEPTH_MAX) {
      const old = table.slots;
      table.slots = new Int32Array(slotCount * 4);
      table.mask = slotCount * 2 - 1;
      table.count = 0;
      for (let i = 0; i < slotCount; i++) {
        const entry = old[2 * i + 1] as number;
        if (entry !== 0) table.put(old[2 * i] as number, entry - 1);
      }
      this.#slots += slotCount;
      return;
    }
    if (table.depth === this.#depth) {
      this.directory = this.directory.flatMap((entry) => [entry, entry]);
      this.#depth++;
      this.shift--;
    }
    this.#split(table);
  }

  #split(table: HashTable): void {
    const depth = table.depth + 1;
    const slotCount = table.mask + 1;
    const low = new HashTable(slotCount, depth);
    const high = new HashTable(slotCount, depth);
    const bit = 31 - depth;
    for (let i = 0; i < slotCount; i++) {
      const entry = table.slots[2 * i + 1] as number;
      if (entry === 0) continue;
      const hash = table.slots[2 * i] as number;
      const half = (((hash >>> 1) >>> bit) & 1) === 0 ? low : high;
      half.put(hash, entry - 1);
    }
    const first = this.directory.indexOf(table);
    const span = 1 << (this.#depth - table.depth);
    for (let i = 0; i < span; i++) this.directory[first + i] = i < span / 2 ? low : high;
    this.#slots += slotCount;
  }
}
